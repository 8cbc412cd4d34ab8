"""The page as a telephone: what it registers with, and its line to Asterisk.

The browser speaks SIP over the websocket /sip; it is carried unread to Asterisk's own websocket,
which listens on this machine alone. So one origin, one port and one session cookie are enough.
Speech does not come through here: it goes between browser and Asterisk, encrypted (DTLS-SRTP), and
goes on when this process dies.

Must never hold messages back: who does not take one in time loses the line, and the page registers
anew. One line an agent: a newer page takes the phone over from an older one.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import ClassVar, Final

import structlog
from aiohttp import (
    ClientError,
    ClientSession,
    ClientTimeout,
    ClientWebSocketResponse,
    ClientWSTimeout,
    WSCloseCode,
    WSMsgType,
    web,
)

from base.errors import HotlineError
from base.ids import AgentId
from server.auth import NotSignedIn
from server.http.identity import Identity, NotAllowed
from server.http.problems import json_response, refuse_foreign_origin

log = structlog.get_logger(__name__)

PROTOCOL: Final = "sip"
CONNECT_TIMEOUT_S: Final = 3.0
SEND_TIMEOUT_S: Final = 5.0
CLOSE_TIMEOUT_S: Final = 2.0
HEARTBEAT_S: Final = 20.0
"""A browser whose machine is gone does not answer the ping; it is dropped half of this later."""
CHECK_SESSION_EVERY_S: Final = 15.0
MOST_MESSAGE_BYTES: Final = 32 * 1024
"""An INVITE with ICE candidates has 2 to 4 KiB."""
TAKEN_OVER: Final = 4001
"""Close code: another page of the same agent is the phone now."""

_Socket = web.WebSocketResponse | ClientWebSocketResponse


class PhoneLineUnavailable(HotlineError):
    """Asterisk's websocket does not answer; try again."""

    code: ClassVar[str] = "phone_line_unavailable"
    http_status: ClassVar[int] = 503
    retryable: ClassVar[bool] = True


class _Over(Exception):
    """The line ends, with the close code for the page."""

    def __init__(self, code: int, reason: bytes = b"") -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason


class _Line:
    """One page's line; ended from outside by ``end``."""

    def __init__(self) -> None:
        self._end: asyncio.Future[_Over] = asyncio.get_running_loop().create_future()

    def end(self, over: _Over) -> None:
        if not self._end.done():
            self._end.set_result(over)

    async def ended(self, within_s: float) -> _Over | None:
        done, _ = await asyncio.wait([self._end], timeout=within_s)
        return self._end.result() if done else None


class PhoneRoutes:
    """/api/phone and /sip"""

    def __init__(
        self,
        identity: Identity,
        *,
        secrets: Mapping[AgentId, str],
        asterisk_url: str,
        check_session_every_s: float = CHECK_SESSION_EVERY_S,
    ) -> None:
        """``secrets``: SIP passwords of those agents whose phone is their page.

        ``asterisk_url``: ``http://host:port/ws`` of Asterisk's HTTP server.
        """
        self._identity = identity
        self._secrets = secrets
        self._asterisk_url = asterisk_url
        self._check_session_every_s = check_session_every_s
        self._lines: dict[AgentId, _Line] = {}
        self._live: set[asyncio.BaseProtocol] = set()

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/api/phone", self.show), web.get("/sip", self.carry)]

    def is_live(self, connection: asyncio.BaseProtocol) -> bool:
        """Whether this connection is a telephone's line."""
        return connection in self._live

    async def close(self, _app: web.Application | None = None) -> None:
        """End every line (``Application.on_shutdown``)."""
        for line in self._lines.values():
            line.end(_Over(WSCloseCode.GOING_AWAY))

    async def show(self, request: web.Request) -> web.Response:
        """What the agent's phone is; where it is the page, with what that registers."""
        _user, agent = await self._identity.agent(request)
        if (secret := self._secrets.get(agent)) is None:
            return json_response({"kind": "desk"})
        return json_response({"kind": "page", "extension": agent, "password": secret})

    async def carry(self, request: web.Request) -> web.WebSocketResponse:
        """Carry SIP between this agent's page and Asterisk until either goes."""
        refuse_foreign_origin(request)
        user, agent = await self._identity.agent(request)
        if agent not in self._secrets:
            raise NotAllowed(role=user.role.value)
        async with ClientSession(timeout=ClientTimeout(total=None)) as session:
            asterisk = await self._reach(session)
            page = web.WebSocketResponse(
                timeout=CLOSE_TIMEOUT_S,
                heartbeat=HEARTBEAT_S,
                max_msg_size=MOST_MESSAGE_BYTES,
                protocols=(PROTOCOL,),
                compress=False,
            )
            try:
                await page.prepare(request)
                await self._stay(request, agent, page, asterisk)
            finally:
                await asterisk.close()
        return page

    async def _reach(self, session: ClientSession) -> ClientWebSocketResponse:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                return await session.ws_connect(
                    self._asterisk_url,
                    protocols=(PROTOCOL,),
                    timeout=ClientWSTimeout(ws_close=CLOSE_TIMEOUT_S),
                    max_msg_size=MOST_MESSAGE_BYTES,
                )
        except (ClientError, OSError, TimeoutError) as error:
            raise PhoneLineUnavailable from error

    async def _stay(
        self,
        request: web.Request,
        agent: AgentId,
        page: web.WebSocketResponse,
        asterisk: ClientWebSocketResponse,
    ) -> None:
        line = _Line()
        if (former := self._lines.get(agent)) is not None:
            former.end(_Over(TAKEN_OVER, b"taken over"))
        self._lines[agent] = line
        self._live.add(request.protocol)
        log.info("phone_line_opened", agent=agent)
        over = _Over(WSCloseCode.GOING_AWAY)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_pump(page, asterisk))
                tasks.create_task(_pump(asterisk, page))
                tasks.create_task(self._watch(request, agent, line))
        except* _Over as group:
            over = next(each for each in _leaves(group) if isinstance(each, _Over))
        finally:
            self._live.discard(request.protocol)
            if self._lines.get(agent) is line:
                del self._lines[agent]
            log.info("phone_line_closed", agent=agent, code=over.code)
        with contextlib.suppress(ConnectionError):
            await page.close(code=over.code, message=over.reason)

    async def _watch(self, request: web.Request, agent: AgentId, line: _Line) -> None:
        """Until the line is ended from outside, or the session is over or another's."""
        while True:
            if (over := await line.ended(self._check_session_every_s)) is not None:
                raise over
            if not await self._is_still(request, agent):
                raise _Over(WSCloseCode.POLICY_VIOLATION, b"signed out")

    async def _is_still(self, request: web.Request, agent: AgentId) -> bool:
        try:
            _user, now = await self._identity.agent(request)
        except NotSignedIn:
            return False
        except HotlineError as error:
            return error.retryable or error.http_status >= 500
        return now == agent


async def _pump(source: _Socket, sink: _Socket) -> None:
    """Hand each message on as it comes; the one in hand is all that is ever kept."""
    while True:
        message = await source.receive()
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                match message.type:
                    case WSMsgType.TEXT:
                        await sink.send_str(message.data)
                    case WSMsgType.BINARY:
                        await sink.send_bytes(message.data)
                    case _:
                        raise _Over(WSCloseCode.GOING_AWAY)
        except (ConnectionError, ClientError, TimeoutError) as error:
            raise _Over(WSCloseCode.GOING_AWAY) from error


def _leaves(group: BaseExceptionGroup[_Over]) -> list[BaseException]:
    found: list[BaseException] = []
    for each in group.exceptions:
        found += _leaves(each) if isinstance(each, BaseExceptionGroup) else [each]
    return found
