"""Which due times move when the calendar changes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rules.calendar import Calendar
from rules.deadlines import Answer, Asked, ask
from rules.pack import Pack


@dataclass(frozen=True, slots=True)
class OpenClock:
    """A clock that still runs, with all it was worked out from."""

    id: str
    pack: Pack
    """In the version that the ticket began with."""
    asked: Asked


@dataclass(frozen=True, slots=True)
class Moved:
    """A clock under two calendars."""

    id: str
    before: Answer
    after: Answer

    @property
    def is_due_changed(self) -> bool:
        return self.before.due.due_at != self.after.due.due_at


def moved(before: Calendar, after: Calendar, clocks: Iterable[OpenClock]) -> Iterator[Moved]:
    """Each clock that is due at another time, or is not provisional any more, or newly is."""
    for clock in clocks:
        pair = Moved(
            clock.id,
            ask(clock.pack, before, clock.asked),
            ask(clock.pack, after, clock.asked),
        )
        if (pair.before.due.due_at, pair.before.due.provisional) != (
            pair.after.due.due_at,
            pair.after.due.provisional,
        ):
            yield pair
