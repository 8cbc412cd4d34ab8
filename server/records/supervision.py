"""The list of leaders' acts, read as ``hotline_web``."""

from datetime import datetime

import msgspec

from base.database import Database
from base.ids import AgentId, CallId
from server.records.postgres import SQL


class ActRow(msgspec.Struct, frozen=True, kw_only=True):
    """One act with its course: from ``answered_at`` (the leader's phone) to ``ended_at``."""

    id: str
    at: datetime
    leader_name: str
    act: str
    agent: AgentId
    call: CallId | None
    reason: str
    answered_at: datetime | None
    ended_at: datetime | None


class Acts:
    """What was done, the newest first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def since(self, since: datetime, *, agent: AgentId | None, most: int) -> list[ActRow]:
        """All acts, or those on one agent."""
        rows = await self._database.fetch(SQL["acts_since"], since, agent, most)
        return [ActRow(**dict(row)) for row in rows]
