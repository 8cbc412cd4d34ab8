"""The same tickets' facts under two packs: which decisions would have been others. Pure.

Looks and changes nothing: a draft can be tried on last month before anybody is bound by it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum

import msgspec

from base.errors import HotlineError
from rules.calendar import Calendar
from rules.catalogue import FACTS, RULES
from rules.deadlines import KINDS, Asked, ask
from rules.pack import FactMissingError, Pack, RuleNotGivenError
from rules.values import Force
from rules.worktime import local_date


class CaseUnknownWordError(HotlineError):
    """A case names a rule or a fact that there is not."""

    code = "case_unknown_word"
    http_status = 422


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One ticket as far as rules look at it."""

    id: str
    facts: Mapping[str, bool | str] = msgspec.field(default_factory=dict)
    on: date | None = None
    """The day it began; taken from ``started_at`` where that is given."""
    started_at: datetime | None = None
    """When its clocks began; without it no due time is worked out."""
    rules: tuple[str, ...] = ()
    """What is asked; none: every rule that hangs on facts, and the clocks."""


class State(StrEnum):
    ANSWERED = "answered"
    NOT_GIVEN = "not_given"
    FACT_MISSING = "fact_missing"


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one pack says to one rule of one case."""

    state: State
    force: Force | None = None
    value: object = None
    due_at: datetime | None = None
    fact: str = ""
    """The one that is missing."""
    place: str = ""
    summary: str = ""

    def decides_as(self, other: "Outcome") -> bool:
        """Say whether the decision is the same; article and words do not count."""
        mine = (self.state, self.force, self.value, self.due_at, self.fact)
        return mine == (other.state, other.force, other.value, other.due_at, other.fact)


class Other(msgspec.Struct, frozen=True):
    """A decision that would have been another."""

    case: str
    rule: str
    under: Outcome
    against: Outcome


class Simulation(msgspec.Struct, frozen=True):
    pack: str
    against: str
    """Both as id and version."""
    cases: int
    cases_that_differ: int
    by_rule: Mapping[str, int]
    differences: Sequence[Other]


def simulate(cases: Iterable[Case], pack: Pack, against: Pack, calendar: Calendar) -> Simulation:
    """Ask both packs everything about every case."""
    found: list[Other] = []
    count = 0
    for case in cases:
        count += 1
        _refuse_unknown_words(case)
        for rule in case.rules or _asked(case, pack, against):
            one, other = (_outcome(each, calendar, case, rule) for each in (pack, against))
            if not one.decides_as(other):
                found.append(Other(case.id, rule, one, other))
    return Simulation(
        pack=f"{pack.id} {pack.version}",
        against=f"{against.id} {against.version}",
        cases=count,
        cases_that_differ=len({each.case for each in found}),
        by_rule=dict(Counter(each.rule for each in found).most_common()),
        differences=found,
    )


def _refuse_unknown_words(case: Case) -> None:
    for word in (*(case.facts.keys() - FACTS), *(set(case.rules) - RULES.keys())):
        raise CaseUnknownWordError(case=case.id, word=word)


def _asked(case: Case, *packs: Pack) -> list[str]:
    """Every rule that hangs on facts of the case, and its clocks if they began."""

    def hangs(rule: str) -> bool:
        entries = (entry for pack in packs for entry in pack.entries.get(rule, ()))
        return any(entry.when.keys() & case.facts for entry in entries)

    clocks = [f"clock.{kind}" for kind in KINDS] if case.started_at else []
    return [rule for rule in RULES if rule in clocks or hangs(rule)]


def _outcome(pack: Pack, calendar: Calendar, case: Case, rule: str) -> Outcome:
    on = case.on or (local_date(case.started_at) if case.started_at else None)
    try:
        decision = pack.decide(rule, case.facts, on=on)
    except RuleNotGivenError as error:
        card = error.card
        return Outcome(
            State.NOT_GIVEN,
            place="" if card is None else card.place,
            summary="" if card is None else card.summary,
        )
    except FactMissingError as error:
        return Outcome(State.FACT_MISSING, fact=error.fact)
    return Outcome(
        State.ANSWERED,
        force=decision.force,
        value=decision.value,
        due_at=_due_at(pack, calendar, case, rule),
        place=decision.card.place,
        summary=decision.card.summary,
    )


def _due_at(pack: Pack, calendar: Calendar, case: Case, rule: str) -> datetime | None:
    kind = rule.removeprefix("clock.")
    if case.started_at is None or kind not in KINDS:
        return None
    try:
        return ask(pack, calendar, Asked(kind, case.started_at, facts=case.facts)).due.due_at
    except HotlineError:
        # A clock that needs more than the case tells: a law's days, a promised date.
        return None
