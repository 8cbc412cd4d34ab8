"""Who sees what of a ticket: reading for units, reveals, and the log of both.

A unit's screens read through the login ``hotline_unit`` with the session's token alone: what it may
not see is refused by PostgreSQL itself (row-level security, column grants), even to whoever writes
their own SQL. For the centre's staff the caller's particulars are masked too; to
see them is a reveal, with a reason. Every view and reveal is logged in the same transaction.
"""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar

import asyncpg

from base.database import Connection, Database
from base.errors import HotlineError
from base.ids import TicketId
from base.sql_files import load_sql
from tickets.facts import Actor
from tickets.refusals import TicketUnseen
from tickets.store import SQL
from tickets.work_orders import open_lanes

UNIT_SQL = load_sql(Path(__file__).parent / "sql" / "unit_login")
"""What the units' login asks; all else is the web role's."""
CALLER_FIELDS = ("caller_name", "contact_number")


class RevealRefused(HotlineError):
    """The caller's particulars are not to be seen, or no reason was given."""

    code: ClassVar[str] = "ticket_reveal_refused"
    http_status: ClassVar[int] = 403


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerShown:
    """Who called, as far as somebody may see."""

    name: str
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One line of the log."""

    at: datetime
    user_id: uuid.UUID
    unit: str | None
    act: str
    fields: list[str]
    reason: str


class UnitView:
    """What one signed-in person of a unit is shown."""

    def __init__(self, database: Database, token: str) -> None:
        self._database = database
        self._token = token

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """A transaction in which PostgreSQL knows who asks."""
        async with self._database.transaction() as connection:
            await connection.execute(UNIT_SQL["set_session"], self._token)
            yield connection

    async def caller(self, ticket: TicketId) -> CallerShown | None:
        """Masked; None of a confidential ticket, and of one that is not the unit's."""
        async with self.reading() as connection:
            row = await connection.fetchrow(UNIT_SQL["caller_of_ticket"], uuid.UUID(ticket))
        return None if row is None else CallerShown(**row)

    async def reveal_caller(self, ticket: TicketId, reason: str) -> CallerShown:
        """In clear: needed to call back. Logged by the database before it is told."""
        try:
            async with self.reading() as connection:
                row = await connection.fetchrow(
                    UNIT_SQL["reveal_caller"], uuid.UUID(ticket), reason
                )
        except (asyncpg.InsufficientPrivilegeError, asyncpg.CheckViolationError) as error:
            raise RevealRefused from error
        assert row is not None
        return CallerShown(**row)


async def log_view(database: Database, by: Actor, ticket: TicketId, fields: list[str]) -> None:
    """Somebody looked at a ticket (R114)."""
    await database.execute(
        SQL["log_access"], by.user, by.unit, uuid.UUID(ticket), "view", fields, ""
    )


async def caller_of(connection: Connection, ticket: TicketId) -> CallerShown | None:
    """In clear, to be masked before it is shown; None of a ticket that is not there."""
    row = await connection.fetchrow(SQL["caller_in_clear"], uuid.UUID(ticket))
    return None if row is None else CallerShown(name=row["name"], number=row["number"])


async def reveal_caller(
    database: Database, by: Actor, ticket: TicketId, reason: str
) -> CallerShown:
    """The caller in clear, for the centre's staff; who stepped back does not see it."""
    if not reason.strip():
        raise RevealRefused(field="reason")
    async with database.transaction() as connection:
        await open_lanes(connection, by)
        row = await connection.fetchrow(SQL["caller_in_clear"], uuid.UUID(ticket))
        if row is None:
            raise TicketUnseen
        if by.user in {str(each) for each in row["recused_users"]}:
            raise TicketUnseen
        await connection.execute(
            SQL["log_access"],
            by.user,
            by.unit,
            uuid.UUID(ticket),
            "reveal",
            list(CALLER_FIELDS),
            reason,
        )
    return CallerShown(name=row["name"], number=row["number"])


async def accesses(database: Database, ticket: TicketId) -> list[Access]:
    """Who saw what of it, oldest first (R114)."""
    rows = await database.fetch(SQL["accesses_of_ticket"], uuid.UUID(ticket))
    return [Access(**row) for row in rows]
