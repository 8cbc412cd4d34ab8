"""The picture of all calls and agents at one instant, in our own words; frozen.

``changes`` gives the events that lead from one picture to another: how consumers are brought to the
truth after a gap. It knows nothing of AMI.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from base.ids import AgentId, AttemptId, CallId, RingId
from telephony.events import (
    AgentLeft,
    AgentPauseChanged,
    AgentPhone,
    AgentPhoneChanged,
    AgentRingEnded,
    AgentRinging,
    AttemptAnswered,
    AttemptBegan,
    AttemptOver,
    AttemptResult,
    CallAnswered,
    CallArrived,
    CallEnded,
    CallQueued,
    ConsultChanged,
    ConsultState,
    EmergencyConnected,
    EmergencyDialled,
    EmergencyUnreached,
    LegHeld,
    LegResumed,
    Outcome,
    RecordingChanged,
    RingEnd,
    Speaker,
    TelephonyEvent,
)

# A late or repeated message must not bring an ended call back; AMI is never this far behind.
ENDED_CALLS_KEPT: Final = 512


class Ring(msgspec.Struct, frozen=True):
    """One phone ringing for a call."""

    ring: RingId
    agent: AgentId
    was_declined: bool = False


class Consult(msgspec.Struct, frozen=True):
    """Whom the agent asks in the middle of the call: dialling, answered or joined."""

    to: str
    state: ConsultState


class Talk(msgspec.Struct, frozen=True):
    """A caller and an agent connected."""

    ring: RingId
    agent: AgentId
    channel: str
    """The agent's channel: the ring's own, until a transfer puts another in its place."""
    bridge: str = ""
    """Where they are joined; empty until seen."""
    since_at: datetime | None = None
    held: frozenset[Speaker] = frozenset()
    """The sides whose phone holds the other one."""
    consult: Consult | None = None


class Call(msgspec.Struct, frozen=True):
    """One caller's journey so far."""

    call: CallId
    caller_number: str
    caller_name: str
    called_number: str
    arrived_at: datetime
    queue: str | None = None
    """The queue the caller waits in."""
    position: int = 0
    rings: tuple[Ring, ...] = ()
    answering: RingId | None = None
    """The phone that was picked up, until the caller is connected to it."""
    talk: Talk | None = None
    past_rings: frozenset[RingId] = frozenset()
    """Rings that ended or were answered: none of them rings again."""
    was_answered: bool = False
    is_recording_paused: bool = False
    has_hung_up: bool = False
    """The caller pressed the red button; Asterisk is still clearing up."""
    emergency_line: str = ""
    is_emergency_connected: bool = False

    def ring_of(self, ring: str) -> Ring | None:
        return next((each for each in self.rings if each.ring == ring), None)

    def without_ring(self, ring: RingId) -> "Call":
        return replace(
            self,
            rings=tuple(each for each in self.rings if each.ring != ring),
            past_rings=self.past_rings | {ring},
        )

    @property
    def outcome(self) -> Outcome:
        """How the call ends if it ends now."""
        if self.is_emergency_connected:
            return Outcome.EMERGENCY
        if self.was_answered:
            return Outcome.ANSWERED
        return Outcome.ABANDONED if self.has_hung_up else Outcome.FAILED


class Agent(msgspec.Struct, frozen=True):
    """What the switch knows of an agent; ``phone`` is None until it said so."""

    agent: AgentId
    phone: AgentPhone | None = None
    is_paused: bool = False
    pause_reason: str = ""


class Attempt(msgspec.Struct, frozen=True):
    """A call out, made for an agent."""

    attempt: AttemptId
    agent: AgentId
    number: str
    is_answered: bool = False
    rang_at: datetime | None = None
    answered_at: datetime | None = None
    """Instants that were seen; None after a gap."""


class Snapshot(msgspec.Struct, frozen=True):
    """All calls and agents."""

    calls: Mapping[CallId, Call] = msgspec.field(default_factory=dict)
    agents: Mapping[AgentId, Agent] = msgspec.field(default_factory=dict)
    attempts: Mapping[AttemptId, Attempt] = msgspec.field(default_factory=dict)
    ended: tuple[CallId, ...] = ()
    calls_by_agent_channel: Mapping[str, CallId] = msgspec.field(default_factory=dict)

    def with_call(self, call: Call) -> "Snapshot":
        """The picture with ``call`` as it is now."""
        before = self.calls.get(call.call)
        index = self.calls_by_agent_channel
        if before is None or agent_channels(before) != agent_channels(call):
            index = _index(index, before, call)
        return replace(self, calls={**self.calls, call.call: call}, calls_by_agent_channel=index)

    def without_call(self, call: Call) -> "Snapshot":
        """The picture with ``call`` over, remembered so that it does not come back."""
        calls = {each: value for each, value in self.calls.items() if each != call.call}
        return replace(
            self,
            calls=calls,
            ended=(*self.ended[-(ENDED_CALLS_KEPT - 1) :], call.call),
            calls_by_agent_channel=_index(
                self.calls_by_agent_channel, self.calls.get(call.call), None
            ),
        )

    def with_attempt(self, attempt: Attempt) -> "Snapshot":
        return replace(self, attempts={**self.attempts, attempt.attempt: attempt})

    def without_attempt(self, attempt: AttemptId) -> "Snapshot":
        kept = {each: value for each, value in self.attempts.items() if each != attempt}
        return replace(self, attempts=kept)

    def with_agent(self, agent: Agent) -> "Snapshot":
        return replace(self, agents={**self.agents, agent.agent: agent})


def agent_channels(call: Call) -> frozenset[str]:
    """The channels of agents that ring for, or talk in, the call."""
    channels = {str(ring.ring) for ring in call.rings}
    if call.talk is not None:
        channels.add(call.talk.channel)
    return frozenset(channels)


def _index(
    index: Mapping[str, CallId], before: Call | None, after: Call | None
) -> Mapping[str, CallId]:
    gone = agent_channels(before) if before is not None else frozenset()
    kept = {channel: call for channel, call in index.items() if channel not in gone}
    if after is not None:
        kept.update(dict.fromkeys(agent_channels(after), after.call))
    return kept


def changes(before: Snapshot, after: Snapshot, *, at: datetime) -> list[TelephonyEvent]:
    """The events that lead from one picture to the other; what nobody saw happens ``at``."""
    events: list[TelephonyEvent] = []
    for gone in before.calls.keys() - after.calls.keys():
        # Nobody saw it end: most likely the caller hung up.
        events += end_of(replace(before.calls[gone], has_hung_up=True), at=at)
    for call in after.calls.values():
        old = before.calls.get(call.call)
        events += _arrival(call) if old is None else ()
        events += _call_changes(old or _just_arrived(call), call, at)
    events += _attempt_changes(before, after, at)
    for agent in after.agents.values():
        events += agent_changes(before.agents.get(agent.agent), agent, at=at)
    return events


def _attempt_changes(before: Snapshot, after: Snapshot, at: datetime) -> Iterator[TelephonyEvent]:
    for gone in before.attempts.values():
        if gone.attempt not in after.attempts:
            result = AttemptResult.ANSWERED if gone.is_answered else AttemptResult.UNKNOWN
            yield AttemptOver(gone.attempt, gone.agent, result, None, None, at)
    for now in after.attempts.values():
        old = before.attempts.get(now.attempt)
        if old is None:
            yield AttemptBegan(now.attempt, now.agent, now.number, at)
        if now.is_answered and not (old is not None and old.is_answered):
            yield AttemptAnswered(now.attempt, now.agent, at)


def _arrival(call: Call) -> Iterator[TelephonyEvent]:
    yield CallArrived(
        call.call, call.caller_number, call.caller_name, call.called_number, call.arrived_at
    )


def _just_arrived(call: Call) -> Call:
    return Call(
        call.call, call.caller_number, call.caller_name, call.called_number, call.arrived_at
    )


def _call_changes(old: Call, new: Call, at: datetime) -> Iterator[TelephonyEvent]:
    call = new.call
    if old.talk is not None and (new.talk is None or new.talk.ring != old.talk.ring):
        yield AgentLeft(call, old.talk.agent, at)
    if new.queue is not None and new.queue != old.queue:
        yield CallQueued(call, new.queue, new.position, at)
    for ring in new.rings:
        if old.ring_of(ring.ring) is None:
            yield AgentRinging(call, ring.ring, ring.agent, at)
    if new.talk is not None and (old.talk is None or new.talk.ring != old.talk.ring):
        yield CallAnswered(call, new.talk.ring, new.talk.agent, new.talk.since_at or at)
    for ring in old.rings:
        if new.ring_of(ring.ring) is None and (new.talk is None or new.talk.ring != ring.ring):
            elsewhere = new.talk is not None
            reason = RingEnd.ANSWERED_ELSEWHERE if elsewhere else RingEnd.NO_ANSWER
            yield AgentRingEnded(call, ring.ring, ring.agent, reason, at)
    yield from _hold_changes(old, new, at)
    if old.emergency_line and not new.emergency_line:
        yield EmergencyUnreached(call, old.emergency_line, at)
    yield from _consult_changes(old, new, at)
    if new.is_recording_paused != old.is_recording_paused:
        yield RecordingChanged(call, new.is_recording_paused, at)
    if new.emergency_line and new.emergency_line != old.emergency_line:
        yield EmergencyDialled(call, new.emergency_line, at)
    if new.is_emergency_connected and not old.is_emergency_connected:
        yield EmergencyConnected(call, new.emergency_line, at)


def _hold_changes(old: Call, new: Call, at: datetime) -> Iterator[TelephonyEvent]:
    if new.talk is None:
        return  # The end of a talk ends its holds.
    is_same = old.talk is not None and old.talk.ring == new.talk.ring
    before = old.talk.held if old.talk is not None and is_same else frozenset[Speaker]()
    for speaker in sorted(new.talk.held - before):
        yield LegHeld(new.call, speaker, at)
    for speaker in sorted(before - new.talk.held):
        yield LegResumed(new.call, speaker, at)


def _consult_changes(old: Call, new: Call, at: datetime) -> Iterator[TelephonyEvent]:
    if new.talk is None:
        return
    before = old.talk.consult if old.talk is not None else None
    if new.talk.consult is not None and new.talk.consult != before:
        yield ConsultChanged(new.call, new.talk.consult.to, new.talk.consult.state, at)
    elif new.talk.consult is None and before is not None:
        yield ConsultChanged(new.call, before.to, ConsultState.OVER, at)


def end_of(call: Call, *, at: datetime) -> list[TelephonyEvent]:
    """What is told when the caller's line is gone."""
    events: list[TelephonyEvent] = [
        AgentRingEnded(call.call, ring.ring, ring.agent, RingEnd.CALLER_LEFT, at)
        for ring in call.rings
    ]
    if call.talk is not None:
        events.append(AgentLeft(call.call, call.talk.agent, at))
    events.append(CallEnded(call.call, call.outcome, at))
    return events


def agent_changes(
    old: Agent | None, new: Agent, *, at: datetime
) -> Iterator[AgentPhoneChanged | AgentPauseChanged]:
    """What is told when an agent's phone or pause mark changed; all of it for a new agent."""
    if new.phone is not None and (old is None or old.phone is not new.phone):
        yield AgentPhoneChanged(new.agent, new.phone, at)
    old_pause = (old.is_paused, old.pause_reason) if old is not None else (False, "")
    if (new.is_paused, new.pause_reason) != old_pause:
        yield AgentPauseChanged(new.agent, new.is_paused, new.pause_reason, at)
