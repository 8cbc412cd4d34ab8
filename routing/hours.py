"""Hours of the week at which something is open or somebody there: one form for queues and people.

Written ``always``, ``08:00-20:00`` or ``mon-fri 08:30-17:30``; what begins in the evening may end
in the morning (``sat 20:00-08:00``). Pure: the instant is passed in. China has one clock and no
summer time: local time is eight hours ahead of UTC, whatever the machine's own clock says.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final

from base.errors import HotlineError

LOCAL: Final = timezone(timedelta(hours=8), "CST")
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MIN: Final = 24 * 60
_FORM: Final = re.compile(
    r"(?:(?P<first>[a-z]{3})(?:-(?P<last>[a-z]{3}))?\s+)?"
    r"(?P<h1>\d{2}):(?P<m1>[0-5]\d)-(?P<h2>\d{2}):(?P<m2>[0-5]\d)"
)


class HoursInvalid(HotlineError):
    """These are no hours: write ``always``, ``08:00-20:00`` or ``mon-fri 08:30-17:30``."""

    code = "hours_invalid"
    http_status = 422


@dataclass(frozen=True, slots=True)
class Window:
    """A part of each of some days: from one minute to before another, within the day."""

    days: frozenset[int]
    begin_min: int
    end_min: int

    def has(self, day: int, minute: int) -> bool:
        return day in self.days and self.begin_min <= minute < self.end_min


@dataclass(frozen=True, slots=True)
class Hours:
    """Some windows of the week; none at all is never."""

    windows: tuple[Window, ...]

    def is_open(self, at: datetime) -> bool:
        """Whether ``at`` (aware) lies in one of them."""
        local = at.astimezone(LOCAL)
        minute = local.hour * 60 + local.minute
        return any(window.has(local.weekday(), minute) for window in self.windows)

    @property
    def is_always(self) -> bool:
        """Whether no minute of the week is left out."""
        return not gaps([self])


ALWAYS: Final = Hours((Window(frozenset(range(7)), 0, DAY_MIN),))


def parse_hours(text: str | Iterable[str]) -> Hours:
    """Read one text, or several that add up. Raises ``HoursInvalid``."""
    texts = [text] if isinstance(text, str) else list(text)
    return Hours(tuple(window for each in texts for window in _windows(each.strip().lower())))


def gaps(hours: Iterable[Hours]) -> list[tuple[int, int]]:
    """The stretches of the week that none of them covers, in minutes since Monday 00:00."""
    week = bytearray(7 * DAY_MIN)
    for each in hours:
        for window in each.windows:
            for day in window.days:
                begin, end = day * DAY_MIN + window.begin_min, day * DAY_MIN + window.end_min
                week[begin:end] = b"\x01" * (end - begin)
    found: list[tuple[int, int]] = []
    at = week.find(0)
    while at >= 0:
        end = week.find(1, at)
        end = len(week) if end < 0 else end
        found.append((at, end))
        at = week.find(0, end)
    return found


def minute_of_week(minute: int) -> str:
    """``mon 08:30`` of 510."""
    day, rest = divmod(minute, DAY_MIN)
    return f"{DAYS[day % 7]} {rest // 60:02}:{rest % 60:02}"


def _windows(text: str) -> list[Window]:
    if text == "always":
        return list(ALWAYS.windows)
    match = _FORM.fullmatch(text)
    if match is None:
        raise HoursInvalid(given=text)
    begin = int(match["h1"]) * 60 + int(match["m1"])
    end = int(match["h2"]) * 60 + int(match["m2"])
    if begin >= DAY_MIN or end > DAY_MIN or begin == end:
        raise HoursInvalid(given=text)
    days = _days(match["first"], match["last"], text)
    if begin < end:
        return [Window(days, begin, end)]
    night = [Window(days, begin, DAY_MIN)]
    if end:
        night.append(Window(frozenset((day + 1) % 7 for day in days), 0, end))
    return night


def _days(first: str | None, last: str | None, text: str) -> frozenset[int]:
    if first is None:
        return frozenset(range(7))
    if first not in DAYS or (last is not None and last not in DAYS):
        raise HoursInvalid(given=text)
    begin = DAYS.index(first)
    count = (DAYS.index(last or first) - begin) % 7 + 1
    return frozenset((begin + n) % 7 for n in range(count))
