"""Confirmations kept on disk while PostgreSQL is away, and entered on its return.

Owns one folder, shared by all web processes of an installation: one 0600 file a call, complete and
synced before anybody is told that it is kept. The first confirmation of a call wins, as it does in
the database. A file goes only after its ticket is committed; entered twice it gives the same
ticket (``tickets.registration``), so a crash at any point loses nothing and doubles nothing.
"""

import asyncio
import fcntl
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import msgspec
import structlog

from base.database import Database, DatabaseUnavailable
from base.errors import HotlineError
from tickets.beginning import Beginning
from tickets.registration import Confirmation, Registered, checked, register

log = structlog.get_logger(__name__)

_SUFFIX = ".confirmation.json"


class SpoolFailed(HotlineError):
    """The database is away and the confirmation could not be kept on disk either."""

    code = "confirmation_not_kept"
    http_status = 503
    retryable = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The confirmation is safe on disk; its ticket gets a number when the database is back."""

    call: str


class Spool:
    """The folder. Blocking; ``Registrar`` calls it in threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, confirmation: Confirmation) -> None:
        """Write it durably; a second confirmation of the same call changes nothing."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=self._folder, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(confirmation))
                file.flush()
                os.fsync(file.fileno())
            # A hard link never overwrites: two processes cannot both be first.
            os.link(temporary, self._path(confirmation.call))
        except FileExistsError:
            log.info("confirmation_already_kept", call=confirmation.call)
        finally:
            os.unlink(temporary)
        self._sync_folder()

    def holds(self, call: str) -> bool:
        return self._path(call).exists()

    def waiting(self) -> list[Path]:
        """The kept confirmations, oldest first."""
        found = [(path.stat().st_mtime_ns, path) for path in self._folder.glob(f"*{_SUFFIX}")]
        return [path for _, path in sorted(found)]

    def read(self, path: Path) -> Confirmation:
        return msgspec.json.decode(path.read_bytes(), type=Confirmation)

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._sync_folder()

    def lock(self) -> int | None:
        """Become the one process that enters; None if another is. Its death frees the lock."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        return handle

    def _path(self, call: str) -> Path:
        # Hashed: a call id comes from outside and must not choose a path.
        return self._folder / (hashlib.sha256(call.encode()).hexdigest() + _SUFFIX)

    def _sync_folder(self) -> None:
        handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


Entered = Callable[[Confirmation, Registered], Awaitable[None]]
"""Called after a kept confirmation became a ticket, to tell the agent."""


class Registrar:
    """Confirms drafts: into the database, or onto disk while it is away."""

    def __init__(
        self, database: Database, spool: Spool, beginning: Beginning | None = None
    ) -> None:
        self._database = database
        self._spool = spool
        self._beginning = beginning
        self._refused: set[str] = set()

    async def confirm(self, confirmation: Confirmation) -> Registered | Kept:
        """Make the call's one ticket, or keep the confirmation until it can be made.

        Raises ``TicketRefused`` for bad values, and ``SpoolFailed`` if both places fail.
        """
        checked(confirmation)
        if await asyncio.to_thread(self._spool.holds, confirmation.call):
            return Kept(call=confirmation.call)
        try:
            return await register(self._database, confirmation, self._beginning)
        except (DatabaseUnavailable, asyncpg.PostgresError) as error:
            # Also for errors of ours in the SQL: what an agent has confirmed is never thrown away.
            log.warning(
                "confirmation_kept_on_disk", call=confirmation.call, cause=type(error).__name__
            )
        try:
            await asyncio.to_thread(self._spool.keep, confirmation)
        except OSError as error:
            raise SpoolFailed(cause=type(error).__name__) from error
        return Kept(call=confirmation.call)

    async def is_kept(self, call: str) -> bool:
        return await asyncio.to_thread(self._spool.holds, call)

    async def enter_kept(self, entered: Entered | None = None) -> int:
        """Enter what is kept, oldest first; returns how many. Another process at it: 0.

        Raises ``DatabaseUnavailable`` when it is still away, or what ``entered`` raises if that
        may be tried again. A confirmation that the database
        refuses is logged, stays on disk and does not stand before the others.
        """
        async with self._alone() as is_ours:
            if not is_ours:
                return 0
            count = 0
            for path in await asyncio.to_thread(self._spool.waiting):
                count += await self._enter(path, entered)
            return count

    async def run(self, entered: Entered | None = None, *, check_s: float = 2.0) -> None:
        """Enter kept confirmations for ever, looking every ``check_s``."""
        while True:
            try:
                await self.enter_kept(entered)
            except HotlineError as error:
                log.info("confirmations_wait", code=error.code)
            except OSError:
                log.exception("spool_unreadable")
            await asyncio.sleep(check_s)

    async def _enter(self, path: Path, entered: Entered | None) -> int:
        try:
            confirmation = await asyncio.to_thread(self._spool.read, path)
            registered = await register(self._database, confirmation, self._beginning)
            if entered is not None:
                await _tell(entered, confirmation, registered)
        except (asyncpg.PostgresError, HotlineError, msgspec.MsgspecError, OSError) as error:
            if isinstance(error, HotlineError) and error.retryable:
                raise
            self._log_refused(path, error)
            return 0
        await asyncio.to_thread(self._spool.remove, path)
        log.info(
            "kept_confirmation_entered", call=confirmation.call, ticket=registered.ticket.number
        )
        return 1

    def _log_refused(self, path: Path, error: Exception) -> None:
        """Once a file and process, not every two seconds; by name alone: PostgreSQL's text of the
        error quotes the row, with the caller's name and number."""
        if path.name not in self._refused:
            self._refused.add(path.name)
            code = error.sqlstate if isinstance(error, asyncpg.PostgresError) else None
            log.error(
                "kept_confirmation_refused",
                file=path.name,
                cause=type(error).__name__,
                sqlstate=code,
            )

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[bool]:
        handle = await asyncio.to_thread(self._spool.lock)
        try:
            yield handle is not None
        finally:
            if handle is not None:
                os.close(handle)


async def _tell(entered: Entered, confirmation: Confirmation, registered: Registered) -> None:
    """A retryable failure leaves the file, so that the agent is told next time; others pass."""
    try:
        await entered(confirmation, registered)
    except HotlineError as error:
        if error.retryable:
            raise
        log.warning("agent_not_told", call=confirmation.call, code=error.code)
