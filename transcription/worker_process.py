"""The inside of a decoder process: one engine, one thread a stream, words out on a socket.

``python -m transcription.worker_process FD ENGINE MODEL_DIR MODEL_NAME``, started by
``transcription.worker`` alone. Ends when the socket does, so that it never outlives its supervisor.
A stream whose sound comes faster than it is decoded is broken, never queued without bound.
"""

import importlib
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path
from typing import Final, assert_never

from base.errors import HotlineError, SetupError
from transcription import worker_protocol as wire
from transcription.engine import Engine, Session
from transcription.engines import open_engine
from transcription.voice_segments import voiced_session

BACKLOG_MOST_S: Final = 6.0
"""Sound waiting for its decoder. More, and the words are too late to be of use."""

PACE_OF_LEAST_S: Final = 2.0
"""Of less sound than this a pace says nothing: work comes in lumps, as a stretch begins."""
PACES_KEPT: Final = 12
"""People speak by turns and silence costs no work: the worst of the last few pings counts."""

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")

Send = Callable[[wire.FromWorker], None]
Load = Callable[[str, Path, str], Engine]


class StreamThread:
    """Decodes one stream in a thread of its own; Vosk gives up the GIL while it works."""

    def __init__(self, name: str, rate_hz: int, engine: Engine, send: Send) -> None:
        self._name = name
        self._rate_hz = rate_hz
        self._engine = engine
        self._send = send
        self._sound: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._is_finishing = False
        self._is_dropped = False
        self._worked_s = self._decoded_s = 0.0
        self._changed = threading.Condition()
        threading.Thread(target=self._run, name=f"stream-{name}", daemon=True).start()

    def accept(self, pcm16: bytes) -> bool:
        """Take sound; False where so much waits that the stream must be broken."""
        with self._changed:
            self._sound.append(pcm16)
            self._waiting_bytes += len(pcm16)
            self._changed.notify()
            return self._waiting_bytes <= BACKLOG_MOST_S * self._rate_hz * 2

    @property
    def lag_s(self) -> float:
        """Seconds of sound that wait."""
        return self._waiting_bytes / 2 / self._rate_hz

    def take_pace(self) -> float:
        """Seconds of work for a second of sound since this was last asked."""
        worked_s, decoded_s = self._worked_s, self._decoded_s
        if decoded_s < PACE_OF_LEAST_S:
            return 0.0
        self._worked_s, self._decoded_s = 0.0, 0.0
        return worked_s / decoded_s

    def finish(self) -> None:
        with self._changed:
            self._is_finishing = True
            self._changed.notify()

    def drop(self) -> None:
        with self._changed:
            self._is_dropped = True
            self._changed.notify()

    def _run(self) -> None:
        try:
            session = voiced_session(self._engine, self._rate_hz)
            try:
                self._decode(session)
            finally:
                session.close()
        except Exception as error:  # The root of this thread: one stream, not the process.
            self._send(wire.Failed(self._name, f"{type(error).__name__}: {error}"))

    def _decode(self, session: Session) -> None:
        while (sound := self._next()) is not None:
            began_mono = time.monotonic()
            for event in session.accept(sound):
                self._send(wire.Heard(self._name, event))
            self._worked_s += time.monotonic() - began_mono
            self._decoded_s += len(sound) / 2 / self._rate_hz
        if self._is_dropped:
            return
        for event in session.finish():
            self._send(wire.Heard(self._name, event))
        self._send(wire.Finished(self._name))

    def _next(self) -> bytes | None:
        """All sound that waits, in one piece; None at the end."""
        with self._changed:
            while not (self._sound or self._is_finishing or self._is_dropped):
                self._changed.wait()
            if self._is_dropped or not self._sound:
                return None
            sound = b"".join(self._sound)
            self._sound.clear()
            self._waiting_bytes = 0
            return sound


class WorkerProcess:
    """Reads the supervisor's messages and hands sound to the streams' threads."""

    def __init__(self, line: socket.socket, engine: Engine) -> None:
        self._line = line
        self._engine = engine
        self._streams: dict[str, StreamThread] = {}
        self._sending = threading.Lock()
        self._paces: deque[float] = deque(maxlen=PACES_KEPT)

    def run(self) -> None:
        """Serve until told to stop or the supervisor is gone."""
        self.send(wire.Ready(self._engine.name, self._engine.model_name))
        with self._line.makefile("rb") as line:
            while (message := _receive(line)) is not None:
                if isinstance(message, wire.Stop):
                    return
                self._handle(message)

    def send(self, message: wire.FromWorker) -> None:
        with self._sending:
            self._line.sendall(wire.frame(message))

    def _handle(self, message: wire.ToWorker) -> None:
        match message:
            case wire.Sound(stream, pcm16):
                self._accept(stream, pcm16)
            case wire.Open(stream, rate_hz):
                self._streams[stream] = StreamThread(stream, rate_hz, self._engine, self.send)
            case wire.Finish(stream):
                if thread := self._streams.pop(stream, None):
                    thread.finish()
            case wire.Drop(stream):
                if thread := self._streams.pop(stream, None):
                    thread.drop()
            case wire.Ping(number):
                self.send(self._pong(number))
            case wire.Stop():
                pass
            case _:
                assert_never(message)

    def _pong(self, number: int) -> wire.Pong:
        threads = self._streams.values()
        self._paces.append(max((thread.take_pace() for thread in threads), default=0.0))
        lag_s = max((thread.lag_s for thread in threads), default=0.0)
        return wire.Pong(number, _rss_bytes(), _cpu_s(), lag_s, max(self._paces))

    def _accept(self, stream: str, pcm16: bytes) -> None:
        thread = self._streams.get(stream)
        if thread is not None and not thread.accept(pcm16):
            self._streams.pop(stream)
            thread.drop()
            self.send(wire.Failed(stream, "decoder fell behind"))


def serve(line: socket.socket, engine: str, model_dir: Path, model: str, load: Load) -> None:
    """Load the engine and serve; tell the supervisor where that cannot work."""
    try:
        loaded = load(engine, model_dir, model)
        loaded.warmup()
    except SetupError as error:
        line.sendall(wire.frame(wire.Unusable(error.message, error.fix)))
        return
    except HotlineError as error:
        line.sendall(wire.frame(wire.Unusable(str(error), "see the speech role's log")))
        return
    WorkerProcess(line, loaded).run()


def _receive(line: BufferedReader) -> wire.ToWorker | None:
    head = line.read(wire.LENGTH.size)
    if len(head) < wire.LENGTH.size:
        return None
    length = wire.frame_length(head)
    body = line.read(length)
    return wire.read_to_worker(body) if len(body) == length else None


def _rss_bytes() -> int:
    fields = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(fields[1]) * _PAGE_BYTES


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _loader(name: str) -> Load:
    """The function that opens engines, ``module:function``; tests name one of their own."""
    module, _, function = name.partition(":")
    load: Load = getattr(importlib.import_module(module), function)
    return load


def main(arguments: list[str]) -> int:
    """Serve on the socket that was passed down."""
    # Ctrl-C in a terminal reaches the whole group; the supervisor decides when this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    descriptor, engine, model_dir, model, loader = arguments
    with socket.socket(fileno=int(descriptor)) as line:
        try:
            load = open_engine if loader == "-" else _loader(loader)
            serve(line, engine, Path(model_dir), model, load)
        except (BrokenPipeError, ConnectionResetError):
            pass  # The supervisor is gone.
    # Daemon threads may still be inside the engine: leave without tearing it down under them.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
