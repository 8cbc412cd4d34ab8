"""The figures of the leaders' wall: begun from the event log, carried on by each note.

They follow the same notes that the scribe writes to PostgreSQL (``insight.live``), and end
``SETTLE`` ago: so late has everything been heard that happened.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo

import structlog

from base.backoff import backoff_s
from base.database import DatabaseUnavailable
from insight import measures
from insight.facts import CallFact, Step
from insight.live import Begin, LiveFigures
from insight.worst_day import DAY, minute_of
from server.live.notes import KeepCall, KeepMove, Note
from server.live.records import AgentMove, CallFacts
from server.push import protocol as wire

log = structlog.get_logger(__name__)

SETTLE: Final = timedelta(seconds=2)
MOST_EARLY: Final = 50_000
"""Facts kept while the event log is still being read; overflow rule: it is read again."""
PORTION: Final = 250
"""Facts between two moments for others."""
RETURN_CALL: Final = "return"
"""What such a call has for its called number."""
CHINA: Final = ZoneInfo("Asia/Shanghai")


def _today(at: datetime) -> datetime:
    midnight = at.astimezone(CHINA).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight.astimezone(at.tzinfo)


WINDOWS: Final[dict[wire.WallWindow, Begin]] = {
    "half_hour": lambda at: minute_of(at - timedelta(minutes=30)),
    "today": _today,
    "day": lambda at: minute_of(at - DAY),
}


class FactReader(Protocol):
    """``insight.store.EventLog``."""

    def facts(self, start_at: datetime, end_at: datetime) -> AsyncIterator[CallFact | Step]:
        """All calls, then all steps."""


class WallFigures:
    """The figures of now."""

    def __init__(self, log_reader: FactReader, now: Callable[[], datetime]) -> None:
        self._log, self._now = log_reader, now
        self._live: LiveFigures | None = None
        self._early: deque[CallFact | Step] = deque()
        self._is_lost = False

    def take(self, note: Note) -> None:
        """What the scribe is given to write."""
        if isinstance(note, KeepCall):
            self.take_call(note.facts)
        elif isinstance(note, KeepMove):
            self._take(step_of(note.move))

    def take_call(self, facts: CallFacts) -> None:
        """What was written of a call; the virtual caller of a return call is none."""
        if facts.called_number != RETURN_CALL:
            self._take(call_of(facts))

    def _take(self, fact: CallFact | Step) -> None:
        if self._live is not None:
            _give(self._live, fact)
        elif len(self._early) < MOST_EARLY:
            self._early.append(fact)
        else:
            self._is_lost = True

    async def read(self) -> None:
        """Take what the event log holds: at the start, and after a gap was filled.

        Waits for the database as long as it takes. Facts that are known already change nothing.
        """
        for wait_s in backoff_s(first_s=0.5, most_s=10.0):
            try:
                await self._read()
            except DatabaseUnavailable:
                await asyncio.sleep(wait_s)
            else:
                return

    async def _read(self) -> None:
        now = self._now()
        live = self._live or LiveFigures(WINDOWS.items(), at=now - SETTLE)
        given = 0
        async for fact in self._log.facts(minute_of(now - DAY), now + DAY):
            _give(live, fact)
            given += 1
            if given % PORTION == 0:  # counted as it comes, and not all at once
                live.advance(self._now() - SETTLE)
        if self._live is None and self._is_lost:
            self._early.clear()
            self._is_lost = False
            raise DatabaseUnavailable(cause="too_many_early_facts")
        while self._early:
            _give(live, self._early.popleft())
        self._live = live
        log.info("wall_figures_read", facts=given)

    def now(self) -> list[wire.WallFigures]:
        """Each window's figures now; empty before the first reading."""
        if self._live is None:
            return []
        self._live.advance(self._now() - SETTLE)
        return [_window(self._live, name) for name in WINDOWS]


def call_of(facts: CallFacts) -> CallFact:
    """A row of ``calls``, before it is one."""
    return CallFact(
        call=facts.call,
        queue=facts.queue,
        queued_at=facts.queued_at,
        agent=facts.agent,
        answered_at=facts.answered_at,
        ended_at=facts.ended_at,
        outcome=None if facts.outcome is None else facts.outcome.value,
    )


def step_of(move: AgentMove) -> Step:
    """A row of ``agent_moves``, before it is one."""
    return Step(move.number, move.agent, move.at, move.event, move.new, move.call)


def _give(live: LiveFigures, fact: CallFact | Step) -> None:
    if isinstance(fact, CallFact):
        live.take_call(fact)
    else:
        live.take_step(fact)


def _window(live: LiveFigures, name: wire.WallWindow) -> wire.WallFigures:
    interval, sums = live.interval(name), live.sums(name)
    return wire.WallFigures(
        window=name,
        start_at=interval.start_at,
        end_at=interval.end_at,
        total=measures.values(measures.CALLS, sums.total),
        staff=measures.values(measures.STAFF, sums.staff),
        queues={
            queue: measures.values(measures.CALLS, sums.queues[queue])
            for queue in sorted(sums.queues)
        },
    )
