"""Working days with their hours: when a day opens and closes, as instants.

Shanghai has been eight hours ahead of UTC without summer time since 1991, so the offset is fixed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final

from rules.calendar import Calendar
from rules.values import Pause, WorkingHours

LOCAL: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
"""What people's clocks in China show."""


@dataclass(frozen=True, slots=True)
class Paused:
    """Time in which a clock stood still."""

    why: Pause
    from_at: datetime
    to_at: datetime


def local_date(instant: datetime) -> date:
    """The day on which an instant falls, for people in China."""
    return instant.astimezone(LOCAL).date()


class WorkTime:
    """A calendar and a pack's working hours."""

    def __init__(self, calendar: Calendar, hours: WorkingHours) -> None:
        self.calendar: Final = calendar
        self._spans: Final = hours.spans
        self._half: Final = frozenset(hours.half_days)

    def spans_of(self, on: date) -> tuple[tuple[time, time], ...]:
        """The hours of a day if it is worked; of a half day only those before noon."""
        return self._spans[:1] if on in self._half else self._spans

    def opens_at(self, on: date) -> datetime:
        return _instant(on, self._spans[0][0])

    def closes(self, on: date) -> time:
        return self.spans_of(on)[-1][1]

    def closes_at(self, on: date) -> datetime:
        return _instant(on, self.closes(on))

    def stretches(self, from_at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The stretches of working time from an instant on, until the calendar ends."""
        on = self.calendar.working_day_from(local_date(from_at))
        while True:
            for opens, closes in self.spans_of(on):
                begins_at, ends_at = _instant(on, opens), _instant(on, closes)
                if ends_at > from_at:
                    yield max(begins_at, from_at), ends_at
            on = self.calendar.working_day_after(on, 1)

    def stretches_before(self, to_at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The stretches of working time up to an instant, the latest first."""
        on = local_date(to_at)
        if not self.calendar.is_working(on):
            on = self.calendar.working_day_before(on, 1)
        while True:
            for opens, closes in reversed(self.spans_of(on)):
                begins_at, ends_at = _instant(on, opens), _instant(on, closes)
                if begins_at < to_at:
                    yield begins_at, min(ends_at, to_at)
            on = self.calendar.working_day_before(on, 1)


def _instant(on: date, at: time) -> datetime:
    return datetime.combine(on, at, LOCAL).astimezone(UTC)
