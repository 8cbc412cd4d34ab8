import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.ids import TicketId
from tickets.ledger import (
    FIRST_PREV_HASH,
    ChainFault,
    LedgerEntry,
    canonical_json,
    entry_hash,
    verify_chain,
)

AT = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)
TICKET = TicketId("6d2bd9a3-5a2a-4b1c-9d5a-000000000001")

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
bodies = st.dictionaries(st.text(), plain, max_size=4)


def chain(*contents: dict[str, object]) -> list[LedgerEntry]:
    entries: list[LedgerEntry] = []
    for seq, body in enumerate(contents, start=1):
        entry = LedgerEntry(
            ticket=TICKET,
            seq=seq,
            at=AT + timedelta(minutes=seq),
            actor="somebody",
            action="noted",
            body=body,
            prev_hash=entries[-1].hash if entries else FIRST_PREV_HASH,
        )
        entries.append(entry.sealed())
    return entries


@given(st.lists(bodies, min_size=1, max_size=5))
def test_chain_as_written_verifies(contents: list[dict[str, object]]) -> None:
    assert verify_chain(chain(*contents)) is None


@given(st.lists(bodies, min_size=1, max_size=5), st.data())
def test_any_change_of_any_entry_shows(
    contents: list[dict[str, object]], data: st.DataObject
) -> None:
    entries = chain(*contents)
    at = data.draw(st.integers(0, len(entries) - 1))
    entry = entries[at]
    changed = data.draw(
        st.sampled_from(
            [
                replace(entry, actor=entry.actor + "x"),
                replace(entry, action="closed"),
                replace(entry, reason="x"),
                replace(entry, article="x"),
                replace(entry, at=entry.at + timedelta(microseconds=1)),
                replace(entry, body={**entry.body, "x": "changed"}),
            ]
        )
    )
    if changed.body == entry.body and changed == entry:
        return
    entries[at] = changed
    assert verify_chain(entries) == ChainFault(seq=at + 1, what="changed")
    # Sealing the forged entry anew breaks the link to the next one.
    entries[at] = changed.sealed()
    is_last = at == len(entries) - 1
    expected = None if is_last else ChainFault(seq=at + 2, what="broken_link")
    assert verify_chain(entries) == expected


def test_removed_swapped_and_foreign_entries_show() -> None:
    first, second, third = chain({"n": 1}, {"n": 2}, {"n": 3})
    assert verify_chain([]) == ChainFault(seq=1, what="missing")
    assert verify_chain([second, third]) == ChainFault(seq=1, what="missing")
    assert verify_chain([first, third]) == ChainFault(seq=2, what="missing")
    assert verify_chain([first, third, second]) == ChainFault(seq=2, what="missing")
    foreign = replace(second, ticket=TicketId("other")).sealed()
    assert verify_chain([first, foreign]) == ChainFault(seq=2, what="other_ticket")


def test_hash_does_not_depend_on_key_order_or_time_zone() -> None:
    [entry] = chain({"b": 1, "a": {"d": 1, "c": 2}})
    shanghai = timezone(timedelta(hours=8))
    same = replace(entry, body={"a": {"c": 2, "d": 1}, "b": 1}, at=entry.at.astimezone(shanghai))
    assert entry_hash(same) == entry.hash


@given(plain)
def test_canonical_form_is_json_of_the_same_value(value: object) -> None:
    try:
        text = canonical_json(value)
    except UnicodeEncodeError:
        return
    assert json.loads(text) == value


@pytest.mark.parametrize("value", [1.0, {"a": [float("nan")]}, b"x", AT, {1: "x"}, {"a"}])
def test_what_jsonb_would_change_is_not_hashed(value: object) -> None:
    with pytest.raises(TypeError):
        canonical_json(value)
