"""The way to PostgreSQL: one pool a process, every wait bounded, one error when it is away.

Owns the pool and what counts as "the database is away". Knows no table. Opening a ``Database``
does not connect: a process starts, and goes on, without PostgreSQL; each use then raises
``DatabaseUnavailable`` at once, and the first use after its return works again.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy

from base.errors import HotlineError

SCHEMA = "hotline"

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
else:
    # asyncpg's own classes are generic in its type stubs alone.
    Connection = asyncpg.Connection | PoolConnectionProxy
"""What a statement runs on: a connection of a pool or one of its own."""


class _Pooled(asyncpg.Connection):
    """Given back without asking the server to forget anything, which costs as much as a statement.

    There is nothing to forget: what our statements set or lock holds for their transaction, and
    asyncpg ends one that was left open. ``tests/unit/base/test_database.py`` reads them all.
    """

    def get_reset_query(self) -> str:
        return ""


class DatabaseUnavailable(HotlineError):
    """The database does not answer."""

    code = "database_unavailable"
    http_status = 503
    retryable = True


_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.QueryCanceledError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.LockNotAvailableError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
)
"""Worth another try later: the same statement may succeed. ``ReadOnly``: a standby took the
connection during a fail-over. ``InsufficientResources``: too many connections, disk full.
``InternalClient``: asyncpg lent a connection that still waits for a frozen server's last answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long each wait may be, in seconds."""

    connect_s: float = 3.0
    acquire_s: float = 3.0
    statement_s: float = 5.0
    """Ends the statement in the server."""
    command_s: float = 7.0
    """Ends our waiting when the server (frozen, cut off) cannot."""
    lock_s: float = 3.0


class Database:
    """A pool of connections for one role in one process."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", patience: Patience) -> None:
        self._pool = pool
        self._patience = patience

    @classmethod
    async def open(
        cls, dsn: str, *, name: str, size: int = 8, patience: Patience | None = None
    ) -> "Database":
        """Make the pool without connecting; ``name`` is shown in pg_stat_activity.

        ``dsn`` holds the password and is never logged.
        """
        patience = patience or Patience()
        pool = await asyncpg.create_pool(
            **_connect_arguments(dsn, name, patience),
            min_size=0,
            max_size=size,
            max_inactive_connection_lifetime=300.0,
            init=_use_json,
            connection_class=_Pooled,
        )
        return cls(pool, patience)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Borrow a connection; failures of it inside the block become ``DatabaseUnavailable``."""
        try:
            async with asyncio.timeout(self._patience.acquire_s):
                connection = await self._pool.acquire()
            try:
                yield connection
            finally:
                await self._pool.release(connection, timeout=self._patience.acquire_s)
        except _AWAY as error:
            raise DatabaseUnavailable(cause=type(error).__name__) from error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Borrow a connection inside a transaction.

        ``DatabaseUnavailable`` from here leaves open whether the commit happened: whoever tries
        again must be idempotent.
        """
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def fetch(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        async with self.connection() as connection:
            return await connection.fetch(sql, *arguments)

    async def fetchrow(self, sql: str, *arguments: object) -> asyncpg.Record | None:
        async with self.connection() as connection:
            return await connection.fetchrow(sql, *arguments)

    async def fetchval(self, sql: str, *arguments: object) -> Any:
        async with self.connection() as connection:
            return await connection.fetchval(sql, *arguments)

    async def execute(self, sql: str, *arguments: object) -> str:
        async with self.connection() as connection:
            return await connection.execute(sql, *arguments)

    async def is_up(self) -> bool:
        """Ask the server something that needs no table."""
        try:
            return bool(await self.fetchval("SELECT true"))
        except DatabaseUnavailable:
            return False

    async def close(self, timeout_s: float = 5.0) -> None:
        """Close gently; a server that does not say goodbye is left behind."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()


async def connect(
    dsn: str, *, name: str, patience: Patience | None = None
) -> "asyncpg.Connection[asyncpg.Record]":
    """One connection of its own, for migrations and commands."""
    try:
        connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(
            **_connect_arguments(dsn, name, patience or Patience())
        )
    except _AWAY as error:
        raise DatabaseUnavailable(cause=type(error).__name__) from error
    await _use_json(connection)
    return connection


def storable(text: str) -> str:
    """The text as PostgreSQL can hold it: no NUL, no halves of surrogate pairs.

    For texts that come from outside and must not be refused (a caller's name, a typed address);
    what stands in for such a character is U+FFFD.
    """
    return text.replace("\0", "\ufffd").encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _connect_arguments(dsn: str, name: str, patience: Patience) -> dict[str, Any]:
    return {
        "dsn": dsn,
        "timeout": patience.connect_s,
        "command_timeout": patience.command_s,
        "server_settings": {
            "application_name": name,
            "search_path": SCHEMA,
            "timezone": "UTC",
            "statement_timeout": str(round(patience.statement_s * 1000)),
            "lock_timeout": str(round(patience.lock_s * 1000)),
            "idle_in_transaction_session_timeout": str(round(patience.command_s * 1000)),
        },
    }


async def _use_json(connection: Connection) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: msgspec.json.encode(value).decode(),
        decoder=msgspec.json.decode,
    )
