import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.ticket import (
    MOST_CHARACTERS,
    MalformedValue,
    MissingValue,
    TicketField,
    TicketRefused,
    TicketType,
    UnknownField,
    UnknownValue,
    ValueTooLong,
    checked_fields,
)
from transcription.draft_ticket import FieldName

LEAST = {"type": "help", "demand": "修复路灯"}


def test_every_field_of_a_draft_is_a_field_of_a_ticket() -> None:
    assert {field.value for field in FieldName} <= {field.value for field in TicketField}


def test_least_ticket_gets_defaults_a_title_and_a_content() -> None:
    fields = checked_fields(LEAST)
    assert fields[TicketField.SUMMARY] == "修复路灯"
    assert fields[TicketField.CONTENT] == "修复路灯"
    assert fields[TicketField.URGENCY] == "normal"
    assert fields[TicketField.WANTS_REPLY] == "yes"
    assert fields[TicketField.CONFIDENTIAL] == "no"
    assert fields[TicketField.PLACE] == ""


@pytest.mark.parametrize("kind", list(TicketType))
def test_every_demand_type_is_taken(kind: TicketType) -> None:
    assert checked_fields(LEAST | {"type": kind.value})[TicketField.TYPE] == kind


@pytest.mark.parametrize(
    ("values", "refusal", "code", "field"),
    [
        ({}, MissingValue, "ticket_field_missing", "type"),
        ({"type": "help"}, MissingValue, "ticket_field_missing", "demand"),
        (LEAST | {"demand": " \n "}, MissingValue, "ticket_field_missing", "demand"),
        (LEAST | {"id": "7"}, UnknownField, "ticket_field_unknown", "id"),
        (LEAST | {"type": "投诉"}, UnknownValue, "ticket_value_unknown", "type"),
        (LEAST | {"urgency": "asap"}, UnknownValue, "ticket_value_unknown", "urgency"),
        (LEAST | {"wants_reply": "true"}, UnknownValue, "ticket_value_unknown", "wants_reply"),
        (LEAST | {"phone": "call me"}, MalformedValue, "ticket_value_malformed", "phone"),
        (LEAST | {"phone": "12"}, MalformedValue, "ticket_value_malformed", "phone"),
        (LEAST | {"place": "a\0b"}, MalformedValue, "ticket_value_malformed", "place"),
        (LEAST | {"place": "\ud800"}, MalformedValue, "ticket_value_malformed", "place"),
        (LEAST | {"place": 7}, MalformedValue, "ticket_value_malformed", "place"),
        (LEAST | {"place": None}, MalformedValue, "ticket_value_malformed", "place"),
        (LEAST | {"place": "很" * 201}, ValueTooLong, "ticket_value_too_long", "place"),
    ],
)
def test_bad_value_is_refused_with_a_stable_code(
    values: dict[str, object], refusal: type[TicketRefused], code: str, field: str
) -> None:
    with pytest.raises(refusal) as refused:
        checked_fields(values)
    assert refused.value.code == code
    assert refused.value.params["field"] == field
    assert refused.value.http_status == 422


@pytest.mark.parametrize("field", list(TicketField))
def test_no_field_is_longer_than_it_may_be(field: TicketField) -> None:
    with pytest.raises(ValueTooLong):
        checked_fields(LEAST | {field.value: "1" * (MOST_CHARACTERS[field] + 1)})


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("138 0013-8000", "13800138000"), ("+86（531）8888 8888", "+8653188888888"), ("", "")],
)
def test_number_for_contact_loses_its_decoration(typed: str, kept: str) -> None:
    assert checked_fields(LEAST | {"phone": typed})[TicketField.PHONE] == kept


@given(
    st.dictionaries(
        st.sampled_from([field.value for field in TicketField]) | st.text(max_size=5),
        st.text(max_size=300) | st.sampled_from(["help", "yes", "no", "urgent", "13800138000"]),
    )
)
def test_any_values_are_refused_or_give_every_field(values: dict[str, str]) -> None:
    try:
        fields = checked_fields(values)
    except TicketRefused:
        return
    assert set(fields) == set(TicketField)
    assert fields[TicketField.DEMAND]
    # What was accepted is accepted again, unchanged: a kept confirmation enters as it was checked.
    assert checked_fields({field.value: value for field, value in fields.items()}) == fields
