"""``./hotline bench memory``: what our processes weigh, and whether calls make them heavier.

A scratch installation with 100 agents at their desks and calls coming in gives the PSS of each
role; then 100,000 recorded calls go through follower and live centre in this process, with fakes
behind, and it must weigh as much after the last as after the tenth part of them.
"""

import asyncio
import contextlib
import gc
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import psutil
from redis.asyncio import Redis

from bench.harness import BenchResult, LoadWatch, machine
from bench.soak_desks import soak_desks
from bench.soak_leaks import held
from bench.soak_product import soaked
from server.live.journal import Journal
from server.live.notes import Note
from server.live.scribe import Scribe
from server.logging_setup import configure_logging
from server.roles.bridge_parts import build_centre
from server.settings import Settings
from server.settings_loader import load_settings
from telephony.follower import Follower
from telephony.switch import Switch
from telephony.wire import MessageReader
from tests.fakes.drafts import no_draft
from tests.fakes.records import FakeRecords
from tests.fakes.switch import FakeSwitch

AGENTS = 100
MOST_MB = 90.0
UNDER_CALLS_S = 30.0
RATE_PER_S = 4.0
CALLS = 100_000
WARM_CALLS = CALLS // 10
RECORDING = Path(__file__).resolve().parent.parent / "tests/unit/telephony/data/answered.ami"
CALL_IDS = (b"hl1-1795315851.0", b"hl1-1795315852.1")
"""The caller's and the agent's channel in the recording."""
LEAST_FLAT = 0.97

T = TypeVar("T")


def run(runs: int) -> BenchResult:
    """One measurement each: weight is no matter of chance."""
    configure_logging("bench", "error")
    load = LoadWatch()
    weights = asyncio.run(_weigh_roles())
    before_mb, after_mb = asyncio.run(replay(CALLS, WARM_CALLS, weight_mb))
    cases = {**weights, f"after {CALLS} calls": after_mb}
    limits = {**dict.fromkeys(weights, MOST_MB), f"after {CALLS} calls": before_mb}
    return BenchResult(
        name="memory",
        unit="MB PSS",
        ours=cases,
        reference=limits,
        ratio={case: round(limits[case] / weight, 3) for case, weight in cases.items()},
        aim={**dict.fromkeys(weights, 1.0), f"after {CALLS} calls": LEAST_FLAT},
        runs=1,
        machine=machine(),
        load=load.done(),
        notes=(
            f"roles: {AGENTS} agents at their desks and {RATE_PER_S:g} calls/s; the limit is"
            f" {MOST_MB:g} MB",
            f"replay: the reference is the weight after {WARM_CALLS} calls, both without shared"
            " pages",
        ),
    )


async def _weigh_roles() -> dict[str, float]:
    async with soaked(load_settings().tools, agents=AGENTS) as it:
        agents = await asyncio.to_thread(it.agents, talk_ms=2000)
        citizens = it.citizens(rate=RATE_PER_S)
        try:
            async with soak_desks(it.product, it.settings.agents):
                citizens.start()
                await asyncio.sleep(UNDER_CALLS_S)
                return (await held(it)).memory_mb
        finally:
            await asyncio.to_thread(citizens.stop)
            await asyncio.to_thread(agents.stop)


class NoRedis:
    """Takes everything and holds nothing."""

    def pipeline(self, **_: object) -> "NoRedis":
        return self

    def execute_command(self, *_: object) -> "NoRedis":
        return self

    async def execute(self) -> list[object]:
        return []

    async def hgetall(self, *_: object) -> dict[bytes, bytes]:
        return {}

    async def evalsha(self, *_: object) -> int:
        return 0

    def __getattr__(self, name: str) -> Any:
        async def nothing(*_: object, **__: object) -> None:
            return None

        return nothing


class _NoRecords(FakeRecords):
    async def _take(self, note: Note) -> None:
        await asyncio.sleep(0)


async def replay(calls: int, warm_calls: int, weigh: Callable[[], T]) -> tuple[T, T]:
    """Our own weight after the first of the calls, and after all."""
    with tempfile.TemporaryDirectory() as home:
        settings = load_settings({}, {"home": Path(home)})
        records = _NoRecords()
        journal = Journal(Path(home) / "journal")
        scribe = Scribe(records, journal)
        writing = asyncio.create_task(scribe.run())
        try:
            return await _replay_into(settings, records, scribe, calls, warm_calls, weigh)
        finally:
            writing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writing
            journal.close()


async def _replay_into(
    settings: Settings,
    records: _NoRecords,
    scribe: Scribe,
    calls: int,
    warm_calls: int,
    weigh: Callable[[], T],
) -> tuple[T, T]:
    switch = cast("Switch", FakeSwitch(*settings.agents))
    centre = build_centre(
        settings, switch, cast("Redis", NoRedis()), records, scribe, extract=no_draft
    )
    follower = Follower()
    template = RECORDING.read_bytes()

    async def follow(numbers: range) -> T:
        for number in numbers:
            for message in MessageReader().feed(_call(template, number)):
                for event in follower.apply(message):
                    await centre.on_telephony(event)
            if number % 100 == 0:
                await until_written(scribe)
        await until_written(scribe)
        return weigh()

    try:
        return await follow(range(warm_calls)), await follow(range(warm_calls, calls))
    finally:
        await centre.close()


async def until_written(scribe: Scribe) -> None:
    while not scribe.is_idle:  # noqa: ASYNC110 - the scribe tells nobody that it rests
        await asyncio.sleep(0)


def _call(template: bytes, number: int) -> bytes:
    """The recorded call with channels of its own."""
    for place, channel in enumerate(CALL_IDS):
        template = template.replace(channel, b"hl1-1795320000.%d" % (number * 2 + place))
    return template


def weight_mb() -> float:
    """Our own pages: the share of a library's grows by itself when another process of it ends."""
    gc.collect()
    return float(round(psutil.Process().memory_full_info().uss / 2**20, 1))
