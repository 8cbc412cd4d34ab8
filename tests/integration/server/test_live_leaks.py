"""After 200 calls nothing is left: no map entry, task, descriptor or key without an expiry."""

import asyncio
import gc
from typing import TypeVar, cast

import psutil
import pytest

from base.database import Connection
from base.ids import CallId
from server.live.centre import Centre
from server.live.commands import DraftSettled, SetAgentState
from server.live.scribe import Scribe
from server.settings import Settings
from tests.fakes.live_bridge import LiveBridge, until

T = TypeVar("T")
CALLS = 200
WARM_UP = 40
AGENTS = ("1001", "1002", "1003", "1004")
POOLS_MAY_GROW_BY = 12
"""Connections that a busy moment opens and keeps; one descriptor a call would be 200."""
STREAMS_OF_FIXED_NAME = {b"hotline:push", b"hotline:speech", b"hotline:commands"}
"""Bounded by their length; they live as long as the installation."""


async def one_call(live: LiveBridge, number: int, agent: str) -> CallId:
    if number % 5 == 0:
        call = live.switch.arrive(f"1390000{number:04}")
        live.switch.queue(call)
        live.switch.hang_up(call)
        return call
    call = await live.answered_call(f"1390000{number:04}", agent)
    stream = await live.begin(call)
    await live.say(call, stream, 0, "水管爆了")
    await live.until_view(lambda view: live.texts(view) == ["水管爆了"], agent)
    live.switch.hang_up(call)
    await live.until_view(lambda view: view.me.state == "wrap_up", agent)
    settled = DraftSettled(agent=agent, call=call, saved="entered", ticket_number="20261122-000001")
    await live.ask(settled)
    for speaker, fork in live.streams(call).items():
        await live.end_stream(call, fork, speaker)
    return call


async def many_calls(live: LiveBridge, numbers: range) -> None:
    """Shared among the agents, who work at the same time."""

    async def work(agent: str, own: range) -> None:
        for number in own:
            await one_call(live, number, agent)

    async with asyncio.TaskGroup() as tasks:
        for place, agent in enumerate(AGENTS):
            tasks.create_task(work(agent, numbers[place :: len(AGENTS)]))


@pytest.mark.timeout(240)
async def test_two_hundred_calls_leave_nothing_behind(
    settings: Settings, owner: Connection
) -> None:
    async with LiveBridge(settings) as live:
        await live.until_view(lambda view: view.links.telephony == "up")
        await live.until_view(lambda view: view.links.speech == "up")
        for agent in AGENTS:
            await live.ask(SetAgentState(agent=agent, wish="go_ready"))
        await many_calls(live, range(WARM_UP))  # pools and caches have filled
        before = _descriptors(), len(asyncio.all_tasks())
        await many_calls(live, range(WARM_UP, WARM_UP + CALLS))

        centre, scribe = _only(Centre), _only(Scribe)
        await until(lambda: scribe.is_idle)
        await until(lambda: not centre._calls)
        listening = centre._listening
        assert not listening._talks
        await until(lambda: len(listening._last_words) == 0)
        assert len(listening._book) == 0
        await until(lambda: len(centre._tasks) == 0 and len(listening._tasks) == 0)
        await until(lambda: len(asyncio.all_tasks()) <= before[1], timeout_s=10)
        assert _descriptors() <= before[0] + POOLS_MAY_GROW_BY
        kept = [
            key
            for key in cast("list[bytes]", await live.redis.keys("*"))
            if await live.redis.ttl(key) == -1  # -2: it has ended since
        ]
        assert set(kept) <= STREAMS_OF_FIXED_NAME
        for key in kept:
            assert await live.redis.type(key) == b"stream"
        stored = await owner.fetchval("SELECT count(*) FROM calls WHERE ended_at IS NOT NULL")
        assert stored == WARM_UP + CALLS
        assert await owner.fetchval("SELECT count(*) FROM rings WHERE ended_at IS NULL") == 0


def _only(kind: type[T]) -> T:
    found = [each for each in gc.get_objects() if isinstance(each, kind)]
    assert len(found) == 1
    return found[0]


def _descriptors() -> int:
    gc.collect()
    return psutil.Process().num_fds()
