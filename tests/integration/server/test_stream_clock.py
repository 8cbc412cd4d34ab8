"""Redis numbers what comes by its clock: a clock that is set back makes nobody deaf."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import msgspec
import pytest
from redis.asyncio import Redis

from base.ids import CallId, StreamId
from server.live.commands import COMMAND_STREAM, Command, CommandServer, Envelope, SetAgentState
from server.live.speech_feed import SpeechFeed
from server.redis_client import connect_redis
from tests.conftest import TestValkey
from tests.fakes.live_bridge import until
from transcription.draft_ticket import Speaker
from transcription.wire import SPEECH_STREAM, StreamFlows, encode

NOW_MS = int(time.time() * 1000)
LATER_MS = NOW_MS + 8 * 3_600_000


@pytest.fixture
async def redis(valkey: TestValkey) -> AsyncIterator[Redis]:
    made = connect_redis(valkey.url)
    await made.flushall()
    yield made
    await made.aclose()


async def add(redis: Redis, stream: str, at_ms: int, message: bytes) -> None:
    await redis.xadd(stream, {"m": message}, id=f"{at_ms}-0")


async def test_words_are_heard_after_redis_was_emptied_and_the_clock_set_back(
    redis: Redis,
) -> None:
    told = [
        StreamFlows(
            stream=StreamId(name), call=CallId("c"), speaker=Speaker.CITIZEN, at=datetime.now(UTC)
        )
        for name in "abc"
    ]
    feed = SpeechFeed(redis)
    await feed.read(block_ms=1)
    await add(redis, SPEECH_STREAM, LATER_MS, encode(told[0]))
    assert await feed.read(block_ms=1) == told[:1]
    assert await feed.read(block_ms=1) == []
    await redis.flushall()
    assert await feed.read(block_ms=1) == []
    await add(redis, SPEECH_STREAM, NOW_MS, encode(told[1]))
    assert await feed.read(block_ms=1) == told[1:2]
    await add(redis, SPEECH_STREAM, NOW_MS + 1, encode(told[2]))
    assert await feed.read(block_ms=1) == told[2:]


class Bridge:
    def __init__(self, redis: Redis) -> None:
        self.asked: list[Command] = []
        self.server = CommandServer(redis, self._take)

    async def _take(self, command: Command) -> object:
        self.asked.append(command)
        return None


def command(wish: str, sent_at_s: float) -> bytes:
    asked = SetAgentState(agent="1001", wish=wish)
    return msgspec.json.encode(Envelope(id=wish, sent_at_s=sent_at_s, command=asked))


async def test_a_command_after_the_clock_was_set_back_is_carried_out_and_no_old_one_again(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = Bridge(redis)
    with monkeypatch.context() as ahead:  # the machine began with a wrong clock
        ahead.setattr(time, "time", lambda: LATER_MS / 1000)
        await early.server.serve_once(block_ms=1)
    await add(redis, COMMAND_STREAM, NOW_MS, command("go_ready", time.time()))
    await early.server.serve_once(block_ms=1)
    await until(lambda: len(early.asked) == 1)
    await early.server.close()
    # One that was carried out before the step stands ahead of the clock when a bridge begins.
    await redis.flushall()
    await add(redis, COMMAND_STREAM, LATER_MS, command("sign_out", LATER_MS / 1000))
    late = Bridge(redis)
    await late.server.serve_once(block_ms=1)
    await redis.xadd(COMMAND_STREAM, {"m": command("go_ready", time.time())})
    await late.server.serve_once(block_ms=1)
    await until(lambda: bool(late.asked))
    assert late.asked == early.asked
    await late.server.close()
