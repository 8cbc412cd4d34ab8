"""What ``./hotline record`` writes down holds nobody's number or name, and still tells the call."""

import pytest

from telephony.masking import Mask
from telephony.replay import replay
from telephony.wire import Message, MessageReader
from tests.unit.telephony.journey_recordings import JOURNEYS, stream
from tests.unit.telephony.recordings import event

MASK = Mask(b"key of the test")


def masked(data: bytes, mask: Mask = MASK) -> bytes:
    return b"".join(mask.message(message) for message in MessageReader().feed(data))


@pytest.mark.parametrize("name", JOURNEYS)
def test_masked_recording_tells_the_same_journeys_without_people(name: str) -> None:
    told, hidden = replay([stream(name)]), masked(stream(name))
    assert b"13800000001" not in hidden
    assert b"Zhang" not in hidden
    again = replay([hidden])
    assert [call.outcome for call in again.calls] == [call.outcome for call in told.calls]
    assert [call.legs[1:] for call in again.calls] == [call.legs[1:] for call in told.calls]
    assert [call.id for call in again.calls] == [call.id for call in told.calls]


def test_same_number_is_masked_alike_in_every_form() -> None:
    message = event(
        "UserEvent",
        Channel="Local/13800000001@from-trunk-00000011;1",
        CallerIDNum="13800000001",
        Number="%2B13800000001",
        Uniqueid="hotline-1795320015.0",
    )
    hidden = Message(MASK.message(message).removesuffix(b"\r\n\r\n"))
    number = hidden.get("CallerIDNum")
    assert number != "13800000001"
    assert len(number) == 11
    assert hidden.get("Number") == f"%2B{number}"
    assert hidden.get("Channel") == f"Local/{number}@from-trunk-00000011;1"
    assert hidden.get("Uniqueid") == "hotline-1795320015.0"


def test_another_recording_has_other_masks() -> None:
    message = event("Newchannel", CallerIDNum="13800000001", CallerIDName="张三")
    assert Mask(b"1").message(message) != Mask(b"2").message(message)


def test_headers_we_do_not_know_and_answers_are_left_out() -> None:
    known = event("UserEvent", UserEvent="CallArrived", Secret="x", ChanVariable="PIN=1", Value="v")
    assert MASK.message(known) == b"Event: UserEvent\r\nUserEvent: CallArrived\r\n\r\n"
    assert MASK.message(Message(b"Response: Success\r\nMessage: secret")) == b""


def test_line_number_written_with_its_area_code_is_masked() -> None:
    hidden = MASK.message(event("Newchannel", CallerIDNum="010-12345678"))
    assert b"12345678" not in hidden
