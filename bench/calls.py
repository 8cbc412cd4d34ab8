"""``./hotline bench calls``: what the product costs Asterisk.

One Asterisk, one dialplan, recordings on, citizens who speak (SIPp's RTP). Speech off stands
against Asterisk alone (the roles stopped), and against a bare listener on the manager's port, which
shows what of it is the events themselves; forks on against a bare script that makes the same forks
into a sink. At an offered rate both calls a second and Asterisk's own processor time are compared.
"""

import asyncio
import contextlib
import statistics
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psutil
from redis.asyncio import Redis

from base.errors import HotlineError
from base.ids import CallId, StreamId
from bench.harness import MIN_RUNS, BenchResult, LoadWatch, machine, turns
from bench.soak_product import Soaked, environment, soaked
from bench.soak_sipp import Sipp
from server.connections import redis_url
from server.live.commands import SetAgentState, ask
from server.redis_client import connect_redis
from server.secrets_store import secrets_of
from server.settings_loader import load_settings
from telephony import actions, tones
from telephony.phone.g711 import alaw_encode
from telephony.wire import Message, MessageReader, encode_action
from tests.system.product import until

AGENTS = 60
CALLS = 40
RATE_PER_S = 8.0
TALK_MS = 1500
SERVED_WITHIN_S = 60.0
READY_WITHIN_S = 30.0
COMPARED = {
    "speech off": ("speech off", "alone"),
    "beside a listener": ("speech off", "bare listener"),
    "forks on": ("forks on", "bare forks"),
}
"""Case → ours and its reference."""
AIMS = {"speech off": 0.95, "forks on": 0.9}


@dataclass(frozen=True, slots=True)
class Figure:
    """One run."""

    calls_per_s: float
    cpu_ms_a_call: float
    """Asterisk's."""


def run(runs: int) -> BenchResult:
    """Interleaved runs of the five; medians."""
    load = LoadWatch()
    found = asyncio.run(_measure(max(runs, MIN_RUNS)))
    calls = {name: statistics.median(f.calls_per_s for f in each) for name, each in found.items()}
    cpu = {name: statistics.median(f.cpu_ms_a_call for f in each) for name, each in found.items()}
    ours: dict[str, float] = {}
    reference: dict[str, float] = {}
    ratio: dict[str, float] = {}
    aim: dict[str, float] = {}
    for case, (name, other) in COMPARED.items():
        ours[f"{case}, calls/s"], reference[f"{case}, calls/s"] = calls[name], calls[other]
        ratio[f"{case}, calls/s"] = round(calls[name] / calls[other], 3)
        ours[f"{case}, CPU ms a call"], reference[f"{case}, CPU ms a call"] = cpu[name], cpu[other]
        ratio[f"{case}, CPU ms a call"] = round(cpu[other] / cpu[name], 3)
        if case in AIMS:
            aim |= {f"{case}, calls/s": AIMS[case], f"{case}, CPU ms a call": AIMS[case]}
    return BenchResult(
        name="calls",
        unit="calls/s; Asterisk's CPU ms a call",
        ours=ours,
        reference=reference,
        ratio=ratio,
        aim=aim,
        runs=max(runs, MIN_RUNS),
        machine=machine(),
        load=load.done(),
        notes=(
            f"{CALLS} calls a run, offered at {RATE_PER_S:g}/s, {TALK_MS} ms of talk",
            "references: Asterisk alone; with somebody on the manager's port who only reads"
            " what we are sent; a bare script that makes the same forks; the dialplan's question is"
            " answered in all",
        ),
    )


async def _measure(runs: int) -> dict[str, list[Figure]]:
    found: dict[str, list[Figure]] = {}
    async with soaked(load_settings().tools, agents=AGENTS) as it:
        await asyncio.to_thread(it.product.stop_roles)
        agents = await asyncio.to_thread(it.agents, talk_ms=TALK_MS)
        contestants: dict[str, Callable[[], Awaitable[Figure]]] = {
            "alone": lambda: _alone(it, agents),
            "bare listener": lambda: _with_bare_listener(it, agents),
            "speech off": lambda: _with_roles(it, agents, "off"),
            "bare forks": lambda: _with_bare_forks(it, agents),
            "forks on": lambda: _with_roles(it, agents, "vosk"),
        }
        try:
            for turn in range(runs):
                for name in turns(list(contestants), turn):
                    found.setdefault(name, []).append(await contestants[name]())
        finally:
            await asyncio.to_thread(agents.stop)
    return found


async def _calls(it: Soaked, agents: Sipp) -> Figure:
    """Let the citizens call, and look what it took."""
    sound = it.folder / "sound.alaw"
    if not sound.exists():
        sound.write_bytes(alaw_encode(tones.tone(440.0, 2.0)))
    asterisk = it.product.installation.asterisk
    assert asterisk is not None
    process = psutil.Process(asterisk.pid())
    before_s, served = _cpu_s(process), agents.figures().served
    citizens = it.citizens(rate=RATE_PER_S, calls=CALLS)
    citizens.sound = sound
    began_mono = time.monotonic()
    citizens.start()
    try:
        await until(lambda: not citizens.is_running, what="the calls", timeout_s=SERVED_WITHIN_S)
        took_s = time.monotonic() - began_mono
    finally:
        await asyncio.to_thread(citizens.stop)
    await until(lambda: agents.figures().served - served == CALLS, what="all served", timeout_s=5.0)
    cpu_ms = (_cpu_s(process) - before_s) * 1000 / CALLS
    return Figure(round(CALLS / took_s, 3), round(cpu_ms, 2))


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def _with_roles(it: Soaked, agents: Sipp, engine: str) -> Figure:
    straight = {"HOTLINE_SPEECH_ENGINE": engine, "HOTLINE_PORT_AMI": str(it.settings.ports.ami)}
    with environment(straight):
        await asyncio.to_thread(it.product.start_roles)
        try:
            await _ready_all(it)
            figure = await _calls(it, agents)
            await _ready_all(it)  # wrap-up pauses; the next contestant wants willing agents
            return figure
        finally:
            await asyncio.to_thread(it.product.stop_roles)


async def _ready_all(it: Soaked) -> None:
    redis = connect_redis(redis_url(it.settings))
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            for agent in it.settings.agents:
                while not await _ready(redis, agent):  # noqa: ASYNC110 - asked again, not told
                    await asyncio.sleep(0.2)
    finally:
        await redis.aclose()
    await asyncio.sleep(1.0)  # the marks are on their way to the queues


async def _ready(redis: Redis, agent: str) -> bool:
    with contextlib.suppress(HotlineError):
        await ask(redis, SetAgentState(agent=agent, wish="go_ready"))
        return True
    return False


# ------------------------------------------------------------------------------ the bare script


ADMITTED = b"queue=hotline&priority=0&prompt="


async def _alone(it: Soaked, agents: Sipp) -> Figure:
    async with _admission(it):
        return await _calls(it, agents)


async def _with_bare_listener(it: Soaked, agents: Sipp) -> Figure:
    async with _admission(it), _logged_in(it) as (reader, _), _doing(_throw_away(reader)):
        return await _calls(it, agents)


async def _with_bare_forks(it: Soaked, agents: Sipp) -> Figure:
    async with _admission(it), _sink() as port, _forking(it, port):
        return await _calls(it, agents)


@asynccontextmanager
async def _admission(it: Soaked) -> AsyncIterator[None]:
    """The dialplan's one question is answered, or the references would run another dialplan."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(ADMITTED), ADMITTED)

    async def admit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(answer)
        writer.close()

    server = await asyncio.start_server(admit, it.settings.bind, it.settings.ports.http)
    try:
        yield
    finally:
        server.close()


@asynccontextmanager
async def _sink() -> AsyncIterator[int]:
    """Takes sound and throws it away."""

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await _throw_away(reader)
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _throw_away(reader: asyncio.StreamReader) -> None:
    while await reader.read(65536):
        pass


@asynccontextmanager
async def _forking(it: Soaked, port: int) -> AsyncIterator[None]:
    """Two Originates for every AgentConnect, and nothing else."""
    async with _logged_in(it) as (reader, writer), _doing(_fork_each(reader, writer, port)):
        yield


@asynccontextmanager
async def _logged_in(
    it: Soaked,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """On the manager's port, sent what the product is sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", it.settings.ports.ami)
    login = actions.login("hotline", secrets_of(it.settings).read("ami"))
    writer.write(encode_action(login.name, login.headers))
    try:
        yield reader, writer
    finally:
        writer.close()


@asynccontextmanager
async def _doing(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _fork_each(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    messages = MessageReader()
    while data := await reader.read(65536):
        for message in messages.feed(data):
            if message.name == "AgentConnect":
                _fork(writer, message, port)


def _fork(writer: asyncio.StreamWriter, message: Message, port: int) -> None:
    legs = {"citizen": message.get("Uniqueid"), "agent": message.get("DestUniqueid")}
    for speaker, channel in legs.items():
        action = actions.fork(
            channel,
            StreamId(str(uuid.uuid4())),
            CallId(legs["citizen"]),
            speaker,
            host="127.0.0.1",
            port=port,
        )
        writer.write(encode_action(action.name, action.headers))
