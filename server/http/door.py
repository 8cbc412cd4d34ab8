"""The listening socket: how many may come in, and how long they may take.

Every limit on a connection stands here. Overflow rule: when ``MOST_CONNECTIONS`` are open, the
oldest that is no live desk is dropped for the newcomer, so that half-open requests lock nobody
out; where all are live desks the newcomer is dropped.
"""

import asyncio
import logging
import resource
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, cast

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

log = structlog.get_logger(__name__)

MOST_CONNECTIONS: Final = 2_000
BACKLOG: Final = 512
IDLE_S: Final = 15.0
"""For the header of a request, from its first byte or from the end of the one before."""
LINGER_S: Final = 2.0
"""For the rest of a body that nobody wants."""
MOST_LINE_BYTES: Final = 8_190
MOST_HEADERS: Final = 64
SHUTDOWN_S: Final = 2.0
SPARE_DESCRIPTORS: Final = 200
"""For logs, the database and Redis."""

IsLive = Callable[[asyncio.BaseProtocol], bool]


_STRANGERS_FAULTS: Final = (
    HttpProcessingError,
    web.RequestPayloadError,
    ConnectionError,
    UnicodeEncodeError,  # aiohttp quotes an odd Expect header in an answer that cannot hold it
)


class _WithoutStrangers(logging.Filter):
    """aiohttp logs a traceback for each malformed or broken-off request: that could fill a disk."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, _STRANGERS_FAULTS)


class _Refused(asyncio.Protocol):
    """A connection for which there is no room."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.WriteTransport", transport).abort()


class Door:
    """Makes the protocol of each connection, and room for it."""

    def __init__(self, server: web.Server, is_live: IsLive, most: int = MOST_CONNECTIONS) -> None:
        self._server = server
        self._is_live = is_live
        self._most = most
        self.dropped = 0

    def __call__(self) -> asyncio.Protocol:
        connections = self._server.connections
        if len(connections) < self._most:
            return self._server()
        self.dropped += 1
        log.warning("connections_full", most=self._most, dropped=self.dropped)
        oldest = next((each for each in connections if not self._is_live(each)), None)
        if oldest is None:
            return _Refused()
        if oldest.transport is not None:
            # Not `close`: that would wait until a client that never reads has read.
            oldest.transport.abort()
        return self._server()


@asynccontextmanager
async def open_door(
    app: web.Application, host: str, port: int, *, is_live: IsLive, most: int = MOST_CONNECTIONS
) -> AsyncIterator[tuple[str, int]]:
    """Serve ``app``; gives the address and port. OSError where the port cannot be had."""
    logger = logging.getLogger("hotline.http")
    logger.addFilter(_WITHOUT_STRANGERS)
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=logger,
        shutdown_timeout=SHUTDOWN_S,
        keepalive_timeout=IDLE_S,
        lingering_time=LINGER_S,
        max_line_size=MOST_LINE_BYTES,
        max_field_size=MOST_LINE_BYTES,
        max_headers=MOST_HEADERS,
    )
    await runner.setup()
    assert runner.server is not None
    door = Door(runner.server, is_live, min(most, _descriptors() - SPARE_DESCRIPTORS))
    try:
        listener = await asyncio.get_running_loop().create_server(
            door, host, port, backlog=BACKLOG, reuse_address=True
        )
        try:
            address = listener.sockets[0].getsockname()
            yield str(address[0]), int(address[1])
        finally:
            listener.close()
    finally:
        await runner.cleanup()


_WITHOUT_STRANGERS: Final = _WithoutStrangers()


def _descriptors() -> int:
    """As many open files as this process may have at most."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + SPARE_DESCRIPTORS
    if soft < wanted and (hard == resource.RLIM_INFINITY or hard > soft):
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft
