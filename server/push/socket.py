"""The websocket at /ws: who is asking decides the scope; the hub does the rest."""

import asyncio
import contextlib
from typing import Final

import msgspec
import structlog
from aiohttp import WSCloseCode, WSMsgType, web
from redis.asyncio import Redis

from base.errors import HotlineError
from base.ids import AgentId
from base.task_set import TaskSet
from server.auth import NotSignedIn, Role, User
from server.http.identity import Identity, NotAllowed
from server.http.problems import refuse_foreign_origin
from server.live.commands import SetAgentState, ask
from server.live.stored_view import WALL_SCOPE, agent_scope
from server.push.hub import MOST_UNSENT_BYTES, Client, Hub
from server.push.protocol import Hello

log = structlog.get_logger(__name__)

HELLO_TIMEOUT_S: Final = 10.0
HEARTBEAT_S: Final = 20.0
"""A browser whose machine is gone does not answer the ping; it is dropped half of this later."""
CLOSE_TIMEOUT_S: Final = 2.0
"""For the browser's part of the farewell."""
MOST_CLIENT_FRAME_BYTES: Final = 4096
CHECK_SESSION_EVERY_S: Final = 15.0


def scope_of(user: User) -> str:
    """What this person's page is told of; ``NotAllowed`` for who has no live page."""
    if user.role is Role.LEADER:
        return WALL_SCOPE
    if user.role is Role.AGENT and user.agent is not None:
        return agent_scope(user.agent)
    raise NotAllowed(role=user.role.value)


class SocketWire:
    """The hub's view of one websocket: whole frames straight to its transport."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.WriteTransport) -> None:
        self._socket = socket
        self._transport = transport
        # aiohttp's own frames must never wait for a slow browser: the hub cuts it off long before.
        transport.set_write_buffer_limits(high=8 * MOST_UNSENT_BYTES)

    def send(self, frame: bytes) -> None:
        if self._socket.closed or self._transport.is_closing():
            raise ConnectionResetError("the browser has gone")
        self._transport.write(frame)

    def unsent_bytes(self) -> int:
        return self._transport.get_write_buffer_size()

    def cut(self) -> None:
        self._transport.abort()


class PushSocket:
    """/ws"""

    def __init__(
        self,
        identity: Identity,
        hub: Hub,
        redis: Redis,
        *,
        check_session_every_s: float = CHECK_SESSION_EVERY_S,
        hello_timeout_s: float = HELLO_TIMEOUT_S,
    ) -> None:
        self._identity = identity
        self._hub = hub
        self._redis = redis
        self._check_session_every_s = check_session_every_s
        self._hello_timeout_s = hello_timeout_s
        self._live: set[asyncio.BaseProtocol] = set()
        self._tasks = TaskSet("push_socket")

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/ws", self.handle)]

    def is_live(self, connection: asyncio.BaseProtocol) -> bool:
        """Whether this connection is a desk that has said hello."""
        return connection in self._live

    async def close(self, _app: web.Application | None = None) -> None:
        """End every line and what was begun for it (``Application.on_shutdown``)."""
        self._hub.cut_all()
        await self._tasks.close()

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        refuse_foreign_origin(request)
        user = await self._identity.user(request)
        scope = scope_of(user)
        socket = web.WebSocketResponse(
            timeout=CLOSE_TIMEOUT_S,
            heartbeat=HEARTBEAT_S,
            max_msg_size=MOST_CLIENT_FRAME_BYTES,
            compress=False,
        )
        await socket.prepare(request)
        hello = await self._hello(socket)
        if hello is None or request.transport is None:
            return socket
        connection = request.protocol
        self._live.add(connection)
        if user.agent is not None:
            # Beside the page's first look: a bridge that is away must not keep the page waiting.
            self._tasks.spawn(self._sign_in(user.agent), name="sign_in")
        try:
            await self._serve(request, socket, scope, hello)
        finally:
            self._live.discard(connection)
        return socket

    async def _serve(
        self, request: web.Request, socket: web.WebSocketResponse, scope: str, hello: Hello
    ) -> None:
        assert request.transport is not None
        wire = SocketWire(socket, request.transport)
        client = self._hub.join(scope, wire, hello.epoch, hello.seq)
        try:
            await self._stay(request, socket, client)
        finally:
            self._hub.leave(client)

    async def _hello(self, socket: web.WebSocketResponse) -> Hello | None:
        with contextlib.suppress(TimeoutError, msgspec.MsgspecError, RecursionError):
            message = await socket.receive(timeout=self._hello_timeout_s)
            if message.type is WSMsgType.TEXT:
                return msgspec.json.decode(message.data, type=Hello)
        await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"hello expected")
        return None

    async def _stay(
        self, request: web.Request, socket: web.WebSocketResponse, client: Client
    ) -> None:
        """Until the browser goes, says what it may not say, or its session is over."""
        while True:
            try:
                message = await socket.receive(timeout=self._check_session_every_s)
            except TimeoutError:
                if await self._is_still(request, client):
                    continue
                await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"signed out")
                return
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"hello only once")
            return

    async def _is_still(self, request: web.Request, client: Client) -> bool:
        """Whether the session is good, and still that of the same desk."""
        try:
            scope = scope_of(await self._identity.user(request))
        except NotSignedIn:
            return False
        except HotlineError as error:
            return error.retryable or error.http_status >= 500
        return scope == client.scope

    async def _sign_in(self, agent: AgentId) -> None:
        """An open console means signed in; a bridge that is away learns it later."""
        try:
            await ask(self._redis, SetAgentState(agent=agent, wish="sign_in"))
        except HotlineError as error:
            log.info("sign_in_not_told", agent=agent, code=error.code)
