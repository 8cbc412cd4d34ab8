"""How the data is protected and who answers for it, for supervision and the head (R113)."""

from pathlib import Path
from typing import Final

import msgspec
from aiohttp import web

from base.sql_files import load_sql
from rules import catalogue as law
from server.data_levels import TABLES, UNLISTED, Keeper, Level
from server.http.operations import Operation
from server.http.problems import json_response
from server.http.ticket_door import AUDITS
from server.http.ticket_family import TicketFamily
from tickets.refusals import OF_LAW

SQL: Final = load_sql(Path(__file__).parents[1] / "sql" / "data_levels")


class TableKept(msgspec.Struct, frozen=True, kw_only=True):
    """One table: what it holds at the most, who answers for it, who can read any of it."""

    table: str
    level: Level
    keeper: Keeper
    readers: list[str]
    """The program's logins with any right to read, as PostgreSQL says."""
    is_by_row: bool
    """Rows are shut out too, by whose they are."""


class DataKept(msgspec.Struct, frozen=True, kw_only=True):
    """All of them, and the article that asks for it."""

    article: str
    summary: str
    tables: list[TableKept]


class DataRoutes(TicketFamily):
    """/api/data-levels"""

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="GET",
                path="/api/data-levels",
                name="data_levels",
                says="How each table is protected, who answers for it, which logins read it",
                handler=self.levels,
                gives=DataKept,
                refuses=OF_LAW,
            ),
        ]

    async def levels(self, request: web.Request) -> web.Response:
        await self._door.who(request, AUDITS)
        card = (await self._orders.law_today(self._now())).ask(law.DATA_SECURITY).card
        rows = await self._database.fetch(SQL["tables"])
        return json_response(
            DataKept(
                article=card.place,
                summary=card.summary,
                tables=[_kept(**row) for row in rows],
            )
        )


def _kept(table: str, readers: list[str], is_by_row: bool) -> TableKept:
    level, keeper = TABLES.get(table, UNLISTED)
    return TableKept(table=table, level=level, keeper=keeper, readers=readers, is_by_row=is_by_row)
