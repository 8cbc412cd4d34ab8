"""From Asterisk's raw file to a sound file with a record, through crashes, outages, a full disk."""

import asyncio
import errno
import hashlib
import os
import time
import wave
from pathlib import Path

import pytest
import structlog

from base.database import Database, DatabaseUnavailable
from base.ids import CallId
from server.records import recordings
from server.records.postgres import PostgresRecords
from server.records.recordings import RecordingKeeper
from tests.integration.server.test_records import facts

CALL = CallId("node-1795315851.7")
SOUND = b"\x01\x00\x02\x00" * 800


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "recordings"
    made.mkdir(mode=0o700)
    return made


def put_raw(folder: Path, call: CallId = CALL, sound: bytes = SOUND) -> Path:
    raw = folder / f"{call}.raw"
    raw.write_bytes(sound)
    return raw


def keeper(
    folder: Path,
    bridge: Database,
    live: set[CallId] | None = frozenset(),  # type: ignore[assignment]
) -> RecordingKeeper:
    return RecordingKeeper(folder, PostgresRecords(bridge), lambda: live, settle_s=-1)


async def test_ended_call_gets_a_sound_file_its_hash_and_no_raw_file(
    folder: Path, bridge: Database
) -> None:
    records = PostgresRecords(bridge)
    await records.keep_call(facts(CALL))
    raw = put_raw(folder, sound=SOUND + b"\x01\x00")  # a power cut left half a frame
    assert await keeper(folder, bridge).sweep() == 1
    assert not raw.exists()
    found = await records.recording(CALL)
    assert found is not None
    path = folder / found.path
    assert path.stat().st_mode & 0o777 == 0o600
    assert hashlib.sha256(path.read_bytes()).hexdigest() == found.sha256
    with wave.open(str(path)) as sound:
        assert (sound.getnchannels(), sound.getframerate(), sound.getsampwidth()) == (2, 8000, 2)
        assert sound.readframes(10_000) == SOUND
    assert await keeper(folder, bridge).sweep() == 0


async def test_live_call_is_left_alone_and_so_is_every_call_while_nobody_can_tell(
    folder: Path, bridge: Database
) -> None:
    raw = put_raw(folder)
    assert await keeper(folder, bridge, {CALL}).sweep() == 0
    assert await keeper(folder, bridge, None).sweep() == 0
    assert raw.exists()


async def test_file_that_just_changed_is_left_alone(folder: Path, bridge: Database) -> None:
    put_raw(folder)
    made = RecordingKeeper(folder, PostgresRecords(bridge), lambda: (), settle_s=60)
    assert await made.sweep() == 0


async def test_file_of_before_the_clock_was_set_back_is_not_waited_for(
    folder: Path, bridge: Database
) -> None:
    raw = put_raw(folder)
    os.utime(raw, (time.time() + 8 * 3600, time.time() + 8 * 3600))
    made = RecordingKeeper(folder, PostgresRecords(bridge), lambda: ())
    assert await made.sweep() == 1


async def test_recording_before_its_call_brings_the_row_and_keeps_later_facts(
    folder: Path, bridge: Database
) -> None:
    put_raw(folder)
    await keeper(folder, bridge).sweep()
    records = PostgresRecords(bridge)
    await records.keep_call(facts(CALL))
    stored = await records.find_call(CALL)
    assert stored is not None
    assert stored.facts.caller_number == facts().caller_number
    assert await records.recording(CALL) is not None


async def test_crash_after_the_sound_file_does_the_rest_next_time(
    folder: Path, bridge: Database
) -> None:
    raw = put_raw(folder)
    recordings.make_wav(raw)
    (folder / ".half.part").write_bytes(b"RIFF")
    assert await keeper(folder, bridge).sweep() == 1
    assert sorted(os.listdir(folder)) == [f"{CALL}.wav"]


async def test_absent_database_leaves_the_raw_file_and_is_logged_once(
    folder: Path, bridge: Database
) -> None:
    raw = put_raw(folder)

    class Away:
        async def keep_recording(self, call: CallId, path: str, sha256: str) -> None:
            raise DatabaseUnavailable

    made = RecordingKeeper(folder, Away(), lambda: (), settle_s=-1)
    with structlog.testing.capture_logs() as logs:
        assert [await made.sweep(), await made.sweep()] == [0, 0]
    assert [line["event"] for line in logs] == ["recordings_wait"]
    assert raw.exists()


async def test_full_disk_leaves_the_raw_file_and_is_logged_once(
    folder: Path, bridge: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = put_raw(folder)
    made = keeper(folder, bridge)

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with structlog.testing.capture_logs() as logs:
        assert [await made.sweep(), await made.sweep()] == [0, 0]
    assert [line["event"] for line in logs] == ["recordings_wait"]
    assert os.listdir(folder) == [raw.name]
    monkeypatch.undo()
    assert await made.sweep() == 1


async def test_a_recording_that_cannot_be_kept_holds_up_no_other(
    folder: Path, bridge: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = put_raw(folder, CallId("node-1795315850.1"), b"")
    os.truncate(endless, 1 << 32)  # a line that stood for 37 hours
    unread = put_raw(folder, CallId("node-1795315850.2"))
    good = put_raw(folder)
    for age_s, raw in enumerate((good, unread, endless), start=10):
        os.utime(raw, (time.time() - age_s, time.time() - age_s))
    make_wav = recordings.make_wav

    def on_a_bad_disk(raw: Path) -> tuple[Path, str, int]:
        if raw == unread:
            raise OSError(errno.EIO, "Input/output error")
        return make_wav(raw)

    monkeypatch.setattr(recordings, "make_wav", on_a_bad_disk)
    made = keeper(folder, bridge)
    with structlog.testing.capture_logs() as logs:
        assert [await made.sweep(), await made.sweep()] == [1, 0]
    assert [line["event"] for line in logs] == ["recording_kept", "recordings_wait"]
    assert await PostgresRecords(bridge).recording(CALL) is not None
    assert endless.exists()
    assert unread.exists()
    assert not good.exists()


async def test_end_of_a_call_hurries_the_sweep(folder: Path, bridge: Database) -> None:
    live = {CALL}
    made = keeper(folder, bridge, live)
    raw = put_raw(folder)
    running = asyncio.create_task(made.run(every_s=3600))
    live.clear()
    made.call_ended()
    async with asyncio.timeout(10):
        while raw.exists():  # noqa: ASYNC110 - a file tells nobody that it goes
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_foreign_files_stay(folder: Path, bridge: Database) -> None:
    for name in ("notes.txt", "with space.raw", ".hidden"):
        (folder / name).write_bytes(b"x")
    assert await keeper(folder, bridge).sweep() == 0
    assert len(os.listdir(folder)) == 3
