"""Brings the database's schema to what this code needs.

Owns the one numbered list of all rooms, ``migrations/NNNN_{pre|post}_what.sql``: a ``pre`` file
fits the code that still runs and is applied before the new code starts; a ``post`` file removes
what only the old code needed and is applied after. Each runs in a transaction of its own under
one advisory lock, and is never edited once released: its checksum is kept and compared.
"""

import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import asyncpg
import structlog

from base.database import Connection
from base.errors import SetupError

log = structlog.get_logger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"
_FILE_NAME = re.compile(r"^(\d{4})_(pre|post)_([a-z0-9_]+)\.sql$")
_LOCK = 0x686F746C  # "hotl"
_STATEMENT_TIMEOUT_S = 600


class Phase(StrEnum):
    """When a migration runs, seen from a deployment."""

    PRE = "pre"
    """Before the new code starts; the old code still works with it."""
    POST = "post"
    """After the last process of the old code has ended."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of the list."""

    number: int
    phase: Phase
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def read_migrations(folder: Path = MIGRATIONS) -> list[Migration]:
    """The list in order; a hole or a number used twice is a mistake of ours."""
    found = []
    for path in sorted(folder.glob("*.sql")):
        if (match := _FILE_NAME.match(path.name)) is None:
            raise SetupError(
                f"migration {path.name} is not named NNNN_pre_what.sql or NNNN_post_what.sql",
                fix="rename the file",
            )
        number, phase, name = match.groups()
        found.append(Migration(int(number), Phase(phase), name, path.read_text(encoding="utf-8")))
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise SetupError(
            "the migrations are not numbered 0001, 0002, … without a hole",
            fix="give the newest file the next free number",
        )
    return found


async def pending_migrations(
    connection: Connection, migrations: Sequence[Migration] | None = None
) -> list[Migration]:
    """What ``migrate`` would apply: a dry run."""
    known = read_migrations() if migrations is None else migrations
    return _pending(known, await _applied(connection))


async def migrate(
    connection: Connection,
    *,
    through: Phase = Phase.POST,
    migrations: Sequence[Migration] | None = None,
    lock_wait_s: float = 60.0,
) -> list[Migration]:
    """Apply what is pending and return it; ``through=PRE`` stops before the first ``post`` file.

    Runs as the owner role, alone: a second runner waits for the first, then finds nothing to do.
    """
    known = read_migrations() if migrations is None else migrations
    async with _alone(connection, lock_wait_s):
        pending = _pending(known, await _applied(connection))
        done: list[Migration] = []
        for migration in pending:
            if through is Phase.PRE and migration.phase is Phase.POST:
                break
            await _apply(connection, migration)
            done.append(migration)
        return done


@asynccontextmanager
async def _alone(connection: Connection, lock_wait_s: float) -> AsyncIterator[None]:
    await connection.execute(f"SET lock_timeout = {round(lock_wait_s * 1000)}")
    await connection.execute(f"SET statement_timeout = {_STATEMENT_TIMEOUT_S * 1000}")
    try:
        await connection.execute(
            "SELECT pg_advisory_lock($1)", _LOCK, timeout=lock_wait_s + _STATEMENT_TIMEOUT_S
        )
    except asyncpg.LockNotAvailableError as error:
        raise SetupError(
            f"another migration has been running for {lock_wait_s:g} s",
            fix="wait for it, or look for it in pg_stat_activity",
        ) from error
    try:
        yield
    finally:
        if not connection.is_closed():
            await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)
            await connection.execute("RESET lock_timeout; RESET statement_timeout")


async def _applied(connection: Connection) -> dict[int, str]:
    if await connection.fetchval("SELECT to_regclass('hotline.migrations')") is None:
        return {}
    rows = await connection.fetch("SELECT number, checksum FROM hotline.migrations")
    return {row["number"]: row["checksum"] for row in rows}


def _pending(known: Sequence[Migration], applied: dict[int, str]) -> list[Migration]:
    if unknown := sorted(applied.keys() - {migration.number for migration in known}):
        raise SetupError(
            f"the database has migration {unknown[-1]:04}, which this version does not know",
            fix="start the newer version of the product that made it",
        )
    for migration in known:
        if applied.get(migration.number, migration.checksum) != migration.checksum:
            raise SetupError(
                f"migration {migration.number:04}_{migration.name} was changed after it ran",
                fix="restore the file as released and put the change into a new migration",
            )
    return [migration for migration in known if migration.number not in applied]


async def _apply(connection: Connection, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(migration.sql, timeout=_STATEMENT_TIMEOUT_S)
        await connection.execute(
            "INSERT INTO hotline.migrations (number, phase, name, checksum)"
            " VALUES ($1, $2, $3, $4)",
            migration.number,
            migration.phase.value,
            migration.name,
            migration.checksum,
        )
    log.info("migration_applied", number=migration.number, name=migration.name)
