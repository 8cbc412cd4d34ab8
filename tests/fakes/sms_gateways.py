"""Two gateways for short messages that tests command: in memory, and a CMPP 2.0 simulator on TCP.

Both keep what they took, and can refuse, throttle, be away, or take a message and never say so. One
suite holds both (``tests/contract/test_sms_gateways.py``).
"""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from server.outside import cmpp
from server.outside.cmpp import Command, Packet, Part
from server.outside.sms_gateway import (
    GatewayAway,
    GatewayRefused,
    GatewayThrottled,
    OutcomeUnknown,
)

ACCOUNT = "901234"
SECRET = "not a secret"


class Commanded(Protocol):
    """What a test tells a gateway, and sees of it."""

    is_away: bool
    answers_nothing: bool
    results: list[int]
    """Of the next messages, in turn; then all are taken."""

    @property
    def taken(self) -> list[tuple[str, str]]:
        """Receiver and text of what it took, in order."""


@dataclass
class FakeGateway:
    """In memory."""

    is_away: bool = False
    answers_nothing: bool = False
    results: list[int] = field(default_factory=list)
    taken: list[tuple[str, str]] = field(default_factory=list)

    async def ready(self) -> None:
        if self.is_away:
            raise GatewayAway

    async def submit(self, to: str, text: str) -> list[str]:
        await self.ready()
        result = self.results.pop(0) if self.results else 0
        if result == cmpp.THROTTLED:
            raise GatewayThrottled
        if result:
            raise GatewayRefused(result=result)
        self.taken.append((to, text))
        if self.answers_nothing:
            raise OutcomeUnknown
        return [f"{len(self.taken):016x}"]


class CmppSimulator:
    """A gateway at the far end of TCP, speaking CMPP 2.0."""

    def __init__(self, secret: str = SECRET) -> None:
        self._secret = secret
        self.is_away = False
        self.answers_nothing = False
        self.results: list[int] = []
        self.acknowledged: list[bytes] = []
        self.sign_ins = 0
        self.links = 0
        self._parts: dict[tuple[str, int], list[Part]] = {}
        self._taken: list[tuple[str, str]] = []
        self._numbers = itertools.count(1)
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    @property
    def taken(self) -> list[tuple[str, str]]:
        return self._taken

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["CmppSimulator"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.hang_up()
            await server.wait_closed()

    def hang_up(self) -> None:
        """End every link, as a gateway that restarts."""
        for each in self._writers:
            each.close()

    def report(self, message: str, state: str, to: str) -> None:
        """Say what became of a message."""
        body = cmpp.report_body(bytes.fromhex(message), state, to)
        for each in self._writers:
            each.write(Packet(command=Command.DELIVER, sequence=7, body=body).encoded())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.links += 1
        try:
            while not self.is_away:
                header = await reader.readexactly(cmpp.HEADER.size)
                length, command, sequence = cmpp.read_header(header)
                body = await reader.readexactly(length)
                for answered, said in self._answers(command, body):
                    packet = Packet(command=answered, sequence=sequence, body=said)
                    writer.write(packet.encoded())
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _answers(self, command: int, body: bytes) -> Iterator[tuple[Command, bytes]]:
        match command:
            case Command.CONNECT:
                account, proof, version, timestamp = cmpp.read_connect(body)
                expected = cmpp.authenticator(ACCOUNT, self._secret, timestamp)
                is_known = (account, proof, version) == (ACCOUNT, expected, cmpp.VERSION)
                self.sign_ins += is_known
                status = 0 if is_known else 3
                yield Command.CONNECT_RESP, cmpp.connect_resp_body(status, proof, self._secret)
            case Command.SUBMIT:
                result = self.results.pop(0) if self.results else 0
                if not result:
                    self._take(*cmpp.read_submit(body))
                if not self.answers_nothing:
                    message = next(self._numbers).to_bytes(8)
                    yield Command.SUBMIT_RESP, cmpp.submit_resp_body(message, result)
            case Command.ACTIVE_TEST:
                yield Command.ACTIVE_TEST_RESP, b"\0"
            case Command.TERMINATE:
                yield Command.TERMINATE_RESP, b""
            case Command.DELIVER_RESP:
                self.acknowledged.append(body)
            case _:
                raise AssertionError(f"packet {command:#x} is not sent by a client")

    def _take(self, to: str, part: Part) -> None:
        """A long text is there when all its parts are, whatever their order."""
        reference = part.content[3] if part.has_header else 0
        parts = self._parts.setdefault((to, reference), [])
        parts.append(part)
        if len(parts) == part.count:
            joined = sorted(self._parts.pop((to, reference)), key=lambda each: each.number)
            content = b"".join(p.content[6:] if p.has_header else p.content for p in joined)
            self._taken.append((to, content.decode("utf-16-be")))
