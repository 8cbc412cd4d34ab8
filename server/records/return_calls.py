"""Marks and return calls in PostgreSQL: kept by the bridge, shown and settled by the web role."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import asyncpg

from base.database import Database, storable
from base.ids import AgentId, CallId
from base.sql_files import load_sql
from routing.return_call import TABLE, ReturnCall, ReturnReason, ReturnState, ReturnTrigger, Seen
from server.records.postgres import SQL
from telephony.marks import Mark

SETTLE_SQL = load_sql(Path(__file__).parents[1] / "sql" / "return_calls")
"""What the web role alone may do."""
MOST_OPEN = 5_000


class ReturnCalls:
    """``server.live.return_calls.ReturnBook``, and what pages show and do."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # ---- the bridge ----------------------------------------------------------------------------

    async def latest_mark(self) -> datetime | None:
        latest: datetime | None = await self._database.fetchval(SQL["latest_mark"])
        return latest

    async def keep_marks(self, marks: Sequence[Mark]) -> None:
        async with self._database.connection() as connection:
            for mark in marks:
                await connection.execute(
                    SQL["keep_mark"], storable(mark.call), mark.kind, mark.value, mark.at
                )

    async def open_new(self, since: datetime, default_queue: str) -> list[int]:
        rows = await self._database.fetch(SQL["keep_new_return_calls"], since, default_queue)
        return [row["id"] for row in rows]

    async def open(self) -> list[tuple[ReturnCall, Seen]]:
        rows = await self._database.fetch(SQL["open_return_calls"], MOST_OPEN)
        return [(_read(row), _seen(row)) for row in rows]

    async def keep(self, before: ReturnCall, after: ReturnCall) -> bool:
        found = await self._database.fetchval(
            SQL["keep_return_call"],
            before.id,
            before.state,
            before.attempts,
            after.state,
            after.attempts,
            after.due_at,
            after.call,
            after.agent,
            after.changed_at,
        )
        return found is not None

    # ---- the web role --------------------------------------------------------------------------

    async def since(self, start: datetime, *, most: int) -> list[asyncpg.Record]:
        """The open ones and those made since, newest first."""
        return await self._database.fetch(SQL["return_calls_since"], start, most)

    async def settle(self, number: int, trigger: ReturnTrigger, *, by: str, note: str) -> bool:
        """Cancel or settle by hand; False where its state does not allow it."""
        allowed = [state.value for state, wish in TABLE if wish is trigger]
        after = ReturnState.DONE if trigger is ReturnTrigger.SETTLE else ReturnState.CANCELLED
        found = await self._database.fetchval(
            SETTLE_SQL["settle_return_call"], number, after, by, storable(note), allowed
        )
        return found is not None

    async def satisfaction(self, start: datetime, end: datetime) -> dict[str, int]:
        """How often each answer was given: 1 (very satisfied) to 5."""
        rows = await self._database.fetch(SQL["satisfaction_since"], start, end)
        return {row["value"]: row["count"] for row in rows}


def _read(row: asyncpg.Record) -> ReturnCall:
    agent = row["agent"] or row["taken_by"]
    return ReturnCall(
        id=row["id"],
        number=row["number"],
        reason=ReturnReason(row["reason"]),
        queue=row["queue"],
        place_at=row["place_at"],
        state=ReturnState(row["state"]),
        attempts=row["attempts"],
        due_at=row["due_at"],
        changed_at=row["changed_at"],
        call=CallId(row["call_id"]) if row["call_id"] else None,
        agent=AgentId(agent) if agent else None,
    )


def _seen(row: asyncpg.Record) -> Seen:
    marks = row["marks"] or []
    return Seen(
        is_live=False,
        dialled="return_dialled" in marks,
        answered="return_answered" in marks,
        failed="return_failed" in marks,
        called_again=row["called_again"],
    )
