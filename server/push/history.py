"""The latest events of one scope, so that a browser that slept resumes without a snapshot.

Pure. Holds only what is contiguous: after a gap or a new epoch it begins anew, and whoever asks for
more is told to take a snapshot.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

MOST_EVENTS: Final = 1000
"""Overflow rule: the oldest go, whoever slept longer takes a snapshot."""
MOST_RESUME_BYTES: Final = 256 * 1024
"""More than this to catch up with is dearer than a snapshot, and would look like a slow reader."""


@dataclass(frozen=True, slots=True)
class Event:
    """One numbered event of a scope; an empty ``frame`` says "take a snapshot"."""

    scope: str
    epoch: str
    seq: int
    frame: bytes


class History:
    """One scope's contiguous tail."""

    def __init__(self, most: int = MOST_EVENTS) -> None:
        self._events: deque[Event] = deque(maxlen=most)

    def __len__(self) -> int:
        return len(self._events)

    @property
    def last(self) -> Event | None:
        return self._events[-1] if self._events else None

    def add(self, event: Event) -> bool:
        """Keep the event; False for one that was here before (a feed read anew)."""
        last = self.last
        if last is not None and last.epoch == event.epoch:
            if event.seq <= last.seq:
                return False
            if event.seq != last.seq + 1:
                self._events.clear()
        elif last is not None:
            self._events.clear()
        self._events.append(event)
        return True

    def missed(self, epoch: str | None, seq: int | None) -> list[Event] | None:
        """The events after ``seq``; None where only a snapshot helps."""
        last = self.last
        if last is None or epoch != last.epoch or seq is None:
            return None
        if not self._events[0].seq - 1 <= seq <= last.seq:
            return None
        missed = [event for event in self._events if event.seq > seq]
        if not all(event.frame for event in missed):
            return None
        return missed if sum(len(each.frame) for each in missed) <= MOST_RESUME_BYTES else None
