"""Due times per second: five working days from 100,000 instants, with the plain library beside it.

The reference steps from day to day with ``chinese_calendar.is_workday``, as its users do. Ours
gives the same days; they are compared before anything is measured. ``working`` writes the lines.
"""

import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import chinese_calendar

from bench.harness import BenchResult, LoadWatch, interleave, machine, medians
from rules.calendar import shipped
from rules.clock import due, when_due
from rules.values import Start, Term, Unit, WorkingHours
from rules.worktime import WorkTime, local_date

CLOCKS: Final = 100_000
SLOW_CLOCKS: Final = 10_000
"""Of the reference and of the working: enough to measure, and nobody waits."""
WITHIN_S: Final = 5.0
"""100,000 due times may take so long."""
TERM: Final = Term(unit=Unit.WORKING_DAY, starts=Start.DISPATCH, amount=5)
FIRST: Final = datetime(2020, 1, 1, tzinfo=UTC)
SPAN_MINUTES: Final = 60 * 24 * 365 * 6
ONE_DAY: Final = timedelta(days=1)


def run(runs: int) -> BenchResult:
    """Due times per second, medians."""
    load = LoadWatch()
    hours = WorkingHours(periods=(("08:30", "12:00"), ("13:30", "17:30")))
    work = WorkTime(shipped(), hours)
    dice = random.Random(12345)
    starts = [FIRST + timedelta(minutes=dice.randrange(SPAN_MINUTES)) for _ in range(CLOCKS)]
    for start in starts[:1000]:
        assert local_date(when_due("clock.base", TERM, work, start)) == _library(start).date()
    few = starts[:SLOW_CLOCKS]
    found = medians(
        interleave(
            {
                "due": _rate(lambda start: when_due("clock.base", TERM, work, start), starts),
                "working": _rate(lambda start: due("clock.base", TERM, work, start), few),
                "library": _rate(_library, few),
            },
            runs=runs,
        )
    )
    library = found.pop("library")
    return BenchResult(
        name="clocks",
        unit="due times/s",
        ours={case: round(value) for case, value in found.items()},
        reference=round(library),
        ratio={case: round(value / library, 3) for case, value in found.items()},
        aim={"due": 1.0},
        runs=max(runs, 5),
        machine=machine(),
        load=load.done(),
        notes=(
            f"{CLOCKS:,} due times take {CLOCKS / found['due']:.2f} s (aim: {WITHIN_S:g} s), "
            f"with all lines of the working {CLOCKS / found['working']:.2f} s",
            "reference: chinesecalendar, day by day, gives a date; ours the instant its hours end",
        ),
    )


def _rate(
    work_out: Callable[[datetime], object], starts: Sequence[datetime]
) -> Callable[[], float]:
    def measure() -> float:
        begun = time.perf_counter()
        for start in starts:
            work_out(start)
        return len(starts) / (time.perf_counter() - begun)

    return measure


def _library(start: datetime) -> datetime:
    day, left = start.astimezone(UTC) + timedelta(hours=8), 5
    while left:
        day += ONE_DAY
        left -= chinese_calendar.is_workday(day)
    return day
