"""A pytest plugin: which values of the packs the marked tests would notice, were they different.

Loaded by ``./hotline coverage mutations`` alone. First every marked test runs as it is, and what it
asks of which pack is noted. Then each value of a city's pack is changed in memory, one at a time,
and the tests that asked for it run again until one fails. A value for which none does survives:
it could be wrong and nobody would know. Where that is as it should be, ``tests/unnoticed.tsv`` says
why.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from _pytest.runner import runtestprotocol

import rules.library
import rules.pack
import tickets.packs
from rules.catalogue import SENT, STARTS
from rules.pack import Entry, Pack
from rules.pack_file import parse_pack, term_never
from rules.values import DirectAnswer, Force, RefusalOutcome, RepeatOutcome, Start, Term, Unit
from server.coverage import Mutation, MutationOutcome

REPORT: Final = "PACK_MUTATIONS_REPORT"
ONLY: Final = "PACK_MUTATIONS_ONLY"
"""Comma-separated ``pack`` or ``pack/rule``; all where it is not set."""
Spot = tuple[str, str, int]
"""Pack, rule, and which of its answers."""
OTHERS: Final[Mapping[object, object]] = {
    RefusalOutcome.SHOW_ROUTE: RefusalOutcome.EXPLAIN,
    RefusalOutcome.SHOW_PLACE: RefusalOutcome.EXPLAIN,
    RepeatOutcome.NOT_DISPATCHED: RepeatOutcome.NOT_ACCEPTED,
    DirectAnswer.WHATEVER_CAN_BE: DirectAnswer.CONSULT_FROM_KNOWLEDGE,
    DirectAnswer.FROM_KNOWLEDGE: DirectAnswer.CONSULT_FROM_KNOWLEDGE,
}
"""Where the next best word would come to the same."""


# ---- what can be changed -------------------------------------------------------------------------


def changed(value: object) -> object:
    """Another value of the same kind; None where there is none to think of."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, Unit):  # one calendar day and one working day often end alike
        return Unit.WORKING_HOUR if value is Unit.HOUR else Unit.HOUR
    if isinstance(value, StrEnum):
        return OTHERS.get(value) or next((each for each in type(value) if each is not value), None)
    if isinstance(value, int | float):
        return value + 1
    return value[:-1] if isinstance(value, tuple) and value else None


def another_start(rule: str, was: Start) -> Start | None:
    """At another moment, and one that a pack may name."""
    alike = SENT if was in SENT else {was}
    return next(iter(sorted(STARTS[rule] - alike, reverse=True)), None)


def with_part(entry: Entry, name: str, new: object) -> Entry | None:
    """The answer with one part of its value changed; None where no pack may say that."""
    assert isinstance(entry.value, msgspec.Struct)
    try:
        value = msgspec.structs.replace(entry.value, **{name: new})
    except ValueError:
        return None
    if isinstance(value, Term) and term_never(entry.rule, value) is not None:
        return None
    return msgspec.structs.replace(entry, value=value)


def variants(entry: Entry) -> Iterator[tuple[str, Entry, object, object]]:
    """Part, changed answer, former and new value."""
    replace = msgspec.structs.replace
    if entry.force is Force.NOT_GIVEN:
        return
    yield "force", replace(entry, force=Force.NOT_GIVEN), entry.force, Force.NOT_GIVEN
    value = entry.value
    if isinstance(value, msgspec.Struct):
        for field in msgspec.structs.fields(value):
            was = getattr(value, field.name)
            new = another_start(entry.rule, was) if isinstance(was, Start) else changed(was)
            if new is not None and (other := with_part(entry, field.name, new)) is not None:
                yield field.name, other, was, new
    elif (new := changed(value)) is not None and new not in (False, ()):  # no pack may say that
        yield "value", replace(entry, value=new), value, new


@contextmanager
def in_force(spot: Spot, entry: Entry) -> Iterator[None]:
    """Every pack that is read holds the changed answer."""
    name, rule, answer = spot

    def parse(text: str, file: str) -> Pack:
        pack = parse_pack(text, file)
        if pack.id != name:
            return pack
        answers = list(pack.entries[rule])
        answers[answer] = entry
        entries: Mapping[str, tuple[Entry, ...]] = {**pack.entries, rule: tuple(answers)}
        return msgspec.structs.replace(pack, entries=entries)

    readers: tuple[Any, ...] = (rules.library, tickets.packs)
    for module in readers:
        module.parse_pack = parse
    rules.library._parsed.cache_clear()
    try:
        yield
    finally:
        for module in readers:
            module.parse_pack = parse_pack
        rules.library._parsed.cache_clear()


# ---- the run -------------------------------------------------------------------------------------


@contextmanager
def noted(asked: set[Spot]) -> Iterator[None]:
    """Which answers are given meanwhile."""
    find = Pack._find

    def listen(self: Pack, name: str, *rest: Any) -> Any:
        entry, used = find(self, name, *rest)
        answers = self.entries[name]
        asked.add((self.id, name, next(n for n, each in enumerate(answers) if each is entry)))
        return entry, used

    Pack._find = listen  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        Pack._find = find  # type: ignore[method-assign]


def failed(item: pytest.Item) -> bool:
    item._initrequest()  # type: ignore[attr-defined]
    # What belongs to the run stays for the next one; all else is made anew.
    reports = runtestprotocol(item, log=False, nextitem=item.session)  # type: ignore[arg-type]
    return any(report.failed for report in reports)


def pytest_runtestloop(session: pytest.Session) -> bool:
    items = [item for item in session.items if any(item.iter_markers("requirement"))]
    askers: dict[Spot, list[pytest.Item]] = {}
    counts: dict[str, int] = {}
    for item in items:
        asked: set[Spot] = set()
        with noted(asked):
            if failed(item):
                raise pytest.UsageError(f"{item.nodeid} fails as it is")
        counts[item.nodeid] = len(asked)
        for spot in asked:
            askers.setdefault(spot, []).append(item)
    outcomes = list(tried(askers, counts))
    session._setupstate.teardown_exact(None)
    Path(os.environ[REPORT]).write_bytes(msgspec.json.encode(outcomes))
    return True


def tried(
    askers: Mapping[Spot, Iterable[pytest.Item]], counts: Mapping[str, int]
) -> Iterator[MutationOutcome]:
    for (name, rule, answer), answered in wanted():
        spot = name, rule, answer
        # Who asks little asks for this: it fails first.
        tests = sorted(askers.get(spot, ()), key=lambda item: counts[item.nodeid])
        for part, entry, was, new in variants(answered):
            mutation = Mutation(
                pack=name, rule=rule, answer=answer, part=part, was=str(was), became=str(new)
            )
            with in_force(spot, entry):
                killer = next((item for item in tests if failed(item)), None)
            yield MutationOutcome(
                mutation=mutation,
                asked_by=[item.nodeid for item in tests],
                killed_by="" if killer is None else killer.nodeid,
            )


def wanted() -> Iterator[tuple[Spot, Entry]]:
    """The answers of our cities' packs, as far as they are asked for."""
    only = set(filter(None, os.environ.get(ONLY, "").split(",")))
    for file in sorted(rules.library.OURS.glob("*.toml")):
        for rule, answers in rules.library.load_pack(file.stem).entries.items():
            if only and only.isdisjoint({file.stem, f"{file.stem}/{rule}"}):
                continue
            for number, entry in enumerate(answers):
                yield (file.stem, rule, number), entry
