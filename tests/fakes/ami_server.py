"""A scripted Asterisk manager: answers as it is told to, and says what a test puts in its mouth.

Good for what real Asterisk will not do on demand: stay silent, answer half a list, cut a character.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Self

Fields = dict[str, str]
Responder = Callable[["Session", Fields], None]

BANNER = b"Asterisk Call Manager/11.0.0\r\n"


def message(**headers: str) -> bytes:
    """The bytes of one message; ``_`` in a name stands for ``-``."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def event(name: str, **headers: str) -> bytes:
    return message(Event=name, **headers)


class Session:
    """One client that is connected."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.received: list[Fields] = []

    def say(self, data: bytes) -> None:
        self.writer.write(data)

    def respond(self, action: Fields, **headers: str) -> None:
        self.say(message(Response="Success", ActionID=action.get("ActionID", ""), **headers))

    def refuse(self, action: Fields, reason: str) -> None:
        self.say(message(Response="Error", ActionID=action.get("ActionID", ""), Message=reason))

    def respond_list(self, action: Fields, name: str, *items: bytes) -> None:
        """A response, the items with our id put into them, and the completing event."""
        action_id = action["ActionID"]
        self.respond(action, EventList="start", Message=f"{name} will follow")
        for item in items:
            self.say(item.removesuffix(b"\r\n") + f"ActionID: {action_id}\r\n\r\n".encode())
        complete = {"EventList": "Complete", "ListItems": str(len(items))}
        self.say(event(f"{name}Complete", ActionID=action_id, **complete))

    def reset(self) -> None:
        """Close with a TCP reset."""
        self.writer.transport.abort()


class AmiServer:
    """Listens on a free port; ``replies`` says what each action gets, by its name."""

    def __init__(self, *, secret: str = "right") -> None:
        self.secret = secret
        self.port = 0
        self.sessions: list[Session] = []
        self.queues: list[bytes] = []
        """What QueueStatus lists."""
        self.channels: list[bytes] = []
        """What Status lists."""
        self.replies: dict[str, Responder] = {
            "Login": self._login,
            "Ping": lambda session, action: session.respond(action, Ping="Pong"),
            "QueueStatus": lambda s, a: s.respond_list(a, "QueueStatus", *self.queues),
            "Status": lambda s, a: s.respond_list(a, "Status", *self.channels),
            "Originate": self._originate,
        }
        self._server: asyncio.Server | None = None

    def _login(self, session: Session, action: Fields) -> None:
        if action.get("Secret") != self.secret:
            session.refuse(action, "Authentication failed")
            session.writer.close()
            return
        session.respond(action, Message="Authentication accepted")
        session.say(event("FullyBooted", Status="Fully Booted"))

    def _originate(self, session: Session, action: Fields) -> None:
        session.respond(action, Message="Originate successfully queued")
        told = {"ActionID": action["ActionID"], "Response": "Success", "Reason": "4"}
        session.say(event("OriginateResponse", **told))

    def stay_silent_on(self, *actions: str) -> None:
        for name in actions:
            self.replies[name] = lambda session, action: None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and reset everybody."""
        if self._server is not None:
            self._server.close()
            for session in self.sessions:
                session.reset()
            await self._server.wait_closed()
            self._server = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def session(self) -> Session:
        """The latest client."""
        return self.sessions[-1]

    def received(self, name: str) -> list[Fields]:
        """Actions of that name, over all clients."""
        every = [action for session in self.sessions for action in session.received]
        return [action for action in every if action["Action"] == name]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(writer)
        self.sessions.append(session)
        session.say(BANNER)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                raw = await reader.readuntil(b"\r\n\r\n")
                self._answer(session, _fields(raw))
        writer.close()

    def _answer(self, session: Session, action: Fields) -> None:
        session.received.append(action)
        if (responder := self.replies.get(action["Action"])) is not None:
            responder(session, action)
        else:
            session.respond(action)


def _fields(raw: bytes) -> Fields:
    lines = raw.decode().strip().split("\r\n")
    return {name: value for name, _, value in (line.partition(": ") for line in lines)}


@asynccontextmanager
async def ami_server(*, secret: str = "right") -> AsyncIterator[AmiServer]:
    async with AmiServer(secret=secret) as server:
        yield server


async def until(what: Callable[[], object], *, timeout_s: float = 5.0, why: str = "") -> None:
    """Wait for something to come true."""
    try:
        async with asyncio.timeout(timeout_s):
            while not what():  # noqa: ASYNC110  # a test looks at plain facts; they set no event
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"did not come true within {timeout_s} s: {why}") from None
