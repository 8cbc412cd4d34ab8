"""Which agent's desk shows what: pops, calls and states, decided from telephony's events.

Pure: ``Desks.apply`` takes an event and gives effects; the caller carries them out. A pop is shown
exactly once for a ring, on the ringing agent's desk alone, and is withdrawn when the ring ends
another way (invariant 5).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from base.ids import AgentId, CallId, RingId
from routing.agents import IN_TALK, Agent, AgentState, QueueMark, Trigger, move
from routing.reservations import NotReserved, Reservation, Reservations
from telephony import events as tel


@dataclass(frozen=True, slots=True)
class SetQueueMark:
    """Tell Asterisk's queues whether to offer calls to this agent."""

    agent: AgentId
    is_paused: bool
    reason: str


@dataclass(frozen=True, slots=True)
class AgentChanged:
    """The agent's own state is another now."""

    agent: AgentId


@dataclass(frozen=True, slots=True)
class Moved:
    """One step of the agent's state, for the log that figures are made of."""

    agent: AgentId
    at: datetime
    old: AgentState
    event: Trigger
    new: AgentState
    reason: str
    """Of a pause, or the purpose of a reservation."""
    call: CallId | None
    by: str
    """``switch``: a fact; ``agent``: their own wish; ``system``: ours; else who wished it."""


@dataclass(frozen=True, slots=True)
class ShowPop:
    """Show who calls, before the phone is answered."""

    agent: AgentId
    ring: RingId
    call: CallId
    at: datetime


@dataclass(frozen=True, slots=True)
class WithdrawPop:
    """Take the card away; ``reason`` is a RingEnd value or ``answered``."""

    agent: AgentId
    ring: RingId
    reason: str


@dataclass(frozen=True, slots=True)
class OpenCall:
    """The agent talks with the caller: words and draft begin."""

    agent: AgentId
    call: CallId
    at: datetime


@dataclass(frozen=True, slots=True)
class CloseCall:
    """The conversation is over; the desk stays for wrap-up."""

    agent: AgentId
    call: CallId
    at: datetime


@dataclass(frozen=True, slots=True)
class ClearDesk:
    """Wrap-up is over: the desk is empty."""

    agent: AgentId
    call: CallId


@dataclass(frozen=True, slots=True)
class RestoreWrapUp:
    """After a restart the queues say this agent wraps up: find the call and its draft again."""

    agent: AgentId


DeskEffect = (
    SetQueueMark
    | AgentChanged
    | Moved
    | ShowPop
    | WithdrawPop
    | OpenCall
    | CloseCall
    | ClearDesk
    | RestoreWrapUp
)


Marks = Mapping[AgentId, bool]
"""Whom the queues have paused."""
_REACHABLE = frozenset({AgentState.READY, AgentState.RESERVED})
"""States that mean nothing without a phone."""


class Desks:
    """All agents' desks. No I/O, no clock: instants come with the events."""

    def __init__(
        self, agents: Iterable[AgentId], *, at: datetime, signed_in: Collection[AgentId] = ()
    ) -> None:
        self._agents = {
            agent: Agent(agent=agent, state=AgentState.OFFLINE, since_at=at) for agent in agents
        }
        self._signed_in = signed_in
        """Who was at work before our restart, as far as anybody could tell."""
        self._signed_out: set[AgentId] = set()
        """Who left since our start: the others who are offline were never heard of."""
        self._reservations = Reservations()

    def __contains__(self, agent: object) -> bool:
        return agent in self._agents

    def __iter__(self) -> Iterator[Agent]:
        return iter(self._agents.values())

    def get(self, agent: AgentId) -> Agent:
        """The agent's present state; KeyError for an unknown one."""
        return self._agents[agent]

    def wish(
        self,
        agent: AgentId,
        trigger: Trigger,
        *,
        at: datetime,
        reason: str | None = None,
        by: str = "agent",
    ) -> list[DeskEffect]:
        """A person asked for something; raises ``IllegalMove`` where it does not fit."""
        effects = self._move(agent, trigger, at=at, reason=reason, by=by)
        now = self._agents[agent]
        if now.call is not None and now.state not in IN_TALK | {AgentState.WRAP_UP}:
            effects.append(ClearDesk(agent=agent, call=now.call))
            self._agents[agent] = replace(now, call=None)
        return effects

    # ---- reservations --------------------------------------------------------------------------

    def reserve(
        self,
        agent: AgentId,
        purpose: str,
        *,
        at: datetime,
        lease: timedelta,
        call: CallId | None = None,
    ) -> tuple[Reservation, list[DeskEffect]]:
        """Keep a ready agent for one purpose; raises ``IllegalMove`` where they are not ready."""
        effects = self._move(agent, Trigger.RESERVE, at=at, reason=purpose, by="system", call=call)
        return self._reservations.keep(agent, purpose, at=at, lease=lease, call=call), effects

    def check_reserved(self, reservation: Reservation, *, at: datetime) -> None:
        """Raise ``NotReserved`` unless this very reservation still holds."""
        self._reservations.check(reservation, at=at)
        desk = self._agents[reservation.agent]
        if AgentState.RESERVED not in (desk.state, *(desk.before or ())):
            raise NotReserved(agent=reservation.agent)

    def release(self, agent: AgentId, *, at: datetime) -> list[DeskEffect]:
        """The reservation's purpose is done."""
        if self._reservations.of(agent) is None:
            return []
        self._reservations.drop(agent)
        return self._move(agent, Trigger.RELEASE, at=at, by="system")

    def end_leases(self, at: datetime) -> list[DeskEffect]:
        """Free everybody whose lease has run out."""
        return [
            effect
            for agent in self._reservations.ended(at)
            for effect in self.release(agent, at=at)
        ]

    # ---- what the switch has -------------------------------------------------------------------

    def look_again(self, marks: Marks, *, at: datetime) -> list[DeskEffect]:
        """After each start and gap: whom the queues ring, though we thought nobody was there."""
        effects: list[DeskEffect] = []
        for desk in list(self._agents.values()):
            if marks.get(desk.agent) is not False or desk.agent in self._signed_out:
                continue
            if desk.before == (AgentState.OFFLINE, None):
                self._agents[desk.agent] = replace(desk, before=(AgentState.READY, None))
            elif desk.state is not AgentState.OFFLINE:
                continue
            elif desk.phone_registered or desk.agent in self._signed_in:
                effects += self._move(desk.agent, Trigger.MARKED_READY, at=at)
        self._signed_in = ()
        return effects

    def wrong_marks(self, marks: Marks) -> set[SetQueueMark]:
        """Marks that the queues do not have as the agents' states ask for.

        One is on its way for a moment after each change; one that stays was lost.
        """
        wrong: set[SetQueueMark] = set()
        for desk in self._agents.values():
            is_paused = marks.get(desk.agent)
            wanted = _wanted_mark(desk, is_signed_out=desk.agent in self._signed_out)
            if is_paused is not None and wanted is not None and is_paused != wanted.is_paused:
                wrong.add(wanted)
        return wrong

    def apply(self, event: tel.TelephonyEvent) -> list[DeskEffect]:
        """Follow what Asterisk did. Events about agents we do not know change nothing."""
        match event:
            case tel.AgentRinging():
                return self._rings(event)
            case tel.AgentRingEnded():
                return self._ring_ended(event)
            case tel.CallAnswered():
                return self._answered(event)
            case tel.AgentLeft():
                return self._left(event.agent, event.call, event.at)
            case tel.CallEnded():
                return self._call_ended(event)
            case tel.AgentPhoneChanged():
                return self._phone_changed(event)
            case tel.LegHeld(speaker="agent"):
                return self._held(event.call, Trigger.HOLD, event.at)
            case tel.LegResumed(speaker="agent"):
                return self._held(event.call, Trigger.RESUME, event.at)
            case tel.AttemptBegan():
                return self._dials(event.agent, Trigger.DIAL, event.at)
            case tel.AttemptOver():
                return self._dials(event.agent, Trigger.DIAL_OVER, event.at)
            case tel.AgentPauseChanged():
                return self._marked(event)
            case _:
                return []

    # ---- single events -------------------------------------------------------------------------

    def _rings(self, event: tel.AgentRinging) -> list[DeskEffect]:
        desk = self._agents.get(event.agent)
        if desk is None or desk.ring == event.ring:
            return []
        effects: list[DeskEffect] = []
        if desk.ring is not None:
            effects.append(WithdrawPop(event.agent, desk.ring, tel.RingEnd.CALLER_LEFT.value))
        if desk.call is not None and desk.state not in IN_TALK:
            effects.append(ClearDesk(event.agent, desk.call))
            desk = replace(desk, call=None)
        self._agents[event.agent] = replace(desk, ring=event.ring)
        effects += self._move(event.agent, Trigger.RING, at=event.at, call=event.call)
        effects.append(ShowPop(event.agent, event.ring, event.call, event.at))
        return effects

    def _ring_ended(self, event: tel.AgentRingEnded) -> list[DeskEffect]:
        desk = self._agents.get(event.agent)
        if desk is None or desk.ring != event.ring:
            return []
        self._agents[event.agent] = replace(desk, ring=None)
        missed = event.reason in (tel.RingEnd.NO_ANSWER, tel.RingEnd.DECLINED)
        trigger = Trigger.RING_MISSED if missed else Trigger.RING_WITHDRAWN
        withdraw = WithdrawPop(event.agent, event.ring, event.reason.value)
        return [withdraw, *self._move(event.agent, trigger, at=event.at, call=event.call)]

    def _answered(self, event: tel.CallAnswered) -> list[DeskEffect]:
        desk = self._agents.get(event.agent)
        if desk is None or (desk.call == event.call and desk.is_with_caller):
            return []
        effects: list[DeskEffect] = []
        if desk.ring is not None:
            effects.append(WithdrawPop(event.agent, desk.ring, "answered"))
        self._agents[event.agent] = replace(desk, ring=None, call=event.call)
        effects += self._move(event.agent, Trigger.ANSWER, at=event.at)
        effects.append(OpenCall(event.agent, event.call, event.at))
        return effects

    def _left(self, agent: AgentId, call: CallId, at: datetime) -> list[DeskEffect]:
        desk = self._agents.get(agent)
        if desk is None or desk.call != call or not desk.is_with_caller:
            return []
        return [*self._move(agent, Trigger.CALL_OVER, at=at), CloseCall(agent, call, at)]

    def _held(self, call: CallId, trigger: Trigger, at: datetime) -> list[DeskEffect]:
        return [
            effect
            for desk in list(self._agents.values())
            if desk.call == call and desk.is_with_caller
            for effect in self._move(desk.agent, trigger, at=at)
        ]

    def _dials(self, agent: AgentId, trigger: Trigger, at: datetime) -> list[DeskEffect]:
        return self._move(agent, trigger, at=at) if agent in self._agents else []

    def _call_ended(self, event: tel.CallEnded) -> list[DeskEffect]:
        effects: list[DeskEffect] = []
        for desk in [desk for desk in self._agents.values() if desk.call == event.call]:
            effects += self._left(desk.agent, event.call, event.at)
        return effects

    def _phone_changed(self, event: tel.AgentPhoneChanged) -> list[DeskEffect]:
        desk = self._agents.get(event.agent)
        is_registered = event.phone is not tel.AgentPhone.UNREACHABLE
        if desk is None or desk.phone_registered == is_registered:
            return []
        self._agents[event.agent] = replace(desk, phone_registered=is_registered)
        trigger = Trigger.PHONE_BACK if is_registered else Trigger.PHONE_LOST
        return self._move(event.agent, trigger, at=event.at) or [AgentChanged(event.agent)]

    def _marked(self, event: tel.AgentPauseChanged) -> list[DeskEffect]:
        desk = self._agents.get(event.agent)
        if desk is None:
            return []
        trigger = Trigger.MARKED_PAUSED if event.is_paused else Trigger.MARKED_READY
        is_out = event.reason == AgentState.OFFLINE or desk.agent in self._signed_out
        if event.is_paused and is_out:
            return []  # our own mark for a signed-out agent, or the echo of one before it
        if event.is_paused and event.reason == AgentState.WRAP_UP:
            return self._still_wrapping_up(desk, event.at)
        if event.is_paused and event.reason == AgentState.RESERVED:
            return self._still_reserved(desk, event.at)
        if event.is_paused and desk.state is AgentState.OFFLINE:
            trigger = Trigger.SIGN_IN  # left paused before our restart: still signed in
            self._agents[event.agent] = replace(desk, pause_reason=event.reason or None)
        effects = self._move(event.agent, trigger, at=event.at, reason=event.reason)
        return [e for e in effects if not isinstance(e, SetQueueMark)]

    def _still_wrapping_up(self, desk: Agent, at: datetime) -> list[DeskEffect]:
        if desk.state is not AgentState.OFFLINE:
            return []  # the echo of our own mark
        return [*self._found(desk.agent, AgentState.WRAP_UP, at), RestoreWrapUp(desk.agent)]

    def _still_reserved(self, desk: Agent, at: datetime) -> list[DeskEffect]:
        """The echo of our own mark; or a mark whose lease is over, or died with a former bridge."""
        if desk.state is AgentState.OFFLINE:
            return self.wish(desk.agent, Trigger.GO_READY, at=at, by="system")
        if desk.state is not AgentState.READY:
            return []
        return [SetQueueMark(desk.agent, is_paused=False, reason=desk.state.value)]

    def restore_call(self, agent: AgentId, call: CallId) -> None:
        """The call a restart found the agent wrapping up (see ``RestoreWrapUp``)."""
        self._agents[agent] = replace(self._agents[agent], call=call)

    def resume_wrap_up(self, agent: AgentId, call: CallId, *, at: datetime) -> list[DeskEffect]:
        """The agent's conversation ended while nobody saw it: the desk wraps it up now.

        An agent who is rung or talks again meanwhile is left alone.
        """
        desk = self._agents.get(agent)
        busy = IN_TALK | {AgentState.RINGING}
        if desk is None or desk.state in busy or desk.call == call:
            return []
        effects: list[DeskEffect] = []
        if desk.call is not None:
            effects.append(ClearDesk(agent, desk.call))
        self._agents[agent] = replace(desk, call=call)
        mark = SetQueueMark(agent, is_paused=True, reason=AgentState.WRAP_UP.value)
        return [*effects, mark, *self._found(agent, AgentState.WRAP_UP, at)]

    def _found(self, agent: AgentId, state: AgentState, at: datetime) -> list[DeskEffect]:
        """The state that somebody else kept for us."""
        before = self._agents[agent]
        self._agents[agent] = replace(before, state=state, since_at=at, pause_reason=None)
        moved = Moved(
            agent, at, before.state, Trigger.FOUND, state, "", self._agents[agent].call, "switch"
        )
        return [moved, AgentChanged(agent)]

    def _move(
        self,
        agent: AgentId,
        trigger: Trigger,
        *,
        at: datetime,
        reason: str | None = None,
        by: str = "switch",
        call: CallId | None = None,
    ) -> list[DeskEffect]:
        before = self._agents[agent]
        after, mark = move(before, trigger, at=at, reason=reason)
        self._agents[agent] = after
        effects: list[DeskEffect] = []
        if mark is not QueueMark.KEEP:
            why = after.pause_reason or after.state.value
            effects.append(SetQueueMark(agent, is_paused=mark is QueueMark.PAUSE, reason=why))
        if (after.state, after.pause_reason) != (before.state, before.pause_reason):
            why = after.pause_reason or (reason or "" if trigger is Trigger.RESERVE else "")
            moved = Moved(
                agent, at, before.state, trigger, after.state, why, call or after.call, by
            )
            effects += [moved, AgentChanged(agent)]
        if trigger is Trigger.SIGN_OUT:
            self._signed_out.add(agent)
        elif after.state is not AgentState.OFFLINE:
            self._signed_out.discard(agent)
        if after.state is not AgentState.RESERVED and before.state is AgentState.RESERVED:
            self._leave_reservation(agent, after)
        if after.state in _REACHABLE and after.phone_registered is False:
            effects += self._move(agent, Trigger.PHONE_LOST, at=at)
        return effects

    def _leave_reservation(self, agent: AgentId, after: Agent) -> None:
        """It holds on while a call is made for it, and while the phone is away."""
        if after.before is None or after.before[0] is not AgentState.RESERVED:
            self._reservations.drop(agent)


def _wanted_mark(desk: Agent, *, is_signed_out: bool) -> SetQueueMark | None:
    """The mark that a state asks for; None where either is right."""
    match desk.state:
        case AgentState.READY:
            return SetQueueMark(desk.agent, is_paused=False, reason=desk.state.value)
        case AgentState.PAUSED:
            return SetQueueMark(desk.agent, is_paused=True, reason=desk.pause_reason or "other")
        case AgentState.WRAP_UP | AgentState.RESERVED:
            return SetQueueMark(desk.agent, is_paused=True, reason=desk.state.value)
        case AgentState.OFFLINE if is_signed_out:
            return SetQueueMark(desk.agent, is_paused=True, reason=desk.state.value)
        case _:
            return None
