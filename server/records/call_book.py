"""What is read and kept of calls beside their live facts: directory, attempts, who listened.

Through a pool, as ``hotline_web``; the directory is written by the schema's owner alone.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import asyncpg

from base.database import Connection, Database, storable
from base.sql_files import load_sql

SQL = load_sql(Path(__file__).parent / "sql" / "call_book")

EntryKind = Literal["unit", "expert"]


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody whom agents may reach by a click."""

    number: str
    name: str
    kind: EntryKind


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt to reach somebody, as it is shown."""

    id: str
    agent: str
    number: str
    wanted_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    rang_s: float | None
    talked_s: float | None
    result: str | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Sound:
    """Where an attempt's sound lies, and whose it is."""

    path: str
    agent: str


@dataclass(frozen=True, slots=True)
class Listening:
    """Somebody listened to a recording."""

    username: str
    display_name: str
    at: datetime
    part: str


class CallBook:
    """The web role's reading and noting."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def entries(self) -> list[Entry]:
        """The directory, by name."""
        return [Entry(**dict(row)) for row in await self._database.fetch(SQL["directory"])]

    async def entry(self, number: str) -> Entry | None:
        """Whose number it is."""
        row = await self._database.fetchrow(SQL["directory_entry"], storable(number))
        return None if row is None else Entry(**dict(row))

    async def doings(self, call: str) -> dict[str, list[dict[str, object]]]:
        """Who was asked or joined in, what the caller agreed to, when the recording was silent."""
        async with self._database.connection() as connection:
            return {
                name: [dict(row) for row in await connection.fetch(SQL[name], call)]
                for name in ("parties", "consents", "recording_pauses")
            }

    async def attempts_about(self, *, ticket: str | None, call: str | None) -> list[AttemptRow]:
        """Who was tried to be reached, when, and what came of it; the oldest first."""
        rows = await self._database.fetch(SQL["attempts_about"], ticket, call)
        return [AttemptRow(**dict(row)) for row in rows]

    async def attempt_sound(self, attempt: str) -> Sound | None:
        """The recording of an attempt."""
        row = await self._database.fetchrow(SQL["attempt_sound"], storable(attempt))
        return None if row is None else Sound(**dict(row))

    async def is_message(self, call: str) -> bool:
        """Whether somebody left a message in it, and so nobody's desk had it."""
        return bool(await self._database.fetchval(SQL["is_message"], storable(call)))

    async def agent_of(self, call: str) -> str | None:
        """Who answered it last."""
        found: str | None = await self._database.fetchval(SQL["agent_of_call"], storable(call))
        return found

    async def note_listening(
        self, user: str, *, part: str, call: str | None = None, attempt: str | None = None
    ) -> None:
        """Before any sound is given: what cannot be noted is not played."""
        await self._database.execute(
            SQL["note_listening"], user, call, attempt, storable(part)[:100]
        )

    async def listenings(self, call: str) -> list[Listening]:
        """Who listened to a call."""
        rows = await self._database.fetch(SQL["listenings"], storable(call))
        return [Listening(**dict(row)) for row in rows]


async def add_entry(owner: Connection, entry: Entry) -> None:
    """Enter a number, or change whose it is."""
    await owner.execute(SQL["keep_entry"], entry.number, entry.name, entry.kind)


async def remove_entry(owner: Connection, number: str) -> bool:
    """Take a number out; False where it was not in."""
    return bool(await owner.fetchval(SQL["remove_entry"], number))


async def all_entries(owner: Connection) -> list[Entry]:
    """The directory as the owner sees it."""
    rows: list[asyncpg.Record] = await owner.fetch(SQL["directory"])
    return [Entry(**dict(row)) for row in rows]
