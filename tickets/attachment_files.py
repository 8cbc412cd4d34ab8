"""The files of attachments on disk: one folder, each file once, named by its SHA-256.

A file comes piece by piece into ``incoming`` and takes its place by one rename when it is whole
and on the disk; what breaks off leaves nothing. Bounds of size and kind are kept while it comes.
Blocking: called in threads. Knows no ticket.
"""

import errno
import hashlib
import math
import os
import re
import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, ClassVar, Final

from base.errors import HotlineError
from tickets.file_kinds import HEAD_BYTES, KINDS, FileKind, kind_of

MOST_BYTES: Final = 20 * 2**20
"""Of one file: some ten photographs of a telephone, or a minute of its film."""
PIECE_BYTES: Final = 2**18
LEAST_FREE_BYTES: Final = 2**30
"""Room on the disk that attachments leave to recordings and the database."""
LEFT_AFTER_S: Final = 3600.0
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class AttachmentTooLarge(HotlineError):
    """The file is larger than an attachment may be."""

    code: ClassVar[str] = "attachment_too_large"
    http_status: ClassVar[int] = 413


class AttachmentKindUnknown(HotlineError):
    """The file's content is of no kind that is taken."""

    code: ClassVar[str] = "attachment_kind_refused"
    http_status: ClassVar[int] = 415


class AttachmentDiskFull(HotlineError):
    """There is no room on the disk; nothing was kept of the file."""

    code: ClassVar[str] = "attachment_disk_full"
    http_status: ClassVar[int] = 507


class AttachmentNotStored(HotlineError):
    """The file could not be written; nothing was kept of it."""

    code: ClassVar[str] = "attachment_not_stored"
    http_status: ClassVar[int] = 503


class AttachmentDamaged(HotlineError):
    """The file on disk is gone, or is not what was put there."""

    code: ClassVar[str] = "attachment_damaged"
    http_status: ClassVar[int] = 500


OF_CONTENTS: Final = (
    AttachmentTooLarge,
    AttachmentKindUnknown,
    AttachmentDiskFull,
    AttachmentNotStored,
)
"""Why a file may not be taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A file that has come wholly and is on the disk, not in its place yet."""

    sha256: str
    size_bytes: int
    kind: FileKind


class AttachmentFiles:
    """One installation's attachments."""

    def __init__(
        self,
        folder: Path,
        most_bytes: int = MOST_BYTES,
        least_free_bytes: int = LEAST_FREE_BYTES,
    ) -> None:
        self._folder = folder
        self.most_bytes = most_bytes
        self.least_free_bytes = least_free_bytes

    @property
    def incoming_folder(self) -> Path:
        return self._folder / "incoming"

    def path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256

    @contextmanager
    def incoming(self) -> Iterator["Incoming"]:
        """A file that comes; unless it was placed nothing of it stays."""
        with _said_clearly():
            coming = Incoming(self)
        try:
            yield coming
        finally:
            coming.close()

    def open_checked(self, sha256: str) -> BinaryIO:
        """The file, read through once: what was put there, or ``AttachmentDamaged``."""
        try:
            file = self.path(sha256).open("rb")
        except OSError as error:
            raise AttachmentDamaged(cause=type(error).__name__) from error
        try:
            if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                raise AttachmentDamaged(cause="hash")
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file

    def remove(self, sha256: str) -> None:
        """For retention alone."""
        self.path(sha256).unlink(missing_ok=True)

    def placed_before(self, time_s: float) -> list[str]:
        """The SHA-256 of each file that was written before this moment of the Unix clock."""
        return sorted(
            path.name
            for path in self._folder.glob("[0-9a-f][0-9a-f]/*")
            if _SHA256.fullmatch(path.name) and _written_s(path) < time_s
        )

    def sweep_incoming(self) -> None:
        """At a start: what a killed process left half-come; what others of us write is young."""
        for left in self.incoming_folder.glob("*"):
            with suppress(FileNotFoundError):
                if time.time() - left.stat().st_mtime > LEFT_AFTER_S:
                    left.unlink()


class Incoming:
    """One file while it comes."""

    def __init__(self, files: AttachmentFiles) -> None:
        self._files = files
        folder = files.incoming_folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = folder / f"{os.getpid()}-{uuid.uuid4().hex}"
        if shutil.disk_usage(folder).free < files.least_free_bytes:
            raise AttachmentDiskFull
        self._handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._digest = hashlib.sha256()
        self._size = 0
        self._head = b""
        # Whoever waited for a write in a thread may be cancelled, the thread cannot: without the
        # lock its handle could be closed under it and be another file's by then.
        self._lock = threading.Lock()
        self._is_closed = False

    def write(self, piece: bytes) -> None:
        with self._lock:
            if not self._is_closed:
                self._write(piece)

    def _write(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._files.most_bytes:
            raise AttachmentTooLarge(most_bytes=self._files.most_bytes)
        if len(self._head) < HEAD_BYTES:
            self._head += piece[: HEAD_BYTES - len(self._head)]
            if len(self._head) == HEAD_BYTES:
                self._kind()
        self._digest.update(piece)
        with _said_clearly():
            left = memoryview(piece)
            while left:
                left = left[os.write(self._handle, left) :]

    def whole(self) -> Whole:
        """All has come: it is on the disk when this returns."""
        kind = self._kind()
        with _said_clearly():
            os.fsync(self._handle)
        return Whole(sha256=self._digest.hexdigest(), size_bytes=self._size, kind=kind)

    def place(self, whole: Whole) -> None:
        """Take its place for good; what lies there already has the same content."""
        place = self._files.path(whole.sha256)
        with _said_clearly():
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.replace(place)
            for folder in (place.parent, place.parent.parent):
                _sync_folder(folder)

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            os.close(self._handle)
            self._path.unlink(missing_ok=True)

    def _kind(self) -> FileKind:
        kind = kind_of(self._head)
        if kind is None:
            raise AttachmentKindUnknown(taken=sorted(each.media_type for each in KINDS))
        return kind


def _written_s(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return math.inf


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _said_clearly() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise AttachmentDiskFull from error
        raise AttachmentNotStored(cause=errno.errorcode.get(error.errno or 0, "unknown")) from error
