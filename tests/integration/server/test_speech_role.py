"""The speech role from its port to Redis, with the real engine and a real Valkey."""

import asyncio
import os
import signal
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from base.ids import CallId, StreamId
from server.connections import redis_url
from server.redis_client import connect_redis
from server.roles.speech import SpeechRole
from server.settings import Settings
from server.streams import get_bytes, latest
from telephony.audio import STALL_S
from tests.fakes.speech_parts import TOOLS, need_model, need_voice
from tests.fakes.telephone_line import character_error_rate
from transcription.demo_sentences import demo_sentences
from transcription.draft_ticket import Speaker
from transcription.engine import SpeechEventKind
from transcription.wire import (
    SPEECH_ROLE_KEY,
    SPEECH_STREAM,
    Fork,
    SpeechMessage,
    StreamEnded,
    StreamEndReason,
    StreamFlows,
    StreamQuiet,
    StreamStarted,
    StreamThin,
    Words,
    decode_message,
    decode_role_state,
    encode,
    fork_key,
)

TIMEOUT_S = 30.0
FRAME_BYTES = 320
FORK = Fork(call=CallId("node-1.1"), speaker=Speaker.CITIZEN)


@dataclass
class Running:
    """A role and what it writes to."""

    role: SpeechRole
    redis: Redis

    async def messages(self) -> list[SpeechMessage]:
        entries = await latest(self.redis, SPEECH_STREAM, 1000)
        return [decode_message(entry.fields[b"m"]) for entry in entries]

    async def ends(self) -> list[StreamEnded]:
        return [m for m in await self.messages() if isinstance(m, StreamEnded)]

    async def words(self) -> list[SpeechMessage]:
        return [m for m in await self.messages() if isinstance(m, Words)]

    async def fork(self) -> StreamId:
        stream = StreamId(str(uuid4()))
        await self.redis.set(fork_key(stream), encode(FORK), ex=60)
        return stream

    async def dial(self, stream: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.role.listener.port)
        writer.write(struct.pack(">BH", 0x01, 16) + bytes.fromhex(stream.replace("-", "")))
        return reader, writer

    async def has_capacity(self) -> bool:
        raw = await get_bytes(self.redis, SPEECH_ROLE_KEY)
        return raw is not None and decode_role_state(raw).capacity > 0


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while not await is_so():  # noqa: ASYNC110 — asked of another process
            await asyncio.sleep(0.05)


def say(writer: asyncio.StreamWriter, pcm16: bytes) -> None:
    for at in range(0, len(pcm16), FRAME_BYTES):
        piece = pcm16[at : at + FRAME_BYTES]
        writer.write(struct.pack(">BH", 0x10, len(piece)) + piece)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Running]:
    redis = connect_redis(redis_url(settings))
    role = SpeechRole(settings, redis)
    serving = asyncio.create_task(role.serve())
    try:
        await until(lambda: _answers(redis))
        yield Running(role, redis)
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await role.close()
        await redis.aclose()


async def _answers(redis: Redis) -> bool:
    return await get_bytes(redis, SPEECH_ROLE_KEY) is not None


@pytest.fixture
def speech_settings(settings: Settings) -> Settings:
    need_model("demo-zh", "vosk")
    speech = replace(settings.speech, model="demo-zh", workers=1, streams_per_worker=1)
    return replace(settings, tools=TOOLS, speech=speech)


async def test_a_leg_becomes_words_and_the_role_says_that_its_model_is_a_demo(
    speech_settings: Settings,
) -> None:
    async with running(speech_settings) as here:
        await until(here.has_capacity)
        stream = await here.fork()
        _, writer = await here.dial(stream)
        sound = need_voice("c04") + bytes(8000)
        say(writer, sound[: len(sound) // 2])  # all at once could be more than may wait
        await until(lambda: _has(here.words))
        say(writer, sound[len(sound) // 2 :])
        await writer.drain()
        writer.close()
        await until(lambda: _has(here.ends))
        first, *_, last = messages = await here.messages()
        raw = await get_bytes(here.redis, SPEECH_ROLE_KEY)
    assert isinstance(first, StreamStarted)
    assert (first.stream, first.call, first.speaker) == (stream, FORK.call, FORK.speaker)
    assert first.is_demo_model
    assert isinstance(last, StreamEnded)
    assert last.reason is StreamEndReason.CLOSED
    words = [m for m in messages if isinstance(m, Words)]
    assert any(m.kind is SpeechEventKind.PARTIAL for m in words)
    heard = "".join(m.text for m in words if m.kind is SpeechEventKind.FINAL)
    said = next(line.text for line in demo_sentences() if line.id == "c04")
    assert character_error_rate(said, heard) < 0.1
    assert raw is not None
    assert "demo model" in decode_role_state(raw).note


async def test_a_leg_too_many_is_refused_at_once_and_its_fork_closed(
    speech_settings: Settings,
) -> None:
    async with running(speech_settings) as here:
        await until(here.has_capacity)
        _, first = await here.dial(await here.fork())
        say(first, bytes(3200))
        await until(lambda: _has(here.messages))
        refused = await here.fork()
        reader, second = await here.dial(refused)
        say(second, bytes(3200))
        async with asyncio.timeout(5):
            assert await _ended(reader)
        await until(lambda: _has(here.ends))
        (end,) = await here.ends()
        assert (end.stream, end.reason) == (refused, StreamEndReason.REFUSED)
        first.close()
        second.close()


async def test_a_killed_decoder_breaks_the_stream_and_the_next_one_works(
    speech_settings: Settings,
) -> None:
    async with running(speech_settings) as here:
        await until(here.has_capacity)
        _, writer = await here.dial(await here.fork())
        say(writer, bytes(3200))
        await until(lambda: _has(here.messages))
        pool = here.role.pool
        assert pool is not None
        os.kill(pool.pids[0], signal.SIGKILL)
        await until(lambda: _has(here.ends))
        (end,) = await here.ends()
        assert end.reason is StreamEndReason.BROKEN
        writer.close()
        async with asyncio.timeout(TIMEOUT_S):
            while pool.capacity == 0:  # noqa: ASYNC110 — the pool tells nobody
                await asyncio.sleep(0.05)


async def test_a_stream_nobody_announced_is_closed_unheard(speech_settings: Settings) -> None:
    async with running(speech_settings) as here:
        reader, writer = await here.dial(str(uuid4()))
        async with asyncio.timeout(5):
            assert await _ended(reader)
        writer.close()
        assert await here.messages() == []


async def test_a_leg_that_falls_quiet_is_told_and_told_again_when_it_flows(
    speech_settings: Settings,
) -> None:
    async with running(speech_settings) as role:
        await until(role.has_capacity)
        stream = await role.fork()
        _, writer = await role.dial(stream)
        said_mono = time.monotonic()
        say(writer, bytes(FRAME_BYTES * 10))

        async def told(kind: type[StreamQuiet | StreamFlows], least: int = 1) -> bool:
            return sum(isinstance(m, kind) for m in await role.messages()) >= least

        await until(lambda: told(StreamQuiet, 2))
        quiet = [m for m in await role.messages() if isinstance(m, StreamQuiet)]
        assert {(m.stream, m.call, m.speaker) for m in quiet} == {(stream, *_owner())}
        first_s, second_s = (m.quiet_s for m in quiet[:2])
        assert first_s >= STALL_S
        assert first_s + STALL_S <= second_s <= time.monotonic() - said_mono

        async def counted() -> bool:
            raw = await get_bytes(role.redis, SPEECH_ROLE_KEY)
            state = decode_role_state(raw or b"")
            return (state.quiet, state.quiet_times) == (1, 1)

        await until(counted)
        say(writer, bytes(FRAME_BYTES))
        await until(lambda: told(StreamFlows))
        writer.close()
        await until(lambda: _has_ended(role))
        assert [end.reason for end in await role.ends()] == [StreamEndReason.CLOSED]


async def test_a_leg_that_loses_half_its_sound_is_told_to_be_thin(
    speech_settings: Settings,
) -> None:
    async with running(speech_settings) as role:
        await until(role.has_capacity)
        stream = await role.fork()
        _, writer = await role.dial(stream)
        thin: list[StreamThin] = []
        async with asyncio.timeout(TIMEOUT_S):
            while not thin:
                say(writer, bytes(FRAME_BYTES))
                await asyncio.sleep(0.04)  # every other frame
                thin = [m for m in await role.messages() if isinstance(m, StreamThin)]
        writer.close()
        await until(lambda: _has_ended(role))
        assert [(m.stream, m.call, m.speaker) for m in thin] == [(stream, *_owner())]
        assert thin[0].share < 0.6


def _owner() -> tuple[CallId, Speaker]:
    return FORK.call, FORK.speaker


async def _has_ended(role: Running) -> bool:
    return bool(await role.ends())


async def test_without_a_model_the_role_lives_and_refuses_each_leg(
    speech_settings: Settings, tmp_path: Path
) -> None:
    async with running(replace(speech_settings, tools=tmp_path)) as here:
        raw = await get_bytes(here.redis, SPEECH_ROLE_KEY)
        assert raw is not None
        assert decode_role_state(raw).capacity == 0
        _, writer = await here.dial(await here.fork())
        say(writer, bytes(320))
        await until(lambda: _has(here.ends))
        assert [end.reason for end in await here.ends()] == [StreamEndReason.REFUSED]
        writer.close()


async def _has(read: Callable[[], Awaitable[list[SpeechMessage] | list[StreamEnded]]]) -> bool:
    return bool(await read())


async def _ended(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read() == b""
    except ConnectionResetError:
        return True
