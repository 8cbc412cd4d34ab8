"""How long recordings are kept: a term for each by the city's pack, a sweep for what is past.

A recording's term is written when the recording is, under the rule of that day, and is not changed
by a later pack. What is held (a complaint, a case, the police) is never deleted, however old. The
file goes first and is noted after: a crash in between leaves a note to make, not a file for ever.
What was said of it stays: the hash, and who listened.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

import asyncpg
import structlog

from base.database import Connection, Database, DatabaseUnavailable
from base.ids import CallId
from base.sql_files import load_sql
from rules.catalogue import KEEP_RECORDINGS
from rules.pack import Pack
from server.records.recordings import RecordingBook

log = structlog.get_logger(__name__)

SQL = load_sql(Path(__file__).parent / "sql" / "retention")

SWEEP_EVERY_S: Final = 3600.0


class PackOfToday(Protocol):
    def __call__(self) -> Pack:
        """The rules for what is recorded now."""


@dataclass(frozen=True, slots=True)
class Term:
    """How long one recording is kept."""

    path: str
    rule: str
    """``keep.recordings``, the pack and its version."""
    recorded_at: datetime
    delete_after: datetime
    held_reason: str | None
    deleted_at: datetime | None


class Retention:
    """Enters terms beside the recordings (``RecordingBook``), and sweeps; as ``hotline_bridge``."""

    def __init__(
        self, database: Database, book: RecordingBook, folder: Path, pack: PackOfToday
    ) -> None:
        self._database = database
        self._book = book
        self._folder = folder
        self._pack = pack
        self._stuck: set[str] = set()
        """Files that could not be removed: tried again at the next sweep, and no other waits."""

    async def keep_recording(self, call: CallId, path: str, sha256: str) -> None:
        """Enter the recording, then how long it is kept."""
        await self._book.keep_recording(call, path, sha256)
        await self.enter_terms()

    async def enter_terms(self) -> None:
        """Give a term to each recording that has none."""
        pack = self._pack()
        years = pack.decide(KEEP_RECORDINGS).value.years
        rule = f"{KEEP_RECORDINGS.name} {pack.id} {pack.version}"
        await self._database.execute(SQL["enter_terms"], years, rule)

    async def run(self) -> None:
        """Sweep at the start and every hour."""
        while True:
            try:
                await self.enter_terms()
                self._stuck.clear()
                while await self.delete_one():
                    pass
            except (DatabaseUnavailable, asyncpg.PostgresError, OSError) as error:
                log.warning("recordings_not_swept", error=type(error).__name__)
            await asyncio.sleep(SWEEP_EVERY_S)

    async def delete_one(self) -> bool:
        """Take one recording whose term is past and which nobody holds; False: there is none."""
        async with self._database.connection() as connection, connection.transaction():
            # Locked until it is noted: a hold that comes now waits, and finds it gone.
            row = await connection.fetchrow(SQL["past_term"], list(self._stuck))
            if row is None:
                return False
            path = self._folder / row["path"]
            try:
                if path.resolve().is_relative_to(self._folder.resolve()):
                    await asyncio.to_thread(path.unlink, missing_ok=True)
            except OSError as error:
                log.error("recording_not_deleted", path=row["path"], errno=error.errno)
                self._stuck.add(row["path"])
                return True
            await connection.execute(SQL["end_term"], row["path"])
            await connection.execute(SQL["forget_call_path"], row["path"])
            await connection.execute(SQL["forget_attempt_path"], row["path"])
        log.info(
            "recording_deleted",
            path=row["path"],
            rule=row["rule"],
            delete_after=row["delete_after"].isoformat(),
        )
        return True


async def hold(owner: Connection, path: str, reason: str) -> bool:
    """Keep a recording whatever its term says; False where there is none (any more)."""
    return bool(await owner.fetchval(SQL["hold"], path, reason))


async def release(owner: Connection, path: str) -> bool:
    """End a hold; the term counts again. False where nothing was held."""
    return bool(await owner.fetchval(SQL["release"], path))


async def terms(owner: Connection, *, only_held: bool) -> list[Term]:
    """The terms of recordings that are still there, those that end first first."""
    return [Term(**dict(row)) for row in await owner.fetch(SQL["terms"], only_held)]
