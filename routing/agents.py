"""An agent's state as one table: what may happen in each state, and what it leads to.

The queues' own pause mark in Asterisk is the lasting truth of who is offered calls; this machine
decides when to change it and mirrors what others (a phone code, a resync) did to it. Facts told by
Asterisk are always accepted; a person's wish that does not fit is refused with ``IllegalMove``.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from base.errors import HotlineError
from base.ids import AgentId, CallId, RingId


class AgentState(StrEnum):
    """What an agent is doing."""

    OFFLINE = "offline"
    """Signed out; no call is offered."""
    READY = "ready"
    """Free: the queues may ring this phone."""
    RESERVED = "reserved"
    """Kept for one purpose (a return call, a transfer) until its lease ends; not rung."""
    RINGING = "ringing"
    """A call is being offered."""
    TALKING = "talking"
    """In conversation, with a caller or with somebody who was dialled."""
    HOLDING = "holding"
    """The caller of the conversation is held: hears music, waits for the agent."""
    WRAP_UP = "wrap_up"
    """The caller has gone; the draft is being finished. Ends on confirmation."""
    PAUSED = "paused"
    """Signed in, but not to be rung; the reason is kept."""
    LOST = "lost"
    """Wants calls, but the phone is gone from the switch: none can reach it."""


class Trigger(StrEnum):
    """What can happen to an agent."""

    SIGN_IN = "sign_in"
    """The console was opened."""
    SIGN_OUT = "sign_out"
    """The agent wants to leave."""
    GO_READY = "go_ready"
    """The agent wants calls."""
    GO_PAUSED = "go_paused"
    """The agent wants a break."""
    RESERVE = "reserve"
    """The product wants the agent for one purpose."""
    RELEASE = "release"
    """Fact: the reservation's lease ended, or its purpose is done."""
    WRAPPED_UP = "wrapped_up"
    """The draft was confirmed."""
    RING = "ring"
    """Fact: the phone began to ring."""
    RING_MISSED = "ring_missed"
    """Fact: the agent did not take it."""
    RING_WITHDRAWN = "ring_withdrawn"
    """Fact: it stopped through no fault of the agent."""
    ANSWER = "answer"
    """Fact: the agent talks with the caller."""
    HOLD = "hold"
    """Fact: the agent put the caller on hold, or asks somebody else meanwhile."""
    RESUME = "resume"
    """Fact: the agent took the caller back."""
    CALL_OVER = "call_over"
    """Fact: the conversation ended."""
    DIAL = "dial"
    """Fact: the agent is on the line for a call the platform makes for them."""
    DIAL_OVER = "dial_over"
    """Fact: that call is over."""
    PHONE_LOST = "phone_lost"
    """Fact: the agent's phone is gone from the switch."""
    PHONE_BACK = "phone_back"
    """Fact: it is there again."""
    MARKED_PAUSED = "marked_paused"
    """Fact: the queues' mark says paused, whoever set it."""
    MARKED_READY = "marked_ready"
    """Fact: the queues' mark says ready, whoever set it."""
    FOUND = "found"
    """Fact: after our absence the agent was found in this state."""


class QueueMark(StrEnum):
    """What a move asks of Asterisk's queues."""

    KEEP = "keep"
    PAUSE = "pause"
    READY = "ready"


class IllegalMove(HotlineError):
    """The agent's state does not allow this."""

    code: ClassVar[str] = "agent_state_illegal"
    http_status: ClassVar[int] = 409


S, T, Q = AgentState, Trigger, QueueMark

IN_TALK = frozenset({S.TALKING, S.HOLDING})
"""With somebody on the line."""

TABLE: dict[tuple[AgentState, Trigger], tuple[AgentState, QueueMark]] = {
    (S.OFFLINE, T.SIGN_IN): (S.PAUSED, Q.PAUSE),
    (S.OFFLINE, T.SIGN_OUT): (S.OFFLINE, Q.PAUSE),
    (S.OFFLINE, T.GO_READY): (S.READY, Q.READY),
    (S.OFFLINE, T.GO_PAUSED): (S.PAUSED, Q.PAUSE),
    (S.OFFLINE, T.MARKED_PAUSED): (S.OFFLINE, Q.KEEP),
    (S.OFFLINE, T.MARKED_READY): (S.READY, Q.KEEP),
    (S.READY, T.SIGN_IN): (S.READY, Q.KEEP),
    (S.READY, T.SIGN_OUT): (S.OFFLINE, Q.PAUSE),
    (S.READY, T.GO_READY): (S.READY, Q.READY),
    (S.READY, T.GO_PAUSED): (S.PAUSED, Q.PAUSE),
    (S.READY, T.RESERVE): (S.RESERVED, Q.PAUSE),
    (S.READY, T.MARKED_PAUSED): (S.PAUSED, Q.KEEP),
    (S.READY, T.MARKED_READY): (S.READY, Q.KEEP),
    (S.READY, T.PHONE_LOST): (S.LOST, Q.KEEP),
    (S.RESERVED, T.SIGN_IN): (S.RESERVED, Q.KEEP),
    (S.RESERVED, T.SIGN_OUT): (S.OFFLINE, Q.PAUSE),
    (S.RESERVED, T.GO_PAUSED): (S.PAUSED, Q.PAUSE),
    (S.RESERVED, T.RELEASE): (S.READY, Q.READY),
    (S.RESERVED, T.MARKED_PAUSED): (S.RESERVED, Q.KEEP),
    (S.RESERVED, T.MARKED_READY): (S.READY, Q.KEEP),
    (S.RESERVED, T.PHONE_LOST): (S.LOST, Q.KEEP),
    (S.RINGING, T.SIGN_IN): (S.RINGING, Q.KEEP),
    (S.RINGING, T.RING_MISSED): (S.PAUSED, Q.PAUSE),
    (S.RINGING, T.MARKED_PAUSED): (S.RINGING, Q.KEEP),
    (S.RINGING, T.MARKED_READY): (S.RINGING, Q.KEEP),
    (S.TALKING, T.SIGN_IN): (S.TALKING, Q.KEEP),
    (S.TALKING, T.HOLD): (S.HOLDING, Q.KEEP),
    (S.TALKING, T.CALL_OVER): (S.WRAP_UP, Q.PAUSE),
    (S.TALKING, T.WRAPPED_UP): (S.TALKING, Q.KEEP),
    (S.TALKING, T.MARKED_PAUSED): (S.TALKING, Q.KEEP),
    (S.TALKING, T.MARKED_READY): (S.TALKING, Q.KEEP),
    (S.HOLDING, T.SIGN_IN): (S.HOLDING, Q.KEEP),
    (S.HOLDING, T.RESUME): (S.TALKING, Q.KEEP),
    (S.HOLDING, T.CALL_OVER): (S.WRAP_UP, Q.PAUSE),
    (S.HOLDING, T.WRAPPED_UP): (S.HOLDING, Q.KEEP),
    (S.HOLDING, T.MARKED_PAUSED): (S.HOLDING, Q.KEEP),
    (S.HOLDING, T.MARKED_READY): (S.HOLDING, Q.KEEP),
    (S.WRAP_UP, T.SIGN_IN): (S.WRAP_UP, Q.KEEP),
    (S.WRAP_UP, T.SIGN_OUT): (S.OFFLINE, Q.PAUSE),
    (S.WRAP_UP, T.GO_READY): (S.READY, Q.READY),
    (S.WRAP_UP, T.GO_PAUSED): (S.PAUSED, Q.PAUSE),
    (S.WRAP_UP, T.WRAPPED_UP): (S.READY, Q.READY),
    (S.WRAP_UP, T.MARKED_PAUSED): (S.WRAP_UP, Q.KEEP),
    (S.WRAP_UP, T.MARKED_READY): (S.READY, Q.KEEP),
    (S.PAUSED, T.SIGN_IN): (S.PAUSED, Q.KEEP),
    (S.PAUSED, T.SIGN_OUT): (S.OFFLINE, Q.PAUSE),
    (S.PAUSED, T.GO_READY): (S.READY, Q.READY),
    (S.PAUSED, T.GO_PAUSED): (S.PAUSED, Q.PAUSE),
    (S.PAUSED, T.MARKED_PAUSED): (S.PAUSED, Q.KEEP),
    (S.PAUSED, T.MARKED_READY): (S.READY, Q.KEEP),
    # Who wants calls without a phone is lost again at once (``routing.desks``).
    (S.LOST, T.SIGN_IN): (S.LOST, Q.KEEP),
    (S.LOST, T.SIGN_OUT): (S.OFFLINE, Q.PAUSE),
    (S.LOST, T.GO_READY): (S.READY, Q.READY),
    (S.LOST, T.GO_PAUSED): (S.PAUSED, Q.PAUSE),
    (S.LOST, T.MARKED_PAUSED): (S.PAUSED, Q.KEEP),
    (S.LOST, T.MARKED_READY): (S.READY, Q.KEEP),
    # The switch offered a call just before a pause took hold, or while we were away.
    **{(state, T.RING): (S.RINGING, Q.KEEP) for state in S if state not in IN_TALK},
    **{(state, T.ANSWER): (S.TALKING, Q.KEEP) for state in S},
    **{(state, T.DIAL): (S.TALKING, Q.KEEP) for state in S if state not in IN_TALK},
}
"""(state, trigger) → (next state, what the queues are told). The triggers of ``BACK`` are not in
it: they lead back to where the agent was before."""

BACK: dict[Trigger, AgentState] = {
    T.RING_WITHDRAWN: S.RINGING,
    T.DIAL_OVER: S.TALKING,
    T.PHONE_BACK: S.LOST,
}
"""Triggers that lead out of a state, back to where the agent was when it began."""

_LEAVING: dict[Trigger, AgentState] = {
    T.RING: S.RINGING,
    T.DIAL: S.TALKING,
    T.PHONE_LOST: S.LOST,
}
"""Triggers that remember where the agent was."""

_WISHES = frozenset({T.SIGN_OUT, T.GO_READY, T.GO_PAUSED, T.RESERVE})


Place = tuple[AgentState, str | None]
"""A state and, of a pause, its reason."""


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent now."""

    agent: AgentId
    state: AgentState
    since_at: datetime
    pause_reason: str | None = None
    phone_registered: bool | None = None
    """None: the switch has not said yet."""
    ring: RingId | None = None
    call: CallId | None = None
    """The caller's call on the desk: in talk, held, or being wrapped up."""
    before: Place | None = None
    """Where a withdrawn ring, the end of a dialled call or the phone's return leads back to."""

    @property
    def is_with_caller(self) -> bool:
        """In talk with the caller of ``call``, and not with somebody who was dialled."""
        return self.state in IN_TALK and self.before is None


def move(
    agent: Agent, trigger: Trigger, *, at: datetime, reason: str | None = None
) -> tuple[Agent, QueueMark]:
    """Apply ``trigger``; give the agent's new state and what the queues must be told.

    A fact that changes nothing in this state is passed over; a wish that is not in the table
    raises ``IllegalMove``.
    """
    if trigger in BACK:
        return _back(agent, trigger, at), Q.KEEP
    if trigger is T.RELEASE and agent.before == (S.RESERVED, None):
        return replace(agent, before=(S.READY, None)), Q.READY
    edge = TABLE.get((agent.state, trigger))
    if edge is None:
        if trigger in _WISHES:
            raise IllegalMove(state=agent.state.value, wish=trigger.value)
        return agent, Q.KEEP
    state, mark = edge
    kept_reason = _reason(agent, state, trigger, reason)
    if state is agent.state and kept_reason == agent.pause_reason:
        return replace(agent, before=None if trigger is T.ANSWER else agent.before), mark
    before = _place_before(agent, trigger)
    return (
        replace(agent, state=state, since_at=at, pause_reason=kept_reason, before=before),
        mark,
    )


def _place_before(agent: Agent, trigger: Trigger) -> Place | None:
    if trigger in (T.HOLD, T.RESUME):
        return agent.before
    if trigger not in _LEAVING:
        return None
    # A phone that rings was never lost, whatever we had heard.
    return agent.before if agent.state is S.LOST else (agent.state, agent.pause_reason)


def _reason(agent: Agent, state: AgentState, trigger: Trigger, reason: str | None) -> str | None:
    if state is not S.PAUSED:
        return None
    match trigger:
        case T.SIGN_IN:
            return agent.pause_reason or "signed_in"
        case T.RING_MISSED:
            return "missed_call"
        case T.GO_PAUSED | T.MARKED_PAUSED:
            return reason or agent.pause_reason or "other"
        case _:
            return agent.pause_reason


def _back(agent: Agent, trigger: Trigger, at: datetime) -> Agent:
    is_there = agent.state is BACK[trigger]
    if trigger is T.DIAL_OVER:
        is_there = agent.state in IN_TALK and agent.before is not None
    if not is_there:
        return agent
    state, reason = agent.before or (S.READY, None)
    return replace(agent, state=state, since_at=at, pause_reason=reason, before=None)
