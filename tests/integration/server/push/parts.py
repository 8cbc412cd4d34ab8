"""A bridge's publisher, a web process and a browser, reduced to what push needs; real sockets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

import aiohttp
import msgspec
from aiohttp import web
from redis.asyncio import Redis

from base.database import Database
from base.ids import AgentId
from base.task_set import TaskSet
from server.auth import SignIn
from server.http.door import open_door
from server.http.identity import COOKIE, Identity
from server.http.problems import problems
from server.live.publisher import Publisher
from server.push.hub import MOST_CLIENTS_A_SCOPE, Hub
from server.push.protocol import (
    AgentState,
    Beat,
    DeskEvent,
    DeskView,
    Hello,
    Links,
    Numbered,
    Paused,
    ServerFrame,
    Snapshot,
)
from server.push.socket import PushSocket
from server.push.view import apply, empty_view
from server.redis_client import connect_redis

TICK_S = 0.1
AGENTS = (AgentId("1001"), AgentId("1002"))


def first_view(agent: str, *, has_looked: bool = True) -> DeskView:
    """A desk as a bridge begins it; ``has_looked``: it has learned the calls from Asterisk."""
    me = AgentState(
        agent=agent,
        state="paused",
        pause_reason="signed_in",
        phone_registered=True,
        since_at=datetime(2026, 3, 2, tzinfo=UTC),
    )
    return empty_view(
        me, Links(telephony="up" if has_looked else "down", speech="up", database="up")
    )


class Bridge:
    """What the bridge role does with its publisher: publishes, and ticks."""

    def __init__(self, redis_url: str, *, has_looked: bool = True) -> None:
        self.redis: Redis = connect_redis(redis_url)
        views = {agent: first_view(agent, has_looked=has_looked) for agent in AGENTS}
        self.publisher = Publisher(self.redis, views)
        self._tasks = TaskSet("bridge")

    async def __aenter__(self) -> Self:
        await self.publisher.catch_up()
        self._tasks.spawn(self._tick(), name="tick")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._tasks.close()
        await self.publisher.close()
        await self.redis.aclose()

    async def _tick(self) -> None:
        while True:
            await self.publisher.catch_up()
            await asyncio.sleep(TICK_S)

    async def publish(self, *events: DeskEvent, agent: str = "1001") -> None:
        for event in events:
            await self.publisher.publish(AgentId(agent), event)

    def view(self, agent: str = "1001") -> DeskView:
        return self.publisher.view(AgentId(agent))


class WebProcess:
    """The push part of a web role, on a port of its own."""

    def __init__(
        self,
        redis_url: str,
        database: Database,
        *,
        most_a_scope: int = MOST_CLIENTS_A_SCOPE,
        **limits: float,
    ) -> None:
        self.redis: Redis = connect_redis(redis_url)
        self.hub = Hub(self.redis, most_a_scope=most_a_scope)
        self.socket = PushSocket(Identity(SignIn(database)), self.hub, self.redis, **limits)
        self.url = ""
        self._tasks = TaskSet("web")
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[problems])
        app.router.add_routes(self.socket.routes())
        app.on_shutdown.append(self.socket.close)
        door = open_door(app, "127.0.0.1", 0, is_live=self.socket.is_live)
        host, port = await self._stack.enter_async_context(door)
        self.url = f"http://{host}:{port}"
        self._tasks.spawn(self.hub.run(), name="hub")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._tasks.close()
        await self._stack.aclose()
        await self.redis.aclose()


class OutOfOrder(AssertionError):
    """The server broke its promise to a browser."""


@dataclass(eq=False)
class Browser:
    """Keeps a desk as the page does, and is stricter: no event may be missing or come twice."""

    token: str
    view: DeskView | None = None
    hello: Hello = field(default_factory=Hello)
    snapshots: int = 0
    events: list[DeskEvent] = field(default_factory=list)
    views: list[DeskView] = field(default_factory=list)
    is_paused: bool = False
    is_up_to_date: bool = False
    arrivals_mono: list[float] = field(default_factory=list)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @asynccontextmanager
    async def at(self, url: str) -> AsyncIterator["Browser"]:
        """Connected, and following, until the block ends."""
        tasks = TaskSet("browser")
        try:
            async with self.connection(url) as socket:
                tasks.spawn(self._follow(socket), name="follow")
                yield self
        finally:
            await tasks.close()

    @asynccontextmanager
    async def connection(self, url: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """A line that has said hello; nothing is read yet."""
        self.is_up_to_date = False
        cookies = {COOKIE: self.token}
        jar = aiohttp.CookieJar(unsafe=True)
        async with (
            aiohttp.ClientSession(cookies=cookies, cookie_jar=jar) as session,
            session.ws_connect(f"{url}/ws", max_msg_size=0) as socket,
        ):
            await socket.send_str(msgspec.json.encode(self.hello).decode())
            yield socket

    async def _follow(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                await self.take(msgspec.json.decode(message.data, type=ServerFrame))
        self.is_up_to_date = False

    async def take(self, frame: ServerFrame) -> None:
        match frame:
            case Snapshot():
                self.snapshots += 1
                self._show(frame.view, frame.epoch, frame.seq)
            case Numbered():
                if self.view is None or frame.epoch != self.hello.epoch:
                    raise OutOfOrder(f"event of {frame.epoch} on {self.hello}")
                if frame.seq != (self.hello.seq or 0) + 1:
                    raise OutOfOrder(f"event {frame.seq} after {self.hello.seq}")
                self.events.append(frame.event)
                self.arrivals_mono.append(asyncio.get_running_loop().time())
                self._show(apply(self.view, frame.event), frame.epoch, frame.seq)
            case Beat():
                self.is_up_to_date, self.is_paused = True, False
            case Paused():
                self.is_up_to_date, self.is_paused = True, True
        async with self._changed:
            self._changed.notify_all()

    def _show(self, view: DeskView, epoch: str, seq: int) -> None:
        self.view = view
        self.views.append(view)
        self.hello = Hello(epoch=epoch, seq=seq)
        self.is_paused = False

    async def until(
        self, wanted: Callable[["Browser"], bool], what: str, *, timeout_s: float = 10.0
    ) -> None:
        """Wait until the desk is as wanted."""
        try:
            async with asyncio.timeout(timeout_s), self._changed:
                while not wanted(self):
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"{what}: not within {timeout_s:.0f} s") from None

    async def until_equal(self, bridge: Bridge, agent: str = "1001") -> None:
        await self.until(lambda me: me.view == bridge.view(agent), "the bridge's own view")
