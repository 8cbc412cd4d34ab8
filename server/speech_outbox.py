"""The speech role's way out: messages to Redis in order, kept for a while when Redis is away.

Overflow rule: what is only a guess (partials) is dropped first, then the oldest message; both are
counted. Decoding never waits for Redis.
"""

import asyncio
from collections import deque
from typing import Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from base.backoff import backoff_s
from server.streams import append
from transcription.engine import SpeechEventKind
from transcription.wire import (
    SPEECH_STREAM,
    SPEECH_STREAM_MAXLEN,
    SpeechMessage,
    StreamQuiet,
    StreamThin,
    Words,
    encode,
)

log = structlog.get_logger(__name__)

WAITING_MOST: Final = 5_000
"""Some minutes of words of a busy machine."""
SEND_TIMEOUT_S: Final = 3.0


class SpeechOutbox:
    """A bounded queue of messages and the task that empties it."""

    def __init__(self, redis: Redis, *, waiting_most: int = WAITING_MOST) -> None:
        self._redis = redis
        self._waiting: deque[SpeechMessage] = deque()
        self._waiting_most = waiting_most
        self._changed = asyncio.Event()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def publish(self, message: SpeechMessage) -> None:
        """Put a message in the queue."""
        self._waiting.append(message)
        if len(self._waiting) > self._waiting_most:
            self._make_room()
        self._changed.set()

    async def run(self) -> None:
        """Send until cancelled."""
        pauses = backoff_s(first_s=0.2, most_s=5.0)
        while True:
            await self._changed.wait()
            try:
                await self.flush()
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("speech_words_wait", waiting=len(self._waiting), reason=str(error))
                await asyncio.sleep(next(pauses))
                continue
            pauses = backoff_s(first_s=0.2, most_s=5.0)

    async def flush(self) -> None:
        """Send what waits; a message leaves the queue when Redis has it."""
        self._changed.clear()
        while self._waiting:
            message = self._waiting[0]
            try:
                async with asyncio.timeout(SEND_TIMEOUT_S):
                    await append(
                        self._redis,
                        SPEECH_STREAM,
                        {"m": encode(message)},
                        most=SPEECH_STREAM_MAXLEN,
                    )
            except BaseException:
                self._changed.set()
                raise
            if self._waiting and self._waiting[0] is message:
                self._waiting.popleft()

    def _make_room(self) -> None:
        kept = deque(message for message in self._waiting if not _is_guess(message))
        if len(kept) > self._waiting_most:
            kept.popleft()
        self.dropped += len(self._waiting) - len(kept)
        self._waiting = kept
        log.warning("speech_words_dropped", dropped=self.dropped)


def _is_guess(message: SpeechMessage) -> bool:
    if isinstance(message, StreamQuiet | StreamThin):
        return True  # It is told again while it is so.
    return isinstance(message, Words) and message.kind is SpeechEventKind.PARTIAL
