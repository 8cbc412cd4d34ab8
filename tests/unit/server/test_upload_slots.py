"""Who may send a file while others do."""

from contextlib import ExitStack

import pytest

from base.ids import TicketId
from server.http.upload_slots import (
    MOST_OF_CALLERS,
    MOST_OF_STAFF,
    AttachmentsBusy,
    UploadSlots,
)


def test_callers_take_no_place_from_staff_nor_staff_from_callers() -> None:
    slots = UploadSlots()
    with ExitStack() as held:
        for number in range(MOST_OF_CALLERS):
            held.enter_context(slots.caller(TicketId(f"t{number}")))
        for _ in range(MOST_OF_STAFF):
            held.enter_context(slots.staff())
        with pytest.raises(AttachmentsBusy), slots.caller(TicketId("another")):
            raise AssertionError("no place is left")
        with pytest.raises(AttachmentsBusy), slots.staff():
            raise AssertionError("no place is left")
    with slots.caller(TicketId("another")), slots.staff():
        pass  # all are given back


def test_a_ticket_has_one_place_for_its_caller() -> None:
    slots = UploadSlots()
    with slots.caller(TicketId("t")):
        with pytest.raises(AttachmentsBusy), slots.caller(TicketId("t")):
            raise AssertionError("one at a time")
        with slots.caller(TicketId("other")):
            pass
    with slots.caller(TicketId("t")):
        pass
