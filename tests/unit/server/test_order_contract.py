"""Each move has a form that asks what the move declares, in Chinese words."""

import re
from collections.abc import Iterator

import msgspec

from server.order_contract import FILE, Field, FieldKind, forms
from tickets.known_codes import KNOWN_CODES
from tickets.moves import Dispatch, Share, tag_of

WORDS = (FILE.parent / "order_words.ts").read_text("utf-8")


def _all(fields: tuple[Field, ...]) -> Iterator[Field]:
    for field in fields:
        yield field
        yield from _all(field.fields)


def _worded(table: str) -> set[str]:
    body = WORDS.split(f"const {table}", 1)[1].split("\n}\n", 1)[0]
    return set(re.findall(r"^  (\w+): ", body, re.MULTILINE))


def test_each_move_each_field_and_each_choice_has_chinese_words() -> None:
    made = forms()
    fields = [field for form in made.values() for field in _all(form)]
    assert set(made) - _worded("MOVE_WORDS") == set()
    assert {field.name for field in fields} - _worded("FIELDS") == set()
    assert {option for field in fields for option in field.options} - _worded("OPTIONS") == set()


def test_a_form_asks_what_its_move_declares() -> None:
    units, basis, days, _reason = forms()[tag_of(Dispatch)]
    assert (units.kind, units.is_needed) == (FieldKind.ROWS, True)
    assert [field.kind for field in units.fields] == [FieldKind.UNIT, FieldKind.CHOICE]
    assert units.fields[1].options == ("single", "lead", "assist", "separate")
    assert (basis.kind, basis.most) == (FieldKind.LINE, 500)
    assert (days.kind, days.is_needed) == (FieldKind.NUMBER, False)


def test_every_known_code_is_a_field_of_its_move() -> None:
    for struct, name in KNOWN_CODES:
        declared = {field.name for field in msgspec.structs.fields(struct)}
        assert name in declared, f"{struct.__name__}.{name}"
    assert (Share, "part") in KNOWN_CODES
