"""One decoder process under supervision: started, watched, drained, killed.

Owns the process and the streams inside it. The model is livekit-agents' supervised_proc.py: ping
with a time-out, a memory limit, and separate ways to end. Whatever happens to the process, each of
its streams hears exactly one end. Must never block the loop.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, assert_never

import structlog

from base.errors import HotlineError, SetupError
from base.task_set import TaskSet
from transcription import worker_protocol as wire
from transcription.capacity import LearntLimit
from transcription.engine import SpeechEvent

log = structlog.get_logger(__name__)

READY_TIMEOUT_S: Final = 60.0
"""The large Mandarin model takes 20 s to load from a cold disk."""
PING_EVERY_S: Final = 0.5
"""Admission goes by what the answers tell."""
PONG_TIMEOUT_S: Final = 12.0
"""The process's main thread only hands sound on; silence this long means it is stuck."""
STOP_TIMEOUT_S: Final = 2.0
UNSENT_MOST_BYTES: Final = 1 << 20
"""Sound that the process has not taken over yet, all streams together."""

_ROOT: Final = Path(__file__).resolve().parent.parent


class WorkerLost(HotlineError):
    """A decoder process is gone."""

    code = "speech_worker_lost"
    retryable = True


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSpec:
    """How a decoder process is started and what it may use."""

    engine: str
    model_dir: Path
    model: str
    rss_most_bytes: int = 8 << 30
    loader: str = "-"
    """``module:function`` that opens the engine; ``-``: transcription.engines.open_engine."""


@dataclass(slots=True)
class StreamListener:
    """Who hears of a stream. ``on_end`` is called exactly once; None means that all is well."""

    on_words: Callable[[SpeechEvent], None]
    on_end: Callable[[str | None], None]


@dataclass(slots=True)
class Usage:
    """What the process said of itself last."""

    rss_bytes: int = 0
    cpu_s: float = 0.0
    lag_s: float = 0.0
    pace: float = 0.0
    streams_served: int = 0
    started_mono: float = field(default_factory=time.monotonic)


class Worker:
    """A running decoder process. Make it with ``Worker.start``."""

    def __init__(
        self,
        spec: WorkerSpec,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.spec = spec
        self.usage = Usage()
        self.limit = LearntLimit()
        self.is_draining = False
        self.lost = asyncio.Event()
        self._process = process
        self._reader = reader
        self._writer = writer
        self._streams: dict[str, StreamListener] = {}
        self._tasks = TaskSet("speech-worker")
        self._ping = 0
        self._heard_mono = time.monotonic()

    @classmethod
    async def start(cls, spec: WorkerSpec) -> "Worker":
        """Start a process and wait until its model is loaded; SetupError where it cannot be."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "transcription.worker_process", str(theirs.fileno()), spec.engine),
                *(str(spec.model_dir), spec.model, spec.loader),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                env=child_environment(),
            )
        finally:
            theirs.close()
        reader, writer = await asyncio.open_connection(sock=ours)
        worker = cls(spec, process, reader, writer)
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                await worker._await_ready()
        except BaseException:
            await worker.kill("did not start")
            raise
        worker._heard_mono = time.monotonic()
        worker._tasks.spawn(worker._read(), name="read")
        worker._tasks.spawn(worker._watch(), name="watch")
        log.info("speech_worker_ready", pid=process.pid, engine=spec.engine, model=spec.model)
        return worker

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def streams(self) -> int:
        """Streams inside now."""
        return len(self._streams)

    @property
    def is_usable(self) -> bool:
        """May take new streams."""
        return not (self.is_draining or self.lost.is_set())

    def open(self, stream: str, rate_hz: int, listener: StreamListener) -> None:
        """Begin a stream; whether there is room is the pool's business."""
        if self.lost.is_set():
            raise WorkerLost
        self._streams[stream] = listener
        self.usage.streams_served += 1
        self._send(wire.Open(stream, rate_hz))

    def accept(self, stream: str, pcm16: bytes) -> None:
        """Pass sound on. A process that does not take it breaks the stream at once."""
        if stream not in self._streams:
            return
        if self._writer.transport.get_write_buffer_size() > UNSENT_MOST_BYTES:
            self.drop(stream, "decoder process does not take sound")
            return
        self._send(wire.Sound(stream, pcm16))

    def finish(self, stream: str) -> None:
        """No more sound comes; the listener hears the last words, then the end."""
        if stream in self._streams:
            self._send(wire.Finish(stream))

    def drop(self, stream: str, reason: str) -> None:
        """Break a stream off."""
        if stream in self._streams:
            self._send(wire.Drop(stream))
            self._end(stream, reason)

    async def stop(self) -> None:
        """Ask the process to end, kill it where it does not; its streams are broken."""
        self._send(wire.Stop())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self._process.wait()
        await self.kill("stopped")

    async def kill(self, reason: str) -> None:
        """End the process now."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGKILL)
        await self._process.wait()
        self._lose(reason)
        await self._tasks.close()
        self._writer.close()

    def _send(self, message: wire.ToWorker) -> None:
        if not self._writer.is_closing():
            self._writer.write(wire.frame(message))

    async def _await_ready(self) -> None:
        match await self._receive():
            case wire.Ready():
                return
            case wire.Unusable(what, fix):
                raise SetupError(what, fix=fix)
            case _:
                raise WorkerLost("the decoder process ended before it was ready")

    async def _receive(self) -> wire.FromWorker | None:
        try:
            head = await self._reader.readexactly(wire.LENGTH.size)
            body = await self._reader.readexactly(wire.frame_length(head))
        except (asyncio.IncompleteReadError, OSError):
            return None
        return wire.read_from_worker(body)

    async def _read(self) -> None:
        try:
            while (message := await self._receive()) is not None:
                self._heard_mono = time.monotonic()
                self._handle(message)
        finally:
            self._lose("decoder process ended")

    def _handle(self, message: wire.FromWorker) -> None:
        match message:
            case wire.Heard(stream, event):
                if listener := self._streams.get(stream):
                    listener.on_words(event)
            case wire.Finished(stream):
                self._end(stream, None)
            case wire.Failed(stream, reason):
                self.drop(stream, reason)  # The sound that waits there would count as lag for ever.
            case wire.Pong(_, rss_bytes, cpu_s, lag_s, pace):
                self.usage.rss_bytes, self.usage.cpu_s = rss_bytes, cpu_s
                self.usage.lag_s, self.usage.pace = lag_s, pace
                self.limit.note(self.streams, lag_s, time.monotonic())
            case wire.Ready() | wire.Unusable():
                log.warning("speech_worker_said_odd_thing", pid=self.pid)
            case _:
                assert_never(message)

    async def _watch(self) -> None:
        while not self.lost.is_set():
            self._ping += 1
            self._send(wire.Ping(self._ping))
            await asyncio.sleep(PING_EVERY_S)
            if time.monotonic() - self._heard_mono > PONG_TIMEOUT_S:
                self._kill_soon("decoder process is stuck")
            elif self.usage.rss_bytes > self.spec.rss_most_bytes:
                self._kill_soon("decoder process uses too much memory")

    def _kill_soon(self, reason: str) -> None:
        """Kill; ``_read`` then sees the end of the line."""
        log.error("speech_worker_killed", pid=self.pid, reason=reason, rss=self.usage.rss_bytes)
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        self._lose(reason)

    def _lose(self, reason: str) -> None:
        self.lost.set()
        for stream in list(self._streams):
            self._end(stream, reason)

    def _end(self, stream: str, reason: str | None) -> None:
        if listener := self._streams.pop(stream, None):
            listener.on_end(reason)


def child_environment() -> dict[str, str]:
    """For our own child processes: they find our modules, and each stream has one thread."""
    return {**os.environ, "PYTHONPATH": _python_path(), "OMP_NUM_THREADS": "1"}


def _python_path() -> str:
    return os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
