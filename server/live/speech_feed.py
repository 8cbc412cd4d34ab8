"""Reads the speech role's messages from Redis, each once, from where the last bridge stopped."""

import msgspec
import structlog
from redis.asyncio import Redis

from server.streams import get_bytes, latest, read_after
from transcription.wire import SPEECH_STREAM, SpeechMessage, decode_message

log = structlog.get_logger(__name__)

CURSOR_KEY = "hotline:speech:cursor"
CURSOR_EXPIRY_S = 86_400
READ_COUNT = 200


class SpeechFeed:
    """A cursor over ``hotline:speech``."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._cursor: str | None = None

    async def read(self, block_ms: int = 1000) -> list[SpeechMessage]:
        """The next messages, waiting at most ``block_ms`` for the first."""
        if self._cursor is None:
            stored = await get_bytes(self._redis, CURSOR_KEY)
            self._cursor = stored.decode() if stored else await self._begin()
        messages: list[SpeechMessage] = []
        for entry in await read_after(
            self._redis, SPEECH_STREAM, self._cursor, count=READ_COUNT, block_ms=block_ms
        ):
            self._cursor = entry.id
            messages += self._decoded(entry.fields.get(b"m", b""))
        return messages

    @property
    def place(self) -> str | None:
        """Up to where has been read; None before the first reading."""
        return self._cursor

    async def keep_place(self, place: str) -> None:
        """Remember up to where all that was read is safe: a new bridge goes on from there."""
        await self._redis.set(CURSOR_KEY, place, ex=CURSOR_EXPIRY_S)

    async def _begin(self) -> str:
        """From here on; kept at once, so that a bridge that dies before anything is safe is
        followed by one that reads all that came since."""
        last = await latest(self._redis, SPEECH_STREAM, 1)
        place = last[0].id if last else "0-0"
        await self.keep_place(place)
        return place

    @staticmethod
    def _decoded(raw: bytes) -> list[SpeechMessage]:
        try:
            return [decode_message(raw)]
        except msgspec.DecodeError:
            log.warning("speech_message_unreadable", size_bytes=len(raw))
            return []
