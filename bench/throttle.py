"""Counting a call over three windows, with a bare round trip to the same Valkey beside it.

Ours hashes the number, runs the script with its three buckets and reads the answer; the reference
reads one key. Both one after the other over redis-py, as at call entry.
"""

import asyncio
import random
import time
from typing import Final

from redis.asyncio import Redis

from bench.harness import BenchResult, LoadWatch, interleave_async, machine, medians
from bench.private_valkey import private_valkey
from routing.throttle import parse_rates
from server.redis_client import connect_redis
from server.throttle import Throttle

CALLS: Final = 2_000
CALLERS: Final = 5_000
AIM: Final = 0.5


def run(runs: int) -> BenchResult:
    """Counted calls per second, medians."""
    load = LoadWatch()
    with private_valkey() as url:
        found = asyncio.run(_measure(url, runs))
    ours, reference = found["ours"], found["round trip"]
    return BenchResult(
        name="throttle",
        unit="calls/s",
        ours=round(ours),
        reference=round(reference),
        ratio=round(ours / reference, 3),
        aim=AIM,
        runs=max(runs, 5),
        machine=machine(),
        load=load.done(),
        notes=(
            f"{1000 / ours:.3f} ms a call in three windows; a bare GET {1000 / reference:.3f} ms",
        ),
    )


async def _measure(url: str, runs: int) -> dict[str, float]:
    redis = connect_redis(url)
    throttle = Throttle(redis, parse_rates(["5/10m", "12/1h", "30/1d"]), "key of the bench")
    dice = random.Random(12345)
    numbers = [f"138{dice.randrange(CALLERS):08d}" for _ in range(CALLS)]

    async def ours() -> float:
        begun = time.perf_counter()
        for number in numbers:
            await throttle.is_often(number)
        return CALLS / (time.perf_counter() - begun)

    async def round_trip() -> float:
        begun = time.perf_counter()
        for number in numbers:
            await _bare(redis, number)
        return CALLS / (time.perf_counter() - begun)

    try:
        return medians(await interleave_async({"ours": ours, "round trip": round_trip}, runs=runs))
    finally:
        await redis.aclose()


async def _bare(redis: Redis, number: str) -> None:
    await redis.get(number)
