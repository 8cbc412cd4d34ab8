"""Periods in hours: to the minute, day and night or inside the working hours only.

A begun minute is completed, so that nothing is due before its time has run.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from rules.values import Term, Unit
from rules.working import Line, LineCode, line, minutes
from rules.worktime import LOCAL, Paused, WorkTime

ONE_MINUTE: Final = timedelta(minutes=1)
Stretch = tuple[datetime, datetime]


def end(
    amount: int, term: Term, work: WorkTime, start_at: datetime, paused: Sequence[Paused]
) -> datetime:
    """When the period ends."""
    left = timedelta(hours=amount)
    for from_at, to_at in _running(term, work, start_at, paused):
        if from_at + left <= to_at:
            return _whole_minute(from_at + left)
        left -= to_at - from_at
    raise work.calendar.outside(work.calendar.last.year + 1)


def lines(
    amount: int, term: Term, work: WorkTime, start_at: datetime, paused: Sequence[Paused]
) -> list[Line]:
    """How that was found."""
    due_at = end(amount, term, work, start_at, paused)
    waited = [
        line(
            LineCode.WAITED,
            from_=each.from_at.astimezone(LOCAL),
            to=each.to_at.astimezone(LOCAL),
            why=each.why.value,
        )
        for each in paused
    ]
    ran = []
    for from_at, to_at in _running(term, work, start_at, paused):
        ran.append((from_at, min(to_at, due_at)))
        if to_at >= due_at:
            break
    return [*waited, *_added_up(ran, due_at)]


def back(amount: int, term: Term, work: WorkTime, due_at: datetime) -> tuple[datetime, list[Line]]:
    """The instant from which so much time is left until a due time; and how that was found."""
    left = timedelta(hours=amount)
    if term.unit is Unit.HOUR:
        found_at = _minute(due_at - left)
        return found_at, _added_up([(found_at, due_at)], found_at)
    ran: list[Stretch] = []
    for from_at, to_at in work.stretches_before(due_at):
        starts_at = max(from_at, _minute(to_at - left))
        ran.append((starts_at, to_at))
        left -= to_at - starts_at
        if left <= timedelta():
            break
    found_at, _ = ran[-1]
    return found_at, _added_up(ran, found_at)


def _running(
    term: Term, work: WorkTime, start_at: datetime, paused: Sequence[Paused]
) -> Iterator[Stretch]:
    """The stretches of time in which the clock runs."""
    if term.unit is Unit.HOUR:
        last_at = datetime.combine(work.calendar.last, datetime.max.time(), LOCAL)
        stretches: Iterator[Stretch] = iter([(start_at, last_at.astimezone(UTC))])
    else:
        stretches = work.stretches(start_at)
    for each in sorted(paused, key=lambda pause: pause.from_at):
        stretches = _without(stretches, each)
    return stretches


def _without(stretches: Iterator[Stretch], pause: Paused) -> Iterator[Stretch]:
    for from_at, to_at in stretches:
        before = (from_at, min(to_at, pause.from_at))
        after = (max(from_at, pause.to_at), to_at)
        yield from (part for part in (before, after) if part[0] < part[1])


def _minute(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0).astimezone(UTC)


def _whole_minute(instant: datetime) -> datetime:
    cut = _minute(instant)
    return cut if cut == instant else cut + ONE_MINUTE


def _added_up(ran: Iterable[Stretch], found_at: datetime) -> list[Line]:
    total, found = timedelta(), []
    for from_at, to_at in ran:
        total += to_at - from_at
        found.append(
            line(
                LineCode.RAN,
                from_=from_at.astimezone(LOCAL),
                to=to_at.astimezone(LOCAL),
                minutes=minutes(to_at - from_at),
                total=minutes(total),
            )
        )
    return [*found, line(LineCode.ENDS, at=found_at.astimezone(LOCAL), closes=False)]
