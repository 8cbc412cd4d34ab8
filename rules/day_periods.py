"""Periods in days: the last day, and the days walked to it as lines.

The day of the event does not count unless the term says so. The due time is when the working hours
of the last day end; a last day that is off gives way to the next working day.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final, NamedTuple

from rules.calendar import Day
from rules.values import Term, Unit
from rules.working import Line, LineCode, line
from rules.worktime import LOCAL, Paused, WorkTime, local_date

UNITS: Final = (Unit.WORKING_DAY, Unit.CALENDAR_DAY)
ONE_DAY: Final = timedelta(days=1)
_PAUSED: Final = "paused"


def end(
    amount: int, term: Term, work: WorkTime, start_at: datetime, paused: Sequence[Paused]
) -> datetime:
    """When the period ends."""
    calendar = work.calendar
    if term.unit is Unit.WORKING_DAY and not paused:
        first = local_date(start_at)
        counts = term.day_of_event_counts and calendar.is_working(first)
        return work.closes_at(calendar.working_day_after(first, amount - counts))
    *_, last = _walk(amount, term, work, start_at, paused)
    return work.closes_at(calendar.working_day_from(last.day.on))


def lines(
    amount: int, term: Term, work: WorkTime, start_at: datetime, paused: Sequence[Paused]
) -> list[Line]:
    """How that was found."""
    steps = list(_walk(amount, term, work, start_at, paused))
    found = [
        line(LineCode.EVENT_DAY, date=local_date(start_at), counts=term.day_of_event_counts),
        *_grouped(steps),
    ]
    last = steps[-1].day
    ends_on = work.calendar.working_day_from(last.on)
    if ends_on != last.on:
        found.append(
            line(LineCode.ROLLED, date=last.on, kind=last.kind.value, name=last.name, to=ends_on)
        )
    found.append(line(LineCode.ENDS, at=work.closes_at(ends_on).astimezone(LOCAL), closes=True))
    return found


def back(amount: int, term: Term, work: WorkTime, due_at: datetime) -> tuple[datetime, list[Line]]:
    """So many days before that of a due time, which does not count; and how that was found."""
    calendar, from_day = work.calendar, local_date(due_at)
    if term.unit is Unit.WORKING_DAY:
        on = calendar.working_day_before(from_day, amount)
    else:
        on = from_day - amount * ONE_DAY
    walked = reversed(calendar.days(on, from_day - ONE_DAY))
    found_at = work.closes_at(on)
    return found_at, [
        line(LineCode.EVENT_DAY, date=from_day, counts=False),
        *_grouped(_numbered(walked, term.unit)),
        line(LineCode.ENDS, at=found_at.astimezone(LOCAL), closes=True),
    ]


class _Step(NamedTuple):
    """One day of the walk from the start to the last day."""

    day: Day
    number: int
    """Which day of the period it is; 0 if it does not count."""
    kind: str


def _walk(
    amount: int, term: Term, work: WorkTime, start_at: datetime, paused: Sequence[Paused]
) -> Iterator[_Step]:
    """Walk day by day until the last day of the period."""
    on = local_date(start_at) + (timedelta() if term.day_of_event_counts else ONE_DAY)
    still = [(local_date(each.from_at), local_date(each.to_at)) for each in paused]
    are_all_counted, number = term.unit is Unit.CALENDAR_DAY, 0
    for day in work.calendar.days_from(on):
        # The days of the pause's own events follow the rule for events: the first still counts.
        is_still = bool(still) and any(begun < day.on <= ended for begun, ended in still)
        counts = not is_still and (day.is_working or are_all_counted)
        number += counts
        yield _Step(day, number if counts else 0, _PAUSED if is_still else day.kind)
        if number == amount:
            break


def _numbered(days: Iterator[Day], unit: Unit) -> Iterator[_Step]:
    number = 0
    for day in days:
        counts = day.is_working or unit is Unit.CALENDAR_DAY
        number += counts
        yield _Step(day, number if counts else 0, day.kind)


def _grouped(steps: Iterable[_Step]) -> Iterator[Line]:
    """One line for each run of days of the same kind."""
    for (counts, kind, name), run in groupby(
        steps, key=lambda step: (step.number > 0, step.kind, step.day.name)
    ):
        found = list(run)
        first, last = sorted((found[0].day.on, found[-1].day.on))
        if counts:
            yield line(
                LineCode.COUNTED,
                from_=first,
                to=last,
                kind=str(kind),
                name=name,
                first=found[0].number,
                last=found[-1].number,
            )
        else:
            yield line(LineCode.SKIPPED, from_=first, to=last, kind=str(kind), name=name)
