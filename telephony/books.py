"""Reads the end of Asterisk's own books: CEL, CDR and queue_log, kept whether we run or not.

They grow for months, so the place to begin is searched for by time and nothing before it is read.
A half-written, damaged or foreign line is passed over. Blocking: give it to a thread.
"""

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from telephony.naming import instant

Row = Sequence[str]

_LONGEST_LINE_BYTES: Final = 64 * 1024
# Lines of one book are written by several threads: neighbours may change places.
_DISORDER_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Book:
    """One kind of file: where it lies, how a line is cut up and dated."""

    path: str
    fields: int
    """The least number of fields of a line that is whole."""
    when: Callable[[Row], datetime | None]
    delimiter: str = ","


def _utc(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None


# asterisk-conf/cel_custom.conf.j2: type, time, linked id, unique id, channel, number, exten, app,
# extra.
CEL: Final = Book("cel-custom/cel.csv", 9, lambda row: instant(row[1]))
# cdr.conf.j2 asks for UTC and the newer columns; a record is written when its channel has ended.
CDR: Final = Book("cdr-csv/Master.csv", 20, lambda row: _utc(row[11]))
QUEUE_LOG: Final = Book("queue_log", 5, lambda row: instant(row[0]), "|")


def read_book(log_dir: Path, book: Book, *, since: datetime, holding: bytes = b"") -> list[Row]:
    """The rows from ``since`` on, in the order of the file; none where there is no such file.

    ``holding``: only lines with these bytes in them are taken apart.
    """
    path = log_dir / book.path
    rows: list[Row] = []
    for each in (*reversed(parts_of(path)), path):
        try:
            with each.open("rb") as file:
                if os.fstat(file.fileno()).st_mtime >= since.timestamp() - _DISORDER_S:
                    rows += _rows_since(file, book, since, holding)
        except OSError:
            continue
    return rows


def first_at(log_dir: Path, book: Book) -> datetime | None:
    """When the book's oldest line was written; None where there is none that can be read."""
    try:
        with (log_dir / book.path).open("rb") as file:
            return _next_time(file, book)
    except OSError:
        return None


def parts_of(path: Path) -> list[Path]:
    """What was put aside of a book or log, the newest first: ``.0`` (Asterisk, we) or ``.1``."""
    parts = path.parent.glob(f"{path.name}.*")
    numbered = [part for part in parts if part.suffix.removeprefix(".").isdecimal()]
    return sorted(numbered, key=lambda part: int(part.suffix.removeprefix(".")))


def _rows_since(file: BinaryIO, book: Book, since: datetime, holding: bytes) -> Iterator[Row]:
    file.seek(_start(file, book, since))
    for line in file:
        row = _row(line, book) if holding in line else None
        if row is not None and (at := book.when(row)) is not None and at >= since:
            yield row


def _start(file: BinaryIO, book: Book, since: datetime) -> int:
    """An offset at a line's beginning, not after the first line that is wanted."""
    low, high = 0, file.seek(0, 2)
    wanted_s = since.timestamp() - _DISORDER_S
    while high - low > _LONGEST_LINE_BYTES:
        middle = (low + high) // 2
        file.seek(middle)
        file.readline()  # what is left of the line we fell into
        begin = file.tell()
        at = _next_time(file, book)
        if at is not None and at.timestamp() < wanted_s:
            low = begin
        else:
            high = middle
    file.seek(low)
    return low


def _next_time(file: BinaryIO, book: Book) -> datetime | None:
    """When the next line that can be read was written."""
    for line in file:
        row = _row(line, book)
        if row is not None and (at := book.when(row)) is not None:
            return at
    return None


def _row(line: bytes, book: Book) -> Row | None:
    if not line.endswith(b"\n"):
        return None  # Asterisk is still writing it.
    text = line.decode("utf-8", "replace").rstrip("\r\n").replace("\0", "")
    if book.delimiter == "|":
        row = text.split("|")
    else:
        try:
            row = next(csv.reader([text]), [])
        except csv.Error:
            return None
    return row if len(row) >= book.fields else None
