"""What admission knows, kept in the web role's memory: the plan, who was served where, notices.

Read from PostgreSQL now and then; while it is away the last reading stands. The question at call
entry itself waits for nothing (invariant 3).
"""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Final

import asyncpg
import structlog

from base.database import Database, DatabaseUnavailable
from base.sql_files import load_sql
from routing.admission import Book, Notice
from routing.queues import Plan

log = structlog.get_logger(__name__)

SQL = load_sql(Path(__file__).parent / "sql" / "admission")
EVENTS_SQL = load_sql(Path(__file__).parent / "sql" / "events")
READ_EVERY_S: Final = 5.0
MOST_FORMER: Final = 50_000
"""Overflow rule: whose last call is longest ago is forgotten."""


class AdmissionBook:
    """One book; ``run`` for ever."""

    def __init__(self, plan: Plan, database: Database) -> None:
        self._book = Book(plan)
        self._database = database

    def current(self) -> Book:
        """The book as it was read last."""
        return self._book

    async def run(self) -> None:
        """Read again and again."""
        while True:
            try:
                await self.read()
            except (DatabaseUnavailable, asyncpg.PostgresError) as error:
                log.debug("admission_book_not_read", error=type(error).__name__)
            await asyncio.sleep(READ_EVERY_S)

    async def read(self) -> None:
        """Replace what comes from the database."""
        plan = self._book.plan
        back = [queue.name for queue in plan.queues if queue.takes_back]
        former: dict[str, str] = {}
        if back and plan.history_days:
            rows = await self._database.fetch(
                SQL["former_queues"], back, plan.history_days, MOST_FORMER
            )
            former = {row["caller_number"]: row["queue"] for row in rows}
        notices = tuple(
            Notice(row["prompt"], frozenset(row["queues"]), row["priority"])
            for row in await self._database.fetch(EVENTS_SQL["notices"])
        )
        self._book = replace(self._book, former=former, notices=notices)
