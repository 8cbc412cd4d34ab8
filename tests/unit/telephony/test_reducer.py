"""Recorded calls of real Asterisk, and what they mean to us."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.ids import AgentId, CallId
from telephony.config import MANAGER_EVENTS
from telephony.events import (
    AgentPauseChanged,
    AgentPhone,
    AgentPhoneChanged,
    AgentRingEnded,
    CallAnswered,
    CallArrived,
    CallEnded,
    EmergencyConnected,
    EmergencyDialled,
    LegHeld,
    LegResumed,
    Outcome,
    RingEnd,
)
from telephony.follower import FOLLOWED_EVENTS, is_known
from telephony.reducer import NEEDED_EVENTS, reduce
from telephony.snapshot import ENDED_CALLS_KEPT, Snapshot, changes
from telephony.wire import Message
from tests.unit.telephony.recordings import NAMES, NOW, event, messages, names, now, run

CALL = CallId("t-1795315851.0")


def test_plain_call_from_arrival_to_end() -> None:
    snapshot, told = run(messages("answered"))
    assert names(told) == [
        "CallArrived",
        "CallQueued",
        "AgentRinging",
        "CallAnswered",
        "AgentLeft",
        "CallEnded",
    ]
    arrived = next(each for each in told if isinstance(each, CallArrived))
    assert (arrived.caller_number, arrived.caller_name) == ("13800001", "张三")
    assert arrived.called_number == "12345"
    assert arrived.at.tzinfo is not None
    answered = next(each for each in told if isinstance(each, CallAnswered))
    assert answered.agent == "1001"
    assert isinstance(told[-2], CallEnded | AgentPhoneChanged)
    assert not snapshot.calls
    assert not snapshot.calls_by_agent_channel


@pytest.mark.parametrize(
    ("name", "outcome", "reasons"),
    [
        ("answered", Outcome.ANSWERED, []),
        ("noanswer", Outcome.ABANDONED, [RingEnd.NO_ANSWER, RingEnd.CALLER_LEFT]),
        ("decline", Outcome.ANSWERED, [RingEnd.DECLINED]),
        ("abandon", Outcome.ABANDONED, [RingEnd.CALLER_LEFT]),
        ("ringall", Outcome.ANSWERED, [RingEnd.ANSWERED_ELSEWHERE]),
        ("forked", Outcome.ANSWERED, []),
        ("emergency", Outcome.EMERGENCY, []),
    ],
)
def test_how_rings_and_calls_end(name: str, outcome: Outcome, reasons: list[RingEnd]) -> None:
    _, told = run(messages(name))
    assert [each.reason for each in told if isinstance(each, AgentRingEnded)] == reasons
    assert [each.outcome for each in told if isinstance(each, CallEnded)] == [outcome]


def test_fork_and_spy_channels_are_neither_call_nor_agent() -> None:
    stream = messages("forked")
    assert sum(message.name == "Newchannel" for message in stream) == 4
    snapshot, told = run(stream)
    assert names(told).count("CallArrived") == 1
    assert set(snapshot.agents) == {"1001", "1002"}


def test_pausing_an_agent_does_not_make_their_phone_busy() -> None:
    # Asterisk has a device Queue:hotline_pause_PJSIP/1002 that is INUSE while 1002 is paused.
    _, told = run(messages("forked"))
    phones = [each.phone for each in told if isinstance(each, AgentPhoneChanged)]
    pauses = [each for each in told if isinstance(each, AgentPauseChanged)]
    assert [(each.agent, each.is_paused, each.reason) for each in pauses] == [
        ("1002", True, "小休"),
        ("1002", False, ""),
    ]
    idle_1002 = [
        each for each in told if isinstance(each, AgentPhoneChanged) and each.agent == "1002"
    ]
    assert [each.phone for each in idle_1002] == [AgentPhone.IDLE]
    assert AgentPhone.RINGING in phones


def test_direct_emergency_call_is_told_of_with_its_line() -> None:
    _, told = run(messages("emergency"))
    dialled = [each for each in told if isinstance(each, EmergencyDialled)]
    connected = [each for each in told if isinstance(each, EmergencyConnected)]
    assert [each.line for each in dialled] == ["110"]
    assert [each.line for each in connected] == ["110"]


@pytest.mark.parametrize("name", NAMES)
def test_every_message_twice_changes_nothing(name: str) -> None:
    snapshot = Snapshot()
    for message in messages(name):
        snapshot, _ = reduce(snapshot, message, now=now)
        again = reduce(snapshot, message, now=now)
        assert again == (snapshot, [])


@pytest.mark.parametrize("name", NAMES)
def test_recorded_streams_hold_no_unknown_event(name: str) -> None:
    lists = {"QueueParams", "QueueMember", "QueueEntry", "Status"}
    seen = {message.name for message in messages(name) if message.is_event} - lists
    assert [name for name in seen if not is_known(name) and not name.endswith("Complete")] == []


@pytest.mark.parametrize("name", NAMES)
def test_leaving_out_what_is_not_needed_changes_nothing(name: str) -> None:
    stream = messages(name)
    assert run(m for m in stream if m.name in NEEDED_EVENTS) == run(stream)


def test_manager_account_is_sent_all_that_is_needed_and_nothing_else() -> None:
    assert set(MANAGER_EVENTS) >= NEEDED_EVENTS
    assert set(MANAGER_EVENTS) <= FOLLOWED_EVENTS | {"FullyBooted"}


_NAMES = (
    "Uniqueid DestUniqueid Call Line Source UserEvent Queue Position Interface Device State Status"
    " Paused PausedReason DialStatus Cause Timestamp BridgeUniqueid Number Name"
)
_HEADER = st.sampled_from(_NAMES.split())
_VALUE = st.one_of(
    st.sampled_from(["c1", "c2", "r1", "r2", "hotline", "PJSIP/1", "1", "ANSWER", "CANCEL", "17"]),
    st.sampled_from(["CallArrived", "EmergencyDialled", "EmergencyConnected", "INUSE", "110"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=6),
)
_MESSAGE = st.builds(
    lambda name, headers: event(name, **headers),
    st.sampled_from(sorted(NEEDED_EVENTS)),
    st.dictionaries(_HEADER, _VALUE, max_size=8),
)


@given(st.lists(_MESSAGE, max_size=30))
def test_no_stream_breaks_the_reducer_and_each_message_twice_is_the_same(
    stream: list[Message],
) -> None:
    snapshot = Snapshot()
    for message in stream:
        snapshot, _ = reduce(snapshot, message, now=now)
        assert reduce(snapshot, message, now=now) == (snapshot, [])
        for channel, call in snapshot.calls_by_agent_channel.items():
            assert call in snapshot.calls, channel


def arrived() -> Message:
    return event(
        "UserEvent",
        Timestamp="1795315851.5",
        UserEvent="CallArrived",
        Uniqueid=CALL,
        Call=CALL,
        Number="%2B8613800000001",
        Name="%E5%BC%A0%E4%B8%89",
        Called="12345",
    )


def connected(ring: str = "r1", agent: str = "1001") -> Message:
    return event(
        "AgentConnect", Uniqueid=CALL, DestUniqueid=ring, Interface=f"PJSIP/{agent}", Queue="q"
    )


def test_number_and_name_are_decoded() -> None:
    snapshot, _ = run([arrived()])
    call = snapshot.calls[CALL]
    assert (call.caller_number, call.caller_name) == ("+8613800000001", "张三")


def test_withheld_number_is_empty() -> None:
    join = event("QueueCallerJoin", Uniqueid=CALL, CallerIDNum="<unknown>", Queue="q", Exten="1")
    snapshot, told = run([join])
    assert names(told) == ["CallArrived", "CallQueued"]
    assert snapshot.calls[CALL].caller_number == ""


def test_talk_ends_at_the_callers_leaving_without_agent_complete() -> None:
    leave = event("BridgeLeave", Uniqueid=CALL, BridgeUniqueid="b")
    snapshot, told = run([arrived(), connected(), leave])
    assert names(told) == ["CallArrived", "CallAnswered", "AgentLeft"]
    assert CALL in snapshot.calls


def test_talk_ends_at_the_agents_hangup_without_agent_complete() -> None:
    _, told = run([arrived(), connected(), event("Hangup", Uniqueid="r1")])
    assert names(told)[-1] == "AgentLeft"


def test_leaving_an_earlier_bridge_does_not_end_the_talk() -> None:
    enter = event("BridgeEnter", Uniqueid=CALL, BridgeUniqueid="new")
    stale = event("BridgeLeave", Uniqueid=CALL, BridgeUniqueid="old")
    snapshot, told = run([arrived(), connected(), enter, stale])
    assert "AgentLeft" not in names(told)
    assert snapshot.calls[CALL].talk is not None


def test_caller_transferred_back_into_a_queue_is_queued_and_answered_again() -> None:
    leave = event("BridgeLeave", Uniqueid=CALL, BridgeUniqueid="b")
    join = event("QueueCallerJoin", Uniqueid=CALL, Queue="other", Position="2")
    _, told = run([arrived(), connected(), leave, join, connected("r2", "1002")])
    assert names(told) == [
        "CallArrived",
        "CallAnswered",
        "AgentLeft",
        "CallQueued",
        "CallAnswered",
    ]


def test_ended_call_does_not_come_back() -> None:
    _, told = run([arrived(), event("Hangup", Uniqueid=CALL), arrived(), connected()])
    assert names(told) == ["CallArrived", "CallEnded"]


def test_call_that_asterisk_ended_unanswered_has_failed() -> None:
    _, told = run([arrived(), event("Hangup", Uniqueid=CALL)])
    assert isinstance(told[-1], CallEnded)
    assert told[-1].outcome is Outcome.FAILED


def test_agents_own_emergency_call_is_no_callers_call() -> None:
    dialled = event(
        "UserEvent", UserEvent="EmergencyDialled", Call="a1", Line="110", Source="agent"
    )
    assert run([dialled])[1] == []


def emergency(name: str) -> Message:
    return event("UserEvent", UserEvent=name, Call=CALL, Line="120", Source="waiting")


def test_line_that_could_not_be_reached_may_be_dialled_again() -> None:
    dialled, failed = emergency("EmergencyDialled"), emergency("EmergencyFailed")
    snapshot, _ = run([arrived(), dialled, failed])
    assert snapshot.calls[CALL].emergency_line == ""
    bridge = event("BridgeEnter", Uniqueid=CALL, BridgeUniqueid="b")
    assert names(run([bridge], snapshot)[1]) == []
    assert names(run([dialled, bridge], snapshot)[1]) == ["EmergencyDialled", "EmergencyConnected"]


def test_trunk_device_is_no_agent() -> None:
    assert run([event("DeviceStateChange", Device="PJSIP/trunk", State="INUSE")])[1] == []


def test_phone_is_heard_of_from_the_queue_first_and_from_the_device_after() -> None:
    status = event("QueueMemberStatus", Interface="PJSIP/1001", Status="5", Paused="0")
    device = event("DeviceStateChange", Device="PJSIP/1001", State="NOT_INUSE")
    late = event("QueueMemberStatus", Interface="PJSIP/1001", Status="5", Paused="0")
    snapshot, told = run([status, device, late])
    assert [each.phone for each in told if isinstance(each, AgentPhoneChanged)] == [
        AgentPhone.UNREACHABLE,
        AgentPhone.IDLE,
    ]
    assert snapshot.agents[AgentId("1001")].phone is AgentPhone.IDLE


def test_memory_stays_flat_over_many_calls() -> None:
    snapshot = Snapshot()
    for number in range(ENDED_CALLS_KEPT * 3):
        call = f"c-{number}"
        stream = [
            event("UserEvent", UserEvent="CallArrived", Call=call, Called="12345"),
            event("AgentCalled", Uniqueid=call, DestUniqueid=f"r{call}", Interface="PJSIP/1"),
            event("Hangup", Uniqueid=call),
        ]
        snapshot, _ = run(stream, snapshot)
    assert not snapshot.calls
    assert not snapshot.calls_by_agent_channel
    assert len(snapshot.ended) == ENDED_CALLS_KEPT


def talking() -> tuple[Snapshot, CallId, str]:
    """A conversation of the recording, its call and the agent's channel."""
    snapshot = Snapshot()
    for message in messages("answered"):
        snapshot, told = reduce(snapshot, message, now=now)
        if any(isinstance(each, CallAnswered) for each in told):
            break
    call = next(iter(snapshot.calls.values()))
    assert call.talk is not None
    return snapshot, call.call, call.talk.channel


def test_hold_is_told_once_and_taken_back_once() -> None:
    snapshot, call, channel = talking()
    stream = [event("Hold", Uniqueid=channel)] * 2 + [event("Unhold", Uniqueid=channel)] * 2
    after, told = run(stream, snapshot)
    assert told == [LegHeld(call, "agent", NOW), LegResumed(call, "agent", NOW)]
    assert after == snapshot
    _, told = run([event("Hold", Uniqueid=call), event("Hold", Uniqueid="foreign")], snapshot)
    assert told == [LegHeld(call, "citizen", NOW)]


def test_agent_who_leaves_while_holding_holds_nobody() -> None:
    snapshot, call, channel = talking()
    stream = [event("Hold", Uniqueid=channel), event("Hangup", Uniqueid=channel)]
    after, told = run(stream, snapshot)
    assert names(told) == ["LegHeld", "AgentLeft"]
    assert after.calls[call].talk is None


def test_hold_unseen_is_told_by_the_changes_between_two_pictures() -> None:
    snapshot, call, channel = talking()
    held, _ = run([event("Hold", Uniqueid=channel)], snapshot)
    assert changes(snapshot, held, at=NOW) == [LegHeld(call, "agent", NOW)]
    assert changes(held, snapshot, at=NOW) == [LegResumed(call, "agent", NOW)]
    left, _ = run([event("Hangup", Uniqueid=channel)], held)
    assert names(changes(held, left, at=NOW)) == ["AgentLeft"]
    assert names(changes(Snapshot(), held, at=NOW))[-2:] == ["CallAnswered", "LegHeld"]
