"""The processes of ``bench.pop``: the bridge and the web role cut down to the way of a pop; the
bare forwarder; and the two of the bare relay. Each says its port when it is ready, 0 for none, and
ends with its parent.

    python -m bench.pop_parts bridge URL AMI_PORT | web URL | bare AMI_PORT
                            | relay-in URL AMI_PORT | relay-out URL
"""

import asyncio
import gc
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import uvloop
from aiohttp import web

from base.ids import CallId
from base.task_set import TaskSet
from server.http.door import open_door
from server.live.calls import History
from server.live.journal import Journal
from server.live.scribe import Scribe
from server.live.stored_view import agent_scope
from server.logging_setup import configure_logging
from server.push.hub import Hub
from server.push.protocol import FormerCall, FormerTicket
from server.push.socket import SocketWire
from server.redis_client import connect_redis
from server.redis_line import RedisLine
from server.roles.bridge_parts import build_centre
from server.settings_loader import load_settings
from server.streams import append_command, entries_of
from telephony.switch import AsteriskSwitch
from tests.fakes.drafts import no_draft
from tests.fakes.records import FakeRecords

HOST: Final = "127.0.0.1"
AGENTS: Final = tuple(str(number) for number in range(1001, 1041))
END: Final = b"\r\n\r\n"
READY_WITHIN_S: Final = 60.0
RELAYED: Final = "relayed"


@asynccontextmanager
async def part(*arguments: str) -> AsyncIterator[int]:
    """Run one of the processes; gives its port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "bench.pop_parts",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            port = int(await process.stdout.readline())
        yield port
    finally:
        process.stdin.close()
        await process.wait()


async def _until_parent_ends(port: int) -> None:
    gc.collect()
    gc.freeze()  # as the roles do
    print(port, flush=True)
    await asyncio.to_thread(sys.stdin.read)


class _KnownCallers(FakeRecords):
    """Everybody has called before."""

    async def history(self, caller_number: str, before_call: CallId) -> History:
        await asyncio.sleep(0.001)  # a database on this machine
        at = datetime.now(UTC)
        calls = [
            FormerCall(
                call=f"hl1-{n}", started_at=at, outcome="answered", agent="1001", ticket_number=None
            )
            for n in range(5)
        ]
        tickets = [
            FormerTicket(
                number=f"20261122-{n:06}",
                title="夜间施工噪声",
                type="complain",
                state="registered",
                created_at=at,
            )
            for n in range(5)
        ]
        return History(calls=calls, tickets=tickets)


async def _bridge(url: str, port: int, folder: Path) -> None:
    configure_logging("bridge", "info", folder)  # as the role writes it
    settings = load_settings({}, {"home": folder, "agents": AGENTS})
    redis, tasks = connect_redis(url), TaskSet("bridge")
    switch = AsteriskSwitch(host=HOST, port=port, username="hotline", secret="right")
    records, journal = _KnownCallers(), Journal(settings.home / "journal")
    scribe = Scribe(records, journal)
    centre = build_centre(settings, switch, redis, records, scribe, extract=no_draft)

    async def follow() -> None:
        async for happened in switch.events():
            await centre.on_telephony(happened)

    async def tick() -> None:
        while True:
            await centre.tick()
            await asyncio.sleep(1)

    for work in (switch.run(), follow(), tick(), scribe.run()):
        tasks.spawn(work, name="bridge")
    try:
        await switch.wait_until_up(timeout_s=10)
        await asyncio.sleep(1.5)  # the first desks are published
        await _until_parent_ends(port)
    finally:
        await tasks.close()
        await centre.close()
        journal.close()
        await redis.aclose()


async def _web(url: str) -> None:
    redis, tasks = connect_redis(url), TaskSet("hub")
    hub = Hub(redis)

    async def handle(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        assert request.transport is not None
        wire = SocketWire(socket, request.transport)
        hub.join(agent_scope(request.query["agent"]), wire, None, None)
        await socket.receive()
        return socket

    tasks.spawn(hub.run(), name="hub")
    try:
        async with _served(handle) as port:
            await _until_parent_ends(port)
    finally:
        await tasks.close()
        await redis.aclose()


async def _rings(ami_port: int) -> AsyncIterator[tuple[str, str]]:
    """Whose phone rings, and all that AgentCalled says of it as JSON."""
    reader, _writer = await asyncio.open_connection(HOST, ami_port)
    await reader.readline()  # the banner
    while True:
        message = (await reader.readuntil(END)).decode()
        if message.startswith("Event: AgentCalled"):
            fields = dict(line.split(": ", 1) for line in message.split("\r\n") if ": " in line)
            agent = fields["Interface"].removeprefix("PJSIP/")
            yield agent, json.dumps(fields, ensure_ascii=False)


class _Desks:
    """A websocket for each agent, and nothing more."""

    def __init__(self) -> None:
        self._sockets: dict[str, web.WebSocketResponse] = {}

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        self._sockets[request.query["agent"]] = socket
        await socket.receive()
        return socket

    async def tell(self, agent: str, text: str) -> None:
        await self._sockets[agent].send_str(text)


async def _bare(ami_port: int) -> None:
    desks = _Desks()

    async def forward() -> None:
        async for agent, text in _rings(ami_port):
            await desks.tell(agent, text)

    async with _served(desks.handle) as port:
        await _work_until_parent_ends(forward(), port)


async def _work_until_parent_ends(work: Coroutine[None, None, None], port: int) -> None:
    tasks = TaskSet("forward")
    tasks.spawn(work, name="forward")
    try:
        await _until_parent_ends(port)
    finally:
        await tasks.close()


@asynccontextmanager
async def _line(url: str) -> AsyncIterator[RedisLine]:
    redis = connect_redis(url)
    line = RedisLine(redis)
    await line.open()
    try:
        yield line
    finally:
        line.close()
        await redis.aclose()


async def _relay_in(url: str, ami_port: int) -> None:
    async with _line(url) as line:

        async def forward() -> None:
            async for agent, text in _rings(ami_port):
                await line.ask(*append_command(RELAYED, {"agent": agent, "text": text}, most=1000))

        await _work_until_parent_ends(forward(), 0)


async def _relay_out(url: str) -> None:
    desks = _Desks()
    async with _line(url) as line, _served(desks.handle) as port:

        async def forward() -> None:
            cursor = "0"
            while True:
                reply = await line.ask("XREAD", "BLOCK", 0, "STREAMS", RELAYED, cursor)
                for entry in entries_of(reply):
                    cursor, fields = entry.id, entry.fields
                    await desks.tell(fields[b"agent"].decode(), fields[b"text"].decode())

        await _work_until_parent_ends(forward(), port)


@asynccontextmanager
async def _served(
    handle: Callable[[web.Request], Awaitable[web.WebSocketResponse]],
) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_get("/ws", handle)
    async with open_door(app, HOST, 0, is_live=lambda _: True) as (_host, port):
        yield port


def main(name: str, *arguments: str) -> None:
    """Be one of the processes."""
    match name, arguments:
        case "bridge", (url, port):
            with tempfile.TemporaryDirectory() as folder:
                uvloop.run(_bridge(url, int(port), Path(folder)))  # as the roles do
        case "web", (url,):
            uvloop.run(_web(url))
        case "bare", (port,):
            asyncio.run(_bare(int(port)))
        case "relay-in", (url, port):
            uvloop.run(_relay_in(url, int(port)))
        case "relay-out", (url,):
            uvloop.run(_relay_out(url))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
