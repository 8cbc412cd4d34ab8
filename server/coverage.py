"""Which requirements the tests prove: pure bookkeeping over the marks that passed.

The list is ``tests/requirements.tsv``. An entry is ``R048@jinan_2018`` where a city's rules ask for
the row, and plain ``R049`` where no single city does. It is proven when at least one test is marked
with it and every test so marked passed in this very run.

A mark without a city speaks of behaviour that is the same everywhere. It therefore proves all
cities of a row whose third column says ``same``, and nothing of a row that says ``differs``: there
the test must name the city whose rule it shows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from base.errors import SetupError
from server.settings_loader import REPOSITORY

REQUIREMENTS_FILE = REPOSITORY / "tests" / "requirements.tsv"
UNNOTICED_FILE = REPOSITORY / "tests" / "unnoticed.tsv"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One row of the list."""

    row: str
    cities: tuple[str, ...]
    differs: bool
    summary: str

    @property
    def entries(self) -> tuple[str, ...]:
        return tuple(f"{self.row}@{city}" for city in self.cities) or (self.row,)


class Mutation(msgspec.Struct, frozen=True):
    """One value of one pack, changed."""

    pack: str
    rule: str
    answer: int
    """Which of the rule's answers, from 0."""
    part: str
    """``force``, ``value``, or a part of the value."""
    was: str
    became: str


class MutationOutcome(msgspec.Struct, frozen=True):
    """What the marked tests said to it."""

    mutation: Mutation
    asked_by: list[str]
    killed_by: str
    """The test that failed; empty: none did."""

    def as_line(self) -> str:
        changed = self.mutation
        where = f"{changed.pack} {changed.rule}[{changed.answer}] {changed.part}"
        return f"{where}: {changed.was} → {changed.became}, asked by {len(self.asked_by)} tests"


@dataclass(frozen=True, slots=True)
class Unnoticed:
    """Values that no marked test need notice, and why; patterns as in a shell."""

    pack: str
    rule: str
    part: str
    reason: str

    def covers(self, changed: Mutation) -> bool:
        answer = f"{changed.rule}[{changed.answer}]"
        return (
            fnmatchcase(changed.pack, self.pack)
            and self.rule in (changed.rule, answer, f"{changed.rule.split('.')[0]}.*")
            and fnmatchcase(changed.part, self.part)
        )


@dataclass(frozen=True, slots=True)
class MutationsFound:
    """What a mutation run comes to."""

    noticed: int
    excused: int
    survivors: tuple[MutationOutcome, ...]
    """Could be wrong, and nobody would know."""
    needless: tuple[Unnoticed, ...]
    """Reasons for what the tests do notice: to be struck out."""


class Mark(msgspec.Struct, frozen=True):
    """One ``@pytest.mark.requirement`` of a test."""

    rows: list[str]
    cities: list[str]


class MarkedTest(msgspec.Struct, frozen=True):
    """One test of the run."""

    test: str
    passed: bool
    marks: list[Mark]


class Coverage(msgspec.Struct, frozen=True):
    """What is printed."""

    proven: list[str]
    unproven: list[str]
    tests: dict[str, list[str]]


def read_requirements(path: Path = REQUIREMENTS_FILE) -> dict[str, Requirement]:
    requirements = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            row, cities, kind, summary = line.split("\t")
            names = () if cities == "-" else tuple(cities.split(","))
            requirements[row] = Requirement(row, names, kind == "differs", summary)
    return requirements


def read_unnoticed(path: Path = UNNOTICED_FILE) -> list[Unnoticed]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Unnoticed(*line.split("\t")) for line in lines if not line.startswith("#")]


def judge(outcomes: Iterable[MutationOutcome], unnoticed: Sequence[Unnoticed]) -> MutationsFound:
    """Sort what was tried; a reason that covers nothing tried is not judged."""
    noticed, excused, survivors = 0, 0, []
    judged: dict[Unnoticed, bool] = {}
    for outcome in outcomes:
        covering = [each for each in unnoticed if each.covers(outcome.mutation)]
        for each in covering:
            judged[each] = judged.get(each, True) and bool(outcome.killed_by)
        if outcome.killed_by:
            noticed += 1
        elif covering:
            excused += 1
        else:
            survivors.append(outcome)
    needless = tuple(each for each, is_needless in judged.items() if is_needless)
    return MutationsFound(noticed, excused, tuple(survivors), needless)


def measure(requirements: Mapping[str, Requirement], marked: Iterable[MarkedTest]) -> Coverage:
    """Return what the tests of one run prove."""
    named: dict[str, list[MarkedTest]] = {}
    tests: dict[str, list[str]] = {}
    for each in marked:
        for mark in each.marks:
            for row in mark.rows:
                names = tests.setdefault(row, [])
                if each.test not in names:
                    names.append(each.test)
                for entry in _entries(requirements, row, mark.cities, each.test):
                    named.setdefault(entry, []).append(each)
    wanted = [entry for requirement in requirements.values() for entry in requirement.entries]
    proven = [e for e in wanted if e in named and all(t.passed for t in named[e])]
    unproven = [entry for entry in wanted if entry not in set(proven)]
    return Coverage(proven, unproven, dict(sorted(tests.items())))


def _entries(
    requirements: Mapping[str, Requirement], row: str, cities: Sequence[str], test: str
) -> tuple[str, ...]:
    requirement = requirements.get(row)
    if requirement is None:
        raise SetupError(
            f"{test} is marked with {row}, which is no requirement",
            fix="tests/requirements.tsv lists them",
        )
    if not cities:
        return () if requirement.differs else requirement.entries
    for city in cities:
        if city not in requirement.cities:
            raise SetupError(
                f"{test} is marked with {row} for {city}, whose rules do not ask it",
                fix=f"name one of {', '.join(requirement.cities) or 'none: leave city out'}",
            )
    return tuple(f"{row}@{city}" for city in cities)
