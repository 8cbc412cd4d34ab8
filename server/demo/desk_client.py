"""A signed-in agent without a browser: the same HTTP and websocket that the page uses."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar, Self

import aiohttp
import msgspec

from base.errors import HotlineError
from base.task_set import TaskSet
from server.push.protocol import DeskEvent, DeskView, Hello, Numbered, ServerFrame, Snapshot
from server.push.view import apply

REQUEST_TIMEOUT_S = 10.0


class DeskError(HotlineError):
    """The console refused or did not answer."""

    code: ClassVar[str] = "desk_failed"


@dataclass(frozen=True, slots=True)
class Seen:
    """An event and when it reached the desk."""

    event: DeskEvent
    at: datetime
    at_mono: float


@dataclass(slots=True)
class DeskClient:
    """Follows one agent's desk."""

    url: str
    username: str
    password: str
    view: DeskView | None = None
    seen: list[Seen] = field(default_factory=list)
    on_event: Callable[[DeskEvent], None] | None = None
    _session: aiohttp.ClientSession | None = None
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _tasks: TaskSet = field(default_factory=lambda: TaskSet("desk"))

    async def __aenter__(self) -> Self:
        jar = aiohttp.CookieJar(unsafe=True)  # the console may be on an IP address
        timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S)
        self._session = aiohttp.ClientSession(self.url, cookie_jar=jar, timeout=timeout)
        credentials = {"username": self.username, "password": self.password}
        try:
            await self.request("POST", "/api/session", credentials)
            self._tasks.spawn(self._follow(), name="follow")
            await self.until(lambda view: True, "a first look at the desk", timeout_s=20)
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def _close(self) -> None:
        await self._tasks.close()
        if self._session is not None:
            await self._session.close()

    async def request(self, method: str, path: str, body: object = None) -> dict[str, object]:
        """Ask the console; raises ``DeskError`` with the console's own code."""
        assert self._session is not None
        data = None if body is None else msgspec.json.encode(body)
        headers = {} if data is None else {"Content-Type": "application/json"}
        async with self._session.request(method, path, data=data, headers=headers) as response:
            raw = await response.read()
            answer = msgspec.json.decode(raw, type=dict[str, object]) if raw else {}
            if response.status >= 400:
                raise DeskError(path=path, status=response.status, code=answer.get("code"))
            return answer

    async def ready(self) -> None:
        """Want calls."""
        await self.request("POST", "/api/agent/state", {"state": "ready"})

    async def until(
        self, wanted: Callable[[DeskView], bool], what: str, *, timeout_s: float
    ) -> DeskView:
        """Wait until the desk is as wanted."""
        try:
            async with asyncio.timeout(timeout_s), self._changed:
                while self.view is None or not wanted(self.view):
                    await self._changed.wait()
                return self.view
        except TimeoutError:
            raise DeskError(f"waited {timeout_s:.0f} s for {what}, in vain") from None

    async def _follow(self) -> None:
        """Keep the view, resuming where a lost line left off."""
        hello = Hello()
        while True:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                hello = await self._follow_once(hello)
            await asyncio.sleep(0.2)

    async def _follow_once(self, hello: Hello) -> Hello:
        assert self._session is not None
        async with self._session.ws_connect("/ws") as socket:
            await socket.send_str(msgspec.json.encode(hello).decode())
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    frame = msgspec.json.decode(message.data, type=ServerFrame)
                    hello = await self._take(frame, hello)
        return hello

    async def _take(self, frame: ServerFrame, hello: Hello) -> Hello:
        match frame:
            case Snapshot():
                await self._show(frame.view, None)
                return Hello(epoch=frame.epoch, seq=frame.seq)
            case Numbered():
                assert self.view is not None
                await self._show(apply(self.view, frame.event), frame.event)
                return Hello(epoch=frame.epoch, seq=frame.seq)
            case _:
                return hello

    async def _show(self, view: DeskView, event: DeskEvent | None) -> None:
        if event is not None:
            self.seen.append(Seen(event, datetime.now(UTC), time.monotonic()))
            if self.on_event is not None:
                self.on_event(event)
        async with self._changed:
            self.view = view
            self._changed.notify_all()
