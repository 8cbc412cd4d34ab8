"""A TCP proxy between the product and Asterisk's manager port that can do what networks do.

Modes, changed at any time: pass, split (every byte on its own, so inside characters too), freeze (a
half-open link: both sides stay connected, nothing passes), delay, cut (a TCP reset).
"""

import asyncio
from contextlib import suppress
from enum import StrEnum
from typing import Self


class Mode(StrEnum):
    """What happens to bytes that arrive."""

    PASS = "pass"
    """They go on at once."""
    SPLIT = "split"
    """They go on one by one."""
    FREEZE = "freeze"
    """They vanish, and nobody is told."""
    DELAY = "delay"
    """They go on after ``delay_s``."""


class AmiProxy:
    """Listens on a free port of its own and connects each client to the target."""

    def __init__(self, target_port: int, *, target_host: str = "127.0.0.1") -> None:
        self._target = (target_host, target_port)
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self._pumps: set[asyncio.Task[None]] = set()
        self.mode = Mode.PASS
        self.delay_s = 0.0
        self.is_refusing = False
        """New clients are reset at once, as when Asterisk is away."""
        self.connections = 0

    @property
    def port(self) -> int:
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        assert isinstance(port, int)
        return port

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        await self._server.wait_closed()

    def cut(self) -> None:
        """Reset every connection, on both sides."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.is_refusing:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers += [writer, far_writer]
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            pump = asyncio.create_task(self._pump(source, sink))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65536):
                await self._pass_on(data, sink)
        sink.transport.abort()

    async def _pass_on(self, data: bytes, sink: asyncio.StreamWriter) -> None:
        match self.mode:
            case Mode.FREEZE:
                return
            case Mode.SPLIT:
                for at in range(len(data)):
                    sink.write(data[at : at + 1])
                    await sink.drain()
                    await asyncio.sleep(0)
            case Mode.DELAY:
                await asyncio.sleep(self.delay_s)
                sink.write(data)
            case Mode.PASS:
                sink.write(data)
