"""Lines on disk: whole or not there, in order, gone when they are written."""

import os
from pathlib import Path

import pytest

from server.live.journal import Journal, JournalFull

LINES = [b"one\n", b"two\n", b"three\n"]


def read_all(journal: Journal) -> list[bytes]:
    found: list[bytes] = []
    while not journal.is_empty:
        for line in journal.peek(most_bytes=4):
            found.append(line)
            journal.passed(line)
    journal.compact()
    return found


def test_lines_come_back_in_order_and_leave_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "journal" / "j"
    Journal(path).append(LINES[:2])
    journal = Journal(path)  # another process: the first was killed
    journal.append(LINES[2:])
    assert read_all(journal) == LINES
    assert path.stat().st_size == 0
    assert journal.is_empty
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("torn", [b"h", b"half a line" * 20_000])
def test_line_that_a_crash_cut_off_is_left_out(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "j"
    Journal(path).append(LINES)
    with path.open("ab") as file:
        file.write(torn)
    journal = Journal(path)
    journal.append([b"after\n"])
    assert read_all(journal) == [*LINES, b"after\n"]


def test_full_journal_takes_nothing_more(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", most_bytes=10)
    journal.append(LINES[:2])
    with pytest.raises(JournalFull):
        journal.append(LINES[2:])
    assert read_all(journal) == LINES[:2]


def test_failed_append_leaves_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "j")
    journal.append(LINES[:1])

    def no_sync(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdatasync", no_sync)
    with pytest.raises(OSError, match="No space"):
        journal.append(LINES[1:])
    monkeypatch.undo()
    assert read_all(journal) == LINES[:1]


def test_line_longer_than_one_reading_is_read_whole(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.append([b"x" * 1000 + b"\n", b"y\n"])
    assert read_all(journal) == [b"x" * 1000 + b"\n", b"y\n"]
