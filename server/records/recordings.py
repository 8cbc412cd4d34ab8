"""Turns Asterisk's raw recordings of ended calls into sound files with a hash and a record.

Asterisk writes ``<call>.raw`` (8 kHz, 16 bit, left the citizen, right what the citizen hears): a
power cut leaves a whole file. After the call it becomes ``<call>.wav``, its hash is stored, and
only then the raw file goes. So a raw file *is* the note of what is still to be done: a crash, a
full disk or an absent database only puts the work off to the next sweep. A call that Asterisk
still has, or may have, is never touched.
"""

import asyncio
import contextlib
import errno
import hashlib
import os
import re
import struct
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import asyncpg
import structlog

from base.database import DatabaseUnavailable
from base.ids import CallId

log = structlog.get_logger(__name__)

RATE_HZ: Final = 8_000
CHANNELS: Final = 2
FRAME_BYTES: Final = 2 * CHANNELS
SWEEP_EVERY_S: Final = 60.0
SETTLE_S: Final = 2.0
"""MixMonitor closes its file a moment after the call's end; a younger file is left alone."""
PIECE_BYTES: Final = 1 << 20
_HEADER: Final = struct.Struct("<4sI4s4sIHHIIHH4sI")
_NAME: Final = re.compile(r"[\w.-]{1,128}")
_PART: Final = ".part"
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
SOUND_MOST_BYTES: Final = 0xFFFFFFFF - _HEADER.size
"""A WAV file's length has 32 bits: 37 hours."""

LiveCalls = Callable[[], Collection[CallId] | None]
"""The calls that Asterisk has now; None while nobody can tell."""


class RecordingBook(Protocol):
    """Where recordings are entered (``server.records.postgres``)."""

    async def keep_recording(self, call: CallId, path: str, sha256: str) -> None:
        """Where the sound lies, below the recordings' folder, and its hash."""


class RecordingKeeper:
    """One sweeper over one folder; ``run`` for ever, ``call_ended`` to hurry it."""

    def __init__(
        self, folder: Path, book: RecordingBook, live: LiveCalls, *, settle_s: float = SETTLE_S
    ) -> None:
        self._folder = folder
        self._book = book
        self._live = live
        self._settle_s = settle_s
        self._hurry = asyncio.Event()
        self._trouble = ""

    def call_ended(self) -> None:
        """There is something to do soon."""
        self._hurry.set()

    async def run(self, *, every_s: float = SWEEP_EVERY_S) -> None:
        """Sweep at the start, after ended calls and now and then."""
        while True:
            await self.sweep()
            # Not wait_for: in Python 3.11 it forgets a cancellation that comes with the event.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(every_s):
                    await self._hurry.wait()
                self._hurry.clear()
                await asyncio.sleep(self._settle_s + 0.2)

    async def sweep(self) -> int:
        """Finish what can be finished; returns how many recordings were."""
        done = 0
        trouble = ""
        try:
            for raw in await asyncio.to_thread(self._found):
                live = self._live()
                if live is None:
                    return done
                if raw.call in live:
                    continue
                try:
                    await self._keep(raw)
                    done += 1
                except (asyncpg.PostgresError, OSError) as error:
                    if isinstance(error, OSError) and error.errno in _NO_ROOM:
                        raise
                    trouble = type(error).__name__  # Of this one: it must not hold up the others.
        except (DatabaseUnavailable, OSError) as error:
            trouble = type(error).__name__
        self._note_trouble(trouble)
        return done

    def _found(self) -> list["RawRecording"]:
        with contextlib.suppress(FileNotFoundError):
            return sorted(self._raws(), key=lambda raw: raw.changed_s)
        return []

    def _raws(self) -> Iterator["RawRecording"]:
        now_s = time.time()
        for entry in os.scandir(self._folder):
            if entry.name.endswith(_PART):
                os.unlink(entry.path)  # a crash's: one sweeper, one file at a time
                continue
            name, dot, kind = entry.name.rpartition(".")
            if dot and kind == "raw" and _NAME.fullmatch(name):
                changed_s = entry.stat().st_mtime
                # Of the time ahead is what was written before the clock was set back.
                if abs(now_s - changed_s) >= self._settle_s:
                    yield RawRecording(CallId(name), Path(entry.path), changed_s)

    async def _keep(self, raw: "RawRecording") -> None:
        wav, sha256, raw_bytes = await asyncio.to_thread(make_wav, raw.path)
        await self._book.keep_recording(raw.call, wav.name, sha256)
        if not await asyncio.to_thread(_remove_if_unchanged, raw.path, raw_bytes):
            log.warning("recording_grew_after_its_call", call=raw.call)
            return
        log.info("recording_kept", call=raw.call, size_bytes=raw_bytes)

    def _note_trouble(self, trouble: str) -> None:
        """Once each kind, not every minute: the raw file waits."""
        if trouble and trouble != self._trouble:
            log.error("recordings_wait", cause=trouble)
        self._trouble = trouble


@dataclass(frozen=True, slots=True)
class RawRecording:
    """A raw file that no longer grows."""

    call: CallId
    path: Path
    changed_s: float


def make_wav(raw: Path) -> tuple[Path, str, int]:
    """Write the sound file beside ``raw``, whole or not at all: (file, SHA-256, raw bytes read).

    Half a frame at the end, left by a power cut, is left out.
    """
    wav = raw.with_suffix(".wav")
    handle, temporary = tempfile.mkstemp(dir=raw.parent, prefix=".", suffix=_PART)
    try:
        with os.fdopen(handle, "wb") as target, raw.open("rb") as source:
            raw_bytes = os.fstat(source.fileno()).st_size
            if raw_bytes > SOUND_MOST_BYTES:
                raise OSError(errno.EFBIG, "the raw recording is too long for a sound file")
            sha256 = hashlib.sha256()
            for piece in _wav_pieces(source.read, raw_bytes - raw_bytes % FRAME_BYTES):
                target.write(piece)
                sha256.update(piece)
            target.flush()
            os.fsync(target.fileno())
        os.replace(temporary, wav)
    except BaseException:
        os.unlink(temporary)
        raise
    _sync(raw.parent)
    return wav, sha256.hexdigest(), raw_bytes


def _wav_pieces(read: Callable[[int], bytes], data_bytes: int) -> Iterator[bytes]:
    yield wav_header(data_bytes)
    left = data_bytes
    while left:
        piece = read(min(left, PIECE_BYTES))
        if not piece:
            raise OSError("the raw recording became shorter")
        left -= len(piece)
        yield piece


def wav_header(data_bytes: int) -> bytes:
    """The 44 bytes before PCM sound."""
    return _HEADER.pack(
        b"RIFF",
        36 + data_bytes,
        b"WAVE",
        b"fmt ",
        16,
        1,
        CHANNELS,
        RATE_HZ,
        RATE_HZ * FRAME_BYTES,
        FRAME_BYTES,
        16,
        b"data",
        data_bytes,
    )


def _remove_if_unchanged(raw: Path, size_bytes: int) -> bool:
    if raw.stat().st_size != size_bytes:
        return False
    raw.unlink()
    _sync(raw.parent)
    return True


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
