"""Corners of callers' journeys: what other dialplans, versions and recorders make of them."""

import pytest

from telephony.journey import Journey
from telephony.wire import Message
from tests.unit.telephony.recordings import event
from tests.unit.telephony.test_journeys import (
    SECOND,
    A,
    B,
    C,
    blind13,
    bridged13,
    dialled13,
    hangup,
    rung13,
    sip13,
    summary,
    talking13,
    told,
)

ONE, TWO = "Local/102@from-internal-00000001;1", "Local/102@from-internal-00000001;2"
RINGS = dialled13("DialBegin", 1, 2, A, B, DialString="101")


def queued13(name: str, ring: int = 2, ring_name: str = B, **more: str) -> Message:
    headers = {"Queue": "support", "MemberName": "Alice", "Exten": "4000", **more}
    return dialled13(name, 1, ring, A, ring_name, **headers)


def waiting13() -> list[Message]:
    join = event("QueueCallerJoin", Uniqueid="100.1", Channel=A, Queue="support")
    return [sip13(1, A, 1, CallerIDNum="02155550001", Exten="4000"), join]


def transfers(*messages: Message) -> str:
    (call,) = told(*messages).calls
    return f"{call.outcome} {summary(call).transfers}"


def test_caller_that_takes_a_local_channels_place_hands_nothing_on() -> None:
    """Optimisation may tell that the caller came before it tells that the Local channel left."""
    member = [sip13(5, ONE, 1), sip13(6, TWO, 1), queued13("AgentCalled", 5, ONE), sip13(2, B, 1)]
    phone = [
        dialled13("DialBegin", 6, 2, TWO, B, DialString="101"),
        dialled13("DialEnd", 6, 2, TWO, B, DialStatus="ANSWER"),
        bridged13(2, B, "b2"),
        bridged13(6, TWO, "b2"),
    ]
    talk = [queued13("AgentConnect", 5, ONE), bridged13(5, ONE, "b1"), bridged13(1, A, "b1")]
    moved = [bridged13(1, A, "b2"), hangup(5), hangup(6), hangup(2), hangup(1)]
    (call,) = told(*waiting13(), *member, *phone, *talk, *moved).calls
    assert summary(call).transfers == ""
    assert (call.outcome.value, call.agent) == ("answered", "Alice")


def asked(to: int, bridge: str, *, is_way_first: bool) -> list[Message]:
    """101 asks 102 by the feature keys, who does not answer; the call goes back to 101."""
    one, two = (f"Local/102@from-internal-0000000{to};{half}" for half in (1, 2))
    phone = f"SIP/102-0000000{to}"
    met = [bridged13(to, one, bridge), bridged13(2, B, bridge)]
    return [
        sip13(to, one, 1),
        sip13(to + 1, two, 1),
        event("BridgeLeave", Uniqueid="100.2", Channel=B, BridgeUniqueid="b1"),
        *(met if is_way_first else reversed(met)),
        sip13(to + 2, phone, 1),
        dialled13("DialBegin", to + 1, to + 2, two, phone, DialString="102"),
        dialled13("DialEnd", to + 1, to + 2, two, phone, DialStatus="NOANSWER"),
        *(hangup(number) for number in (to + 2, to + 1, to)),
        bridged13(2, B, "b1"),
    ]


@pytest.mark.parametrize("is_way_first", [True, False])
def test_each_time_that_another_was_asked_in_vain_is_told(is_way_first: bool) -> None:
    first = asked(4, "b2", is_way_first=is_way_first)
    second = asked(7, "b3", is_way_first=is_way_first)
    assert transfers(*talking13(), *first, *second, hangup(2), hangup(1)) == (
        "answered attended 101>102- attended 101>102-"
    )


def handed_on_early(app: str, exten: str) -> list[Message]:
    """101 hangs up while who was asked is still rung, waited for, or is a mailbox."""
    done = event(
        "AttendedTransfer",
        Result="Success",
        OrigTransfererChannel=B,
        OrigTransfererUniqueid="100.2",
        SecondTransfererChannel=SECOND,
        SecondTransfererUniqueid="100.3",
        TransfereeChannel=A,
        TransfereeUniqueid="100.1",
        DestType="App",
        DestApp=app,
    )
    return [*talking13(), sip13(3, SECOND, 3, CallerIDNum="101", Exten=exten), done, hangup(3)]


@pytest.mark.parametrize(
    ("app", "exten", "answer", "expected"),
    [
        ("Dial", "102", "ANSWER", "transferred attended 101>102+"),
        ("Dial", "102", "NOANSWER", "answered attended 101>102-"),
        ("Queue", "6002", "ANSWER", "transferred attended 101>6002+"),
        ("Queue", "6002", "CANCEL", "answered attended 101>6002-"),
        ("VoiceMail", "*102", "CANCEL", "transferred attended 101>*102+"),
    ],
)
def test_transfer_before_an_answer_counts_when_somebody_answers(
    app: str, exten: str, answer: str, expected: str
) -> None:
    rest = [*rung13(1, 4, A, C, "102", end=answer), hangup(2), hangup(4), hangup(1)]
    assert transfers(*handed_on_early(app, exten), *rest) == expected


def test_call_that_comes_back_to_who_handed_it_on_reached_nobody() -> None:
    handed, back = blind13(2, 1, B, A, "700"), rung13(1, 3, A, SECOND, "101")
    rest = [handed, hangup(2), *back, hangup(3), hangup(1)]
    assert transfers(*talking13(), *rest) == "answered blind 101>700-"


def of_caller(call: Journey) -> tuple[str, str, str, list[str]]:
    return call.id, call.caller, call.called, [leg.role.value for leg in call.legs]


def test_recording_that_begins_while_the_phone_is_rung_knows_the_caller() -> None:
    ring = queued13("AgentCalled", CallerIDNum="02155550001", Linkedid="100.1")
    rest = [sip13(2, B, 1), ring, queued13("AgentConnect"), hangup(2), hangup(1)]
    (call,) = told(*rest).calls
    assert of_caller(call) == ("100.1", "02155550001", "4000", ["caller", "agent"])
    assert (call.agent, call.started_at) == ("Alice", None)


def test_two_channels_told_in_the_wrong_order_do_not_change_the_caller() -> None:
    first, second, *rest = talking13()
    (call,) = told(second, first, *rest, hangup(2), hangup(1)).calls
    assert of_caller(call) == ("100.1", "02155550001", "4000", ["caller", "callee"])


def test_when_a_call_was_answered_before_the_recording_is_not_made_up() -> None:
    complete = queued13("AgentComplete", Timestamp="90.5")
    (call,) = told(complete, hangup(2), hangup(1)).calls
    assert (call.outcome.value, call.answered_at) == ("answered", None)
    assert [leg.answered_at for leg in call.legs] == [None, None]


def test_extension_that_the_channel_gets_later_is_who_was_called() -> None:
    begin = [sip13(1, A, 1, Exten="s"), sip13(2, B, 1)]
    ring = queued13("AgentCalled")
    (call,) = told(*begin, ring, hangup(2), hangup(1)).calls
    assert call.called == "4000"


def test_originated_local_channel_that_waits_in_a_queue_called_its_extension() -> None:
    begin = [
        sip13(1, ONE, 1, Exten="102"),
        sip13(2, TWO, 1),
        *rung13(2, 3, TWO, C, "102"),
    ]
    join = event("QueueCallerJoin", Uniqueid="100.1", Channel=ONE, Queue="sales", Exten="6001")
    ring = dialled13("AgentCalled", 1, 4, ONE, B, Queue="sales", MemberName="Alice")
    rest = [join, sip13(4, B, 1), ring, *(hangup(number) for number in (4, 1, 2, 3))]
    (call,) = told(*begin, *rest).calls
    assert (call.caller, call.called) == ("102", "6001")


@pytest.mark.parametrize(
    ("dialled", "channel", "number"),
    [
        ("13900000000@trunk", "PJSIP/trunk-0000000b", "13900000000"),
        ("62770001/13900000000", "SIP/62770001-0000000b", "13900000000"),
        ("PJSIP/13900000000@trunk", "PJSIP/trunk-0000000b", "13900000000"),
        ("g1/13900000000", "DAHDI/i1/13900000000-b", "13900000000"),
        ("SIP/101", "SIP/101-0000000b", "101"),
        ("101/sip:771@10.0.0.1:5060", "PJSIP/101-0000000b", "101"),
        ("alice/sip:x7@10.0.0.1:5060", "PJSIP/alice-0000000b", "alice"),
    ],
)
def test_number_that_was_dialled_is_told_and_no_address(
    dialled: str, channel: str, number: str
) -> None:
    begin = [sip13(1, A, 1), sip13(2, channel, 1, Exten="s")]
    ring = dialled13("DialBegin", 1, 2, A, channel, DialString=dialled)
    (call,) = told(*begin, ring, hangup(2), hangup(1)).calls
    assert (call.called, call.legs[1].number) == (number, number)


def test_agent_who_waits_on_one_line_for_many_callers_makes_no_call_of_them_all() -> None:
    """app_agent_pool: the agent's line is the oldest of every bridge it enters."""
    line = "SIP/301-00000001"
    waits = event("AgentLogin", Channel=line, Uniqueid="100.90", Agent="1001")
    stream = [sip13(90, line, 90, Exten="*20"), waits]
    for number in (10, 20):
        caller, one, two = f"SIP/carrier-{number}", f"Local/1@a-{number};1", f"Local/1@a-{number};2"
        stream += [
            sip13(number, caller, number, CallerIDNum=f"0215555{number}", Exten="4000"),
            sip13(number + 1, one, number),
            sip13(number + 2, two, number),
            dialled13("AgentCalled", number, number + 1, caller, one, Queue="support"),
            bridged13(number + 2, two, f"b{number}", 90),
            bridged13(90, line, f"b{number}", 90),
            dialled13("AgentConnect", number, number + 1, caller, one, MemberName="One"),
            *(hangup(number + each) for each in range(3)),
        ]
    calls = told(*stream, hangup(90)).calls
    assert [(call.caller, call.agent, call.outcome.value) for call in calls] == [
        ("021555510", "One", "answered"),
        ("021555520", "One", "answered"),
    ]


def test_transfer_that_failed_before_anybody_was_dialled_leads_to_nobody() -> None:
    """Not to the extension by which the transferer's own phone was reached."""
    up = event("Newstate", Uniqueid="100.2", Channel=B, ChannelStateDesc="Up", Exten="4000")
    failed = event(
        "AttendedTransfer",
        Result="Fail",
        OrigTransfererChannel=B,
        OrigTransfererUniqueid="100.2",
        SecondTransfererChannel=B,
        SecondTransfererUniqueid="100.2",
        DestType="Fail",
    )
    assert transfers(*talking13(), up, failed, hangup(2), hangup(1)) == "answered attended 101>-"


def test_caller_who_withholds_the_number_is_not_called_by_the_carriers_name() -> None:
    begin = sip13(1, A, 1, CallerIDNum="anonymous", CallerIDName="Anonymous", Exten="4000")
    (call,) = told(begin, sip13(2, B, 1), RINGS, hangup(2), hangup(1)).calls
    assert (call.caller, call.caller_name) == ("anonymous", "Anonymous")


def test_recording_that_begins_in_a_conversation_tells_that_they_talked() -> None:
    left = [
        event(
            "BridgeLeave",
            Uniqueid=f"100.{number}",
            Channel=name,
            Linkedid="100.1",
            CallerIDNum=line,
            BridgeUniqueid="b1",
            Timestamp="90.5",
        )
        for number, name, line in ((2, B, "101"), (1, A, "02155550001"))
    ]
    (call,) = told(*left, hangup(2), hangup(1)).calls
    assert of_caller(call) == ("100.1", "02155550001", "101", ["caller", "callee"])
    assert (call.outcome.value, call.agent, call.answered_at) == ("answered", "SIP/101", None)


def test_transfers_and_queues_that_tell_channels_by_name_alone_are_understood() -> None:
    ring = [
        event(name, Uniqueid="100.1", Channel=A, DestChannel=B, MemberName="Alice")
        for name in ("AgentCalled", "AgentConnect")
    ]
    handed = event("BlindTransfer", TransfererChannel=B, TransfereeChannel=A, Extension="102")
    third = rung13(1, 4, A, C, "102")
    rest = [sip13(2, B, 1), *ring, handed, hangup(2), *third, hangup(4), hangup(1)]
    (call,) = told(*waiting13(), *rest).calls
    assert summary(call).transfers == "blind 101>102+"
    assert (call.agent, call.legs[1].role.value) == ("Alice", "agent")
