"""What follows a manager stream, live and replayed alike: the picture, the journeys, the unknown.

Most messages of a full stream concern neither fold: they are known by their name alone and never
taken apart. A message that is not understood is counted and costs nothing behind it.
"""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import structlog

from telephony.events import TelephonyEvent
from telephony.journey import Journey
from telephony.journeys import JOURNEY_EVENTS, Journeys
from telephony.reducer import NEEDED_EVENTS, reduce
from telephony.snapshot import Snapshot
from telephony.unused_events import UNUSED_EVENTS
from telephony.wire import Message, intern_names

log = structlog.get_logger(__name__)

FOLLOWED_EVENTS: Final = NEEDED_EVENTS | JOURNEY_EVENTS
MAX_UNKNOWN_NAMES: Final = 1_000
OTHER: Final = "…"

intern_names(FOLLOWED_EVENTS | UNUSED_EVENTS)


def is_known(event: str) -> bool:
    """Whether an event's name is one we use or leave out on purpose."""
    return event in FOLLOWED_EVENTS or event in UNUSED_EVENTS


def _now() -> datetime:
    return datetime.now(UTC)


class Follower:
    """Folds messages in order. ``snapshot`` may be replaced by a truer one at any time."""

    def __init__(self, *, now: Callable[[], datetime] = _now) -> None:
        self.snapshot = Snapshot()
        self.unknown_events: Counter[str] = Counter()
        self._journeys = Journeys()
        self._now = now
        self.on_journey: Callable[[Journey], None] = lambda journey: None

    def apply(self, message: Message) -> list[TelephonyEvent]:
        """Take one message; what it means to the live view."""
        name = message.name
        if name not in FOLLOWED_EVENTS:
            if name and name not in UNUSED_EVENTS:
                self._count(name)
            return []
        # A message that we fail to understand must not cost the ones behind it.
        try:
            for journey in self._journeys.take(message):
                self.on_journey(journey)
            self.snapshot, events = reduce(self.snapshot, message, now=self._now)
        except Exception:
            log.exception("ami_message_failed", message=name)
            self._count(name)
            return []
        return events

    def forget_journeys(self) -> list[Journey]:
        """After a gap, or at a stream's end: what was under way, told as it is known."""
        return self._journeys.rest()

    def _count(self, name: str) -> None:
        # Garbage may make up a new name each time.
        known = name in self.unknown_events or len(self.unknown_events) < MAX_UNKNOWN_NAMES
        self.unknown_events[name if known else OTHER] += 1
