"""Which days are worked: the State Council's holidays and make-up days, year after year.

A ``Calendar`` is made once from announcements and then answers by index: the n-th working day
after a date costs the same for 5 days as for 500. It never guesses outside its years, and says
which of them are provisional.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from hashlib import sha256
from importlib.resources import files
from itertools import islice
from typing import Final

from base.errors import HotlineError
from rules.announcement import Announcement, Status, as_toml, parse

DATA: Final = files("rules") / "data" / "calendar"
_SATURDAY: Final = 5


class OutsideCalendar(HotlineError):
    """The calendar has no announcement for that year."""

    code = "outside_calendar"
    http_status = 422


class DayKind(StrEnum):
    WORKING_DAY = "working_day"
    """Monday to Friday, no holiday."""
    MAKE_UP_DAY = "make_up_day"
    """A weekend day that is worked for a holiday: 调休上班."""
    WEEKEND = "weekend"
    """A Saturday or Sunday that no notice names."""
    HOLIDAY = "holiday"
    """Named as off by the notice."""


@dataclass(frozen=True, slots=True)
class Day:
    """One day and why it is worked or not."""

    on: date
    kind: DayKind
    name: str = ""
    """The holiday that it belongs to, in Chinese, if any."""
    is_working: bool = field(init=False)

    def __post_init__(self) -> None:
        is_working = self.kind in (DayKind.WORKING_DAY, DayKind.MAKE_UP_DAY)
        object.__setattr__(self, "is_working", is_working)


class Calendar:
    """The days of consecutive years. Never changes once made."""

    def __init__(self, announcements: Iterable[Announcement]) -> None:
        by_year = {each.year: each for each in announcements}
        years = sorted(by_year)
        if not years or years != list(range(years[0], years[-1] + 1)):
            raise ValueError(f"announcements must follow one another year by year, not {years}")
        self.announcements: Final = tuple(by_year[year] for year in years)
        self.first: Final = date(years[0], 1, 1)
        self.last: Final = date(years[-1], 12, 31)
        self.provisional_years: Final = frozenset(
            each.year for each in self.announcements if each.status is Status.PROVISIONAL
        )
        texts = "\n".join(as_toml(each) for each in self.announcements)
        self.version: Final = sha256(texts.encode()).hexdigest()[:12]
        """Names exactly these announcements: the same version gives the same due times."""
        self._days: Final = _days(self.first, self.last, self.announcements)
        self._start: Final = self.first.toordinal()
        self._working: Final = array("l")
        """The ordinals of all working days, in order."""
        self._rank: Final = array("l")
        """For each day: how many working days there are up to and including it."""
        for ordinal, day in enumerate(self._days, self._start):
            if day.is_working:
                self._working.append(ordinal)
            self._rank.append(len(self._working))

    def with_announcement(self, announcement: Announcement) -> "Calendar":
        """The calendar in which this announcement replaces its year's, or adds a year."""
        return Calendar((*self.announcements, announcement))

    def day(self, on: date) -> Day:
        return self._days[self._index(on)]

    def days(self, first: date, last: date) -> tuple[Day, ...]:
        """Each day from the first to the last, both included; none if they are the wrong way."""
        return self._days[self._index(first) : self._index(last) + 1]

    def days_from(self, first: date) -> Iterator[Day]:
        """Day after day; past the last there is a refusal and no end."""
        yield from islice(self._days, self._index(first), None)
        raise self.outside(self.last.year + 1)

    def is_working(self, on: date) -> bool:
        return self.day(on).is_working

    def rank(self, on: date) -> int:
        """How many working days the calendar has up to and including a date."""
        return self._rank[self._index(on)]

    def working_day(self, rank: int) -> date:
        """The working day of that rank, from 1."""
        if not 1 <= rank <= len(self._working):
            year = self.last.year + 1 if rank > 0 else self.first.year - 1
            raise self.outside(year)
        return date.fromordinal(self._working[rank - 1])

    def working_day_after(self, on: date, count: int) -> date:
        """The ``count``-th working day after a date, which itself does not count."""
        return self.working_day(self.rank(on) + count)

    def working_day_before(self, on: date, count: int) -> date:
        """The ``count``-th working day before a date, which itself does not count."""
        return self.working_day(self.rank(on) - self.is_working(on) - count + 1)

    def working_day_from(self, on: date) -> date:
        """The date itself if it is worked, else the next that is."""
        return on if self.is_working(on) else self.working_day_after(on, 1)

    def working_days_between(self, first: date, last: date) -> int:
        """How many there are after the first and up to the last."""
        return self.rank(last) - self.rank(first)

    def announcement(self, year: int) -> Announcement:
        if not self.first.year <= year <= self.last.year:
            raise self.outside(year)
        return self.announcements[year - self.first.year]

    def provisional_between(self, first: date, last: date) -> tuple[int, ...]:
        """The years from the first date to the last that no notice has settled."""
        if not self.provisional_years:
            return ()
        return tuple(
            year for year in range(first.year, last.year + 1) if year in self.provisional_years
        )

    def _index(self, on: date) -> int:
        index = on.toordinal() - self._start
        if not 0 <= index < len(self._days):
            raise self.outside(on.year)
        return index

    def outside(self, year: int) -> OutsideCalendar:
        return OutsideCalendar(year=year, first=self.first.year, last=self.last.year)


def shipped() -> Calendar:
    """The calendar of the announcements that come with the product."""
    return Calendar(
        parse(file.read_text("utf-8"), file.name)
        for file in sorted(DATA.iterdir(), key=lambda each: each.name)
        if file.name.endswith(".toml")
    )


@dataclass(frozen=True, slots=True)
class ChangedDay:
    """A day that two calendars see differently."""

    before: Day
    after: Day


def changed_days(before: Calendar, after: Calendar) -> tuple[ChangedDay, ...]:
    """Each day of their common years that is worked in one and not in the other."""
    first, last = max(before.first, after.first), min(before.last, after.last)
    pairs = zip(before.days(first, last), after.days(first, last), strict=True)
    return tuple(ChangedDay(old, new) for old, new in pairs if old.is_working != new.is_working)


def _days(first: date, last: date, announcements: tuple[Announcement, ...]) -> tuple[Day, ...]:
    special: dict[date, Day] = {}
    for announcement in announcements:
        for period in announcement.days_off:
            for on in period.days():
                special[on] = Day(on, DayKind.HOLIDAY, period.name)
            for on in period.make_up:
                special[on] = Day(on, DayKind.MAKE_UP_DAY, period.name)
    count = (last - first).days + 1
    all_days = (first + timedelta(days=offset) for offset in range(count))
    return tuple(special.get(on) or _plain(on) for on in all_days)


def _plain(on: date) -> Day:
    return Day(on, DayKind.WEEKEND if on.weekday() >= _SATURDAY else DayKind.WORKING_DAY)
