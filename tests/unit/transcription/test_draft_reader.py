"""The process that reads drafts: the same reading as here, and its faults."""

import asyncio
import contextlib
import errno
import os
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from transcription.draft import extract
from transcription.draft_reader import DraftNotRead, DraftReader
from transcription.draft_ticket import FieldName, Speaker, Utterance
from transcription.line_process import LineProcess

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SAID = [
    Utterance(Speaker.CITIZEN, 0, "人民路的路灯昨天坏了,我的电话是一三八零零一三八零零零", 0.0, 4.0)
]


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[DraftReader]:
    made = DraftReader()
    work = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work


@pytest.fixture
async def reader() -> AsyncIterator[DraftReader]:
    async with running() as made:
        yield made


async def ready(reader: DraftReader, *, other_than: int | None = None) -> int:
    async with asyncio.timeout(30):
        while reader.pid in (None, other_than):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.02)
    assert reader.pid is not None
    return reader.pid


async def test_it_reads_what_is_read_here_and_a_killed_process_is_started_again(
    reader: DraftReader,
) -> None:
    with pytest.raises(DraftNotRead):  # nobody waits for a start
        await reader.read(SAID, "", NOW)
    pid = await ready(reader)
    here = extract(SAID, caller_number="13900139000", now=NOW)
    assert FieldName.PHONE in here.fields
    drafts = await asyncio.gather(*(reader.read(SAID, "13900139000", NOW) for _ in range(3)))
    assert drafts == [here] * 3
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(DraftNotRead):
        await reader.read(SAID, "", NOW)
    await ready(reader, other_than=pid)
    assert await reader.read(SAID, "13900139000", NOW) == here


async def test_a_process_that_hangs_holds_nobody_up_and_is_replaced(reader: DraftReader) -> None:
    pid = await ready(reader)
    reader._read_timeout_s = 0.2
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(DraftNotRead):
        await reader.read(SAID, "", NOW)
    reader._read_timeout_s = 2.0
    await ready(reader, other_than=pid)
    assert await reader.read(SAID, "", NOW) == extract(SAID, caller_number="", now=NOW)


async def test_a_process_that_cannot_be_made_now_is_made_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start, tries = LineProcess.start, 0

    async def out_of_memory_at_first(module: str, *, most_bytes: int) -> LineProcess:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise BlockingIOError(errno.EAGAIN, "fork")
        return await start(module, most_bytes=most_bytes)

    monkeypatch.setattr(LineProcess, "start", out_of_memory_at_first)
    async with running() as reader:
        await ready(reader)
        assert tries == 2
