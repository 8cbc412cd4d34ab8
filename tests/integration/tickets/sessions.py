"""People of units who write their own SQL."""

import asyncpg

from base.database import Database
from base.ids import TicketId
from tickets.access import UnitView

EVERYTHING = ("tickets", "assignments", "unit_requests", "consults", "explanations", "ledger")


class Session:
    """Somebody of a unit, signed in, who writes their own SQL."""

    def __init__(self, database: Database, token: str) -> None:
        self.view = UnitView(database, token)

    async def fetch(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        async with self.view.reading() as connection:
            return await connection.fetch(sql, *arguments)

    async def sees(self, ticket: TicketId) -> set[str]:
        """Of which tables any row of the ticket comes out."""
        found = set()
        for table in EVERYTHING:
            key = "id" if table == "tickets" else "ticket_id"
            if await self.fetch(f"SELECT 1 FROM {table} WHERE {key} = $1::text::uuid", ticket):
                found.add(table)
        return found
