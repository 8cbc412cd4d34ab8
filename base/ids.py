"""The names of things, as types, so that one is never passed for another."""

from typing import NewType

CallId = NewType("CallId", str)
"""One caller's journey. Asterisk's unique id of the caller's channel, prefixed by the node's
system name, so that it is unique over nodes and restarts and can be read back from the switch."""

RingId = NewType("RingId", str)
"""One ringing of one agent's phone for one call; a screen-pop happens exactly once for each."""

AgentId = NewType("AgentId", str)
"""An agent's number, which is also the extension of their phone, e.g. ``1001``."""

AttemptId = NewType("AttemptId", str)
"""One attempt to reach somebody by telephone; made by us (UUID), or the dialling channel's id."""

UserId = NewType("UserId", str)
"""A person who signs in (UUID)."""

TicketId = NewType("TicketId", str)
"""A work order's inner identity (UUID); people use its number."""

StreamId = NewType("StreamId", str)
"""One forked leg of a call on its way to the speech workers (UUID)."""

UnitId = NewType("UnitId", str)
"""An office that handles demands, by its code in the organisation tree, e.g. ``city.water``."""

AssignmentId = NewType("AssignmentId", str)
"""A ticket at one unit in one round (UUID)."""

RequestId = NewType("RequestId", str)
"""What a unit asks of the centre: return, extension, termination (UUID)."""
