"""Notes reach the records in order and once, through outages, kills and full disks."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from base.database import DatabaseUnavailable
from base.ids import AgentId, CallId, RingId
from server.live import notes, scribe
from server.live.journal import Journal
from server.live.notes import EndRing, KeepCall, KeepDraft, KeepLine, KeepRing, Note
from server.live.records import CallFacts
from server.live.scribe import Scribe
from server.push.protocol import Line
from telephony.events import Outcome
from tests.fakes.records import FakeRecords
from transcription.draft_ticket import Draft, DraftField, Evidence, FieldName, Speaker
from transcription.engine import Word

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def ring(number: int) -> KeepRing:
    return KeepRing(RingId(f"ring-{number}"), CallId("c"), AgentId("1001"), AT)


@asynccontextmanager
async def running(made: Scribe) -> AsyncIterator[None]:
    task = asyncio.create_task(made.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the scribe tells nobody
            await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scribe, "SLOW_S", 0.05)
    monkeypatch.setattr(scribe, "SPILL_EVERY_S", 0.01)
    monkeypatch.setattr(scribe, "PROBE_EVERY_S", 0.02)


def every_note() -> list[Note]:
    line = Line(
        id="citizen-0",
        speaker="citizen",
        number=0,
        revision=1,
        text="水管爆了",
        start_s=1.0,
        end_s=2.0,
        is_final=True,
        confidence=None,
    )
    place = DraftField("人民路", 0.8, (Evidence(Speaker.CITIZEN, 0, 0, 3, "人民路"),), ("3701",))
    facts = CallFacts(
        call=CallId("c"),
        caller_number="13800138000",
        caller_name="王\n小明",
        called_number="12345",
        arrived_at=AT,
        agent=AgentId("1001"),
        outcome=Outcome.ANSWERED,
    )
    return [
        KeepCall(facts),
        ring(0),
        EndRing(RingId("r"), "answered", AT),
        KeepLine(CallId("c"), line, (Word("水管", 1.0, 1.5, 0.5),), "vosk", "cn"),
        KeepDraft(CallId("c"), 3, Draft({FieldName.PLACE: place}), {FieldName.TIME: "今天"}, AT),
    ]


def test_every_note_comes_back_from_its_line_as_it_was() -> None:
    for note in every_note():
        line = notes.as_line(note)
        assert line.count(b"\n") == 1
        assert notes.from_line(line) == note
        assert notes.from_line(line[:-9] + line[-8:]) is None


async def test_notes_are_written_in_order(tmp_path: Path) -> None:
    records = FakeRecords()
    made = Scribe(records, Journal(tmp_path / "j"))
    async with running(made):
        for note in every_note():
            made.note(note)
        await until(lambda: made.is_idle)
    assert records.written == every_note()
    assert made.safe == made.noted == len(every_note())


async def test_bridge_killed_while_the_database_is_away_loses_nothing(tmp_path: Path) -> None:
    records = FakeRecords()
    records.is_away = True
    path = tmp_path / "j"
    first = Scribe(records, Journal(path))
    async with running(first):
        for number in range(50):
            first.note(ring(number))
        await until(lambda: first.safe == 50)
    assert not first.is_database_up
    # Killed: all that is left is the file.
    second = Scribe(records, Journal(path))
    async with running(second):
        second.note(ring(50))
        await until(lambda: second.waiting == 0)
        records.is_away = False
        second.note(ring(51))
        await until(lambda: second.is_idle and path.stat().st_size == 0)
    assert records.written == [ring(number) for number in range(52)]
    assert second.is_database_up


async def test_frozen_database_sends_what_waits_to_the_disk(tmp_path: Path) -> None:
    records = FakeRecords()
    records.frozen = asyncio.Event()
    made = Scribe(records, Journal(tmp_path / "j"))
    async with running(made):
        for number in range(5):
            made.note(ring(number))
        await until(lambda: made.safe == 5)
        assert not made.is_database_up
        records.frozen.set()
        await until(lambda: made.is_idle)
    assert list(dict.fromkeys(records.written)) == [ring(number) for number in range(5)]


async def test_database_that_freezes_while_the_journal_is_written_is_noticed(
    tmp_path: Path,
) -> None:
    records = FakeRecords()
    records.is_away = True
    made = Scribe(records, Journal(tmp_path / "j"))
    async with running(made):
        made.note(ring(0))
        await until(lambda: made.has_journal)
        records.frozen = asyncio.Event()
        records.is_away = False
        made.is_database_up = True  # as if it had just come back
        await until(lambda: not made.is_database_up)
        records.frozen.set()
        await until(lambda: made.is_idle and made.is_database_up)
    assert ring(0) in records.written


async def test_idle_scribe_notices_that_the_database_went_and_came_back(tmp_path: Path) -> None:
    records = FakeRecords()
    made = Scribe(records, Journal(tmp_path / "j"))
    async with running(made):
        records.is_away = True
        await until(lambda: not made.is_database_up)
        records.is_away = False
        await until(lambda: made.is_database_up)


async def test_refused_note_does_not_stand_before_the_others(tmp_path: Path) -> None:
    records = FakeRecords()
    records.refused = ring(1)
    made = Scribe(records, Journal(tmp_path / "j"))
    async with running(made):
        for number in range(3):
            made.note(ring(number))
        await until(lambda: made.is_idle)
    assert records.written == [ring(0), ring(2)]


async def test_overflow_drops_the_newest(tmp_path: Path) -> None:
    records = FakeRecords()
    made = Scribe(records, Journal(tmp_path / "j"), most_waiting=2)
    for number in range(4):
        made.note(ring(number))
    assert (made.dropped, made.noted) == (2, 2)
    async with running(made):
        await until(lambda: made.is_idle)
    assert records.written == [ring(0), ring(1)]


async def test_full_journal_drops_the_newest(tmp_path: Path) -> None:
    records = FakeRecords()
    records.is_away = True
    size = len(notes.as_line(ring(0)))
    made = Scribe(records, Journal(tmp_path / "j", most_bytes=size))
    async with running(made):
        made.note(ring(0))
        await until(lambda: made.safe == 1)
        made.note(ring(1))
        await until(lambda: made.dropped == 1)
        records.is_away = False
        await until(lambda: made.is_idle)
    assert records.written == [ring(0)]


async def test_full_disk_keeps_notes_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = FakeRecords()
    records.is_away = True
    journal = Journal(tmp_path / "j")
    tried = asyncio.Event()

    def full(lines: object) -> None:
        tried.set()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal, "append", full)
    made = Scribe(records, journal)
    async with running(made):
        made.note(ring(0))
        await until(tried.is_set)
        assert made.waiting == 1
        records.is_away = False
        await until(lambda: made.is_idle)
    assert records.written == [ring(0)]


def test_the_fakes_errors_are_the_real_ones() -> None:
    assert issubclass(asyncpg.CheckViolationError, asyncpg.PostgresError)
    assert DatabaseUnavailable.retryable
