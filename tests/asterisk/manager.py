"""A bare manager client for tests: it hears what leaves Asterisk, and nothing more."""

import asyncio
from typing import Self

from tests.asterisk.switch import PATIENCE_S, until

Message = dict[str, str]


def seconds_between(first: Message, then: Message) -> float:
    """How long by Asterisk's own clock: a busy test reads both late."""
    return float(then["Timestamp"]) - float(first["Timestamp"])


class BareManager:
    """Logs in, keeps every event."""

    def __init__(self, port: int) -> None:
        self.events: list[Message] = []
        self.replies: list[Message] = []
        self._port = port
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        await reader.readline()
        self._reading = asyncio.create_task(self._read(reader))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        if self._writer is not None:
            self._writer.close()
            await asyncio.gather(self._writer.wait_closed(), return_exceptions=True)

    async def action(self, name: str, **fields: str) -> Message:
        """Send an action and return its response."""
        assert self._writer is not None
        before = len(self.replies)
        lines = [f"Action: {name}", *(f"{key}: {value}" for key, value in fields.items())]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        await until(lambda: len(self.replies) > before, why=f"a response to {name}")
        return self.replies[before]

    async def login(self, secret: str, *, user: str = "hotline") -> Message:
        return await self.action("Login", Username=user, Secret=secret)

    def named(self, event: str, **fields: str) -> list[Message]:
        """The events of that name with those fields; ``UserEvent``s by their own name."""
        return [
            each
            for each in self.events
            if event in (each.get("Event"), each.get("UserEvent"))
            and all(each.get(key) == value for key, value in fields.items())
        ]

    async def until(self, event: str, *, timeout_s: float = PATIENCE_S, **fields: str) -> Message:
        await until(lambda: self.named(event, **fields), timeout_s=timeout_s, why=event)
        return self.named(event, **fields)[0]

    async def _read(self, reader: asyncio.StreamReader) -> None:
        message: Message = {}
        while line := await reader.readline():
            text = line.decode().rstrip("\r\n")
            if text:
                key, _, value = text.partition(": ")
                message[key] = value
                continue
            (self.events if "Event" in message else self.replies).append(message)
            message = {}
