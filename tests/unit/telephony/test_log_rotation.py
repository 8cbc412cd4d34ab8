"""Asterisk's books begin anew in time, are read over their parts, and kept no longer than said."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from telephony import log_rotation
from telephony.books import CDR, CEL, QUEUE_LOG, Book, parts_of, read_book
from telephony.log_rotation import BOOK_FOR, keep_books

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def write(log_dir: Path, *days_ago: float, name: str = CEL.path) -> Path:
    """A book with a line of each day, last written when its last line says."""
    path = log_dir / name
    path.parent.mkdir(parents=True, exist_ok=True)
    at_s = [(NOW - timedelta(days=ago)).timestamp() for ago in days_ago]
    path.write_text("".join(f'"CHAN_START","{at:.1f}",,,,,,,""\n' for at in at_s))
    os.utime(path, (at_s[-1], at_s[-1]))
    return path


def test_a_short_young_book_is_left_alone(tmp_path: Path) -> None:
    path = write(tmp_path, 6, 0)
    keep_books(tmp_path, keep_days=180, now=NOW)
    assert path.exists()
    assert parts_of(path) == []


def test_an_old_book_is_put_aside_and_still_read(tmp_path: Path) -> None:
    path = write(tmp_path, BOOK_FOR.days + 1, 1)
    keep_books(tmp_path, keep_days=180, now=NOW)
    assert not path.exists()
    write(tmp_path, BOOK_FOR.days + 0.5, 0.5)
    keep_books(tmp_path, keep_days=180, now=NOW)
    write(tmp_path, 0.25)
    assert [part.name for part in parts_of(path)] == ["cel.csv.0", "cel.csv.1"]
    assert len(read_book(tmp_path, CEL, since=NOW - timedelta(days=30))) == 5
    times = [row[1] for row in read_book(tmp_path, CEL, since=NOW - timedelta(days=2))]
    assert times == [f"{(NOW - timedelta(days=ago)).timestamp():.1f}" for ago in (1, 0.5, 0.25)]


def test_a_long_book_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, 0.1)
    monkeypatch.setattr(log_rotation, "MOST_BOOK_BYTES", 10)
    keep_books(tmp_path, keep_days=180, now=NOW)
    assert [part.name for part in parts_of(path)] == ["cel.csv.0"]


@pytest.mark.parametrize("book", [CEL, CDR, QUEUE_LOG])
def test_what_is_older_than_is_kept_goes(tmp_path: Path, book: Book) -> None:
    name = book.path
    old = write(tmp_path, 60, 31, name=f"{name}.3")
    kept = write(tmp_path, 60, 29, name=f"{name}.2")
    foreign = write(tmp_path, 60, name=f"{name}.bak")
    keep_books(tmp_path, keep_days=30, now=NOW)
    assert (old.exists(), kept.exists(), foreign.exists()) == (False, True, True)


def test_no_book_is_no_trouble(tmp_path: Path) -> None:
    keep_books(tmp_path, keep_days=30, now=NOW)
