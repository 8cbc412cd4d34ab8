"""One leg's sound to the messages that tell of it: started, words, ended.

Each exactly as often as it should be, whatever the decoder does.

Knows neither Redis nor sockets: sound comes in by ``accept``, messages leave by ``publish``.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog

from base.ids import StreamId
from transcription.capacity import SpeechBusy
from transcription.engine import SpeechEvent
from transcription.pool import Admitted, WorkerPool
from transcription.wire import (
    Fork,
    SpeechMessage,
    StreamEnded,
    StreamEndReason,
    StreamFlows,
    StreamQuiet,
    StreamStarted,
    StreamThin,
    Words,
)
from transcription.worker import StreamListener, WorkerLost

log = structlog.get_logger(__name__)

FLUSH_TIMEOUT_S: Final = 10.0
"""From the end of the sound to the last words."""

PIECE_S: Final = 0.04
"""Sound goes to the decoder in pieces of two packets: half the hand-overs, and 10 ms later in the
middle (measured 2026-11-27: of the work for a stream they were a tenth)."""

Publish = Callable[[SpeechMessage], None]
Now = Callable[[], datetime]


class SpeechStream:
    """A stream in a decoder."""

    def __init__(
        self,
        stream: StreamId,
        fork: Fork,
        *,
        publish: Publish,
        now: Now,
    ) -> None:
        self._stream = stream
        self._fork = fork
        self._publish = publish
        self._now = now
        self._admitted: Admitted | None = None
        self._bytes = 0
        self._piece = b""
        self._piece_bytes = 0
        self.ended = asyncio.Event()

    def begin(
        self, pool: WorkerPool | None, rate_hz: int, *, engine: str, model: str, is_demo: bool
    ) -> bool:
        """Ask for a decoder; False where none has room and the refusal is told."""
        listener = StreamListener(on_words=self._on_words, on_end=self._on_end)
        try:
            if pool is None:
                raise SpeechBusy("no model is loaded")
            self._admitted = pool.admit(self._stream, rate_hz, listener)
            self._piece_bytes = int(PIECE_S * rate_hz) * 2
        except (SpeechBusy, WorkerLost) as error:
            log.warning("speech_refused", call=self._fork.call, stream=self._stream, why=error.code)
            self._tell_end(StreamEndReason.REFUSED)
            return False
        started = StreamStarted(
            stream=self._stream,
            call=self._fork.call,
            speaker=self._fork.speaker,
            engine=engine,
            model=model,
            is_demo_model=is_demo,
            at=self._now(),
        )
        self._publish(started)
        log.info("speech_started", call=self._fork.call, stream=self._stream)
        return True

    def accept(self, pcm16: bytes) -> None:
        """Take more sound."""
        self._bytes += len(pcm16)
        self._piece += pcm16
        if len(self._piece) >= self._piece_bytes:
            self._pass_on()

    def _pass_on(self) -> None:
        piece, self._piece = self._piece, b""
        if self._admitted is not None and piece:
            self._admitted.accept(piece)

    def tell_quiet(self, quiet_s: float) -> None:
        """No sound came for so long; whether that is a fault is for others to say."""
        if self.ended.is_set():
            return
        quiet = StreamQuiet(
            stream=self._stream,
            call=self._fork.call,
            speaker=self._fork.speaker,
            quiet_s=quiet_s,
            at=self._now(),
        )
        self._publish(quiet)

    def tell_flow(self) -> None:
        """Sound comes again."""
        if self.ended.is_set():
            return
        flows = StreamFlows(
            stream=self._stream,
            call=self._fork.call,
            speaker=self._fork.speaker,
            at=self._now(),
        )
        self._publish(flows)

    def tell_thin(self, share: float) -> None:
        """Sound flows, but only this share of it comes."""
        if self.ended.is_set():
            return
        thin = StreamThin(
            stream=self._stream,
            call=self._fork.call,
            speaker=self._fork.speaker,
            share=round(share, 3),
            at=self._now(),
        )
        self._publish(thin)

    async def finish(self) -> None:
        """The sound is over: wait for the last words, but not for ever."""
        if self._admitted is None or self.ended.is_set():
            return
        self._pass_on()
        self._admitted.finish()
        try:
            async with asyncio.timeout(FLUSH_TIMEOUT_S):
                await self.ended.wait()
        except TimeoutError:
            self._admitted.drop("last words did not come")

    def break_off(self, reason: str) -> None:
        """The sound cannot be trusted or we are leaving."""
        if self._admitted is not None:
            self._admitted.drop(reason)

    def _on_words(self, event: SpeechEvent) -> None:
        words = Words(
            stream=self._stream,
            call=self._fork.call,
            speaker=self._fork.speaker,
            kind=event.kind,
            utterance=event.utterance,
            revision=event.revision,
            text=event.text,
            start_s=event.start_s,
            end_s=event.end_s,
            words=event.words,
            confidence=event.confidence,
        )
        self._publish(words)

    def _on_end(self, failure: str | None) -> None:
        if failure is not None:
            log.warning("speech_broken", call=self._fork.call, stream=self._stream, why=failure)
        self._tell_end(StreamEndReason.CLOSED if failure is None else StreamEndReason.BROKEN)

    def _tell_end(self, reason: StreamEndReason) -> None:
        if self.ended.is_set():
            return
        self.ended.set()
        ended = StreamEnded(
            stream=self._stream,
            call=self._fork.call,
            speaker=self._fork.speaker,
            reason=reason,
            bytes_received=self._bytes,
            at=self._now(),
        )
        self._publish(ended)
        log.info(
            "speech_ended",
            call=self._fork.call,
            stream=self._stream,
            reason=reason,
            bytes=self._bytes,
        )
