"""Lines on disk that wait for the database: appended, synced, read from the start, then emptied.

Blocking; one may append while another reads. A line that a crash cut off is left out when the
file is opened again. Must never hold what the database already has for long: it is emptied as
soon as everything in it is written.
"""

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

MOST_BYTES: Final = 512 << 20
"""Some hours of a busy centre. Beyond that nothing more is taken (see ``server.live.scribe``)."""


class JournalFull(Exception):
    """The file has reached its bound."""


class Journal:
    """One file of whole lines."""

    def __init__(self, path: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self._path = path
        self._most_bytes = most_bytes
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._size = self._mend()
        self._read_at = 0
        self._lock = threading.Lock()

    @property
    def is_empty(self) -> bool:
        """Whether nothing in it waits."""
        return self._read_at >= self._size

    @property
    def waiting_bytes(self) -> int:
        return self._size - self._read_at

    def append(self, lines: Sequence[bytes]) -> None:
        """Add whole lines durably, or none: raises OSError or JournalFull."""
        data = b"".join(lines)
        with self._lock:
            if self._size + len(data) > self._most_bytes:
                raise JournalFull
            try:
                written = 0
                while written < len(data):
                    written += os.write(self._handle, data[written:])
                os.fdatasync(self._handle)
            except OSError:
                os.ftruncate(self._handle, self._size)
                raise
            self._size += len(data)

    def peek(self, most_bytes: int = 1 << 18) -> list[bytes]:
        """The next lines; at least one where there is one."""
        most_bytes = min(most_bytes, self._size - self._read_at)
        data = os.pread(self._handle, most_bytes, self._read_at)
        while data and b"\n" not in data and self._read_at + len(data) < self._size:
            data = os.pread(self._handle, len(data) * 2, self._read_at)
        return data[: data.rfind(b"\n") + 1].splitlines(keepends=True)

    def passed(self, line: bytes) -> None:
        """The next line is written."""
        self._read_at += len(line)

    def compact(self) -> None:
        """Empty the file if all of it is written."""
        with self._lock:
            if self.is_empty and self._size:
                os.ftruncate(self._handle, 0)
                os.fdatasync(self._handle)
                self._size = self._read_at = 0

    def close(self) -> None:
        os.close(self._handle)

    def _mend(self) -> int:
        """Cut off half a line at the end; returns the size."""
        size = os.fstat(self._handle).st_size
        at = size
        while at > 0:
            begin = max(0, at - 65536)
            found = os.pread(self._handle, at - begin, begin).rfind(b"\n")
            if found >= 0:
                at = begin + found + 1
                break
            at = begin
        if at < size:
            os.ftruncate(self._handle, at)
            os.fdatasync(self._handle)
        return at
