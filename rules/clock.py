"""The arithmetic of one period: from a start to its due time, with the working.

Pure functions of a pack's term, the calendar with the pack's hours, and facts. By default the day
of the event does not count (Civil Code art. 201), a period in days ends when the working hours of
its last day end (art. 203), one in hours to the minute. A later start is never due earlier; another
holiday never makes anything due earlier.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Protocol

from base.errors import HotlineError
from rules import day_periods, hour_periods
from rules.values import Term, Unit
from rules.working import Line, LineCode, line
from rules.worktime import LOCAL, Paused, WorkTime, local_date


class ClockNeverStops(HotlineError):
    """The pack does not let this clock stand still for that reason."""

    code = "clock_never_stops"
    http_status = 422


class AmountMissing(HotlineError):
    """The pack gives no number for this period; the ticket must name it."""

    code = "clock_amount_missing"
    http_status = 422


@dataclass(frozen=True, slots=True)
class Due:
    """When something is due, and how that was found."""

    rule: str
    due_at: datetime
    """Aware, UTC."""
    working: tuple[Line, ...]
    provisional: tuple[int, ...] = ()
    """Years between start and due time that no notice has settled: it may move."""


def due(
    rule: str, term: Term, work: WorkTime, start_at: datetime, paused: Sequence[Paused] = ()
) -> Due:
    """When a period ends that began at ``start_at``."""
    due_at = when_due(rule, term, work, start_at, paused)
    lines = _periods(term).lines(_amount(rule, term), term, work, start_at, paused)
    return _told(rule, term, work, start_at, due_at, lines)


def when_due(
    rule: str, term: Term, work: WorkTime, start_at: datetime, paused: Sequence[Paused] = ()
) -> datetime:
    """As ``due``, without the working: for many at once."""
    for each in paused:
        if each.why not in term.pause:
            raise ClockNeverStops(rule=rule, why=each.why.value)
    return _periods(term).end(_amount(rule, term), term, work, start_at, paused)


def before(rule: str, term: Term, work: WorkTime, due_at: datetime) -> Due:
    """A period counted back from a due time, which itself lies outside it."""
    found_at, lines = _periods(term).back(_amount(rule, term), term, work, due_at)
    return _told(rule, term, work, due_at, found_at, lines)


def card(rule: str, term: Term, work: WorkTime, due_at: datetime) -> Due:
    """When an urging card is shown, before or after a due time.

    One in days is shown from the opening of its day, so that the day can still be used.
    """
    found = (before if term.before else due)(rule, term, work, due_at)
    if term.unit not in day_periods.UNITS:
        return found
    shown_at = work.opens_at(local_date(found.due_at))
    lines = tuple(
        line(LineCode.OPENS, at=shown_at.astimezone(LOCAL)) if each.code is LineCode.ENDS else each
        for each in found.working
    )
    return replace(found, due_at=shown_at, working=lines)


def part(rule: str, term: Term, work: WorkTime, sent_at: datetime, parent: Due) -> Due:
    """When a unit below owes its part: so long before the parent ticket, and never after it."""
    if not term.before:
        return not_later_than(due(rule, term, work, sent_at), parent)
    found = before(rule, term, work, parent.due_at)
    if found.due_at > sent_at:
        return found
    late = line(LineCode.NO_ROOM, at=parent.due_at.astimezone(LOCAL))
    return replace(found, due_at=parent.due_at, working=(*found.working, late))


def on_day(rule: str, work: WorkTime, named: date) -> Due:
    """Due on a day that somebody named, by the end of its hours, even if it is a day off."""
    due_at = work.closes_at(named)
    day = work.calendar.day(named)
    lines = [
        line(LineCode.NAMED, date=named, kind=day.kind.value, name=day.name),
        line(LineCode.ENDS, at=due_at.astimezone(LOCAL), closes=True),
    ]
    return Due(rule, due_at, tuple(lines))


def not_later_than(child: Due, parent: Due) -> Due:
    """A part of a ticket is never due later than the ticket."""
    if child.due_at <= parent.due_at:
        return child
    capped = line(LineCode.CAPPED, at=parent.due_at.astimezone(LOCAL))
    years = tuple(sorted({*child.provisional, *parent.provisional}))
    return replace(child, due_at=parent.due_at, working=(*child.working, capped), provisional=years)


class _Periods(Protocol):
    """What ``day_periods`` and ``hour_periods`` both do."""

    def end(
        self,
        amount: int,
        term: Term,
        work: WorkTime,
        start_at: datetime,
        paused: Sequence[Paused],
    ) -> datetime: ...
    def lines(
        self,
        amount: int,
        term: Term,
        work: WorkTime,
        start_at: datetime,
        paused: Sequence[Paused],
    ) -> list[Line]: ...
    def back(
        self, amount: int, term: Term, work: WorkTime, due_at: datetime
    ) -> tuple[datetime, list[Line]]: ...


def _periods(term: Term) -> _Periods:
    return day_periods if term.unit in day_periods.UNITS else hour_periods


def _amount(rule: str, term: Term) -> int:
    if term.amount is None:
        raise AmountMissing(rule=rule)
    return term.amount


def _told(
    rule: str, term: Term, work: WorkTime, start_at: datetime, due_at: datetime, lines: list[Line]
) -> Due:
    years = _unsettled(term, work, start_at, due_at)
    return Due(
        rule,
        due_at,
        (
            line(
                LineCode.PERIOD,
                rule=rule,
                amount=_amount(rule, term),
                unit=term.unit.value,
                before=term.before,
            ),
            line(LineCode.STARTS, event=term.starts.value, at=start_at.astimezone(LOCAL)),
            *lines,
            *(line(LineCode.PROVISIONAL, year=year) for year in years),
        ),
        years,
    )


def _unsettled(term: Term, work: WorkTime, start_at: datetime, due_at: datetime) -> tuple[int, ...]:
    if term.unit is Unit.HOUR:
        return ()
    first, last = sorted((local_date(start_at), local_date(due_at)))
    return work.calendar.provisional_between(first, last)
