"""The arrows of docs/ARCHITECTURE.md: who may import whom, and that nothing goes in a circle."""

import grimp
import pytest

ROOMS = ("base", "insight", "routing", "rules", "server", "telephony", "tickets", "transcription")

MAY_IMPORT: dict[str, frozenset[str]] = {
    "base": frozenset(),
    "insight": frozenset({"base"}),
    "rules": frozenset({"base"}),
    "telephony": frozenset({"base"}),
    "routing": frozenset({"base", "rules", "telephony.events"}),
    "transcription": frozenset({"base", "rules", "telephony.events"}),
    "tickets": frozenset({"base", "rules"}),
}
"""A name stands for that module and all below it. ``server`` is the composition root: it may
import every room, and no room may import it."""


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*ROOMS, cache_dir=None)


def _is_within(module: str, allowed: str) -> bool:
    return module == allowed or module.startswith(f"{allowed}.")


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_room_imports_only_the_rooms_it_may(graph: grimp.ImportGraph, room: str) -> None:
    allowed = MAY_IMPORT[room] | {room}
    wrong = [
        f"{importer} imports {imported}"
        for importer in graph.modules
        if _is_within(importer, room)
        for imported in graph.find_modules_directly_imported_by(importer)
        if not any(_is_within(imported, name) for name in allowed)
    ]
    assert not wrong, "\n".join(wrong)


def test_every_room_has_its_rule() -> None:
    assert set(MAY_IMPORT) | {"server"} == set(ROOMS)


def test_no_module_imports_itself_by_way_of_others(graph: grimp.ImportGraph) -> None:
    importers = {m: graph.find_modules_directly_imported_by(m) for m in graph.modules}
    circle = _find_circle(importers)
    assert circle is None, " → ".join(circle or [])


def _find_circle(imports: dict[str, set[str]]) -> list[str] | None:
    """Return one circle of imports, found depth first."""
    done: set[str] = set()

    def visit(module: str, path: list[str]) -> list[str] | None:
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done:
            return None
        for imported in sorted(imports[module]):
            if found := visit(imported, [*path, module]):
                return found
        done.add(module)
        return None

    for module in sorted(imports):
        if found := visit(module, []):
            return found
    return None


def test_circle_is_found_where_there_is_one() -> None:
    assert _find_circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert _find_circle({"a": {"b"}, "b": set()}) is None
