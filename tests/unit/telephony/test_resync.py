"""A snapshot from Asterisk's lists equals what its events had told."""

import pytest
from msgspec.structs import replace

from base.ids import CallId
from telephony.events import (
    AgentLeft,
    AgentRinging,
    CallAnswered,
    CallArrived,
    CallEnded,
    CallQueued,
    TelephonyEvent,
)
from telephony.resync import WARM_ANSWERED, WARM_LINE, assemble
from telephony.snapshot import Call, Snapshot, changes
from telephony.wire import Message
from tests.unit.telephony.recordings import NAMES, NOW, event, messages, names, run

STAGES = ("greeting", "ringing", "talking", "after")
LISTED = messages("listed")


def until_list(stage: str) -> list[Message]:
    """The events before the stage's first list, without list items."""
    end = next(at for at, m in enumerate(LISTED) if m.get("ActionID") == f"{stage}-queues")
    return [m for m in LISTED[:end] if m.is_event and not m.has("ActionID")]


def after_list(stage: str) -> list[Message]:
    return [m for m in LISTED if m.is_event and not m.has("ActionID")][len(until_list(stage)) :]


def truth(stage: str, before: Snapshot) -> Snapshot:
    queues = [m for m in LISTED if m.get("ActionID") == f"{stage}-queues" and m.is_event]
    channels = [m for m in LISTED if m.get("ActionID") == f"{stage}-channels" and m.is_event]
    return assemble(queues, channels, before, at=NOW)


def plain(call: Call) -> Call:
    """Without what only one of two ways can know: instants to the microsecond."""
    talk = call.talk and replace(call.talk, since_at=None)
    return replace(call, arrived_at=NOW, talk=talk, past_rings=frozenset())


def picture(snapshot: Snapshot) -> dict[CallId, Call]:
    return {call.call: plain(call) for call in snapshot.calls.values()}


@pytest.mark.parametrize("stage", STAGES)
def test_lists_show_what_the_events_had_told(stage: str) -> None:
    told, _ = run(until_list(stage))
    assert picture(truth(stage, Snapshot())) == picture(told)


@pytest.mark.parametrize("stage", STAGES)
def test_resync_without_a_gap_tells_nothing_of_calls(stage: str) -> None:
    told, _ = run(until_list(stage))
    assert names(changes(told, truth(stage, told), at=NOW)) == []


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("missed_from", range(0, 45, 4))
def test_after_a_gap_snapshot_and_events_end_in_the_same_picture(
    stage: str, missed_from: int
) -> None:
    before, _ = run(until_list(stage)[:missed_from])
    after = truth(stage, before)
    assert picture(after) == picture(run(until_list(stage))[0])
    # Whatever was buffered between the connect and the lists comes again, and changes nothing.
    for buffered_from in range(missed_from, len(until_list(stage)), 3):
        late, _ = run(until_list(stage)[buffered_from:], after)
        if after.calls:
            assert picture(late) == picture(after)
    end, _ = run(after_list(stage), after)
    assert not end.calls
    assert not end.calls_by_agent_channel


def fold(events: list[TelephonyEvent]) -> dict[CallId, tuple[str | None, str | None, set[str]]]:
    """What a reader of the events believes: queue, agent, ringing agents of each call."""
    calls: dict[CallId, tuple[str | None, str | None, set[str]]] = {}
    for each in events:
        match each:
            case CallArrived():
                calls[each.call] = (None, None, set())
            case CallQueued():
                calls[each.call] = (each.queue, None, set())
            case AgentRinging():
                calls[each.call][2].add(each.agent)
            case CallAnswered():
                calls[each.call] = (None, each.agent, set())
            case AgentLeft():
                calls[each.call] = (None, None, set())
            case CallEnded():
                del calls[each.call]
            case _:
                pass
    return calls


@pytest.mark.parametrize("name", [name for name in NAMES if name != "listed"])
def test_changes_bring_a_reader_from_any_picture_to_any_later_one(name: str) -> None:
    stream = messages(name)
    pictures, told_until = [Snapshot()], [0]
    snapshot = Snapshot()
    told: list[TelephonyEvent] = []
    for message in stream:
        snapshot, events = run([message], snapshot)
        if events:
            told += events
            pictures.append(snapshot)
            told_until.append(len(told))
    for early in range(len(pictures)):
        for late in range(early, len(pictures)):
            gap = changes(pictures[early], pictures[late], at=NOW)
            believed = fold([*told[: told_until[early]], *gap])
            expected = fold(told[: told_until[late]])
            assert {c: v[:2] for c, v in believed.items() if v[1]} == {
                c: v[:2] for c, v in expected.items() if v[1]
            }
            assert believed.keys() == expected.keys()


def test_call_that_ended_in_the_gap_is_ended_with_its_agent_gone() -> None:
    before, _ = run(until_list("talking"))
    events = changes(before, truth("after", before), at=NOW)
    assert names(events) == ["AgentLeft", "CallEnded"]


def test_first_start_in_the_middle_of_a_call_tells_it_all() -> None:
    events = changes(Snapshot(), truth("talking", Snapshot()), at=NOW)
    assert names(events) == ["CallArrived", "CallAnswered"]
    arrived = next(each for each in events if isinstance(each, CallArrived))
    assert (arrived.caller_number, arrived.called_number) == ("13800001", "12345")
    assert arrived.at != NOW


def test_first_start_while_a_phone_rings_pops_it() -> None:
    events = changes(Snapshot(), truth("ringing", Snapshot()), at=NOW)
    assert names(events) == ["CallArrived", "CallQueued", "AgentRinging"]


def status(channel: str, unique_id: str, **headers: str) -> Message:
    return event("Status", Channel=channel, Uniqueid=unique_id, Linkedid="c-1.0", **headers)


def test_forks_of_a_call_are_no_calls_and_no_agents() -> None:
    channels = [
        status("PJSIP/trunk-00000001", "c-1.0", BridgeID="b", Variable="HOTLINE_ARRIVED=1"),
        status("AudioSocket/127.0.0.1:9-00000002", "c-1.1", BridgeID="", ChannelState="6"),
        status("PJSIP/1001-00000003", "c-1.2", BridgeID="b", ChannelState="6"),
    ]
    member = event("QueueMember", Location="PJSIP/1001", Status="2", Paused="0")
    snapshot = assemble([member], channels, Snapshot(), at=NOW)
    (call,) = snapshot.calls.values()
    assert call.talk is not None
    assert call.talk.agent == "1001"
    assert set(snapshot.agents) == {"1001"}


def test_start_between_the_answer_and_the_bridge_knows_who_answered() -> None:
    channels = [
        status("PJSIP/trunk-00000001", "c-1.0", ChannelState="6", Variable="HOTLINE_ARRIVED=1"),
        status("PJSIP/1001-00000003", "c-1.2", ChannelState="6"),
    ]
    member = event("QueueMember", Location="PJSIP/1001", Status="2", Paused="0")
    snapshot = assemble([member], channels, Snapshot(), at=NOW)
    connect = event("AgentConnect", Uniqueid="c-1.0", DestUniqueid="c-1.2", Interface="PJSIP/1001")
    enter = event("BridgeEnter", Uniqueid="c-1.0", BridgeUniqueid="b")
    after, told = run([connect, enter], snapshot)
    assert told == []
    (call,) = after.calls.values()
    assert call.talk is not None
    assert (call.talk.agent, call.talk.bridge) == ("1001", "b")


def test_emergency_in_progress_is_read_from_the_callers_channel() -> None:
    caller = event(
        "Status",
        Channel="PJSIP/trunk-00000001",
        Uniqueid="c-1.0",
        Linkedid="c-1.0",
        BridgeID="b",
        Variable="HOTLINE_LINE=120",
    )
    rest = b"\r\nVariable: HOTLINE_ARRIVED=1\r\nVariable: HOTLINE_SOURCE=waiting"
    arrived = Message(caller.raw + rest)
    line = status("PJSIP/emergency-00000002", "c-1.1", BridgeID="b")
    snapshot = assemble([], [arrived, line], Snapshot(), at=NOW)
    (call,) = snapshot.calls.values()
    assert (call.emergency_line, call.is_emergency_connected) == ("120", True)


@pytest.mark.parametrize("answered", ["", "1"])
def test_warm_hand_over_in_progress_is_read_from_the_callers_channel(answered: str) -> None:
    rest = f"\r\nVariable: {WARM_LINE}=110\r\nVariable: {WARM_ANSWERED}={answered}"
    caller = status("PJSIP/trunk-00000001", "c-1.0", BridgeID="b", Variable="HOTLINE_ARRIVED=1")
    agent = status("PJSIP/1001-00000002", "c-1.1", BridgeID="b", ChannelState="6")
    member = event("QueueMember", Location="PJSIP/1001", Status="2", Paused="0")
    listed = [Message(caller.raw + rest.encode()), agent]
    (call,) = assemble([member], listed, Snapshot(), at=NOW).calls.values()
    assert call.talk is not None
    assert (call.emergency_line, call.is_emergency_connected) == ("110", answered == "1")


def test_agent_who_dials_an_emergency_line_is_no_caller() -> None:
    agent = status("PJSIP/1001-00000001", "c-1.0", Variable="HOTLINE_LINE=110")
    asked = Message(agent.raw + b"\r\nVariable: HOTLINE_SOURCE=agent")
    assert not assemble([], [asked], Snapshot(), at=NOW).calls
    asked = Message(agent.raw + b"\r\nVariable: HOTLINE_SOURCE=direct")
    assert assemble([], [asked], Snapshot(), at=NOW).calls
