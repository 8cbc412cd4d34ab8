"""One connection to Redis for the push path, where a fraction of a millisecond counts.

A command goes onto the wire in the call that asks it, without a task or a wait, and answers come in
the order of the questions: what one caller writes is carried out in that order. (Measured in
2026-11: from a write to a blocked reader 0.22 ms, through redis-py's client 0.50 ms, with twice the
processor time.) Everything else goes through ``server.redis_client``. Never connects anew by
itself: who owns the line knows what was lost with it.
"""

import asyncio
import ssl
from collections import deque
from typing import Final, cast

import hiredis
from redis.asyncio import Redis, SSLConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from server.redis_client import CONNECT_TIMEOUT_S
from server.streams import RedisValue

MOST_UNANSWERED: Final = 8_000
"""Commands on their way. Overflow rule: the question is refused, as on a line that has ended."""

Reply = object


class RedisLine:
    """A line beside ``redis``, to the same server with the same login."""

    def __init__(self, redis: Redis) -> None:
        self._pool = redis.connection_pool
        self._wire: _Wire | None = None

    @property
    def is_open(self) -> bool:
        return self._wire is not None and not self._wire.is_ended

    @property
    def silent_s(self) -> float:
        """How long the oldest question has been waiting; 0 where none is."""
        return 0.0 if self._wire is None else self._wire.silent_s()

    async def open(self) -> None:
        """Connect and log in, where it is not open; errors are ``RedisError`` or ``OSError``."""
        if self.is_open:
            return
        self.close()
        wire: _Wire | None = None
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                self._wire = await self._connect()
                await self._log_in()
            wire = self._wire
        except TimeoutError as error:
            raise RedisConnectionError("no answer") from error
        finally:
            if wire is None:
                self.close()

    async def _connect(self) -> "_Wire":
        options, loop = self._pool.connection_kwargs, asyncio.get_running_loop()
        if path := options.get("path"):
            _, wire = await loop.create_unix_connection(_Wire, path)
            return wire
        is_secure = issubclass(self._pool.connection_class, SSLConnection)
        secure = ssl.create_default_context() if is_secure else None
        host, port = options.get("host", "localhost"), options.get("port", 6379)
        _, wire = await loop.create_connection(_Wire, host, port, ssl=secure)
        return wire

    async def _log_in(self) -> None:
        options = self._pool.connection_kwargs
        if password := options.get("password"):
            user = options.get("username")
            await self.ask("AUTH", *((user,) if user else ()), password)
        if database := options.get("db"):
            await self.ask("SELECT", database)

    def ask(self, *command: RedisValue) -> asyncio.Future[Reply]:
        """Send one command now; the future has its answer, or a ``RedisError``."""
        return self._send([command], answers=1)

    def transact(self, *commands: tuple[RedisValue, ...]) -> asyncio.Future[Reply]:
        """Have all commands carried out or none; sent now."""
        return self._send([("MULTI",), *commands, ("EXEC",)], answers=len(commands) + 2)

    def _send(
        self, commands: list[tuple[RedisValue, ...]], *, answers: int
    ) -> asyncio.Future[Reply]:
        wire = self._wire
        if wire is None or wire.is_ended:
            raise RedisConnectionError("not open")
        if wire.unanswered + answers > MOST_UNANSWERED:
            raise RedisConnectionError("too many questions are not answered")
        return wire.send(b"".join(map(_packed, commands)), answers)

    def close(self) -> None:
        """End it now; what is not answered fails."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.end(RedisConnectionError("closed"))


def _packed(command: tuple[RedisValue, ...]) -> bytes:
    # Its stub speaks of tuples of one.
    return cast("bytes", hiredis.pack_command(cast("tuple[bytes]", command)))


class _Wire(asyncio.Protocol):
    """Bytes in and out, and who waits for which answer."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader(replyError=ResponseError)
        self._transport: asyncio.Transport | None = None
        # When it was asked, how many answers belong to it, and who wants the last of them.
        self._waiting: deque[tuple[float, int, asyncio.Future[Reply]]] = deque()
        self._answers_had = 0
        self.unanswered = 0
        self.is_ended = False

    def silent_s(self) -> float:
        return self._loop.time() - self._waiting[0][0] if self._waiting else 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        # uvloop else writes when every callback that is ready has run: up to a millisecond later.
        self._transport.set_write_buffer_limits(high=0)

    def connection_lost(self, exc: Exception | None) -> None:
        self.end(RedisConnectionError(type(exc).__name__ if exc else "ended by the server"))

    def send(self, data: bytes, answers: int) -> asyncio.Future[Reply]:
        assert self._transport is not None
        wanted: asyncio.Future[Reply] = self._loop.create_future()
        self._waiting.append((self._loop.time(), answers, wanted))
        self.unanswered += answers
        self._transport.write(data)
        return wanted

    def data_received(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
            while (reply := self._reader.gets()) is not False and not self.is_ended:
                self._take(reply)
        except hiredis.ProtocolError:
            self.end(RedisConnectionError("this is not Redis"))

    def _take(self, reply: Reply) -> None:
        if not self._waiting:
            self.end(RedisConnectionError("an answer that nobody asked for"))
            return
        _, answers, wanted = self._waiting[0]
        self.unanswered -= 1
        self._answers_had += 1
        if self._answers_had < answers:
            return  # MULTI's and each command's; an error among them comes again from EXEC
        self._waiting.popleft()
        self._answers_had = 0
        if wanted.done():
            return
        if isinstance(reply, RedisError):
            wanted.set_exception(reply)
        else:
            wanted.set_result(reply)

    def end(self, why: RedisError) -> None:
        if self.is_ended:
            return
        self.is_ended = True
        if self._transport is not None:
            self._transport.abort()
        while self._waiting:
            _, _, wanted = self._waiting.popleft()
            if not wanted.done():
                wanted.set_exception(why)
        self.unanswered = 0
