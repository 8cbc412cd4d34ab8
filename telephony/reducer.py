"""AMI messages to our events: ``(picture, message) → (picture, events)``, pure.

Only what the dialplan announces (CallArrived, EmergencyDialled) or a queue receives is a call, so
the channels of forks, spies and consultations can never look like one. Every rule is safe to meet
twice, and safe to meet late: after a resync the messages that were buffered meanwhile tell again
what the snapshot already holds. Asterisk orders the messages of one channel only (a Leave from the
queue comes before AgentConnect; AgentComplete may not come at all), so each change is closed by
whichever of its signs comes first.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from msgspec.structs import replace

from base.ids import AgentId, AttemptId, CallId, RingId
from telephony.events import (
    AgentLeft,
    AgentPhone,
    AgentRingEnded,
    AgentRinging,
    AttemptAnswered,
    AttemptBegan,
    AttemptOver,
    AttemptResult,
    CallAnswered,
    CallArrived,
    CallQueued,
    ConsultChanged,
    ConsultState,
    EmergencyConnected,
    EmergencyDialled,
    EmergencyUnreached,
    LegHeld,
    LegResumed,
    RecordingChanged,
    RingEnd,
    Speaker,
    TelephonyEvent,
)
from telephony.naming import agent_of_interface, instant, known_number, plain_text
from telephony.snapshot import (
    Agent,
    Attempt,
    Call,
    Consult,
    Ring,
    Snapshot,
    Talk,
    agent_changes,
    end_of,
)
from telephony.wire import Message


class Reduction(NamedTuple):
    """The picture after a message, and what it means."""

    snapshot: Snapshot
    events: list[TelephonyEvent]


Rule = Callable[[Snapshot, Message, datetime], Reduction]

# ITU-T Q.850 causes of a phone that refused: user busy, call rejected.
_DECLINED_CAUSES: Final = frozenset({"17", "21"})

_PHONE_OF_DEVICE_STATE: Final = {
    "UNKNOWN": AgentPhone.UNREACHABLE,
    "INVALID": AgentPhone.UNREACHABLE,
    "UNAVAILABLE": AgentPhone.UNREACHABLE,
    "NOT_INUSE": AgentPhone.IDLE,
    "RINGING": AgentPhone.RINGING,
    "INUSE": AgentPhone.IN_USE,
    "BUSY": AgentPhone.IN_USE,
    "RINGINUSE": AgentPhone.IN_USE,
    "ONHOLD": AgentPhone.IN_USE,
}
# The same states as app_queue numbers them.
_PHONE_OF_MEMBER_STATUS: Final = {
    "0": AgentPhone.UNREACHABLE,
    "1": AgentPhone.IDLE,
    "2": AgentPhone.IN_USE,
    "3": AgentPhone.IN_USE,
    "4": AgentPhone.UNREACHABLE,
    "5": AgentPhone.UNREACHABLE,
    "6": AgentPhone.RINGING,
    "7": AgentPhone.IN_USE,
    "8": AgentPhone.IN_USE,
}


def reduce(snapshot: Snapshot, message: Message, *, now: Callable[[], datetime]) -> Reduction:
    """Apply one message. ``now`` is asked where Asterisk gives no timestamp."""
    name = message.name
    if (news := _AGENT_NEWS.get(name)) is not None:
        agent = news(snapshot.agents, message)
        # Most of a stream, and most of it no news: its instant is not even looked at.
        if agent is None or agent == snapshot.agents.get(agent.agent):
            return Reduction(snapshot, [])
        return _agent_is(snapshot, agent, _at(message, now))
    if (rule := _RULES.get(name)) is not None:
        return rule(snapshot, message, _at(message, now))
    return Reduction(snapshot, [])


def _at(message: Message, now: Callable[[], datetime]) -> datetime:
    epoch_s = message.epoch_s
    return (None if epoch_s is None else instant(epoch_s)) or now()


def _nothing(snapshot: Snapshot) -> Reduction:
    return Reduction(snapshot, [])


# ------------------------------------------------------------------------------ arriving, waiting


def _arrived(
    snapshot: Snapshot, message: Message, at: datetime, *, number: str, name: str, called: str
) -> tuple[Snapshot, Call | None, list[TelephonyEvent]]:
    """The call of this message, told of first where it is new; None where it is over."""
    call = CallId(message.get("Call") or message.get("Uniqueid"))
    known = snapshot.calls.get(call)
    if known is not None or not call or call in snapshot.ended:
        return snapshot, known, []
    new = Call(call, known_number(number), known_number(name), called, at)
    told = CallArrived(call, new.caller_number, new.caller_name, called, at)
    return snapshot.with_call(new), new, [told]


def _queue_caller(
    snapshot: Snapshot, message: Message, at: datetime
) -> tuple[Snapshot, Call | None, list[TelephonyEvent]]:
    # A call may reach a queue through a dialplan that is not ours and announces nothing.
    return _arrived(
        snapshot,
        message,
        at,
        number=message.get("CallerIDNum"),
        name=message.get("CallerIDName"),
        called=message.get("Exten"),
    )


def _call_arrived(snapshot: Snapshot, message: Message, at: datetime) -> Reduction:
    snapshot, _, events = _arrived(
        snapshot,
        message,
        at,
        number=plain_text(message.get("Number")),
        name=plain_text(message.get("Name")),
        called=message.get("Called"),
    )
    return Reduction(snapshot, events)


def _joined(snapshot: Snapshot, message: Message, at: datetime) -> Reduction:
    snapshot, call, events = _queue_caller(snapshot, message, at)
    queue = message.get("Queue")
    # Who talks has left the queue: this Join is older than what we know.
    if call is None or call.queue == queue or call.talk is not None:
        return Reduction(snapshot, events)
    position = _number(message.get("Position"))
    call = replace(call, queue=queue, position=position)
    return Reduction(
        snapshot.with_call(call), [*events, CallQueued(call.call, queue, position, at)]
    )


def _left_queue(snapshot: Snapshot, message: Message, at: datetime) -> Reduction:
    call = snapshot.calls.get(CallId(message.get("Uniqueid")))
    if call is None or call.queue != message.get("Queue"):
        return _nothing(snapshot)
    return _nothing(snapshot.with_call(replace(call, queue=None, position=0)))


# ---------------------------------------------------------------------------------------- ringing


def _ringing(snapshot: Snapshot, message: Message, at: datetime) -> Reduction:
    snapshot, call, events = _queue_caller(snapshot, message, at)
    ring = RingId(message.get("DestUniqueid"))
    if call is None or not ring or call.talk is not None:
        return Reduction(snapshot, events)
    if ring in call.past_rings or call.ring_of(ring) is not None:
        return Reduction(snapshot, events)
    agent = agent_of_interface(message.get("Interface"))
    call = replace(call, rings=(*call.rings, Ring(ring, agent)))
    return Reduction(snapshot.with_call(call), [*events, AgentRinging(call.call, ring, agent, at)])


def _dial_ended(snapshot: Snapshot, message: Message, at: datetime) -> Reduction:
    found = _ring(snapshot, message.get("DestUniqueid"))
    if found is None:
        return _nothing(snapshot)
    call, ring = found
    status = message.get("DialStatus")
    if status == "ANSWER":
        return _nothing(snapshot.with_call(replace(call, answering=ring.ring)))
    return _end_ring(snapshot, call, ring, at, was_cancelled=status in ("CANCEL", ""))


def _ring_not_answered(snapshot: Snapshot, message: Message, at: datetime) -> Reduction:
    found = _ring(snapshot, message.get("DestUniqueid"))
    if found is None:
        return _nothing(snapshot)
    return _end_ring(snapshot, *found, at, was_cancelled=False)


def _end_ring(
    snapshot: Snapshot, call: Call, ring: Ring, at: datetime, *, was_cancelled: bool
) -> Reduction:
    if call.answering not in (None, ring.ring):
        reason = RingEnd.ANSWERED_ELSEWHERE
    elif ring.was_declined:
        reason = RingEnd.DECLINED
    elif was_cancelled or call.has_hung_up:
        reason = RingEnd.CALLER_LEFT
    else:
        reason = RingEnd.NO_ANSWER
    answering = None if call.answering == ring.ring else call.answering
    call = replace(call.without_ring(ring.ring), answering=answering)
    told = AgentRingEnded(call.call, ring.ring, ring.agent, reason, at)
    return Reduction(snapshot.with_call(call), [told])


def _hangup_asked(snapshot: Snapshot, message: Message, at: datetime) -> Reduction:
    """Somebody pressed the red button: a caller gives up, or an agent declines."""
    channel = message.get("Uniqueid")
    caller = snapshot.calls.get(CallId(channel))
    if caller is not None:
        return _nothing(snapshot.with_call(replace(caller, has_hung_up=True)))
    found = _ring(snapshot, channel)
    if found is None or message.get("Cause") not in _DECLINED_CAUSES:
        return _nothing(snapshot)
    call, ring = found
    declined = replace(ring, was_declined=True)
    rings = tuple(declined if each.ring == ring.ring else each for each in call.rings)
    return _nothing(snapshot.with_call(replace(call, rings=rings)))


# ------------------------------------------------------------------------------ talking and after


def _answered(snapshot: Snapshot, message: Message, at: datetime) -> Reduction:
    snapshot, call, events = _queue_caller(snapshot, message, at)
    ring = RingId(message.get("DestUniqueid"))
    # Whoever talks must leave first; a ring is answered once: else this is older than what we know.
    if call is None or not ring or call.talk is not None or ring in call.past_rings:
        return Reduction(snapshot, events)
    agent = agent_of_interface(message.get("Interface"))
    talk = Talk(ring, agent, channel=ring, since_at=at)
    told: list[TelephonyEvent] = [*events, CallAnswered(call.call, ring, agent, at)]
    told += [
        AgentRingEnded(call.call, other.ring, other.agent, RingEnd.ANSWERED_ELSEWHERE, at)
        for other in call.rings
        if other.ring != ring
    ]
    call = replace(
        call,
        talk=talk,
        rings=(),
        past_rings=call.past_rings | {ring, *(other.ring for other in call.rings)},
        answering=None,
        queue=None,
        position=0,
        was_answered=True,
    )
    return Reduction(snapshot.with_call(call), told)


def _entered_bridge(snapshot: Snapshot, message: Message, at: datetime) -> Reduction:
    call = snapshot.calls.get(CallId(message.get("Uniqueid")))
    bridge = message.get("BridgeUniqueid")
    if call is None:
        return _nothing(snapshot)
    if call.talk is None and call.emergency_line:
        # A process that starts between the line's answer and the bridge hears of it here only.
        return _connect_emergency(snapshot, call, call.emergency_line, at)
    if call.talk is None or call.talk.bridge:
        return _nothing(snapshot)
    return _nothing(snapshot.with_call(replace(call, talk=replace(call.talk, bridge=bridge))))


def _left_bridge(snapshot: Snapshot, message: Message, at: datetime) -> Reduction:
    """The caller goes from the agent (a transfer, or the end).

    An agent's own leaving says nothing yet: they may only be asking a colleague.
    """
    call = snapshot.calls.get(CallId(message.get("Uniqueid")))
    if call is None or call.talk is None:
        return _nothing(snapshot)
    if call.talk.bridge not in ("", message.get("BridgeUniqueid")):
        return _nothing(snapshot)
    return _end_talk(snapshot, call, call.talk, at)


def _completed(snapshot: Snapshot, message: Message, at: datetime) -> Reduction:
    call = snapshot.calls.get(CallId(message.get("Uniqueid")))
    if call is None or call.talk is None or call.talk.ring != message.get("DestUniqueid"):
        return _nothing(snapshot)
    return _end_talk(snapshot, call, call.talk, at)


def _end_talk(snapshot: Snapshot, call: Call, talk: Talk, at: datetime) -> Reduction:
    told = AgentLeft(call.call, talk.agent, at)
    return Reduction(snapshot.with_call(replace(call, talk=None)), [told])


def _held(snapshot: Snapshot, message: Message, at: datetime) -> Reduction:
    return _hold(snapshot, message, at, is_held=True)


def _resumed(snapshot: Snapshot, message: Message, at: datetime) -> Reduction:
    return _hold(snapshot, message, at, is_held=False)


def _hold(snapshot: Snapshot, message: Message, at: datetime, *, is_held: bool) -> Reduction:
    channel = message.get("Uniqueid")
    owner = snapshot.calls_by_agent_channel.get(channel, CallId(channel))
    call = snapshot.calls.get(owner)
    if call is None or call.talk is None or channel not in (call.call, call.talk.channel):
        return _nothing(snapshot)
    speaker: Speaker = "citizen" if channel == call.call else "agent"
    if (speaker in call.talk.held) is is_held:
        return _nothing(snapshot)
    held = call.talk.held | {speaker} if is_held else call.talk.held - {speaker}
    told = (LegHeld if is_held else LegResumed)(call.call, speaker, at)
    return Reduction(snapshot.with_call(replace(call, talk=replace(call.talk, held=held))), [told])


# ------------------------------------------------------------------------------ asking, recording


def _consult_began(snapshot: Snapshot, message: Message, at: datetime) -> Reduction:
    return _consult(snapshot, message, ConsultState.DIALLING, at)


def _consult_answered(snapshot: Snapshot, message: Message, at: datetime) -> Reduction:
    return _consult(snapshot, message, ConsultState.ANSWERED, at)


def _consult_failed(snapshot: Snapshot, message: Message, at: datetime) -> Reduction:
    return _consult(snapshot, message, ConsultState.FAILED, at)


def _consult_over(snapshot: Snapshot, message: Message, at: datetime) -> Reduction:
    """The asking channel ends also when the two it joined talk on: then it says nothing."""
    call = snapshot.calls.get(CallId(message.get("Call")))
    known = call.talk.consult if call is not None and call.talk is not None else None
    if known is None:
        return _nothing(snapshot)
    if message.get("Side") == "asking" and known.state is not ConsultState.DIALLING:
        return _nothing(snapshot)
    return _consult(snapshot, message, ConsultState.OVER, at)


# A message that comes twice, or late, must not lead back.
_CONSULT_AFTER: Final[Mapping[ConsultState, frozenset[ConsultState | None]]] = {
    ConsultState.DIALLING: frozenset({None}),
    ConsultState.ANSWERED: frozenset({ConsultState.DIALLING}),
    ConsultState.FAILED: frozenset({ConsultState.DIALLING}),
    ConsultState.OVER: frozenset(
        {ConsultState.DIALLING, ConsultState.ANSWERED, ConsultState.JOINED}
    ),
}


def _consult(snapshot: Snapshot, message: Message, state: ConsultState, at: datetime) -> Reduction:
    call = snapshot.calls.get(CallId(message.get("Call")))
    if call is None or call.talk is None:
        return _nothing(snapshot)
    known = call.talk.consult
    if (known.state if known is not None else None) not in _CONSULT_AFTER[state]:
        return _nothing(snapshot)
    to = known.to if known is not None else message.get("To")
    is_over = state in (ConsultState.FAILED, ConsultState.OVER)
    talk = replace(call.talk, consult=None if is_over else Consult(to, state))
    told = ConsultChanged(call.call, to, state, at)
    return Reduction(snapshot.with_call(replace(call, talk=talk)), [told])


def _transferred(snapshot: Snapshot, message: Message, at: datetime) -> Reduction:
    """Three hear one another; of other transfers the agent's leaving tells."""
    owner = snapshot.calls_by_agent_channel.get(message.get("OrigTransfererUniqueid"))
    talk = snapshot.calls[owner].talk if owner is not None else None
    if owner is None or talk is None or message.get("DestType") != "Threeway":
        return _nothing(snapshot)
    to = talk.consult.to if talk.consult is not None else ""
    joined = Consult(to, ConsultState.JOINED)
    told: list[TelephonyEvent] = []
    if talk.consult != joined:
        told.append(ConsultChanged(owner, to, ConsultState.JOINED, at))
    if "agent" in talk.held:  # nothing else tells that the hold is over
        told.append(LegResumed(owner, "agent", at))
    talk = replace(talk, consult=joined, held=talk.held - {"agent"})
    return Reduction(snapshot.with_call(replace(snapshot.calls[owner], talk=talk)), told)


# ------------------------------------------------------------------------------------- calls out

_RESULT_OF_STATUS: Final = {
    "ANSWER": AttemptResult.ANSWERED,
    "BUSY": AttemptResult.BUSY,
    "NOANSWER": AttemptResult.NO_ANSWER,
    "CANCEL": AttemptResult.CANCELLED,
}


def _attempt_began(snapshot: Snapshot, message: Message, at: datetime) -> Reduction:
    attempt = AttemptId(message.get("Attempt"))
    if not attempt or attempt in snapshot.attempts:
        return _nothing(snapshot)
    made = Attempt(attempt, AgentId(message.get("Agent")), message.get("To"), rang_at=at)
    told = AttemptBegan(attempt, made.agent, made.number, at)
    return Reduction(snapshot.with_attempt(made), [told])


def _attempt_answered(snapshot: Snapshot, message: Message, at: datetime) -> Reduction:
    known = snapshot.attempts.get(AttemptId(message.get("Attempt")))
    if known is None or known.is_answered:
        return _nothing(snapshot)
    told = AttemptAnswered(known.attempt, known.agent, at)
    answered = replace(known, is_answered=True, answered_at=at)
    return Reduction(snapshot.with_attempt(answered), [told])


def _attempt_over(snapshot: Snapshot, message: Message, at: datetime) -> Reduction:
    known = snapshot.attempts.get(AttemptId(message.get("Attempt")))
    if known is None:
        return _nothing(snapshot)
    result = _RESULT_OF_STATUS.get(message.get("Status"), AttemptResult.FAILED)
    if known.is_answered:
        result = AttemptResult.ANSWERED
    told = AttemptOver(
        known.attempt,
        known.agent,
        result,
        _seconds(known.rang_at, known.answered_at or at),
        _seconds(known.answered_at, at) if known.is_answered else 0.0,
        at,
    )
    return Reduction(snapshot.without_attempt(known.attempt), [told])


def _seconds(since: datetime | None, until: datetime) -> float | None:
    return None if since is None else max(0.0, (until - since).total_seconds())


def _recording_muted(snapshot: Snapshot, message: Message, at: datetime) -> Reduction:
    call = snapshot.calls.get(CallId(message.get("Uniqueid")))
    is_paused = message.get("State") == "1"
    if call is None or call.is_recording_paused is is_paused:
        return _nothing(snapshot)
    call = replace(call, is_recording_paused=is_paused)
    return Reduction(snapshot.with_call(call), [RecordingChanged(call.call, is_paused, at)])


def _hung_up(snapshot: Snapshot, message: Message, at: datetime) -> Reduction:
    channel = message.get("Uniqueid")
    call = snapshot.calls.get(CallId(channel))
    if call is not None:
        return Reduction(snapshot.without_call(call), end_of(call, at=at))
    found = _ring(snapshot, channel)
    if found is not None:
        return _end_ring(snapshot, *found, at, was_cancelled=False)
    owner = snapshot.calls_by_agent_channel.get(channel)
    if owner is None or (talk := snapshot.calls[owner].talk) is None:
        return _nothing(snapshot)
    return _end_talk(snapshot, snapshot.calls[owner], talk, at)


def _ring(snapshot: Snapshot, channel: str) -> tuple[Call, Ring] | None:
    owner = snapshot.calls_by_agent_channel.get(channel)
    if owner is None:
        return None
    call = snapshot.calls[owner]
    ring = call.ring_of(channel)
    return (call, ring) if ring is not None else None


# -------------------------------------------------------------------------------------- emergency


def _emergency_dialled(snapshot: Snapshot, message: Message, at: datetime) -> Reduction:
    if message.get("Source") == "agent" and message.get("Call") not in snapshot.calls:
        return _nothing(snapshot)  # An agent's own call for help: no caller of ours in it.
    line = message.get("Line")
    number = plain_text(message.get("Number")) or message.get("CallerIDNum")
    snapshot, call, events = _arrived(
        snapshot, message, at, number=number, name=message.get("CallerIDName"), called=line
    )
    if call is None or not line or call.emergency_line == line:
        return Reduction(snapshot, events)
    call = replace(call, emergency_line=line)
    return Reduction(snapshot.with_call(call), [*events, EmergencyDialled(call.call, line, at)])


def _emergency_connected(snapshot: Snapshot, message: Message, at: datetime) -> Reduction:
    call = snapshot.calls.get(CallId(message.get("Call")))
    if call is None:
        return _nothing(snapshot)
    return _connect_emergency(snapshot, call, message.get("Line") or call.emergency_line, at)


def _connect_emergency(snapshot: Snapshot, call: Call, line: str, at: datetime) -> Reduction:
    if call.is_emergency_connected:
        return _nothing(snapshot)
    call = replace(call, emergency_line=line, is_emergency_connected=True)
    return Reduction(snapshot.with_call(call), [EmergencyConnected(call.call, line, at)])


def _emergency_failed(snapshot: Snapshot, message: Message, at: datetime) -> Reduction:
    """The line could not be reached: the caller goes on to an agent, and may dial it again."""
    call = snapshot.calls.get(CallId(message.get("Call")))
    if call is None or not call.emergency_line or call.is_emergency_connected:
        return _nothing(snapshot)
    told = EmergencyUnreached(call.call, call.emergency_line, at)
    return Reduction(snapshot.with_call(replace(call, emergency_line="")), [told])


_USER_RULES: Final[Mapping[str, Rule]] = {
    "CallArrived": _call_arrived,
    "EmergencyDialled": _emergency_dialled,
    "EmergencyConnected": _emergency_connected,
    "EmergencyFailed": _emergency_failed,
    "AttemptBegan": _attempt_began,
    "AttemptAnswered": _attempt_answered,
    "AttemptOver": _attempt_over,
    "ConsultBegan": _consult_began,
    "ConsultAnswered": _consult_answered,
    "ConsultFailed": _consult_failed,
    "ConsultOver": _consult_over,
}


def _user_event(snapshot: Snapshot, message: Message, at: datetime) -> Reduction:
    rule = _USER_RULES.get(message.get("UserEvent"))
    return _nothing(snapshot) if rule is None else rule(snapshot, message, at)


# ----------------------------------------------------------------------------------------- agents


def member(agents: Mapping[AgentId, Agent], message: Message) -> Agent:
    """The agent a queue speaks of, as QueueStatus, QueueMemberStatus and QueueMemberPause tell it.

    The queue's word on the phone counts only until the phone itself was heard of: both tell the
    same changes on different ways, and the later of two ways would tell old news.
    """
    agent = agent_of_interface(message.get("Interface") or message.get("Location"))
    known = agents.get(agent)
    phone = known.phone if known is not None else None
    is_paused = message.get("Paused") == "1"
    return Agent(
        agent,
        phone=phone or _PHONE_OF_MEMBER_STATUS.get(message.get("Status")),
        is_paused=is_paused,
        pause_reason=_pause_reason(message.get("PausedReason")) if is_paused else "",
    )


def _pause_reason(told: str) -> str:
    """Asterisk's own pause, for who did not take a ring, has our name for it."""
    return "missed_call" if told == "Auto-Pause" else told


def _device(agents: Mapping[AgentId, Agent], message: Message) -> Agent | None:
    # Trunks and queues have devices too, and Queue:hotline_pause_PJSIP/1001 is no phone: only a
    # member of a queue is an agent.
    device = message.get("Device")
    known = None if ":" in device else agents.get(agent_of_interface(device))
    if known is None:
        return None
    phone = _PHONE_OF_DEVICE_STATE.get(message.get("State"))
    return None if phone is None else replace(known, phone=phone)


def _agent_is(snapshot: Snapshot, agent: Agent, at: datetime) -> Reduction:
    known = snapshot.agents.get(agent.agent)
    return Reduction(snapshot.with_agent(agent), [*agent_changes(known, agent, at=at)])


def _number(value: str) -> int:
    return int(value) if value.isascii() and value.isdigit() else 0


_RULES: Final[Mapping[str, Rule]] = {
    "UserEvent": _user_event,
    "QueueCallerJoin": _joined,
    "QueueCallerLeave": _left_queue,
    "AgentCalled": _ringing,
    "AgentRingNoAnswer": _ring_not_answered,
    "AgentConnect": _answered,
    "AgentComplete": _completed,
    "DialEnd": _dial_ended,
    "HangupRequest": _hangup_asked,
    "BridgeEnter": _entered_bridge,
    "BridgeLeave": _left_bridge,
    "Hold": _held,
    "Unhold": _resumed,
    "AttendedTransfer": _transferred,
    "MixMonitorMute": _recording_muted,
    "Hangup": _hung_up,
}
_AGENT_NEWS: Final[Mapping[str, Callable[[Mapping[AgentId, Agent], Message], Agent | None]]] = {
    "QueueMemberStatus": member,
    "QueueMemberPause": member,
    "QueueMemberAdded": member,
    "DeviceStateChange": _device,
}

NEEDED_EVENTS: Final = frozenset({*_RULES, *_AGENT_NEWS, "OriginateResponse"})
"""What the manager account must be sent; the rest may be filtered out in manager.conf."""
