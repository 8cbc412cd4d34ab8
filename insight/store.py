"""Reads the event log, one picture of it at a time, and counts it. Never writes.

Rows come in portions, so that a month of them neither fills the memory nor holds up the process.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar, Final

import asyncpg

from base.database import Connection, Database
from base.errors import HotlineError
from base.sql_files import load_sql
from insight.facts import CallFact, Interval, Step
from insight.figures import Count
from insight.worst_day import DAY

SQL: Final = load_sql(Path(__file__).parent / "sql")
PORTION: Final = 250
"""Rows between two moments for others: about 5 ms of counting."""
LONGEST: Final = timedelta(days=31)


class IntervalUnfit(HotlineError):
    """An interval begins before it ends, and is no longer than a month."""

    code: ClassVar[str] = "interval_unfit"
    http_status: ClassVar[int] = 422


class EventLog:
    """The calls and steps of the database, as any role that may read them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, interval: Interval, *, queue: str | None = None) -> Count:
        """Count an interval; raises ``IntervalUnfit``."""
        if not timedelta(0) < interval.end_at - interval.start_at <= LONGEST:
            raise IntervalUnfit(most_days=LONGEST.days)
        counting = Count(interval, queue=queue)
        async with self._one_picture() as connection:
            async for step in _steps(connection, interval.start_at, interval.end_at):
                counting.take_step(step)
            counting.end_steps()
            async for call in _calls(connection, interval.start_at - DAY, interval.end_at):
                counting.take_call(call)
        return counting

    async def facts(self, start_at: datetime, end_at: datetime) -> AsyncIterator[CallFact | Step]:
        """All calls, then all steps, that windows need which begin at ``start_at``."""
        async with self._one_picture() as connection:
            async for call in _calls(connection, start_at, end_at):
                yield call
            async for step in _steps(connection, start_at, end_at):
                yield step

    @asynccontextmanager
    async def _one_picture(self) -> AsyncIterator[Connection]:
        """A connection that sees the database as it was at one moment."""
        async with (
            self._database.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield connection


async def _calls(
    connection: Connection, start_at: datetime, end_at: datetime
) -> AsyncIterator[CallFact]:
    async for row in _rows(connection, SQL["calls_between"], start_at, end_at):
        yield CallFact(*row.values())


async def _steps(
    connection: Connection, start_at: datetime, end_at: datetime
) -> AsyncIterator[Step]:
    async for row in _rows(connection, SQL["steps_between"], start_at, end_at):
        yield Step(*row.values())


async def _rows(
    connection: Connection, sql: str, start_at: datetime, end_at: datetime
) -> AsyncIterator[asyncpg.Record]:
    cursor = await connection.cursor(sql, start_at, end_at)
    while rows := await cursor.fetch(PORTION):
        for row in rows:
            yield row
        await asyncio.sleep(0)
