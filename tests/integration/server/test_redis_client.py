"""A cancelled task ends, also when the cancellation hits redis-py in the middle of its work."""

import asyncio
import random

from redis.asyncio import Redis

from server.redis_client import connect_redis
from tests.conftest import TestValkey


async def ask_for_ever(redis: Redis) -> None:
    while True:
        await redis.get("anything")


async def test_a_cancellation_is_never_swallowed(valkey: TestValkey) -> None:
    chance = random.Random(5)
    for number in range(60):
        redis = connect_redis(valkey.url)
        if number % 2:
            await redis.get("anything")  # connected before
        task = asyncio.create_task(ask_for_ever(redis))
        await asyncio.sleep(chance.random() * 0.003)
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=5)
        assert done, "it lives on"
        assert task.cancelled()
        await redis.set("mine", str(number))
        assert await redis.get("mine") == str(number).encode(), "another question's answer"
        await redis.aclose()


async def test_a_timeout_around_redis_fires(valkey: TestValkey) -> None:
    redis = connect_redis(valkey.url)
    for _ in range(40):
        try:
            async with asyncio.timeout(0.002):
                await ask_for_ever(redis)
        except TimeoutError:
            continue
        raise AssertionError("no time-out")
    await redis.aclose()
