"""Tickets and their ledger in PostgreSQL: reading them, and appending to a ledger.

Owns the room's SQL. Takes a connection where it must be part of somebody's transaction.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import asyncpg

from base.database import Connection, Database, storable
from base.ids import CallId, TicketId, UserId
from base.sql_files import load_sql
from tickets.ledger import FIRST_PREV_HASH, LedgerEntry
from tickets.ticket import (
    Channel,
    Correction,
    FormerTicket,
    Ticket,
    TicketState,
    TicketType,
    Urgency,
)

ROWS = "rows_sha256"
"""In a body: the hash of the ticket's rows after the act, texts apart."""
SQL = load_sql(Path(__file__).parent / "sql")


class TicketStore:
    """Reads tickets through a pool."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_number(self, number: str) -> Ticket | None:
        row = await self._database.fetchrow(SQL["ticket_by_number"], storable(number))
        return None if row is None else ticket_of_row(row)

    async def opened(self, ticket: TicketId, by: UserId) -> bool:
        """Log that somebody looks at all of it (R114); False for one who stepped back from it."""
        done = await self._database.fetchval(SQL["log_whole_view"], ticket, by)
        return done is not None

    async def by_call(self, call: CallId) -> Ticket | None:
        row = await self._database.fetchrow(SQL["ticket_of_call"], storable(call))
        return None if row is None else ticket_of_row(row)

    async def corrections(self, ticket: TicketId) -> list[Correction]:
        rows = await self._database.fetch(SQL["corrections_of_ticket"], ticket)
        return [Correction(**dict(row)) for row in rows]

    async def draft(self, ticket: TicketId) -> dict[str, object]:
        """The draft as it was confirmed: ``version``, ``machine`` and ``final`` fields."""
        draft: dict[str, object] = await self._database.fetchval(SQL["draft_of_ticket"], ticket)
        return draft

    async def ledger(self, ticket: TicketId) -> list[LedgerEntry]:
        async with self._database.connection() as connection:
            return await ledger_of(connection, ticket)

    async def former_tickets(self, caller_number: str, limit: int = 10) -> list[FormerTicket]:
        """The newest tickets of exactly this number; none for a withheld one."""
        rows = await self._database.fetch(SQL["former_tickets"], storable(caller_number), limit)
        return [FormerTicket(**dict(row)) for row in rows]


async def ledger_of(connection: Connection, ticket: TicketId) -> list[LedgerEntry]:
    """A ticket's whole ledger, as far as the connection's login sees it."""
    return [entry_of_row(row) for row in await connection.fetch(SQL["entries_of_ticket"], ticket)]


async def append_to_ledger(
    connection: Connection,
    ticket: TicketId,
    *,
    at: datetime,
    actor: str,
    action: str,
    body: Mapping[str, object],
    reason: str = "",
    article: str = "",
) -> LedgerEntry:
    """Add the next entry inside the caller's transaction; others wait for that to end.

    Last of what it writes: the entry binds the ticket's rows as they are then.
    """
    await connection.execute(SQL["lock_ledger"], str(ticket))
    rows = await connection.fetchval(SQL["rows_sha256"], ticket)
    last = await connection.fetchrow(SQL["last_entry"], ticket)
    entry = LedgerEntry(
        ticket=ticket,
        seq=1 if last is None else last["seq"] + 1,
        at=at,
        actor=actor,
        action=action,
        reason=reason,
        article=article,
        body={**body, ROWS: rows},
        prev_hash=FIRST_PREV_HASH if last is None else last["hash"],
    ).sealed()
    await connection.execute(
        SQL["append_entry"],
        entry.ticket,
        entry.seq,
        entry.at,
        entry.actor,
        entry.action,
        entry.reason,
        entry.article,
        entry.body,
        entry.prev_hash,
        entry.hash,
    )
    return entry


def ticket_of_row(row: asyncpg.Record) -> Ticket:
    values = dict(row)
    call = values.pop("call_id")
    return Ticket(
        id=TicketId(str(values.pop("id"))),
        call=None if call is None else CallId(call),
        channel=Channel(values.pop("channel")),
        type=TicketType(values.pop("type")),
        urgency=Urgency(values.pop("urgency")),
        state=TicketState(values.pop("state")),
        created_by=UserId(str(values.pop("created_by"))),
        **values,
    )


def entry_of_row(row: asyncpg.Record) -> LedgerEntry:
    values = dict(row)
    return LedgerEntry(ticket=TicketId(str(values.pop("ticket_id"))), **values)
