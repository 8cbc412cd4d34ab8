"""Hand-overs to emergency lines in PostgreSQL: written by the bridge, read by the web role."""

from datetime import datetime

import asyncpg
import msgspec

from base.database import Database, storable
from base.ids import AgentId, CallId
from server.records.postgres import SQL
from telephony.handovers import Handover, HandoverOutcome, Try


class Handovers:
    """``server.live.handovers.HandoverRecords``, and what pages show of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def latest_handover(self) -> datetime | None:
        latest: datetime | None = await self._database.fetchval(SQL["latest_handover"])
        return latest

    async def keep_handover(self, handover: Handover) -> None:
        await self._database.execute(
            SQL["keep_handover"],
            handover.handover,
            handover.call,
            handover.line,
            handover.source,
            handover.agent,
            storable(handover.caller_number),
            storable(handover.caller_name),
            handover.asked_at,
            msgspec.to_builtins(handover.tries),
            handover.trunk,
            handover.answered_at,
            handover.ended_at,
            handover.outcome,
        )

    async def of_call(self, call: CallId) -> list[Handover]:
        """The hand-overs of one call, in order."""
        return [_read(row) for row in await self._database.fetch(SQL["handovers_of_call"], call)]

    async def since(self, start: datetime, *, most: int) -> list[Handover]:
        """The newest first."""
        rows = await self._database.fetch(SQL["handovers_since"], start, most)
        return [_read(row) for row in rows]


def _read(row: asyncpg.Record) -> Handover:
    return Handover(
        handover=row["handover"],
        call=CallId(row["call_id"]),
        line=row["line"],
        source=row["source"],
        agent=AgentId(row["agent"]) if row["agent"] else None,
        caller_number=row["caller_number"],
        caller_name=row["caller_name"],
        asked_at=row["asked_at"],
        tries=tuple(msgspec.convert(row["tries"], list[Try])),
        trunk=row["trunk"],
        answered_at=row["answered_at"],
        ended_at=row["ended_at"],
        outcome=HandoverOutcome(row["outcome"]),
    )
