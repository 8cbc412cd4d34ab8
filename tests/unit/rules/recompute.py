"""Works a due time out again from nothing but its printed lines, as a reader with a pencil would.

Knows no calendar and no pack. Whatever does not follow from the line before is an error.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

Printed = Mapping[str, object]

DAY = timedelta(days=1)
WORKED = ("working_day", "make_up_day")


def recompute(lines: Sequence[tuple[str, Printed]]) -> datetime:
    """The due time that the lines lead to."""
    reader = _Reader()
    for code, params in lines:
        getattr(reader, code)(**{name.replace("from", "from_"): v for name, v in params.items()})
    assert reader.due is not None
    return reader.due


class _Reader:
    def __init__(self) -> None:
        self.due: datetime | None = None
        self.at: datetime | None = None
        self.day: date | None = None
        self.number = 0
        self.total = 0
        self.wanted = 0
        self.unit = ""
        self.step = DAY
        self.years: set[int] = set()

    def period(self, rule: str, amount: int, unit: str, before: bool) -> None:
        assert rule
        self.wanted, self.unit, self.number, self.total = amount, unit, 0, 0
        self.step = -DAY if before else DAY

    def starts(self, event: str, at: str) -> None:
        assert event
        self.at = datetime.fromisoformat(at)
        if event == "due" and self.due is not None:
            assert self.at == self.due, "an extension goes on from where the period ended"

    def event_day(self, date: str, counts: bool) -> None:
        assert self.at is not None
        assert _day(date) == self.at.date()
        self.day = _day(date) - self.step if counts else _day(date)

    def counted(self, from_: str, to: str, kind: str, name: str, first: int, last: int) -> None:
        days = self._follow(from_, to)
        assert kind in WORKED or self.unit == "calendar_day"
        assert (kind == "working_day") == (all(d.weekday() < 5 for d in days) and not name)
        assert first == self.number + 1
        assert last == self.number + len(days)
        self.number = last

    def skipped(self, from_: str, to: str, kind: str, name: str) -> None:
        days = self._follow(from_, to)
        assert kind in ("weekend", "holiday", "paused")
        assert kind != "weekend" or all(day.weekday() >= 5 for day in days)
        assert kind != "holiday" or name

    def rolled(self, date: str, kind: str, name: str, to: str) -> None:
        assert kind in ("weekend", "holiday")
        assert _day(date) == self.day
        assert _day(to) > _day(date)
        self.day = _day(to)

    def named(self, date: str, kind: str, name: str) -> None:
        self.day = _day(date)

    def ran(self, from_: str, to: str, minutes: int, total: int) -> None:
        begins, ends = datetime.fromisoformat(from_), datetime.fromisoformat(to)
        assert self.at is not None
        if self.step > timedelta():
            assert begins >= self.at
            self.at = ends
        else:
            assert ends <= self.at
            self.at = begins
        self.total += minutes
        assert abs((ends - begins).total_seconds() / 60 - minutes) <= 1
        assert total - self.total in (-1, 0, 1), "rounded minutes"

    def waited(self, from_: str, to: str, why: str) -> None:
        assert why
        assert from_ <= to

    def ends(self, at: str, closes: bool) -> None:
        ends = datetime.fromisoformat(at)
        if closes:
            assert self.number == self.wanted
            assert ends.date() == self.day
        else:
            assert ends == self.at
            assert 0 <= self.total - self.wanted * 60 <= 1
        self.due = ends

    def opens(self, at: str) -> None:
        assert self.number == self.wanted
        self.due = datetime.fromisoformat(at)
        assert self.due.date() == self.day

    def capped(self, at: str) -> None:
        assert self.due is not None
        self.due = min(self.due, datetime.fromisoformat(at))

    def no_room(self, at: str) -> None:
        assert self.due is not None
        self.due = datetime.fromisoformat(at)

    def provisional(self, year: int) -> None:
        self.years.add(year)

    def _follow(self, from_: str, to: str) -> list[date]:
        first, last = _day(from_), _day(to)
        assert first <= last
        days = [first + DAY * offset for offset in range((last - first).days + 1)]
        if self.step < timedelta():
            days.reverse()
        assert self.day is not None
        assert days[0] == self.day + self.step, "a day is missing"
        self.day = days[-1]
        return days


def _day(text: str) -> date:
    return date.fromisoformat(text)
