"""Events (突发事件) in PostgreSQL, and the words their callers hear.

Opened, changed and closed by leaders; calls are tagged by whoever speaks with the caller. The
announcement is spoken into a sound file beside the prompts by a process of its own; until it is
there, or where no voice is installed, the general prompt is played.
"""

import asyncio
import tempfile
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Final

import asyncpg
import msgspec
import structlog

from base.database import Database, storable
from base.errors import HotlineError
from base.ids import TicketId, UnitId, UserId
from base.sql_files import load_sql
from telephony.prompts import prompt_path
from tickets.ticket import TicketState, TicketType
from transcription.voice import render

log = structlog.get_logger(__name__)

SQL = load_sql(Path(__file__).parent / "sql" / "events")
SPEAK_TIMEOUT_S: Final = 120.0
MOST_TICKETS: Final = 2_000
"""Of one event on one page; the oldest are shown."""


class EventUnknown(HotlineError):
    """There is no such event, or it is closed."""

    code: ClassVar[str] = "event_unknown"
    http_status: ClassVar[int] = 404


class News(msgspec.Struct, frozen=True, kw_only=True):
    """Newer facts; ``unit`` gave them, else a leader."""

    text: str
    unit: UnitId | None
    told_at: datetime


class EventCard(msgspec.Struct, frozen=True, kw_only=True):
    """An event, and how much came in about it."""

    id: int
    title: str
    text: str
    announce: str
    prompt: str
    """The sound file that says it."""
    queues: list[str]
    """Whose callers hear it; empty: of all."""
    priority: int
    since_at: datetime
    until_at: datetime | None
    opened_by: str
    opened_at: datetime
    changed_by: str
    changed_at: datetime
    closed_by: str | None
    closed_at: datetime | None
    unit: UnitId | None
    """Who must keep the facts up to date."""
    calls: int
    callers: int
    tickets: int
    updates: list[News]
    """The newest first."""


class EventTicket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket that is about an event."""

    id: TicketId
    number: str
    title: str
    type: TicketType
    state: TicketState
    created_at: datetime


class Events:
    """As ``hotline_web``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(
        self,
        *,
        title: str,
        text: str,
        announce: str,
        queues: tuple[str, ...],
        priority: int,
        since_at: datetime,
        until_at: datetime | None,
        by: str,
        unit: UnitId | None = None,
    ) -> int:
        """Begin one; its number."""
        number: int = await self._database.fetchval(
            SQL["open_event"],
            storable(title),
            storable(text),
            storable(announce),
            list(queues),
            priority,
            since_at,
            until_at,
            by,
            unit,
        )
        return number

    async def update(
        self, number: int, *, text: str | None, until_at: datetime | None, by: str
    ) -> None:
        """Newer facts, or another end."""
        told = None if text is None else storable(text)
        if await self._database.fetchval(SQL["update_event"], number, told, until_at, by) is None:
            raise EventUnknown(event=number)

    async def close(self, number: int, *, by: str) -> None:
        """It is over."""
        if await self._database.fetchval(SQL["close_event"], number, by) is None:
            raise EventUnknown(event=number)

    async def listed(self, *, with_past: bool) -> list[EventCard]:
        """Newest first, with how many calls and callers were about each."""
        rows = await self._database.fetch(SQL["events"], with_past)
        return [msgspec.convert(dict(row), EventCard) for row in rows]

    async def tag(self, number: int, call: str, *, by: str) -> None:
        """The call was about the event."""
        async with self._database.connection() as connection:
            await connection.execute(SQL["tag_call"], number, storable(call), by)
            if not await connection.fetchval(SQL["is_tagged"], number, storable(call)):
                raise EventUnknown(event=number)

    async def tag_ticket(self, number: int, ticket: str, *, by: str) -> None:
        """The ticket is about the event."""
        async with self._database.connection() as connection:
            await connection.execute(SQL["tag_ticket"], number, storable(ticket), by)
        if not await self.tickets(number, ticket):
            raise EventUnknown(event=number)

    async def tickets(self, number: int, ticket: str | None = None) -> list[EventTicket]:
        """What is about it: tagged itself, or by its call. Locked lanes are not shown."""
        one = None if ticket is None else storable(ticket)
        rows = await self._database.fetch(SQL["tickets_of_event"], number, one, MOST_TICKETS)
        return [msgspec.convert(dict(row), EventTicket) for row in rows]

    async def event(self, number: int) -> asyncpg.Record:
        """An event, open or over; or ``EventUnknown``."""
        row = await self._database.fetchrow(SQL["event"], number)
        if row is None:
            raise EventUnknown(event=number)
        return row

    async def tell(self, number: int, text: str, *, unit: UnitId | None, by: UserId) -> None:
        """Newer facts, from the unit that must give them or from a leader."""
        told = await self._database.fetchval(SQL["tell_update"], number, storable(text), unit, by)
        if told is None:
            raise EventUnknown(event=number)

    async def speak(self, number: int, announce: str, tools: Path) -> None:
        """Make the announcement's sound file and play it from then on."""
        name = f"event-{number}"
        try:
            async with asyncio.timeout(SPEAK_TIMEOUT_S):
                await asyncio.to_thread(_speak, name, announce, tools)
        except (HotlineError, OSError, TimeoutError) as error:
            log.warning("event_not_spoken", event_number=number, error=str(error))
            return
        await self._database.execute(SQL["set_event_prompt"], number, name)


def _speak(name: str, announce: str, tools: Path) -> None:
    place = prompt_path(tools / "prompts", f"hotline/{name}")
    with tempfile.TemporaryDirectory(dir=place.parent) as folder:
        (made,) = render({name: announce}, Path(folder), tools)
        made.replace(place)
