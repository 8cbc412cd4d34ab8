"""Files on disk: whole or not at all, each once, what they say they are, found out when damaged."""

import errno
import os
from pathlib import Path

import pytest

from tickets.attachment_files import (
    AttachmentDamaged,
    AttachmentDiskFull,
    AttachmentFiles,
    AttachmentKindUnknown,
    AttachmentNotStored,
    AttachmentTooLarge,
)
from tickets.file_kinds import KINDS, kind_of, named_as

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def put(files: AttachmentFiles, content: bytes) -> str:
    with files.incoming() as coming:
        for at in range(0, len(content), 7):
            coming.write(content[at : at + 7])
        whole = coming.whole()
        coming.place(whole)
        return whole.sha256


def everything(folder: Path) -> list[Path]:
    return [each for each in folder.rglob("*") if each.is_file()]


def test_a_file_lies_under_its_hash_for_its_owner_alone_and_once(tmp_path: Path) -> None:
    files = AttachmentFiles(tmp_path)
    assert put(files, PNG) == put(files, PNG)
    (found,) = everything(tmp_path)
    assert found.name == put(files, PNG)
    assert found.stat().st_mode & 0o777 == 0o600
    assert found.parent.stat().st_mode & 0o077 == 0
    with files.open_checked(found.name) as file:
        assert file.read() == PNG


def test_what_is_too_large_or_of_no_known_kind_leaves_nothing(tmp_path: Path) -> None:
    files = AttachmentFiles(tmp_path, most_bytes=50)
    with pytest.raises(AttachmentTooLarge):
        put(files, PNG)
    for content in (b"MZ" + bytes(30), b"<html>" + bytes(30), b"PK\x03\x04" + bytes(30), b"", b"%"):
        with pytest.raises(AttachmentKindUnknown):
            put(files, content)
    assert everything(tmp_path) == []


@pytest.mark.parametrize(
    ("number", "refusal"),
    [(errno.ENOSPC, AttachmentDiskFull), (errno.EIO, AttachmentNotStored)],
)
@pytest.mark.parametrize("step", ["write", "fsync"])
def test_a_full_or_broken_disk_is_said_and_leaves_nothing(
    number: int,
    refusal: type[Exception],
    step: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> int:
        raise OSError(number, "made up")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(refusal):
        put(AttachmentFiles(tmp_path), PNG)
    assert everything(tmp_path) == []


def test_a_file_that_was_changed_or_is_gone_is_not_given(tmp_path: Path) -> None:
    files = AttachmentFiles(tmp_path)
    name = put(files, PNG)
    files.path(name).write_bytes(PNG[:-1] + b"x")
    with pytest.raises(AttachmentDamaged):
        files.open_checked(name)
    files.path(name).unlink()
    with pytest.raises(AttachmentDamaged):
        files.open_checked(name)


def test_what_a_killed_process_left_is_swept_and_what_comes_now_is_not(tmp_path: Path) -> None:
    files = AttachmentFiles(tmp_path)
    with files.incoming() as coming:
        coming.write(PNG)
        old = files.incoming_folder / "old"
        old.write_bytes(b"half")
        os.utime(old, (0, 0))
        files.sweep_incoming()
        assert len(everything(tmp_path)) == 1


def test_a_write_that_comes_after_the_end_touches_no_other_file(tmp_path: Path) -> None:
    files = AttachmentFiles(tmp_path)
    with files.incoming() as coming:
        coming.write(PNG)
    with (tmp_path / "other").open("wb") as other:  # takes the freed descriptor
        coming.write(PNG)
        assert os.fstat(other.fileno()).st_size == 0


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"\xff\xd8\xff\xe0" + bytes(12), "image/jpeg"),
        (PNG[:16], "image/png"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "image/heic"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "video/mp4"),
        (b"\0\0\0\x18ftyp3gp4\0\0\0\0", "video/3gpp"),
        (b"\0\0\0\x18ftypM4A \0\0\0\0", "audio/mp4"),
        (b"\0\0\0\x18ftypqt  \0\0\0\0", "video/quicktime"),
        (b"%PDF-1.7\n" + bytes(7), "application/pdf"),
        (b"ID3\x04" + bytes(12), "audio/mpeg"),
        (b"#!AMR\n" + bytes(10), "audio/amr"),
        (b"RIFF\0\0\0\0AVI LIST", None),
        (b"\0\0\0\x18ftypcrx \0\0\0\0", None),
        (b"<svg xmlns=" + bytes(5), None),
        (b"#!/bin/sh\n" + bytes(6), None),
    ],
)
def test_a_kind_is_read_from_the_first_bytes(head: bytes, media_type: str | None) -> None:
    kind = kind_of(head)
    assert (None if kind is None else kind.media_type) == media_type


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("照片.JPG", "照片.JPG"),
        ("发票.exe", "发票.exe.jpg"),
        ("../../etc/passwd", "passwd.jpg"),
        ("C:\\temp\\a.jpeg", "a.jpeg"),
        ("a\r\nSet-Cookie: b.jpg", "aSet-Cookie: b.jpg"),
        ("‮gpj.exe", "gpj.exe.jpg"),
        ("", "file.jpg"),
        ("长" * 300, "长" * 196 + ".jpg"),
    ],
)
def test_a_name_is_kept_without_path_or_tricks(given: str, kept: str) -> None:
    jpeg = next(each for each in KINDS if each.media_type == "image/jpeg")
    assert named_as(jpeg, given) == kept
