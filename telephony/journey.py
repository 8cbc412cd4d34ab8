"""What is told of one caller's journey when it is over; plain facts, ready to be written as JSON.

Made by ``telephony.journeys`` from the same messages as the live picture. Instants are Asterisk's
own ``Timestamp`` (epoch seconds), None where the stream has none.
"""

from enum import StrEnum

import msgspec


class JourneyOutcome(StrEnum):
    """How the journey ended; of several that fit the first in this order is told."""

    TRANSFERRED = "transferred"
    """The caller was handed on, and reached somebody."""
    ANSWERED = "answered"
    """Somebody (or an application such as voice mail) took the call."""
    BUSY = "busy"
    """Who was called was busy or declined."""
    FAILED = "failed"
    """There was no way to who was called."""
    ABANDONED = "abandoned"
    """Nobody answered until the end."""


class LegRole(StrEnum):
    """What a channel was in the journey."""

    CALLER = "caller"
    """Whose journey it is."""
    AGENT = "agent"
    """Rung by a queue, or took the call of one that was."""
    CALLEE = "callee"
    """Dialled in any other way."""


class TransferKind(StrEnum):
    """How a call is handed on."""

    BLIND = "blind"
    """Sent off without asking."""
    ATTENDED = "attended"
    """After asking who shall take it."""


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a person or carrier; the halves of Local channels are none."""

    channel: str
    number: str
    role: LegRole
    answered_at: float | None
    ended_at: float | None


class Transfer(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """An attempt to hand the call on."""

    kind: TransferKind
    from_: str
    to: str
    at: float | None
    completed: bool
    """The caller reached somebody by it."""


class Journey(msgspec.Struct, frozen=True, kw_only=True):
    """One caller's journey over all linked channels."""

    id: str
    caller: str
    caller_name: str
    called: str
    queue: str | None
    """The queue it was answered from, else the last one waited in."""
    agent: str | None
    """Who answered first: the queue member's name, else the endpoint, as Asterisk sent it."""
    started_at: float | None
    answered_at: float | None
    ended_at: float | None
    outcome: JourneyOutcome
    legs: list[Leg]
    transfers: list[Transfer]
