"""Enters every hand-over to an emergency line in the records, also those made while we were dead.

There is one way only: Asterisk's own book is read, a few seconds behind (``telephony.handovers``).
Must never stand in a hand-over's own way.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from base.database import DatabaseUnavailable
from telephony.handovers import LONGEST_HANDOVER, Handover

log = structlog.get_logger(__name__)

LOOK_EVERY_S: Final = 3.0
FURTHEST_BACK: Final = timedelta(days=7)
BOOKS_LAG: Final = timedelta(seconds=15)
"""Asterisk writes a moment late, and neighbours may change places."""

ReadHandovers = Callable[[datetime], Sequence[Handover]]
"""Those asked for since then; blocking (``telephony.handovers.read_handovers``)."""


class HandoverRecords(Protocol):
    """What the keeper asks of the records (``server.records.handovers``)."""

    async def latest_handover(self) -> datetime | None:
        """When the newest known one was asked for."""

    async def keep_handover(self, handover: Handover) -> None:
        """Insert or update."""


class HandoverKeeper:
    """``run`` beside everything else."""

    def __init__(
        self,
        records: HandoverRecords,
        read: ReadHandovers,
        now: Callable[[], datetime],
        *,
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._records = records
        self._read = read
        self._now = now
        self._look_every_s = look_every_s
        self._since: datetime | None = None
        self._kept: dict[str, Handover] = {}
        """As entered, of the time that is looked at: nothing is written twice."""

    async def run(self) -> None:
        """Look for ever."""
        while True:
            try:
                await self.look()
            except DatabaseUnavailable:
                pass  # the book waits
            except OSError as error:
                log.error("books_unreadable", cause=type(error).__name__)
            await asyncio.sleep(self._look_every_s)

    async def look(self) -> None:
        """Enter what the book tells and the records do not know."""
        now = self._now()
        since = self._since or await self._begin(now)
        found = await asyncio.to_thread(self._read, since)
        for each in found:
            if self._kept.get(each.handover) != each:
                await self._records.keep_handover(each)
                self._kept[each.handover] = each
                log.info(
                    "handover_kept",
                    call=each.call,
                    line=each.line,
                    source=each.source,
                    outcome=each.outcome.value,
                )
        is_open = [
            each.asked_at
            for each in found
            if each.ended_at is None and now - each.asked_at < LONGEST_HANDOVER
        ]
        self._since = min([*is_open, now - BOOKS_LAG])
        self._kept = {key: each for key, each in self._kept.items() if each.asked_at >= self._since}

    async def _begin(self, now: datetime) -> datetime:
        """One that was under way when we died may have ended since."""
        newest = await self._records.latest_handover()
        furthest = now - FURTHEST_BACK
        return furthest if newest is None else max(newest - LONGEST_HANDOVER, furthest)
