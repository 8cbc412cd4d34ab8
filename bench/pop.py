"""From AgentCalled on the manager's wire to the complete pop in a client, at 20 rings a second.

Ours goes the whole way: AMI client, follower, desks, publisher, Redis, hub, websocket; the pop has
the caller's history, asked for when the call arrived. The bare forwarder splits the stream at blank
lines, makes a dictionary of AgentCalled and sends it on as JSON: no state, no history, no Redis.
The bare relay is the same in two processes with a Redis stream between them, as any bridge with any
number of web processes must be: the floor of that design, which nothing built on it can go below.
The manager's wire and the clients are in this process; each contestant has processes of its own
(``bench.pop_parts``).
"""

import asyncio
import contextlib
import random
import re
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

import aiohttp

from base.task_set import TaskSet
from bench.harness import BenchResult, LoadWatch, interleave_async, machine, medians
from bench.pop_parts import AGENTS, END, part
from bench.private_valkey import HOST, private_valkey
from tests.fakes.ami_server import AmiServer, ami_server, event

RECORDING: Final = Path(__file__).resolve().parent.parent / "tests/unit/telephony/data/abandon.ami"
RECORDED_CALL, RECORDED_LEG, RECORDED_AGENT = "1795315941.10", "1795315942.11", "1001"
RATE_PER_S: Final = 20.0
RINGS: Final = 120
BEFORE_RING_S: Final = (0.25, 0.45)
RINGS_FOR_S: Final = (0.4, 0.6)
"""From … to, drawn by lot: with fixed times each ring would meet another call's arrival and a
third one's end in the very same millisecond, every time."""
SEED: Final = 12345
LOST_AFTER_S: Final = 5.0
AIM: Final = 0.5
OTHERS: Final = ("bare", "relay")
_RING: Final = re.compile(r'"(?:ring|DestUniqueid)": ?"hl1-(\d+\.\d+)"')


def run(runs: int) -> BenchResult:
    """p99 in milliseconds, medians of runs."""
    load = LoadWatch()
    measured = asyncio.run(_measure(runs))
    middle = medians(measured)
    return BenchResult(
        name="pop",
        unit="ms, p99",
        ours=round(middle["ours"], 2),
        reference={name: round(middle[name], 2) for name in OTHERS},
        ratio={name: round(middle[name] / middle["ours"], 3) for name in OTHERS}
        | {"bare/relay": round(middle["bare"] / middle["relay"], 3)},
        aim={"bare": AIM},
        runs=max(runs, 5),
        machine=machine(),
        load=load.done(),
        notes=(
            f"{RINGS} rings a run at {RATE_PER_S:g}/s over {len(AGENTS)} agents",
            "ours has history and goes through Redis; the bare forwarder has neither, "
            "the relay goes through Redis",
            "bare/relay: what the way through Redis costs a relay that does nothing else",
        ),
    )


async def _measure(runs: int) -> dict[str, list[float]]:
    async with contextlib.AsyncExitStack() as stack:
        url = stack.enter_context(private_valkey())
        contestants = {
            "ours": await stack.enter_async_context(_ours(url)),
            "bare": await stack.enter_async_context(_bare()),
            "relay": await stack.enter_async_context(_relay(url)),
        }
        return await interleave_async(contestants, runs=runs)


# ---- what is on the wire -------------------------------------------------------------------------


class Stage:
    """One AMI server, and the clients that wait for pops."""

    def __init__(self, ami: AmiServer) -> None:
        self._ami = ami
        self._waiting: dict[str, asyncio.Future[float]] = {}
        self._number = 0
        self._lots = random.Random(SEED)
        self._before, self._ring, self._after = _parts(RECORDING.read_bytes())

    def saw(self, text: str) -> None:
        """A client was told something."""
        found = _RING.search(text)
        if found is not None and (waits := self._waiting.pop(found[1], None)) is not None:
            waits.set_result(time.perf_counter())

    async def measure(self) -> float:
        """Let phones ring; the 99th percentile in ms."""
        async with asyncio.TaskGroup() as tasks:
            rings = []
            for _ in range(RINGS):
                rings.append(tasks.create_task(self._one_ring()))
                await asyncio.sleep(1 / RATE_PER_S)
        latencies_ms = [ring.result() * 1000 for ring in rings]
        return statistics.quantiles(latencies_ms, n=100)[98]

    async def _one_ring(self) -> float:
        self._number += 1
        leg = f"1795400000.{2 * self._number + 1}"
        named = partial(_renamed, number=self._number)
        self._ami.session.say(named(self._before))
        await asyncio.sleep(self._lots.uniform(*BEFORE_RING_S))
        waits: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._waiting[leg] = waits
        began_s = time.perf_counter()
        self._ami.session.say(named(self._ring))
        async with asyncio.timeout(LOST_AFTER_S):
            shown_s = await waits
        await asyncio.sleep(self._lots.uniform(*RINGS_FOR_S))
        self._ami.session.say(named(self._after))
        return shown_s - began_s


def _parts(recording: bytes) -> tuple[bytes, bytes, bytes]:
    """The call until the phone rings, the ring, and the rest."""
    messages = recording.split(b"Event: Newchannel", 1)[1].split(END)[:-1]
    messages[0] = b"Event: Newchannel" + messages[0]
    at = next(n for n, each in enumerate(messages) if each.startswith(b"Event: AgentCalled"))
    before, ring, after = messages[:at], messages[at : at + 1], messages[at + 1 :]
    joined = [b"".join(each + END for each in part) for part in (before, ring, after)]
    return joined[0], joined[1], joined[2]


def _renamed(data: bytes, *, number: int) -> bytes:
    """A call, a leg, a caller and an agent of its own."""
    agent = AGENTS[number % len(AGENTS)]
    for old, new in (
        (RECORDED_CALL, f"1795400000.{2 * number}"),
        (RECORDED_LEG, f"1795400000.{2 * number + 1}"),
        (f"PJSIP/{RECORDED_AGENT}-0000000b", f"PJSIP/{agent}-{number:08x}"),
        (f"PJSIP/{RECORDED_AGENT}", f"PJSIP/{agent}"),
    ):
        data = data.replace(old.encode(), new.encode())
    return data


# ---- the two -------------------------------------------------------------------------------------


@asynccontextmanager
async def _ours(url: str) -> AsyncIterator[Callable[[], Awaitable[float]]]:
    async with contextlib.AsyncExitStack() as stack:
        ami = await stack.enter_async_context(ami_server())
        ami.queues = [_member(agent) for agent in AGENTS]
        stage = Stage(ami)
        await stack.enter_async_context(part("bridge", url, str(ami.port)))
        port = await stack.enter_async_context(part("web", url))
        await stack.enter_async_context(_watching(port, AGENTS, stage))
        yield stage.measure


def _member(agent: str) -> bytes:
    return event("QueueMember", Queue="hotline", Location=f"PJSIP/{agent}", Status="1", Paused="0")


@asynccontextmanager
async def _bare() -> AsyncIterator[Callable[[], Awaitable[float]]]:
    async with ami_server() as ami, part("bare", str(ami.port)) as port:
        stage = Stage(ami)
        async with _watching(port, AGENTS, stage):
            yield stage.measure


@asynccontextmanager
async def _relay(url: str) -> AsyncIterator[Callable[[], Awaitable[float]]]:
    async with (
        ami_server() as ami,
        part("relay-in", url, str(ami.port)),
        part("relay-out", url) as port,
    ):
        stage = Stage(ami)
        async with _watching(port, AGENTS, stage):
            yield stage.measure


# ---- the clients ---------------------------------------------------------------------------------


@asynccontextmanager
async def _watching(port: int, agents: tuple[str, ...], stage: Stage) -> AsyncIterator[None]:
    """A client at every desk."""
    tasks = TaskSet("clients")

    async def watch(session: aiohttp.ClientSession, agent: str) -> None:
        async with session.ws_connect(f"http://{HOST}:{port}/ws?agent={agent}") as socket:
            async for message in socket:
                stage.saw(message.data)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        for agent in agents:
            tasks.spawn(watch(session, agent), name="client")
        await asyncio.sleep(1)
        try:
            yield
        finally:
            await tasks.close()
