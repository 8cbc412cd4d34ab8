"""What it costs to send one message to 500 wall clients: our hub, a bare aiohttp loop, raw writes.

Ours reads each message from Redis, keeps it for those who slept, numbers it and looks at each
client's unsent bytes; the bare loop has the text and sends it; raw writes have no websocket at all.
The clients are in a process of their own. Counted is the CPU time of the sending process: wall
time on a shared machine measures the others.
"""

import asyncio
import contextlib
import multiprocessing
import selectors
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import msgspec
from aiohttp import web
from redis.asyncio import Redis

from base.ids import AgentId
from base.task_set import TaskSet
from bench.harness import BenchResult, LoadWatch, interleave_async, machine, medians
from bench.private_valkey import HOST, private_valkey
from server.http.door import open_door
from server.live.publisher import ALIVE_KEY, PUSH_STREAM
from server.live.stored_view import StoredView, agent_scope, whole
from server.push.hub import Hub
from server.push.protocol import Links, LinksChanged
from server.push.socket import SocketWire
from server.redis_client import connect_redis
from server.streams import transact
from tests.integration.server.push.parts import first_view

CLIENTS: Final = 500
MESSAGES: Final = 200
WALL: Final = AgentId("1001")
CONNECTED_WITHIN_S: Final = 60.0
AIM: Final = 0.9

HANDSHAKE: Final = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)

Contestant = Callable[[], Awaitable[float]]


def run(runs: int) -> BenchResult:
    """Deliveries per second of CPU time, medians."""
    load = LoadWatch()
    middle = medians(asyncio.run(_measure(runs)))
    ours = middle.pop("ours")
    return BenchResult(
        name="push",
        unit="deliveries/s of CPU time",
        ours=round(ours),
        reference={name: round(value) for name, value in middle.items()},
        ratio={name: round(ours / value, 3) for name, value in middle.items()},
        aim={"aiohttp": AIM},
        runs=max(runs, 5),
        machine=machine(),
        load=load.done(),
        notes=(f"{MESSAGES} messages to {CLIENTS} clients a run; ours reads them from Redis",),
    )


async def _measure(runs: int) -> dict[str, list[float]]:
    async with contextlib.AsyncExitStack() as stack:
        url = stack.enter_context(private_valkey())
        contestants: dict[str, Contestant] = {
            "ours": await stack.enter_async_context(_ours(url)),
            "aiohttp": await stack.enter_async_context(_bare_aiohttp()),
            "raw": await stack.enter_async_context(_raw()),
        }
        return await interleave_async(contestants, runs=runs)


# ---- ours ----------------------------------------------------------------------------------------


class _LastInLine:
    """A client of the hub that has joined after all others, so it is told last."""

    def __init__(self) -> None:
        self.told = 0
        self.wanted = 0
        self.is_done = asyncio.Event()

    def send(self, frame: bytes) -> None:
        self.told += 1
        if self.told >= self.wanted:
            self.is_done.set()

    def unsent_bytes(self) -> int:
        return 0

    def cut(self) -> None:
        raise AssertionError("nobody is slow here")

    def want(self, more: int) -> None:
        self.wanted = self.told + more
        self.is_done.clear()


@asynccontextmanager
async def _ours(url: str) -> AsyncIterator[Contestant]:
    redis, tasks, last = connect_redis(url), TaskSet("bench"), _LastInLine()
    hub = Hub(redis, most_a_scope=CLIENTS + 1)
    transports: list[asyncio.WriteTransport] = []
    stored = StoredView(epoch="bench", seq=0, view=first_view(WALL))

    async def handle(request: web.Request) -> web.WebSocketResponse:
        response = await _websocket(request)
        assert request.transport is not None
        hub.join(agent_scope(WALL), SocketWire(response, request.transport), None, None)
        transports.append(request.transport)
        await response.receive()
        return response

    await transact(redis, *whole(agent_scope(WALL), stored))
    await redis.set(ALIVE_KEY, "bench")
    tasks.spawn(hub.run(), name="hub")
    try:
        async with _served(handle) as port, _clients(port, is_websocket=True):
            await _until(lambda: len(transports) == CLIENTS)
            last.want(1)
            hub.join(agent_scope(WALL), last, None, None)
            await last.is_done.wait()
            yield _ThroughRedis(redis, last, transports).measure
    finally:
        await tasks.close()
        await redis.aclose()


class _ThroughRedis:
    """Writes messages to the stream and waits until everybody has them."""

    def __init__(
        self, redis: Redis, last: _LastInLine, transports: list[asyncio.WriteTransport]
    ) -> None:
        self._redis = redis
        self._last = last
        self._transports = transports
        self._seq = 0

    async def measure(self) -> float:
        self._last.want(MESSAGES)
        began_s = time.process_time()
        pipe = self._redis.pipeline(transaction=True)
        for _ in range(MESSAGES):
            self._seq += 1
            fields = ("scope", agent_scope(WALL), "e", "bench", "s", self._seq, "m", _event())
            pipe.execute_command("XADD", PUSH_STREAM, "MAXLEN", "~", 20_000, "*", *fields)
        await pipe.execute()
        await self._last.is_done.wait()
        await _until(lambda: _is_drained(self._transports))
        return CLIENTS * MESSAGES / (time.process_time() - began_s)


# ---- the references ------------------------------------------------------------------------------


@asynccontextmanager
async def _bare_aiohttp() -> AsyncIterator[Contestant]:
    sockets: list[tuple[web.WebSocketResponse, asyncio.WriteTransport]] = []

    async def handle(request: web.Request) -> web.WebSocketResponse:
        response = await _websocket(request)
        assert request.transport is not None
        sockets.append((response, request.transport))
        await response.receive()
        return response

    async def measure() -> float:
        text, began_s = _frame(), time.process_time()
        for _ in range(MESSAGES):
            for response, _transport in sockets:
                await response.send_str(text)
            await asyncio.sleep(0)
        await _until(lambda: _is_drained([transport for _, transport in sockets]))
        return CLIENTS * MESSAGES / (time.process_time() - began_s)

    async with _served(handle) as port, _clients(port, is_websocket=True):
        await _until(lambda: len(sockets) == CLIENTS)
        yield measure


@asynccontextmanager
async def _raw() -> AsyncIterator[Contestant]:
    transports: list[asyncio.WriteTransport] = []

    class Taker(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.WriteTransport)
            transports.append(transport)

    async def measure() -> float:
        data, began_s = _frame().encode(), time.process_time()
        for _ in range(MESSAGES):
            for transport in transports:
                transport.write(data)
            await asyncio.sleep(0)
        await _until(lambda: _is_drained(transports))
        return CLIENTS * MESSAGES / (time.process_time() - began_s)

    server = await asyncio.get_running_loop().create_server(Taker, HOST, 0, backlog=CLIENTS)
    port = int(server.sockets[0].getsockname()[1])
    try:
        async with _clients(port, is_websocket=False):
            await _until(lambda: len(transports) == CLIENTS)
            yield measure
    finally:
        server.close()


# ---- both ends -----------------------------------------------------------------------------------


def _event() -> bytes:
    links = Links(telephony="up", speech="up", database="up")
    return msgspec.json.encode(LinksChanged(links=links))


def _frame() -> str:
    frame = {"type": "event", "epoch": "bench", "seq": 1, "event": msgspec.Raw(_event())}
    return msgspec.json.encode(frame).decode()


async def _websocket(request: web.Request) -> web.WebSocketResponse:
    response = web.WebSocketResponse(compress=False)
    await response.prepare(request)
    return response


@asynccontextmanager
async def _served(
    handle: Callable[[web.Request], Awaitable[web.WebSocketResponse]],
) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_get("/ws", handle)
    async with open_door(app, HOST, 0, is_live=lambda _: True) as (_host, port):
        yield port


@asynccontextmanager
async def _clients(port: int, *, is_websocket: bool) -> AsyncIterator[None]:
    """A process with ``CLIENTS`` open lines that reads all it is sent."""
    spawn = multiprocessing.get_context("spawn")
    process = spawn.Process(target=read_all, args=(port, is_websocket), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        await asyncio.to_thread(process.join, 5)


def read_all(port: int, is_websocket: bool) -> None:
    """The clients' process."""
    selector = selectors.DefaultSelector()
    for _ in range(CLIENTS):
        line = socket.create_connection((HOST, port))
        if is_websocket:
            line.sendall(HANDSHAKE)
        line.setblocking(False)
        selector.register(line, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            assert isinstance(key.fileobj, socket.socket)
            if not key.fileobj.recv(2**18):
                return


def _is_drained(transports: list[asyncio.WriteTransport]) -> bool:
    return all(transport.get_write_buffer_size() == 0 for transport in transports)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(CONNECTED_WITHIN_S):
        while not condition():  # noqa: ASYNC110 - what is watched has no event to wait for
            await asyncio.sleep(0.01)
