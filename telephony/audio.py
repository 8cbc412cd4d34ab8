"""Live sound from Asterisk: listens for forked legs and hands each to whoever decodes it.

Owns the connections and guards them: a cap on their number, a time for the first frame, a watch
on the flow. A connection that sends garbage or a flood is closed, and only it. The protocol is
behind ``AudioParser``, so that chan_websocket can take over. Never knows whose leg a stream is.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import structlog

from base.ids import StreamId
from telephony.audio_rate import SHARE_LEAST, RateWatch
from telephony.audio_wire import (
    SILENCE_FRAME,
    AudioParser,
    AudioSocketParser,
    NotAudio,
    Sound,
    StreamClosed,
    StreamNamed,
)

log = structlog.get_logger(__name__)

NAME_TIMEOUT_S: Final = 2.0
"""From the connection to its UUID; Asterisk sends it at once."""
STALL_S: Final = 2.0
"""Without a frame a stream is quiet. It is not closed: a phone on hold may send nothing."""
READ_BYTES: Final = 1 << 16
FLOOD_FACTOR: Final = 1.5
FLOOD_ALLOWANCE_S: Final = 30.0
"""Sound may come this much faster than real time, from this much credit: a network's hiccup makes
up for lost time, an attacker or a looping channel (asterisk#234) does not stop."""
CLOSE_TIMEOUT_S: Final = 1.0
SILENCE_EVERY_S: Final = 1.0
"""How often a little silence goes back. ChanSpy looks up only when something comes from us: without
it Asterisk may keep a leg whose call is over (asterisk#2123)."""


class LegEnd(StrEnum):
    """Why a connection carries no more sound."""

    CLOSED = "closed"
    """Asterisk closed it: the leg or the call is over."""
    GARBAGE = "garbage"
    """What came was not the protocol."""
    FLOOD = "flood"
    """Sound came much faster than anybody can speak."""
    LOST = "lost"
    """The connection broke."""


@dataclass(slots=True)
class AudioLeg:
    """One forked leg: iterate over its sound until it ends, then read ``end``."""

    stream: StreamId
    parser: AudioParser
    reader: asyncio.StreamReader
    waiting: list[Sound]
    rate_hz: int = 8_000
    bytes_received: int = 0
    stalls: int = 0
    is_quiet: bool = False
    """No frame came for ``STALL_S``."""
    end: LegEnd | None = None
    rate: RateWatch = field(default_factory=RateWatch)
    on_quiet: Callable[[float], None] = lambda quiet_s: None
    """Told each ``STALL_S`` without a frame how long that has lasted."""
    on_flow: Callable[[], None] = lambda: None
    """Told when the frames come again."""
    on_thin: Callable[[float], None] = lambda share: None
    """Told each five seconds of flowing sound in which less than ``SHARE_LEAST`` of it came."""

    async def sound(self) -> AsyncIterator[Sound]:
        """The leg's sound as it comes."""
        begun_mono = time.monotonic()
        while self.end is None:
            for piece in self.waiting:
                self.rate_hz = piece.rate_hz
                self.bytes_received += len(piece.pcm16)
                if self._is_flood(time.monotonic() - begun_mono):
                    self.end = LegEnd.FLOOD
                    return
                yield piece
            self.waiting = []
            if self.end is None:
                await self._read()
        for piece in self.waiting:
            self.bytes_received += len(piece.pcm16)
            yield piece

    def _is_flood(self, elapsed_s: float) -> bool:
        heard_s = self.bytes_received / 2 / self.rate_hz
        return heard_s > elapsed_s * FLOOD_FACTOR + FLOOD_ALLOWANCE_S

    async def _read(self) -> None:
        data = await self._next_bytes()
        if not data:
            self.end = self.end or LegEnd.CLOSED
            return
        try:
            messages = self.parser.feed(data)
        except NotAudio as error:
            log.warning("audio_garbage", stream=self.stream, reason=str(error))
            self.end = LegEnd.GARBAGE
            return
        self.waiting = [message for message in messages if isinstance(message, Sound)]
        self._watch_rate()
        if any(isinstance(message, StreamClosed) for message in messages):
            self.end = LegEnd.CLOSED

    def _watch_rate(self) -> None:
        sound_s = sum(len(piece.pcm16) / 2 / piece.rate_hz for piece in self.waiting)
        share = self.rate.take(sound_s, time.monotonic()) if sound_s else None
        if share is not None and share < SHARE_LEAST:
            log.warning("audio_thin", stream=self.stream, share=round(share, 2))
            self.on_thin(share)

    async def _next_bytes(self) -> bytes:
        began_mono = time.monotonic()
        while True:
            try:
                async with asyncio.timeout(STALL_S):
                    data = await self.reader.read(READ_BYTES)
            except TimeoutError:
                self._note_quiet(time.monotonic() - began_mono)
                continue
            except OSError:
                self.end = LegEnd.LOST
                return b""
            if self.is_quiet and data:
                log.info("audio_flows_again", stream=self.stream)
                self.on_flow()
            self.is_quiet = False
            return data

    def _note_quiet(self, quiet_s: float) -> None:
        if not self.is_quiet:
            self.is_quiet = True
            self.stalls += 1
            log.info("audio_quiet", stream=self.stream, bytes=self.bytes_received)
        self.on_quiet(quiet_s)


OnLeg = Callable[[AudioLeg], Awaitable[None]]


class AudioListener:
    """A listening port; calls ``on_leg`` for each leg and closes its connection afterwards."""

    def __init__(
        self,
        on_leg: OnLeg,
        *,
        connections_most: int,
        new_parser: Callable[[], AudioParser] = AudioSocketParser,
    ) -> None:
        self._on_leg = on_leg
        self._connections_most = connections_most
        self._new_parser = new_parser
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()
        self.turned_away = 0

    @property
    def connections(self) -> int:
        """Connections open now."""
        return len(self._open)

    @property
    def port(self) -> int:
        """The port in use; of help where it was asked for as 0."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self, host: str, port: int) -> None:
        """Listen; raises OSError where the address cannot be used."""
        self._server = await asyncio.start_server(self._serve, host, port)

    async def close(self) -> None:
        """Stop listening and close every connection, our end first."""
        if self._server is None:
            return
        self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._guarded(reader, writer)
        except asyncio.CancelledError:
            # The stream server's own task callback would log this as an error.
            if self._server is not None and self._server.is_serving():
                raise
        except Exception:
            log.exception("audio_connection_failed")
        finally:
            self._open.discard(task)
            await _close(writer)

    async def _guarded(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) > self._connections_most:
            self.turned_away += 1
            log.warning("audio_connection_refused", open=len(self._open) - 1)
            return
        _keep_alive(writer)
        leg = await self._named(reader)
        if leg is None:
            return
        silence = asyncio.create_task(_send_silence(writer))
        try:
            await self._on_leg(leg)
        finally:
            silence.cancel()

    async def _named(self, reader: asyncio.StreamReader) -> AudioLeg | None:
        """Read until the stream says who it is; None where it does not."""
        parser = self._new_parser()
        try:
            async with asyncio.timeout(NAME_TIMEOUT_S):
                while data := await reader.read(READ_BYTES):
                    messages = parser.feed(data)
                    if messages and isinstance(messages[0], StreamNamed):
                        sounds = [item for item in messages if isinstance(item, Sound)]
                        leg = AudioLeg(messages[0].stream, parser, reader, sounds)
                        if any(isinstance(item, StreamClosed) for item in messages):
                            leg.end = LegEnd.CLOSED
                        return leg
        except NotAudio as error:
            log.warning("audio_garbage", reason=str(error))
        except TimeoutError:
            log.warning("audio_unnamed", timeout_s=NAME_TIMEOUT_S)
        except OSError as error:
            log.info("audio_connection_lost", reason=str(error))
        return None


async def _send_silence(writer: asyncio.StreamWriter) -> None:
    """Until cancelled or the connection is gone; nothing where Asterisk does not take it."""
    while not writer.is_closing():
        await asyncio.sleep(SILENCE_EVERY_S)
        if not writer.transport.get_write_buffer_size():
            writer.write(SILENCE_FRAME)


def _keep_alive(writer: asyncio.StreamWriter) -> None:
    """Notice within a minute that the machine at the other end is gone."""
    line: socket.socket | None = writer.get_extra_info("socket")
    if line is None:
        return
    with contextlib.suppress(OSError):
        line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 20)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await writer.wait_closed()
