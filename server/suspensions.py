"""The running suspensions, in the web role's memory, for the question at call entry.

Read from PostgreSQL every few seconds and at once after a decision made here. While it is away the
last reading stands, each suspension until its own end and never longer.
"""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import asyncpg
import structlog

from base.database import Database, DatabaseUnavailable
from base.sql_files import load_sql
from routing.throttle import Suspended
from rules.values import Misuse

log = structlog.get_logger(__name__)

SQL = load_sql(Path(__file__).parent / "sql" / "nuisance")
READ_EVERY_S: Final = 2.0
MOST_RUNNING: Final = 10_000
"""Overflow rule: those that end first are not read; such callers are admitted."""


class SuspensionBook:
    """Who is suspended now; ``run`` for ever."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._running: dict[str, Suspended] = {}

    def of(self, number: str, at: datetime) -> Suspended | None:
        """The suspension of a number at that moment."""
        found = self._running.get(number) if number else None
        return found if found is not None and at < found.until else None

    async def run(self) -> None:
        """Read again and again."""
        while True:
            try:
                await self.read()
            except (DatabaseUnavailable, asyncpg.PostgresError) as error:
                log.debug("suspensions_not_read", error=type(error).__name__)
            await asyncio.sleep(READ_EVERY_S)

    async def read(self) -> None:
        """Replace what is known."""
        rows = await self._database.fetch(
            SQL["running_suspensions"], datetime.now(UTC), MOST_RUNNING
        )
        self._running = {
            row["caller_number"]: Suspended(row["until_at"], Misuse(row["misuse"])) for row in rows
        }
