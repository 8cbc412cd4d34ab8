"""The wall: events applied to the old view equal the fresh view, on both sides alike."""

from pathlib import Path

import msgspec
import pytest

from server.push.protocol import WallChanged, WallView
from server.push.wall_view import apply

FOLDER = Path(__file__).parents[3] / "vectors" / "wall"


class Vector(msgspec.Struct, forbid_unknown_fields=True):
    """One file: what was, what happened, what must be."""

    about: str
    before: WallView
    events: list[WallChanged]
    after: WallView


VECTORS = {
    path.stem: msgspec.json.decode(path.read_bytes(), type=Vector)
    for path in sorted(FOLDER.glob("*.json"))
}


@pytest.mark.parametrize("name", VECTORS)
def test_events_applied_to_the_old_wall_equal_the_fresh_wall(name: str) -> None:
    vector = VECTORS[name]
    view = vector.before
    for event in vector.events:
        view = apply(view, event)
    assert view == vector.after


def test_the_same_event_twice_changes_nothing_more() -> None:
    for vector in VECTORS.values():
        for event in vector.events:
            once = apply(vector.before, event)
            assert apply(once, event) == once


def test_each_part_of_an_event_has_a_vector() -> None:
    nothing = WallChanged()
    told = {
        name
        for vector in VECTORS.values()
        for event in vector.events
        for name in WallChanged.__struct_fields__
        if getattr(event, name) != getattr(nothing, name)
    }
    assert told == set(WallChanged.__struct_fields__)


def test_vectors_hold_exactly_what_the_wire_holds() -> None:
    for path in FOLDER.glob("*.json"):
        raw = msgspec.json.decode(path.read_bytes())
        assert msgspec.to_builtins(msgspec.convert(raw, Vector)) == raw, path.name
