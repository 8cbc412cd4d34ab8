"""Counting calls by number in a real Valkey: exact, atomic, no number in it, open if away."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from routing.throttle import parse_rates
from server.redis_client import connect_redis
from server.throttle import PREFIX, TIMEOUT_S, Throttle
from tests.conftest import TestValkey, free_port

RATES = parse_rates(["3/10m", "5/1h"])
MINUTE = 60_000


@pytest.fixture
async def redis(valkey: TestValkey, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Redis]:
    # How it counts, also on a machine so busy that a caller would be let in uncounted.
    monkeypatch.setattr("server.throttle.TIMEOUT_S", 10.0)
    client = connect_redis(valkey.url)
    yield client
    await client.aclose()


def make(redis: Redis) -> Throttle:
    return Throttle(redis, RATES, "key of the test")


async def test_only_the_call_that_is_one_too_many_counts_as_often(redis: Redis) -> None:
    throttle, start = make(redis), 1_800_000_000_000
    found = [await throttle.is_often("13800000001", now_ms=start + n) for n in range(4)]
    assert found == [False, False, False, True]
    # Slowing down ends it; the longer window goes on.
    later = [await throttle.is_often("13800000001", now_ms=start + 11 * MINUTE * n) for n in (1, 2)]
    assert later == [False, False]
    in_a_row = [
        await throttle.is_often("13800000001", now_ms=start + 25 * MINUTE + n) for n in range(2)
    ]
    assert in_a_row == [False, True]
    assert not await throttle.is_often("13800000001", now_ms=start + 180 * MINUTE)


async def test_many_processes_at_once_let_no_more_through_than_one(redis: Redis) -> None:
    throttles = [make(redis) for _ in range(5)]
    found = await asyncio.gather(
        *(throttle.is_often("13800000002") for throttle in throttles for _ in range(4))
    )
    assert found.count(False) == 3


async def test_callers_without_a_number_are_not_counted_together(redis: Redis) -> None:
    throttle = make(redis)
    assert not any([await throttle.is_often("") for _ in range(50)])
    assert await redis.keys(f"{PREFIX}*") == []


async def test_no_number_stands_in_redis_and_every_key_ends(redis: Redis) -> None:
    throttle = make(redis)
    await throttle.is_often("13800000003")
    (key,) = await redis.keys("*")
    assert "13800000003" not in str(await redis.get(key)) + str(key)
    # One call's worth of the longest window: who calls once is soon forgotten.
    assert 0 < await redis.pttl(key) <= 12 * MINUTE
    other = Throttle(redis, RATES, "another installation's key")
    assert other.key_of("13800000003") != throttle.key_of("13800000003")


async def test_a_call_that_nobody_answered_is_given_back(redis: Redis) -> None:
    throttle = make(redis)
    for _ in range(20):
        assert not await throttle.is_often("13800000004")
        await throttle.give_back("13800000004")


async def test_redis_away_or_silent_lets_everybody_in_at_once() -> None:
    async def never_answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(never_answers, "127.0.0.1", 0)
    silent = server.sockets[0].getsockname()[1]
    for port in (free_port(), silent):
        took_s = []
        for _ in range(3):  # the quickest tells how long it waits, whatever the machine does beside
            redis = connect_redis(f"redis://127.0.0.1:{port}/0")
            begun_mono = time.monotonic()
            assert not await make(redis).is_often("13800000005")
            took_s.append(time.monotonic() - begun_mono)
            await redis.aclose()
        assert min(took_s) < TIMEOUT_S + 0.5
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("text", ["", "3", "3/10", "0/1h", "3/0m", "3/9d", "x/1h", "3/1h;"])
def test_a_rate_that_cannot_be_is_refused_with_its_mending(text: str) -> None:
    with pytest.raises(Exception, match="rate of calls") as refusal:
        parse_rates([text])
    assert "throttle.rates" in getattr(refusal.value, "fix", "")
