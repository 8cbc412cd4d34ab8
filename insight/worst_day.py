"""The 24 hours in which the fewest callers got through: the standard says *any* 24 hours. Pure."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from insight.facts import Interval
from insight.measures import CONNECTED
from insight.sums import Sums, add

DAY: Final = timedelta(hours=24)
MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class WorstDay:
    """The 24 hours with the least connected calls."""

    end_at: datetime
    connected: float


class WorstDayFinder:
    """Looks at the 24 hours before each full minute of an interval, and before its end."""

    def __init__(self, interval: Interval) -> None:
        self._end_at = interval.end_at
        self._look_at = minute_of(interval.start_at) + MINUTE
        self._calls: deque[tuple[datetime, Sums]] = deque()
        self._sums: Sums = {}
        self._worst: WorstDay | None = None

    def take(self, queued_at: datetime, sums: Sums) -> None:
        """The next call, in the order of entering."""
        while self._look_at <= queued_at and self._look_at < self._end_at:
            self._look(self._look_at)
            self._look_at += MINUTE
        if sums:
            self._calls.append((queued_at, sums))
            add(self._sums, sums)

    def end(self) -> WorstDay | None:
        """The worst; None where nobody called."""
        self.take(self._end_at, {})
        self._look(self._end_at)
        return self._worst

    def _look(self, end_at: datetime) -> None:
        while self._calls and self._calls[0][0] < end_at - DAY:
            add(self._sums, self._calls.popleft()[1], sign=-1)
        connected = CONNECTED.of(self._sums)
        if connected is not None and (self._worst is None or connected < self._worst.connected):
            self._worst = WorstDay(end_at, connected)


def minute_of(at: datetime) -> datetime:
    """The full minute before, or at, ``at``."""
    return at.replace(second=0, microsecond=0)
