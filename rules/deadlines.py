"""What is due when, and why: a pack's clocks asked with the facts of a ticket.

A pure function of (pack version, calendar version, facts). Who keeps those three can always work it
out again. A pack that does not have a clock refuses by its name.

A law's own period and a promised date never replace the reply and feedback due: they stand beside
it (Jinan art. 24, all four cases).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import lru_cache
from typing import TypeVar

import msgspec

from base.errors import HotlineError
from rules import catalogue
from rules.article import ArticleCard
from rules.calendar import Calendar
from rules.catalogue import Rule
from rules.clock import Due, before, card, due, on_day, part
from rules.pack import Decision, Pack
from rules.values import Origin, Start, Term, Told, Unit, WorkingHours
from rules.worktime import Paused, WorkTime, local_date

T = TypeVar("T")
BASE, STATUTORY, PROMISED, EXTENSION, CHILD = "base", "statutory", "promised", "extension", "child"
CARDS = ("urge_yellow", "urge_red")
KINDS: tuple[str, ...] = tuple(
    name.removeprefix("clock.")
    for name, rule in catalogue.RULES.items()
    if name.startswith("clock.") and rule.kind is Term
)


class ClockUnknown(HotlineError):
    """There is no clock of that name."""

    code = "clock_unknown"
    http_status = 422


class ClockFactMissing(HotlineError):
    """This clock cannot be worked out without another fact of the ticket."""

    code = "clock_fact_missing"
    http_status = 422


class PeriodFixed(HotlineError):
    """The law itself gives the number; nobody may set another."""

    code = "period_fixed"
    http_status = 409


class ExtensionUsedUp(HotlineError):
    """The ticket was extended as often as the rules allow."""

    code = "extension_used_up"
    http_status = 409


class PromiseBeforeStart(HotlineError):
    """The promised date lies before the ticket began."""

    code = "promise_before_start"
    http_status = 422


@dataclass(frozen=True, slots=True)
class LawPeriod:
    """A law's own period of handling."""

    days: int
    unit: Unit | None = None
    """As the pack reads such periods, if the law does not say."""
    article: str = ""
    """Which law, which article."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A clock and the facts it needs."""

    kind: str
    start_at: datetime
    amounts: Mapping[str, int] = field(default_factory=dict)
    """By kind: numbers that the centre set for this ticket where the law leaves them open."""
    law: LawPeriod | None = None
    promised_on: date | None = None
    extended: int = 0
    """How often so far."""
    due_at: datetime | None = None
    """Of the clock this one refers to, if that is not the base clock from the same start."""
    facts: Mapping[str, object] = field(default_factory=dict)
    paused: tuple[Paused, ...] = ()
    hours: WorkingHours | None = None
    """Of a unit with a shift of its own; otherwise the pack's."""


@dataclass(frozen=True, slots=True)
class Answer:
    kind: str
    due: Due
    card: ArticleCard
    pack: str
    pack_version: str
    calendar_version: str
    is_in_force: bool = True
    """Whether the pack was in force when the clock began; if not, this is what it would say."""
    law: str = ""
    """Which law's period it is, by law and article."""
    tell_caller: tuple[Told, ...] = ()
    """What the caller must be told about it."""
    beside: tuple["Answer", ...] = ()
    """What is due besides, and is not replaced."""


def ask(pack: Pack, calendar: Calendar, asked: Asked) -> Answer:
    """Work out one clock of a ticket."""
    if asked.kind not in KINDS:
        raise ClockUnknown(kind=asked.kind, known=KINDS)
    return _Clocks(pack, calendar, asked).answer(asked.kind)


@lru_cache(maxsize=64)
def _work_time(calendar: Calendar, hours: WorkingHours) -> WorkTime:
    return WorkTime(calendar, hours)


class _Clocks:
    """One ticket's facts under one pack and one calendar."""

    def __init__(self, pack: Pack, calendar: Calendar, asked: Asked) -> None:
        self._pack = pack
        self._asked = asked
        self._calendar = calendar
        self._begun_on = local_date(asked.start_at)
        # Under a law of another time the question is what it would say: a simulation.
        self._on = max(self._begun_on, pack.since or self._begun_on)
        self._on = min(self._on, pack.until or self._on)
        hours = asked.hours or self._decide(catalogue.WORKING_HOURS).value
        self._work = _work_time(calendar, hours)

    def answer(self, kind: str) -> Answer:
        decision = self._clock(kind)
        if kind == STATUTORY:
            return self._statutory(decision)
        if kind == PROMISED:
            return self._promised(decision)
        if kind == EXTENSION:
            return self._extension(decision)
        rule, term = f"clock.{kind}", self._term(kind, decision)
        if kind == CHILD:
            found = part(rule, term, self._work, self._asked.start_at, self._base())
        elif kind in CARDS:
            found = card(rule, term, self._work, self._base().due_at)
        else:
            found = self._period(kind, term)
        return self._answer(kind, found, decision)

    def _statutory(self, decision: Decision[Term]) -> Answer:
        law = self._asked.law
        if law is None:
            raise ClockFactMissing(kind=STATUTORY, fact="law")
        term = msgspec.structs.replace(
            decision.value, amount=law.days, unit=law.unit or decision.value.unit
        )
        answer = self._answer(STATUTORY, self._period(STATUTORY, term), decision)
        told = self._decide(catalogue.STATUTORY_PREVAILS).value.tell_caller
        return replace(answer, law=law.article, tell_caller=told, beside=(self.answer(BASE),))

    def _promised(self, decision: Decision[Term]) -> Answer:
        named = self._asked.promised_on
        if named is None:
            raise ClockFactMissing(kind=PROMISED, fact="promised_on")
        if named < self._begun_on:
            start = self._begun_on.isoformat()
            raise PromiseBeforeStart(promised_on=named.isoformat(), start=start)
        found = on_day(f"clock.{PROMISED}", self._work, named)
        told = self._decide(catalogue.OBJECTIVE_LIMITS).value.tell_caller
        answer = self._answer(PROMISED, found, decision)
        return replace(answer, tell_caller=told, beside=(self.answer(BASE),))

    def _extension(self, decision: Decision[Term]) -> Answer:
        how = self._decide(catalogue.EXTENSION).value
        if how.most is not None and self._asked.extended >= how.most:
            raise ExtensionUsedUp(pack=self._pack.id, most=how.most)
        if self._asked.extended and self._asked.due_at is None:
            raise ClockFactMissing(kind=EXTENSION, fact="due_at")
        so_far = self._base()
        term = self._term(EXTENSION, decision)
        found = due(f"clock.{EXTENSION}", term, self._work, so_far.due_at)
        whole = replace(
            found,
            working=(*so_far.working, *found.working),
            provisional=tuple(sorted({*so_far.provisional, *found.provisional})),
        )
        return replace(self._answer(EXTENSION, whole, decision), tell_caller=how.tell_caller)

    def _base(self) -> Due:
        """The due time that this clock refers to."""
        if self._asked.due_at is not None:
            return Due("", self._asked.due_at, ())
        return self.answer(BASE).due

    def _period(self, kind: str, term: Term) -> Due:
        rule, start_at = f"clock.{kind}", self._asked.start_at
        if kind != BASE and term.starts is Start.DUE:
            start_at = self._base().due_at
        if term.before:
            return before(rule, term, self._work, start_at)
        # What stands beside the clock asked for does not stand still unless it may as well.
        is_beside = kind == BASE and self._asked.kind in (STATUTORY, PROMISED)
        paused = [each for each in self._asked.paused if not is_beside or each.why in term.pause]
        return due(rule, term, self._work, start_at, paused)

    def _term(self, kind: str, decision: Decision[Term]) -> Term:
        """The pack's term, with the number that the centre set where it may."""
        wanted, term = self._asked.amounts.get(kind), decision.value
        if wanted is None or wanted == term.amount:
            return term
        if term.amount is not None and decision.card.origin is Origin.LAW:
            raise PeriodFixed(rule=f"clock.{kind}", amount=term.amount, wanted=wanted)
        return msgspec.structs.replace(term, amount=wanted)

    def _clock(self, kind: str) -> Decision[Term]:
        return self._decide(catalogue.RULES[f"clock.{kind}"])

    def _decide(self, rule: Rule[T]) -> Decision[T]:
        return self._pack.decide(rule, self._asked.facts, on=self._on)

    def _answer(self, kind: str, found: Due, decision: Decision[Term]) -> Answer:
        return Answer(
            kind,
            found,
            decision.card,
            self._pack.id,
            self._pack.version,
            self._calendar.version,
            is_in_force=self._on == self._begun_on,
        )
