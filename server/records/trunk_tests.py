"""The emergency trunks' daily tests in PostgreSQL."""

from datetime import date, datetime

from base.database import Database
from server.live.trunk_tests import TrunkTest
from server.records.postgres import SQL


class TrunkTests:
    """``server.live.trunk_tests.TrunkTestBook``; the web role reads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, trunk: str, day: date, at: datetime, *, not_since: datetime) -> bool:
        row = await self._database.fetchrow(SQL["keep_trunk_test"], trunk, day, at, not_since)
        return row is not None

    async def finish(self, trunk: str, day: date, at: datetime, outcome: str) -> None:
        await self._database.execute(SQL["end_trunk_test"], trunk, day, at, outcome)

    async def latest(self) -> list[TrunkTest]:
        rows = await self._database.fetch(SQL["latest_trunk_tests"])
        return [TrunkTest(row["trunk"], row["ended_at"], row["outcome"]) for row in rows]
