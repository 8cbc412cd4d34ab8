"""The decoder processes of one machine: keeps them running, admits streams, replaces worn ones.

A dead process is started again with growing pauses; a worn one takes no new streams, is replaced
at once and ends when its last stream has ended.
"""

import asyncio
import time
from typing import Final

import structlog

from base.backoff import backoff_s
from base.errors import HotlineError, SetupError
from base.task_set import TaskSet
from transcription.capacity import Load, RecycleLimits, choose, is_worn
from transcription.worker import StreamListener, Worker, WorkerSpec

log = structlog.get_logger(__name__)

RESTART_FIRST_S: Final = 0.5
RESTART_MOST_S: Final = 30.0
LOOK_EVERY_S: Final = 1.0
STABLE_AFTER_S: Final = 60.0


class Admitted:
    """A stream's place in a decoder."""

    def __init__(self, worker: Worker, stream: str) -> None:
        self._worker = worker
        self._stream = stream

    def accept(self, pcm16: bytes) -> None:
        """Decode more sound."""
        self._worker.accept(self._stream, pcm16)

    def finish(self) -> None:
        """No more sound comes."""
        self._worker.finish(self._stream)

    def drop(self, reason: str) -> None:
        """Break the stream off."""
        self._worker.drop(self._stream, reason)


class WorkerPool:
    """Admits streams to decoder processes."""

    def __init__(
        self,
        spec: WorkerSpec,
        *,
        workers: int,
        streams_per_worker: int,
        recycle: RecycleLimits | None = None,
    ) -> None:
        self._spec = spec
        self._count = workers
        self._streams_per_worker = streams_per_worker
        self._recycle = recycle or RecycleLimits()
        self._workers: list[Worker] = []
        self._tasks = TaskSet("speech-pool")
        self.restarts = 0
        self.refused = 0

    async def start(self) -> None:
        """Start all decoders; SetupError where the first cannot open its engine."""
        first = await Worker.start(self._spec)
        self._workers.append(first)
        for place in range(self._count):
            self._tasks.spawn(self._keep(place == 0), name=f"place-{place}")

    async def close(self) -> None:
        """End all decoders; streams still inside are broken."""
        await self._tasks.close()
        await asyncio.gather(*(worker.stop() for worker in self._workers))
        self._workers.clear()

    @property
    def streams(self) -> int:
        """Streams inside now."""
        return sum(worker.streams for worker in self._workers)

    @property
    def capacity(self) -> int:
        """Streams that the running decoders may hold."""
        return self._streams_per_worker * sum(worker.is_usable for worker in self._workers)

    @property
    def pace(self) -> float:
        """Seconds of work for a second of sound, of the slowest decoder's slowest stream."""
        return max((worker.usage.pace for worker in self._workers), default=0.0)

    @property
    def pids(self) -> list[int]:
        """The running decoders."""
        return [worker.pid for worker in self._workers if not worker.lost.is_set()]

    def admit(self, stream: str, rate_hz: int, listener: StreamListener) -> Admitted:
        """Take a stream, or raise SpeechBusy at once."""
        loads = [
            Load(
                worker.streams,
                worker.is_usable,
                worker.usage.lag_s,
                worker.usage.pace,
                worker.limit.most(time.monotonic()),
            )
            for worker in self._workers
        ]
        try:
            worker = self._workers[choose(loads, self._streams_per_worker)]
        except HotlineError:
            self.refused += 1
            raise
        worker.open(stream, rate_hz, listener)
        return Admitted(worker, stream)

    async def _keep(self, has_first: bool) -> None:
        """Keep one place filled: whenever its decoder is lost or worn, start another."""
        worker = self._workers[0] if has_first else None
        pauses = backoff_s(first_s=RESTART_FIRST_S, most_s=RESTART_MOST_S)
        while True:
            if worker is None:
                worker = await self._start_another()
            if worker is not None:
                await self._until_worn(worker)
                age_s = time.monotonic() - worker.usage.started_mono
                was_lost = worker.lost.is_set()
                self._retire(worker)
                worker = None
                self.restarts += 1
                if not was_lost:
                    continue
                if age_s > STABLE_AFTER_S:
                    pauses = backoff_s(first_s=RESTART_FIRST_S, most_s=RESTART_MOST_S)
            await asyncio.sleep(next(pauses))

    async def _start_another(self) -> Worker | None:
        try:
            worker = await Worker.start(self._spec)
        except (HotlineError, OSError, TimeoutError) as error:
            fix = error.fix if isinstance(error, SetupError) else ""
            log.error("speech_worker_not_started", reason=str(error), fix=fix)
            return None
        self._workers.append(worker)
        return worker

    async def _until_worn(self, worker: Worker) -> None:
        while not worker.lost.is_set():
            usage = worker.usage
            if is_worn(
                streams_served=usage.streams_served,
                age_s=time.monotonic() - usage.started_mono,
                rss_bytes=usage.rss_bytes,
                limits=self._recycle,
            ):
                log.info("speech_worker_worn", pid=worker.pid, streams=usage.streams_served)
                return
            await _wait(worker.lost, LOOK_EVERY_S)

    def _retire(self, worker: Worker) -> None:
        worker.is_draining = True
        self._tasks.spawn(self._end(worker), name=f"retire-{worker.pid}")

    async def _end(self, worker: Worker) -> None:
        """Stop a decoder once its streams have ended (a lost one has none left)."""
        while worker.streams and not worker.lost.is_set():
            await _wait(worker.lost, LOOK_EVERY_S)
        if worker.lost.is_set():
            log.warning("speech_worker_lost", pid=worker.pid)
        await worker.stop()
        self._workers.remove(worker)


async def _wait(event: asyncio.Event, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        return
