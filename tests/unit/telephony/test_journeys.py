"""Callers' journeys, told from recordings of real Asterisk and from other versions' spellings."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.config import MANAGER_EVENTS
from telephony.follower import FOLLOWED_EVENTS, MAX_UNKNOWN_NAMES, OTHER, Follower, is_known
from telephony.journey import Journey
from telephony.journeys import GONE_KEPT, MAX_CHANNELS, Journeys
from telephony.replay import Replay, replay
from telephony.wire import Message, MessageReader
from tests.unit.telephony.journey_recordings import JOURNEYS, stream
from tests.unit.telephony.recordings import event
from tests.unit.telephony.test_wire import cut


@dataclass(frozen=True)
class Told:
    """What a recording must tell: who was on which line, and whether they answered."""

    outcome: str
    called: str = "7001"
    agent: str | None = "PJSIP/1001"
    queue: str | None = None
    legs: str = "caller+ 1001:callee+"
    transfers: str = ""


ALONE = "caller- 1001:callee-"
THREE = "caller+ 1001:callee+ 1002:callee+"
EXPECTED = {
    "direct_answered": [Told("answered")],
    "direct_abandoned": [Told("abandoned", agent=None, legs=ALONE)],
    "direct_busy": [Told("busy", "7301", None, legs=ALONE)],
    "direct_noanswer": [Told("abandoned", "7301", None, legs=ALONE)],
    "dialplan_busy": [Told("busy", "7302", None, legs=ALONE)],
    "failed": [Told("failed", number, None, legs="caller-") for number in ("7404", "7405", "7406")],
    "agent_to_agent": [Told("answered", "1002", "PJSIP/1002", legs="caller+ 1002:callee+")],
    "hold": [Told("answered")],
    "blind_refer": [Told("transferred", legs=THREE, transfers="blind 1001>1002+")],
    "blind_dtmf": [Told("transferred", legs=THREE, transfers="blind 1001>1002+")],
    "blind_ami": [Told("transferred", legs=THREE, transfers="blind 1001>7002+")],
    "blind_refer_noanswer": [
        Told("answered", legs="caller+ 1001:callee+ 1002:callee-", transfers="blind 1001>1002-")
    ],
    "blind_refer_busy": [
        Told("answered", legs="caller+ 1001:callee+ 1002:callee-", transfers="blind 1001>1002-")
    ],
    # An operator moved the caller: nobody on the call handed it on.
    "redirected": [Told("answered", legs=THREE)],
    "attended_dtmf": [Told("transferred", legs=THREE, transfers="attended 1001>1002+")],
    "attended_ami": [Told("transferred", legs=THREE, transfers="attended 1001>1002+")],
    "attended_early": [Told("transferred", legs=THREE, transfers="attended 1001>1002+")],
    "attended_target_declines": [
        Told("answered", legs="caller+ 1001:callee+ 1002:callee-", transfers="attended 1001>1002-")
    ],
    "attended_target_leaves": [Told("answered", legs=THREE, transfers="attended 1001>1002-")],
    "attended_caller_leaves": [Told("answered", legs=THREE, transfers="attended 1001>1002-")],
    "pickup": [Told("answered", agent="PJSIP/1002", legs="caller+ 1001:callee- 1002:callee+")],
    "forward_302": [Told("answered", agent="PJSIP/1002", legs="caller+ 1001:callee- 1002:callee+")],
    "forward_local": [Told("answered", "7200", "PJSIP/1002", legs="caller+ 1002:callee+")],
    "forward_local_optimised": [
        Told("answered", "7201", "PJSIP/1002", legs="caller+ 1002:callee+")
    ],
    "forward_next": [
        Told("answered", "7101", "PJSIP/1002", legs="caller+ 1001:callee- 1002:callee+")
    ],
    "ring_group": [
        Told("answered", "7012", "PJSIP/1002", legs="caller+ 1001:callee- 1002:callee+")
    ],
    "originated": [Told("answered", "1002", "PJSIP/1002", legs="caller+ 1002:callee+")],
    "originated_local": [Told("answered", "7002", "PJSIP/1002", legs="caller+ 1002:callee+")],
    "originated_busy": [Told("busy", "1002", None, legs="caller-")],
    "two_queues": [Told("answered", "6001", "1001", "hotline", "caller+ 1001:agent+")],
    "queue_abandoned": [Told("abandoned", "6001", None, "hotline", "caller+ 1001:agent-")],
    "queue_local_member": [Told("answered", "6600", "Sales One", "sales", "caller+ 1002:agent+")],
    "queue_blind_to_queue": [
        Told(
            "transferred",
            "6500",
            "1001",
            "hotline",
            "caller+ 1001:agent+ 1002:agent+",
            "blind 1001>6600+",
        )
    ],
    "queue_attended": [
        Told(
            "transferred",
            "6500",
            "1001",
            "hotline",
            "caller+ 1001:agent+ 1003:callee+",
            "attended 1001>1003+",
        )
    ],
}


def summary(call: Journey) -> Told:
    def mark(is_so: bool) -> str:
        return "+" if is_so else "-"

    legs = [
        (f"{leg.number}:{leg.role.value}" if leg.role.value != "caller" else "caller")
        + mark(leg.answered_at is not None)
        for leg in call.legs
    ]
    transfers = [
        f"{each.kind.value} {each.from_}>{each.to}{mark(each.completed)}" for each in call.transfers
    ]
    return Told(
        call.outcome.value, call.called, call.agent, call.queue, " ".join(legs), " ".join(transfers)
    )


def told(*messages: Message) -> Replay:
    return replay([b"".join(message.raw + b"\r\n\r\n" for message in messages)])


def test_every_recording_has_an_expectation() -> None:
    assert set(JOURNEYS) == set(EXPECTED)


@pytest.mark.parametrize("name", JOURNEYS)
def test_recording_tells_what_was_played(name: str) -> None:
    calls = replay([stream(name)]).calls
    assert [summary(call) for call in calls] == EXPECTED[name]
    for call in calls:
        assert call.caller in ("13800000001", "1001")
        assert call.started_at is not None
        assert call.ended_at is not None
        assert call.id.startswith("t-")
        assert all(leg.ended_at is not None for leg in call.legs)
        assert (call.answered_at is None) == (call.outcome.value in ("abandoned", "busy", "failed"))
        if call.answered_at is not None:
            assert call.started_at < call.answered_at < call.ended_at


@pytest.mark.parametrize("name", JOURNEYS)
def test_recordings_hold_no_unknown_event(name: str) -> None:
    assert replay([stream(name)]).unknown_events == {}


@pytest.mark.parametrize("name", JOURNEYS)
def test_production_s_event_filter_hides_no_journey(name: str) -> None:
    kept = [m for m in MessageReader().feed(stream(name)) if m.name in MANAGER_EVENTS]
    assert told(*kept).calls == replay([stream(name)]).calls


@pytest.mark.parametrize("name", JOURNEYS)
def test_skipped_events_change_nothing(name: str) -> None:
    kept = [m for m in MessageReader().feed(stream(name)) if m.name in FOLLOWED_EVENTS]
    assert told(*kept).calls == replay([stream(name)]).calls


@pytest.mark.parametrize("name", JOURNEYS)
def test_every_message_twice_tells_the_same(name: str) -> None:
    twice = [m for m in MessageReader().feed(stream(name)) for _ in (1, 2)]
    assert told(*twice).calls == replay([stream(name)]).calls


@pytest.mark.parametrize("name", ["attended_dtmf", "queue_attended", "pickup"])
def test_line_ends_and_the_greeting_do_not_matter(name: str) -> None:
    data = stream(name)
    calls = replay([data]).calls
    assert replay([data.replace(b"\r\n", b"\n")]).calls == calls
    assert replay([data[data.index(b"Event: ") :]]).calls == calls
    assert replay([b"Asterisk Call Manager/2.10.6\r\n" + data[data.index(b"Event: ") :]]).calls
    assert replay([data.rstrip(b"\r\n")]).calls == calls


@given(st.lists(st.integers(min_value=0), max_size=30))
def test_any_cut_of_the_bytes_tells_the_same_journeys(places: list[int]) -> None:
    data = stream("blind_refer")
    assert replay(cut(data, places)) == replay([data])


@given(st.integers(min_value=0), st.integers(min_value=0))
def test_stream_that_begins_and_ends_anywhere_breaks_nothing(start: int, length: int) -> None:
    data = stream("queue_attended")
    begin = start % len(data)
    replay([data[begin : begin + length % len(data)]])


@given(st.binary(max_size=2000))
def test_garbage_breaks_nothing(data: bytes) -> None:
    replay([data, b"\r\n\r\n", b"Event: Newchannel\r\n" + data + b"\r\n\r\n"])


_WORDS = "Uniqueid Linkedid Channel DestUniqueid DestChannel DestLinkedid BridgeUniqueid Exten"
_MORE = " TransfererUniqueid TransfererChannel TransfereeUniqueid Result Queue Cause DialStatus"
_HEADERS = (_WORDS + _MORE + " TargetUniqueid ChannelStateDesc Timestamp").split()
_VALUES = ["1.1", "1.2", "1.3", "SIP/1-0a", "SIP/2-0b", "Local/3@x-0c;1", "Up", "ANSWER", "17", ""]
_MESSAGE = st.builds(
    lambda name, headers: event(name, **headers),
    st.sampled_from(sorted(FOLLOWED_EVENTS)),
    st.dictionaries(st.sampled_from(_HEADERS), st.sampled_from(_VALUES), max_size=9),
)


@given(st.lists(_MESSAGE, max_size=40))
def test_no_stream_breaks_the_fold(messages: list[Message]) -> None:
    journeys = Journeys()
    ended = [journey for message in messages for journey in journeys.take(message)]
    ended += journeys.rest()
    assert len(journeys) == 0
    assert len({journey.id for journey in ended}) == len(ended)


def test_conference_without_end_is_told_in_parts_and_stays_quick() -> None:
    journeys, ended = Journeys(), 0
    for number in range(MAX_CHANNELS * 2):
        name = f"SIP/{number}-{number:08x}"
        ended += len(journeys.take(sip13(number, name, 0)))
        ended += len(journeys.take(bridged13(number, name, "b", 0)))
    assert ended == 1
    assert len(journeys._trails) <= MAX_CHANNELS + 1


def test_memory_stays_flat_over_many_calls() -> None:
    journeys, ended = Journeys(), 0
    data = list(MessageReader().feed(stream("attended_ami")))
    for number in range(GONE_KEPT // 3):
        for message in data:
            other = message.raw.replace(b"t-17953", b"x%d-17953" % number)
            ended += len(journeys.take(Message(other)))
    assert ended == GONE_KEPT // 3
    sizes = {
        name: len(getattr(journeys, name))
        for name in ("_trails", "_open", "_links", "_bridges", "_gone")
    }
    assert sizes == {"_trails": 0, "_open": 0, "_links": 0, "_bridges": 0, "_gone": GONE_KEPT}


# --------------------------------------------------------------------------------- other spellings


def channel(number: int, name: str, **more: str) -> Message:
    headers = {"Uniqueid": f"100.{number}", "Channel": name, "ChannelState": "4", **more}
    return event("Newchannel", **headers)


def hangup(number: int, cause: str = "16") -> Message:
    return event("Hangup", Uniqueid=f"100.{number}", Cause=cause)


CALLER = channel(
    1, "SIP/carrier-0000000a", CallerIDNum="02155550001", CallerIDName="李四", Exten="4000"
)
PHONE = channel(2, "SIP/101-0000000b", CallerIDNum="", Exten="")


def old_dial(begin: bool = True, **more: str) -> Message:
    headers = {"SubEvent": "Begin", "Channel": "SIP/carrier-0000000a", "UniqueID": "100.1"}
    if begin:
        headers |= {"Destination": "SIP/101-0000000b", "DestUniqueID": "100.2", "Dialstring": "101"}
    return event("Dial", **{**headers, **more})


def old_bridge(first: str = "SIP/carrier-0000000a", second: str = "SIP/101-0000000b") -> Message:
    headers = {"Bridgestate": "Link", "Channel1": first, "Channel2": second}
    return event("Bridge", **headers, Uniqueid1="100.1", Uniqueid2="100.2")


def test_direct_call_of_asterisk_11() -> None:
    (call,) = told(CALLER, PHONE, old_dial(), old_bridge(), hangup(2), hangup(1)).calls
    assert summary(call) == Told("answered", "4000", "SIP/101", legs="caller- 101:callee-")
    assert (call.caller, call.caller_name) == ("02155550001", "李四")
    assert (call.started_at, call.answered_at, call.ended_at) == (None, None, None)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("BUSY", "busy"),
        ("CONGESTION", "failed"),
        ("CHANUNAVAIL", "failed"),
        ("NOANSWER", "abandoned"),
    ],
)
def test_unanswered_call_of_asterisk_11(status: str, outcome: str) -> None:
    end = old_dial(begin=False, SubEvent="End", DialStatus=status)
    (call,) = told(CALLER, PHONE, old_dial(), end, hangup(2), hangup(1)).calls
    assert call.outcome.value == outcome


def test_queue_call_of_asterisk_11() -> None:
    join = event("Join", Channel="SIP/carrier-0000000a", Uniqueid="100.1", Queue="support")
    rung = event(
        "AgentCalled",
        Queue="support",
        AgentCalled="SIP/101",
        AgentName="Alice",
        ChannelCalling="SIP/carrier-0000000a",
        DestinationChannel="SIP/101-0000000b",
        Uniqueid="100.1",
    )
    answer = event(
        "AgentConnect",
        Queue="support",
        Uniqueid="100.1",
        Channel="SIP/101-0000000b",
        Member="SIP/101",
        MemberName="Alice",
        BridgedChannel="100.2",
        Timestamp="50.5",
    )
    leave = event("Leave", Channel="SIP/carrier-0000000a", Uniqueid="100.1", Queue="support")
    (call,) = told(CALLER, join, PHONE, rung, leave, answer, hangup(2), hangup(1)).calls
    assert summary(call) == Told("answered", "4000", "Alice", "support", "caller- 101:agent+")
    assert call.answered_at == 50.5


@pytest.mark.parametrize("kind", ["Blind", "Attended"])
def test_transfer_of_chan_sip_in_asterisk_11(kind: str) -> None:
    third = channel(3, "SIP/102-0000000c")
    handed = event(
        "Transfer",
        TransferMethod="SIP",
        TransferType=kind,
        Channel="SIP/101-0000000b",
        Uniqueid="100.2",
        TargetChannel="SIP/carrier-0000000a",
        TargetUniqueid="100.1",
        TransferExten="102",
    )
    dial = old_dial(Destination="SIP/102-0000000c", DestUniqueID="100.3", Dialstring="102")
    up = event("Newstate", Uniqueid="100.3", Channel="SIP/102-0000000c", ChannelStateDesc="Up")
    begin = [CALLER, PHONE, old_dial(), old_bridge()]
    rest = [handed, hangup(2), third, dial, up, hangup(3), hangup(1)]
    if kind == "Attended":
        rest = [third, dial, up, handed, hangup(2), hangup(3), hangup(1)]
    (call,) = told(*begin, *rest).calls
    assert summary(call).transfers == f"{kind.lower()} 101>102+"
    assert call.outcome.value == "transferred"


def sip13(number: int, name: str, linked: int, **more: str) -> Message:
    """Asterisk 13 with chan_sip: numbers may be missing, linked ids are told."""
    headers = {"CallerIDNum": "<unknown>", "Linkedid": f"100.{linked}", **more}
    return channel(number, name, **headers)


def dialled13(kind: str, by: int, to: int, by_name: str, to_name: str, **more: str) -> Message:
    return event(
        kind,
        Channel=by_name,
        Uniqueid=f"100.{by}",
        DestChannel=to_name,
        DestUniqueid=f"100.{to}",
        DestCallerIDNum="<unknown>",
        **more,
    )


def bridged13(number: int, name: str, bridge: str, linked: int = 1) -> Message:
    return event(
        "BridgeEnter",
        Uniqueid=f"100.{number}",
        Channel=name,
        Linkedid=f"100.{linked}",
        BridgeUniqueid=bridge,
    )


A, B, C = "SIP/carrier-0000000a", "SIP/101-0000000b", "SIP/102-0000000d"
SECOND = "SIP/101-0000000c"


def rung13(
    by: int, to: int, by_name: str, to_name: str, number: str, linked: int = 1, end: str = "ANSWER"
) -> list[Message]:
    """A phone's channel that is dialled, and how that ends."""
    return [
        sip13(to, to_name, linked),
        dialled13("DialBegin", by, to, by_name, to_name, DialString=number),
        dialled13("DialEnd", by, to, by_name, to_name, DialStatus=end),
    ]


def blind13(by: int, moved: int, by_name: str, moved_name: str, extension: str) -> Message:
    return event(
        "BlindTransfer",
        Result="Success",
        TransfererChannel=by_name,
        TransfererUniqueid=f"100.{by}",
        TransfereeChannel=moved_name,
        TransfereeUniqueid=f"100.{moved}",
        Extension=extension,
    )


def talking13() -> list[Message]:
    return [
        sip13(1, A, 1, CallerIDNum="02155550001", Exten="4000"),
        *rung13(1, 2, A, B, "101"),
        bridged13(2, B, "b1"),
        bridged13(1, A, "b1"),
    ]


def consulting13() -> list[Message]:
    """101 asks 102 on a second line, a call of its own until it is joined."""
    return [
        sip13(3, SECOND, 3, CallerIDNum="101", Exten="102"),
        *rung13(3, 4, SECOND, C, "102", linked=3),
        bridged13(4, C, "b2", 3),
        bridged13(3, SECOND, "b2", 3),
    ]


def attended13(result: str = "Success") -> Message:
    return event(
        "AttendedTransfer",
        Result=result,
        OrigTransfererChannel=B,
        OrigTransfererUniqueid="100.2",
        SecondTransfererChannel=SECOND,
        SecondTransfererUniqueid="100.3",
        TransfereeChannel=A,
        TransfereeUniqueid="100.1",
        TransferTargetChannel=C,
        TransferTargetUniqueid="100.4",
        DestType="Bridge",
        DestBridgeUniqueid="b1",
    )


def test_attended_transfer_between_two_calls_is_one_journey() -> None:
    rest = [attended13(), hangup(3), hangup(2), hangup(4), hangup(1)]
    (call,) = told(*talking13(), *consulting13(), *rest).calls
    assert summary(call).transfers == "attended 101>102+"
    assert (call.id, call.outcome.value, call.agent) == ("100.1", "transferred", "SIP/101")
    assert [leg.channel for leg in call.legs] == [A, B, SECOND, C]


def test_second_call_that_was_not_joined_stays_a_call_of_its_own() -> None:
    calls = told(*talking13(), *consulting13(), hangup(4), hangup(3), hangup(2), hangup(1)).calls
    assert [(call.caller, call.outcome.value) for call in calls] == [
        ("101", "answered"),
        ("02155550001", "answered"),
    ]


def test_transfer_that_asterisk_refused_is_not_completed() -> None:
    rest = [attended13("Fail"), hangup(4), hangup(3), hangup(2), hangup(1)]
    (call,) = told(*talking13(), *consulting13(), *rest).calls
    assert summary(call).transfers == "attended 101>102-"
    assert call.outcome.value == "answered"


def test_pick_up_in_a_queue_names_who_took_the_call() -> None:
    ring = event(
        "AgentCalled",
        Channel=A,
        Uniqueid="100.1",
        DestChannel=B,
        DestUniqueid="100.2",
        Queue="support",
        MemberName="Alice",
    )
    taken = event("Pickup", Channel=C, Uniqueid="100.4", TargetChannel=B, TargetUniqueid="100.2")
    begin = [sip13(1, A, 1, Exten="4000"), sip13(2, B, 1), ring, sip13(4, C, 4), taken]
    (call,) = told(*begin, hangup(2), hangup(4), hangup(1)).calls
    assert (call.agent, call.outcome.value) == ("SIP/102", "answered")
    assert [leg.role.value for leg in call.legs] == ["caller", "agent", "agent"]


def test_pick_up_of_asterisk_11_is_told_by_names_alone() -> None:
    third = channel(3, "SIP/102-0000000c")
    taken = event("Pickup", Channel="SIP/102-0000000c", TargetChannel="SIP/101-0000000b")
    rest = [third, taken, hangup(2), hangup(3), hangup(1)]
    (call,) = told(CALLER, PHONE, old_dial(), *rest).calls
    assert (call.agent, call.outcome.value) == ("SIP/102", "answered")


def test_phone_is_known_by_its_own_number_and_not_by_the_extension_dialled() -> None:
    dial = event(
        "DialBegin",
        Channel=A,
        Uniqueid="100.1",
        DestChannel=B,
        DestUniqueid="100.2",
        DestCallerIDNum="4000",
        DialString="101",
    )
    (call,) = told(sip13(1, A, 1, Exten="4000"), sip13(2, B, 1), dial, hangup(2), hangup(1)).calls
    assert call.legs[1].number == "101"


def test_busy_phone_behind_a_queues_local_member_does_not_make_the_call_busy() -> None:
    one, two = "Local/101@agents-00000001;1", "Local/101@agents-00000001;2"
    join = event("QueueCallerJoin", Uniqueid="100.1", Channel=A, Queue="support")
    ring = dialled13("AgentCalled", 1, 3, A, one, Queue="support", MemberName="Alice")
    begin = [sip13(1, A, 1, Exten="4000"), join, sip13(3, one, 1), sip13(4, two, 1), ring]
    begin.append(sip13(2, B, 1))
    busy = [
        dialled13("DialBegin", 4, 2, two, B, DialString="101"),
        dialled13("DialEnd", 4, 2, two, B, DialStatus="BUSY"),
    ]
    rest = [hangup(2, "17"), hangup(4, "17"), hangup(3, "17"), hangup(1)]
    (call,) = told(*begin, *busy, *rest).calls
    assert summary(call) == Told("abandoned", "4000", None, "support", "caller- 101:agent-")


def test_caller_who_hands_the_other_side_on_leaves_the_journey_to_it() -> None:
    handed, after = blind13(1, 2, A, B, "102"), rung13(2, 4, B, C, "102")
    end = event("Hangup", Uniqueid="100.4", Timestamp="90.5")
    (call,) = told(*talking13(), handed, hangup(1), *after, hangup(2), end).calls
    assert summary(call).transfers == "blind 02155550001>102+"
    assert (call.id, call.ended_at) == ("100.1", 90.5)


def test_voice_mail_is_an_answer_and_a_greeting_is_none() -> None:
    begin = sip13(1, A, 1, Exten="4000", ChannelStateDesc="Up")
    greeting = event("Newexten", Uniqueid="100.1", Channel=A, Application="Playback")
    mailbox = event("Newexten", Uniqueid="100.1", Channel=A, Application="VoiceMail")
    assert told(begin, greeting, hangup(1)).calls[0].outcome.value == "abandoned"
    assert told(begin, greeting, mailbox, hangup(1)).calls[0].outcome.value == "answered"


@pytest.mark.parametrize(
    "name", ["DAHDI/i1/02155550001-3", "IAX2/carrier-4412", "SIP/a-b-0000001f"]
)
def test_every_channel_driver_is_followed(name: str) -> None:
    begin = [
        sip13(1, name, 1, CallerIDNum="02155550001", Exten="4000"),
        *rung13(1, 2, name, B, "101"),
    ]
    (call,) = told(*begin, hangup(2), hangup(1)).calls
    assert (call.caller, call.outcome.value) == ("02155550001", "answered")


def test_forks_and_spies_are_no_calls_and_no_legs() -> None:
    fork = sip13(9, "AudioSocket/127.0.0.1:9092-a2964e5b", 9)
    stream13 = [*talking13(), fork, hangup(9), hangup(2), hangup(1)]
    (call,) = told(*stream13).calls
    assert [leg.channel for leg in call.legs] == [A, B]


def test_call_still_under_way_at_the_end_is_told_without_an_end() -> None:
    (call,) = told(*talking13()).calls
    assert (call.outcome.value, call.ended_at) == ("answered", None)


def test_unknown_events_are_counted_and_cost_nothing() -> None:
    unknown = [event("SomethingNew", A="1"), event("SomethingNew"), event("Other")]
    told_of = told(*unknown, *talking13(), hangup(2), hangup(1))
    assert told_of.unknown_events == {"SomethingNew": 2, "Other": 1}
    assert len(told_of.calls) == 1


def test_made_up_names_do_not_grow_the_count_without_end() -> None:
    follower = Follower()
    for number in range(MAX_UNKNOWN_NAMES * 2):
        follower.apply(event(f"Made{number}"))
    assert len(follower.unknown_events) == MAX_UNKNOWN_NAMES + 1
    assert follower.unknown_events[OTHER] == MAX_UNKNOWN_NAMES


def test_message_longer_than_any_is_passed_over() -> None:
    huge = b"Event: Huge\r\nX: " + b"x" * 400_000 + b"\r\n\r\n"
    rest = b"".join(m.raw + b"\r\n\r\n" for m in [*talking13(), hangup(2), hangup(1)])
    for size in (1_000, 1_000_000):
        data = huge + rest
        chunks = [data[at : at + size] for at in range(0, len(data), size)]
        assert len(replay(chunks).calls) == 1


def test_usual_events_of_older_and_newer_versions_are_known() -> None:
    for name in ("Join", "Leave", "Link", "Unlink", "Masquerade", "RTCPReceived", "DeadlockStart"):
        assert is_known(name)
