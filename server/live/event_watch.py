"""Shows the open events (突发事件) on the leaders' wall, with how many calls were about each."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from base.database import DatabaseUnavailable
from server.push.protocol import WallAlarm

LOOK_EVERY_S: Final = 5.0
KIND: Final = "event"


@dataclass(frozen=True, slots=True)
class OpenEvent:
    """One that callers are told of now."""

    title: str
    since_at: datetime
    calls: int


class EventBook(Protocol):
    """``server.records.open_events``."""

    async def open_events(self) -> Sequence[OpenEvent]:
        """The newest first."""


async def watch_events(
    book: EventBook,
    show: Callable[[str, Sequence[WallAlarm]], None],
    *,
    look_every_s: float = LOOK_EVERY_S,
) -> None:
    """Look for ever; while the database is away what was shown stays."""
    while True:
        with contextlib.suppress(DatabaseUnavailable):
            show(KIND, [_alarm(event) for event in await book.open_events()])
        await asyncio.sleep(look_every_s)


def _alarm(event: OpenEvent) -> WallAlarm:
    params = {"calls": str(event.calls)}
    return WallAlarm(kind=KIND, about=event.title, since_at=event.since_at, params=params)
