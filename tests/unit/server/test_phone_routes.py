"""The line of a page that is a telephone: who gets it, and that it carries SIP unread."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Self

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from base.ids import AgentId, UserId
from server.auth import NotSignedIn, Role, User
from server.http.identity import Identity, NotAllowed
from server.http.phone_routes import MOST_MESSAGE_BYTES, TAKEN_OVER, PhoneRoutes
from server.http.problems import problems

SECRET = "secret-of-1001"
WAIT_S = 5


class Cookies(Identity):
    """Whoever the cookie ``who`` names: an agent's number, or ``leader``; while it is valid."""

    def __init__(self) -> None:
        self.is_valid = True

    async def agent(self, request: web.Request) -> tuple[User, AgentId]:
        who = request.cookies.get("who", "")
        if not who or not self.is_valid:
            raise NotSignedIn
        if who == "leader":
            raise NotAllowed(role=who)
        agent = AgentId(who)
        user = User(id=UserId(who), username=who, display_name=who, role=Role.AGENT, agent=agent)
        return user, agent


@dataclass
class FakeAsterisk:
    """Its websocket: what came, and a way to say something."""

    lines: list[web.WebSocketResponse] = field(default_factory=list)
    heard: "asyncio.Queue[str]" = field(default_factory=lambda: asyncio.Queue(100))

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        line = web.WebSocketResponse(protocols=("sip",))
        await line.prepare(request)
        self.lines.append(line)
        async for message in line:
            self.heard.put_nowait(message.data)
        self.heard.put_nowait("gone")
        return line


class House:
    """Web role and Asterisk with their addresses."""

    def __init__(self) -> None:
        self.asterisk = FakeAsterisk()
        self.identity = Cookies()
        self.url = ""
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/ws", self.asterisk.serve)
        upstream = await self._start(app)
        self.phones = self.make(f"{upstream}/ws")
        app = web.Application(middlewares=[problems])
        app.router.add_routes(self.phones.routes())
        dead = web.Application(middlewares=[problems])
        dead.router.add_routes(self.make("http://127.0.0.1:1/ws").routes())
        app.add_subapp("/dead/", dead)
        self.url = await self._start(app)
        return self

    def make(self, asterisk_url: str) -> PhoneRoutes:
        return PhoneRoutes(
            self.identity,
            secrets={AgentId("1001"): SECRET},
            asterisk_url=asterisk_url,
            check_session_every_s=0.05,
        )

    async def _start(self, app: web.Application) -> str:
        runner = web.AppRunner(app, shutdown_timeout=0.2)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def __aexit__(self, *_: object) -> None:
        await self.phones.close()
        await self._stack.aclose()

    def browser(self, who: str) -> aiohttp.ClientSession:
        cookies = {"who": who} if who else {}
        jar = aiohttp.CookieJar(unsafe=True)
        return aiohttp.ClientSession(self.url, cookies=cookies, cookie_jar=jar)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with House() as running:
        yield running


@pytest.mark.parametrize(
    ("who", "status", "answer"),
    [
        ("1001", 200, {"kind": "page", "extension": "1001", "password": SECRET}),
        ("1002", 200, {"kind": "desk"}),
        ("leader", 403, None),
        ("", 401, None),
    ],
)
async def test_an_agent_gets_the_password_of_their_own_page_alone(
    house: House, who: str, status: int, answer: object
) -> None:
    async with house.browser(who) as browser, browser.get("/api/phone") as response:
        assert response.status == status
        assert response.headers["Cache-Control"] == "no-store"
        if answer is not None:
            assert await response.json() == answer


@pytest.mark.parametrize(
    ("who", "path", "origin", "status"),
    [
        ("", "/sip", None, 401),
        ("leader", "/sip", None, 403),
        ("1002", "/sip", None, 403),
        ("1001", "/sip", "https://elsewhere.example", 403),
        ("1001", "/dead/sip", None, 503),
    ],
)
async def test_the_line_is_refused_to_everybody_else(
    house: House, who: str, path: str, origin: str | None, status: int
) -> None:
    async with house.browser(who) as browser:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await browser.ws_connect(path, protocols=("sip",), origin=origin)
    assert refused.value.status == status
    assert house.asterisk.lines == []


async def test_sip_is_carried_both_ways_unread(house: House) -> None:
    async with house.browser("1001") as browser:
        async with browser.ws_connect("/sip", protocols=("sip",)) as line:
            assert line.protocol == "sip"
            await line.send_str("REGISTER sip:hotline SIP/2.0\r\n\r\n")
            async with asyncio.timeout(WAIT_S):
                assert await house.asterisk.heard.get() == "REGISTER sip:hotline SIP/2.0\r\n\r\n"
            await house.asterisk.lines[0].send_str("SIP/2.0 200 OK\r\n\r\n")
            assert await line.receive_str(timeout=WAIT_S) == "SIP/2.0 200 OK\r\n\r\n"
        async with asyncio.timeout(WAIT_S):
            assert await house.asterisk.heard.get() == "gone", "Asterisk forgets a page that left"


async def test_a_newer_page_takes_the_phone_over(house: House) -> None:
    async with house.browser("1001") as browser:
        former = await browser.ws_connect("/sip", protocols=("sip",))
        newer = await browser.ws_connect("/sip", protocols=("sip",))
        message = await former.receive(timeout=WAIT_S)
        assert (message.type, message.data) == (WSMsgType.CLOSE, TAKEN_OVER)
        await newer.send_str("OPTIONS")
        async with asyncio.timeout(WAIT_S):
            assert {await house.asterisk.heard.get(), await house.asterisk.heard.get()} == {
                "gone",
                "OPTIONS",
            }
        await newer.close()


async def test_the_line_ends_with_the_session(house: House) -> None:
    async with house.browser("1001") as browser:
        line = await browser.ws_connect("/sip", protocols=("sip",))
        house.identity.is_valid = False
        message = await line.receive(timeout=WAIT_S)
    assert (message.type, message.data) == (WSMsgType.CLOSE, aiohttp.WSCloseCode.POLICY_VIOLATION)


async def test_the_line_ends_with_asterisks(house: House) -> None:
    async with house.browser("1001") as browser:
        line = await browser.ws_connect("/sip", protocols=("sip",))
        await house.asterisk.lines[0].close()
        message = await line.receive(timeout=WAIT_S)
    assert (message.type, message.data) == (WSMsgType.CLOSE, aiohttp.WSCloseCode.GOING_AWAY)


async def test_a_message_longer_than_sip_needs_ends_the_line(house: House) -> None:
    async with house.browser("1001") as browser:
        line = await browser.ws_connect("/sip", protocols=("sip",))
        await line.send_str("x" * (MOST_MESSAGE_BYTES + 1))
        message = await line.receive(timeout=WAIT_S)
        assert message.type is WSMsgType.CLOSE
    async with asyncio.timeout(WAIT_S):
        assert await house.asterisk.heard.get() == "gone"
