"""Writes notes to PostgreSQL in order, behind the live desk, so that a slow database delays nobody.

While the database is away, or slow, what waits goes into a synced journal on disk and is written
from there, in order, on its return; a bridge killed meanwhile finds it again. Overflow rule, for
memory (``MOST_WAITING``) and for the journal: the newest note is dropped, counted and logged (the
call itself is still in Asterisk's own logs). A note that the database refuses is logged and passed
over.
"""

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable

import asyncpg
import structlog

from base.backoff import backoff_s
from base.database import DatabaseUnavailable
from server.live import notes
from server.live.journal import Journal, JournalFull
from server.live.notes import Note
from server.live.records import Records

log = structlog.get_logger(__name__)

MOST_WAITING = 20_000
SLOW_S = 1.0
"""A write that takes longer sends everything that waits to the disk."""
SPILL_EVERY_S = 0.1
PROBE_EVERY_S = 3.0
"""With nothing to write, the database is asked this often whether it is there."""


class Scribe:
    """One ordered writer."""

    def __init__(
        self, records: Records, journal: Journal, *, most_waiting: int = MOST_WAITING
    ) -> None:
        self._records = records
        self._journal = journal
        self._most_waiting = most_waiting
        self._waiting: deque[Note] = deque()
        self._changed = asyncio.Event()
        self.dropped = 0
        self.noted = 0
        """Notes taken so far."""
        self.safe = 0
        """How many of them are in the database or synced on disk."""
        self.is_database_up = True
        self._disk_trouble = ""
        self._spilling = threading.Lock()
        self._write_began_mono: float | None = None
        self._watchers: list[Callable[[Note], None]] = []

    def watch(self, tell: Callable[[Note], None]) -> None:
        """``tell`` is given each note that is taken."""
        self._watchers.append(tell)

    def note(self, note: Note) -> None:
        """Take one note."""
        if len(self._waiting) >= self._most_waiting:
            self._drop(note)
            return
        self.noted += 1
        for tell in self._watchers:
            tell(note)
        self._waiting.append(note)
        self._changed.set()

    @property
    def waiting(self) -> int:
        """Notes in memory alone."""
        return len(self._waiting)

    @property
    def is_idle(self) -> bool:
        """Whether everything noted is in the database."""
        return not self._waiting and self._journal.is_empty

    @property
    def has_journal(self) -> bool:
        """Whether notes wait on disk."""
        return not self._journal.is_empty

    async def run(self) -> None:
        """Write for ever; what is not written when it ends waits on disk for the next start."""
        if not self._journal.is_empty:
            log.info("journal_found", waiting_bytes=self._journal.waiting_bytes)
        try:
            while True:
                if not self._journal.is_empty:
                    await self._write_journal()
                elif self._waiting:
                    await self._write_first()
                else:
                    await self._rest()
        finally:
            self._append()

    async def _rest(self) -> None:
        """Wait for a note, and look after the database meanwhile."""
        self._changed.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PROBE_EVERY_S):
                await self._changed.wait()
            return
        probe = asyncio.ensure_future(self._records.is_up())
        try:
            done, _ = await asyncio.wait({probe}, timeout=SLOW_S)
            if not done:
                self._set_up(is_up=False)
                await self._spill_until(probe)
            self._set_up(is_up=await probe)
        finally:
            probe.cancel()

    async def _write_first(self) -> None:
        note = self._waiting[0]
        writing = asyncio.ensure_future(self._write(note))
        try:
            done, _ = await asyncio.wait({writing}, timeout=SLOW_S)
            if not done:
                self._set_up(is_up=False)
                await self._spill_until(writing)
                return  # written or not, it is in the journal: writing it again changes nothing
            if await writing:
                if self._waiting and self._waiting[0] is note:
                    self._waiting.popleft()
                    self.safe += 1
                return
            await self._spill()
            if self._waiting:  # neither database nor disk takes it
                await asyncio.sleep(SLOW_S)
        finally:
            writing.cancel()

    async def _write_journal(self) -> None:
        """Write from the journal until it is empty, taking in what comes meanwhile."""
        waits = backoff_s(first_s=0.2, most_s=5.0)
        while not self._journal.is_empty:
            written = asyncio.ensure_future(self._write_lines())
            try:
                await self._spill_until(written)
                if await written:
                    waits = backoff_s(first_s=0.2, most_s=5.0)
                    continue
                until_mono = time.monotonic() + next(waits)
                while time.monotonic() < until_mono:
                    await asyncio.sleep(SPILL_EVERY_S)
                    await self._spill()
            finally:
                written.cancel()
        log.info("journal_written")

    async def _write_lines(self) -> bool:
        """Write some lines; False where the database is away."""
        for line in await asyncio.to_thread(self._journal.peek):
            note = notes.from_line(line)
            if note is None:
                log.error("journal_line_unreadable", size_bytes=len(line))
            elif not await self._write(note):
                return False
            self._journal.passed(line)
        await asyncio.to_thread(self._journal.compact)
        return True

    async def _write(self, note: Note) -> bool:
        """Write one note; False where the database is away."""
        self._write_began_mono = time.monotonic()
        try:
            await notes.write(self._records, note)
        except DatabaseUnavailable as error:
            self._set_up(is_up=False, **error.params)
            return False
        except asyncpg.PostgresError as error:
            # Not the whole error: its detail quotes the row, with the caller's name.
            log.error("record_refused", what=notes.kind(note), sqlstate=error.sqlstate)
        finally:
            self._write_began_mono = None
        self._set_up(is_up=True)
        return True

    def _set_up(self, *, is_up: bool, **params: object) -> None:
        if is_up != self.is_database_up:
            log.warning("database_away" if not is_up else "database_back", **params)
        self.is_database_up = is_up

    # ---- the disk ------------------------------------------------------------------------------

    async def _spill_until(self, work: asyncio.Future[bool]) -> None:
        while not work.done():
            began_mono = self._write_began_mono
            if began_mono is not None and time.monotonic() - began_mono > SLOW_S:
                self._set_up(is_up=False)
            await self._spill()
            await asyncio.wait({work}, timeout=SPILL_EVERY_S)

    async def _spill(self) -> None:
        """Put what waits in memory onto the disk."""
        if self._waiting:
            await asyncio.to_thread(self._append)

    def _append(self) -> None:
        with self._spilling:
            spilt = self._waiting.copy()
            try:
                self._journal.append([notes.as_line(note) for note in spilt])
            except JournalFull:
                for note in spilt:
                    self._drop(note)
            except OSError as error:
                self._note_disk_trouble(error)
                return
            self._disk_trouble = ""
            for _ in spilt:
                self._waiting.popleft()
            self.safe += len(spilt)

    def _note_disk_trouble(self, error: OSError) -> None:
        """Full or broken: what waits goes on waiting in memory."""
        if self._disk_trouble != type(error).__name__:
            self._disk_trouble = type(error).__name__
            log.error("journal_not_written", cause=self._disk_trouble, errno=error.errno)

    def _drop(self, note: Note) -> None:
        self.dropped += 1
        log.error("record_dropped", what=notes.kind(note), dropped=self.dropped)
