"""One year's holiday announcement, as the State Council's notice tells it: read, checked, written.

A TOML file a year: which days are off under which name, and which weekend days are worked instead.
A year without a notice is provisional: its statutory days are known, its make-up days are not.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from base.errors import SetupError

SHAPE = (
    "as rules/data/calendar/2026.toml: year, status, source, [[days_off]] name, from, to, make_up"
)
_LONGEST = timedelta(days=31)


class Status(StrEnum):
    ANNOUNCED = "announced"
    """The State Council has published it."""
    PROVISIONAL = "provisional"
    """Expected from the statutory holidays; the notice may move days."""


@dataclass(frozen=True, slots=True)
class DaysOff:
    """One holiday of a notice, its weekend days included."""

    name: str
    first: date
    last: date
    make_up: tuple[date, ...] = ()
    """Weekend days that are worked for it."""

    def days(self) -> Iterator[date]:
        for offset in range((self.last - self.first).days + 1):
            yield self.first + timedelta(days=offset)


@dataclass(frozen=True, slots=True)
class Announcement:
    year: int
    status: Status
    source: str
    """Who says so, in which version."""
    days_off: tuple[DaysOff, ...]


def parse(text: str, name: str) -> Announcement:
    """Read an announcement; ``name`` is what to call the text when it is wrong."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SetupError(f"{name} is not TOML: {error}", fix=f"write it {SHAPE}") from None
    return _Reader(name).announcement(table)


def as_toml(announcement: Announcement) -> str:
    """The file that ``parse`` reads back to the same announcement."""
    lines = [
        f"year = {announcement.year}",
        f'status = "{announcement.status}"',
        f'source = "{_escaped(announcement.source)}"',
    ]
    for period in announcement.days_off:
        lines += [
            "",
            "[[days_off]]",
            f'name = "{_escaped(period.name)}"',
            f"from = {period.first}",
            f"to = {period.last}",
        ]
        if period.make_up:
            lines.append(f"make_up = [{', '.join(map(str, period.make_up))}]")
    return "\n".join([*lines, ""])


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")


class _Reader:
    """Checks one parsed file; every complaint names the file and the key."""

    def __init__(self, name: str) -> None:
        self._name = name

    def announcement(self, table: Mapping[str, object]) -> Announcement:
        self._known(table, {"year", "status", "source", "days_off"}, "the file")
        year = table.get("year")
        if not isinstance(year, int) or not 1990 <= year <= 2200:
            raise self._wrong("year must be a whole number such as 2027")
        status = table.get("status")
        if not isinstance(status, str) or status not in set(Status):
            raise self._wrong(f"status must be one of {', '.join(Status)}")
        source = table.get("source")
        if not isinstance(source, str) or not source.strip():
            raise self._wrong("source must say which notice this is")
        rows = table.get("days_off")
        if not isinstance(rows, list) or not rows:
            raise self._wrong("there must be at least one [[days_off]]")
        periods = tuple(self._period(row, year, number) for number, row in enumerate(rows, 1))
        self._no_day_twice(periods)
        return Announcement(year, Status(status), source, periods)

    def _period(self, row: object, year: int, number: int) -> DaysOff:
        where = f"days_off number {number}"
        if not isinstance(row, dict):
            raise self._wrong(f"{where} must be a table [[days_off]]")
        self._known(row, {"name", "from", "to", "make_up"}, where)
        name = row.get("name")
        if not isinstance(name, str) or not name.strip():
            raise self._wrong(f"{where}: name must be a text")
        first = self._day(row.get("from"), f"{where}: from")
        last = self._day(row.get("to"), f"{where}: to")
        if not first <= last <= first + _LONGEST:
            raise self._wrong(f"{where}: to ({last}) must be at or shortly after from ({first})")
        make_up = row.get("make_up", [])
        if not isinstance(make_up, list):
            raise self._wrong(f"{where}: make_up must be a list of dates")
        worked = tuple(self._day(day, f"{where}: make_up") for day in make_up)
        for day in (first, last, *worked):
            if not date(year - 1, 12, 1) <= day <= date(year + 1, 1, 31):
                raise self._wrong(f"{where}: {day} does not belong to a notice for {year}")
        for day in worked:
            if day.weekday() < 5:
                raise self._wrong(f"{where}: make_up {day} is no Saturday or Sunday")
        return DaysOff(name, first, last, worked)

    def _day(self, value: object, where: str) -> date:
        if not isinstance(value, date) or isinstance(value, datetime):
            raise self._wrong(f"{where} must be a date without quotes, such as 2027-01-01")
        return value

    def _no_day_twice(self, periods: tuple[DaysOff, ...]) -> None:
        seen: dict[date, str] = {}
        for period in periods:
            for day in (*period.days(), *period.make_up):
                if day in seen:
                    raise self._wrong(f"{day} is named twice: {seen[day]}, {period.name}")
                seen[day] = period.name

    def _known(self, table: Mapping[str, object], names: set[str], where: str) -> None:
        unknown = sorted(set(table) - names)
        if unknown:
            raise self._wrong(f"{where} has unknown keys: {', '.join(unknown)}")

    def _wrong(self, what: str) -> SetupError:
        return SetupError(f"{self._name}: {what}", fix=f"write it {SHAPE}")
