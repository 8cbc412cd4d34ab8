"""Events applied to the old view equal the fresh view: the same vectors as the browser's twin."""

from pathlib import Path
from typing import get_args

import msgspec
import pytest

from server.push.protocol import DeskEvent, DeskView, SpeakerName
from server.push.view import apply

FOLDER = Path(__file__).parents[3] / "vectors" / "desk"


class Vector(msgspec.Struct, forbid_unknown_fields=True):
    """One file: what was, what happened, what must be."""

    about: str
    before: DeskView
    events: list[DeskEvent]
    after: DeskView


VECTORS = {
    path.stem: msgspec.json.decode(path.read_bytes(), type=Vector)
    for path in sorted(FOLDER.glob("*.json"))
}


@pytest.mark.parametrize("name", VECTORS)
def test_events_applied_to_the_old_view_equal_the_fresh_view(name: str) -> None:
    vector = VECTORS[name]
    view = vector.before
    for event in vector.events:
        view = apply(view, event)
    assert view == vector.after


def test_every_kind_of_event_has_a_vector() -> None:
    kinds = {kind.__name__ for kind in get_args(DeskEvent)}
    assert {type(event).__name__ for v in VECTORS.values() for event in v.events} == kinds


def test_vectors_hold_exactly_what_the_wire_holds() -> None:
    """A default left out of a vector would hide a difference between the two sides."""
    for path in FOLDER.glob("*.json"):
        raw = msgspec.json.decode(path.read_bytes())
        assert msgspec.to_builtins(msgspec.convert(raw, Vector)) == raw, path.name


def test_speakers_sort_the_same_on_both_sides() -> None:
    """Both sides compare the plain names; that needs them to be plain ASCII."""
    assert all(name.isascii() for name in get_args(SpeakerName))
