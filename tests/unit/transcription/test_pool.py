"""Decoder processes: real ones, with an engine that makes trouble on demand."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from base.errors import SetupError
from tests.fakes.telephone_line import RATE_HZ, voice_like
from transcription.capacity import Load, RecycleLimits, SpeechBusy, choose
from transcription.engine import SpeechEvent
from transcription.pool import Admitted, WorkerPool
from transcription.worker import StreamListener, WorkerSpec

FRAME_BYTES = 320
TIMEOUT_S = 20.0


class Heard:
    """What a stream's listener was told."""

    def __init__(self) -> None:
        self.events: list[SpeechEvent] = []
        self.ends: list[str | None] = []

    @property
    def listener(self) -> StreamListener:
        return StreamListener(self.events.append, self.ends.append)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while not is_so():  # noqa: ASYNC110 — the state has no event to wait for
            await asyncio.sleep(0.02)


@asynccontextmanager
async def pool_of(
    model: str = "fake-model",
    *,
    workers: int = 1,
    streams: int = 2,
    recycle: RecycleLimits | None = None,
) -> AsyncIterator[WorkerPool]:
    spec = WorkerSpec(
        engine="fake",
        model_dir=Path(),
        model=model,
        loader="tests.fakes.fake_engine:open_fake",
    )
    pool = WorkerPool(spec, workers=workers, streams_per_worker=streams, recycle=recycle)
    try:
        await pool.start()
        await until(lambda: pool.capacity == workers * streams)
        yield pool
    finally:
        await pool.close()


def feed(place: Admitted, seconds: float) -> None:
    sound = voice_like(seconds)
    for at in range(0, len(sound), FRAME_BYTES):
        place.accept(sound[at : at + FRAME_BYTES])


async def test_words_come_while_the_sound_flows_and_the_end_comes_once() -> None:
    heard = Heard()
    async with pool_of() as pool:
        place = pool.admit("a", RATE_HZ, heard.listener)
        feed(place, 4)
        await until(lambda: len(heard.events) >= 3)
        place.finish()
        await until(lambda: bool(heard.ends))
        assert pool.streams == 0
    assert heard.ends == [None]
    assert heard.events[2].text == "您好我要投诉"


async def test_a_killed_decoder_breaks_its_streams_and_is_replaced() -> None:
    heard = Heard()
    async with pool_of() as pool:
        pool.admit("a", RATE_HZ, heard.listener)
        (pid,) = pool.pids
        os.kill(pid, signal.SIGKILL)
        await until(lambda: bool(heard.ends))
        assert heard.ends == ["decoder process ended"]
        with pytest.raises(SpeechBusy):
            pool.admit("b", RATE_HZ, Heard().listener)
        await until(lambda: pool.capacity == 2)
        assert pool.pids != [pid]
        again = Heard()
        place = pool.admit("b", RATE_HZ, again.listener)
        feed(place, 2)
        place.finish()
        await until(lambda: again.ends == [None])
    assert heard.ends == ["decoder process ended"]


async def test_a_stream_that_would_make_others_late_is_refused_though_a_place_is_free() -> None:
    first = Heard()
    async with pool_of("busy", streams=8) as pool:
        place = pool.admit("a", RATE_HZ, first.listener)
        feed(place, 3)
        await until(lambda: pool.pace > 0.5)
        with pytest.raises(SpeechBusy):
            pool.admit("b", RATE_HZ, Heard().listener)
        place.finish()
        await until(lambda: first.ends == [None])
        await until(lambda: pool.pace < 0.5)
        pool.admit("c", RATE_HZ, Heard().listener)


async def test_overload_is_refused_at_once_and_never_queued() -> None:
    async with pool_of(workers=2, streams=1) as pool:
        first, second, third = Heard(), Heard(), Heard()
        pool.admit("a", RATE_HZ, first.listener)
        place = pool.admit("b", RATE_HZ, second.listener)
        with pytest.raises(SpeechBusy):
            pool.admit("c", RATE_HZ, third.listener)
        assert pool.refused == 1
        place.finish()
        await until(lambda: second.ends == [None])
        pool.admit("c", RATE_HZ, third.listener)
        assert third.ends == []


async def test_a_decoder_that_falls_behind_breaks_the_stream() -> None:
    heard = Heard()
    async with pool_of("slow") as pool:
        feed(pool.admit("a", RATE_HZ, heard.listener), 20)
        await until(lambda: bool(heard.ends))
    assert heard.ends == ["decoder fell behind"]


async def test_an_engine_that_fails_breaks_one_stream_only() -> None:
    async with pool_of("fails") as pool:
        one, other = Heard(), Heard()
        feed(pool.admit("a", RATE_HZ, one.listener), 1)
        pool.admit("b", RATE_HZ, other.listener)
        await until(lambda: bool(one.ends))
        assert one.ends == ["RuntimeError: scripted"]
        assert other.ends == []
        assert pool.restarts == 0


async def test_a_stream_that_failed_keeps_no_other_out() -> None:
    async with pool_of("chokes") as pool:
        failed = Heard()
        place = pool.admit("a", RATE_HZ, failed.listener)
        (worker,) = pool._workers
        feed(place, 1)
        asked = worker._ping
        await until(lambda: worker._ping > asked + 1)
        feed(place, 4)  # waits for a thread that has stopped working
        await until(lambda: bool(failed.ends))
        asked = worker._ping
        await until(lambda: worker._ping > asked + 2)
        assert worker.usage.lag_s == 0.0
        pool.admit("b", RATE_HZ, Heard().listener)


async def test_an_engine_that_takes_the_process_down_is_started_again() -> None:
    async with pool_of("dies") as pool:
        heard = Heard()
        feed(pool.admit("a", RATE_HZ, heard.listener), 1)
        await until(lambda: heard.ends == ["decoder process ended"])
        await until(lambda: pool.capacity == 2)


async def test_an_engine_that_cannot_be_opened_fails_the_start_with_the_fix() -> None:
    with pytest.raises(SetupError) as caught:
        async with pool_of("unusable"):
            pass
    assert caught.value.fix == "none"


async def test_a_worn_decoder_is_replaced_and_ends_with_its_last_stream() -> None:
    async with pool_of(streams=1, recycle=RecycleLimits(streams=1)) as pool:
        (old,) = pool.pids
        heard = Heard()
        place = pool.admit("a", RATE_HZ, heard.listener)
        await until(lambda: pool.capacity == 1 and len(pool.pids) == 2)
        assert heard.ends == []
        place.finish()
        await until(lambda: old not in pool.pids)
        assert heard.ends == [None]


async def test_no_decoder_outlives_the_pool() -> None:
    async with pool_of(workers=2) as pool:
        pids = pool.pids
    assert len(pids) == 2
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_the_least_loaded_usable_decoder_is_chosen() -> None:
    loads = [Load(2, is_usable=True), Load(1, is_usable=True), Load(0, is_usable=False)]
    assert choose(loads, 4) == 1
