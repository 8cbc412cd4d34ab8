"""The machine's reading and the agent's corrections, merged."""

import pytest

from base.ids import CallId
from server.live.drafting import (
    MOST_VALUE_CHARS,
    CallDraft,
    DraftConfirmed,
    UnknownField,
    ValueTooLong,
)
from transcription.draft_ticket import Draft, DraftField, Evidence, FieldName, Speaker


def place(text: str) -> Draft:
    """A reading of words that name a place."""
    evidence = Evidence(Speaker.CITIZEN, 0, 0, len(text), text)
    return Draft(fields={FieldName.PLACE: DraftField(text, 0.8, (evidence,))})


def draft() -> CallDraft:
    return CallDraft(CallId("c"), "13800138000")


def test_a_reading_that_changes_nothing_is_no_change() -> None:
    made = draft()
    assert made.take(place("人民路"))
    assert not made.take(place("人民路"))
    assert made.version == 1


def test_fields_point_to_their_words() -> None:
    made = draft()
    made.take(place("人民路"))
    field = made.view().fields["place"]
    assert (field.by, field.value) == ("machine", "人民路")
    assert [(span.line, span.start, span.end) for span in field.evidence] == [("citizen-0", 0, 3)]


def test_the_agents_word_stands_whatever_the_machine_reads_later() -> None:
    made = draft()
    made.take(place("人民路"))
    made.edit("place", "人民南路")
    made.take(place("人民北路"))
    field = made.view().fields["place"]
    assert (field.by, field.value) == ("agent", "人民南路")


def test_bad_corrections_are_refused_with_a_code() -> None:
    made = draft()
    with pytest.raises(UnknownField):
        made.edit("colour", "red")
    with pytest.raises(ValueTooLong):
        made.edit("place", "长" * (MOST_VALUE_CHARS + 1))
    assert made.version == 0


def test_a_confirmed_draft_no_longer_changes() -> None:
    made = draft()
    made.settle("entered", "20261122-000001")
    assert not made.take(place("人民路"))
    with pytest.raises(DraftConfirmed):
        made.edit("place", "别处")
    assert made.view().ticket_number == "20261122-000001"
