"""Where each stream's words belong in its call, kept in Redis for a bridge that starts anew.

With the book a new bridge gives the words of an old stream the very numbers and times that the
former one gave them, so that words heard twice are the same lines. Memory is the truth while the
bridge lives; what Redis lost is written again by ``keep``.
"""

from collections.abc import Awaitable, Mapping
from typing import cast

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from base.ids import CallId, StreamId
from server.live.transcript import StreamPlace
from transcription.draft_ticket import Speaker

log = structlog.get_logger(__name__)

EXPIRY_S = 7_200
"""Renewed while the conversation is on a desk."""


def book_key(call: CallId) -> str:
    """The hash of one call: stream → place."""
    return f"hotline:streams:{call}"


def given_up_key(call: CallId) -> str:
    """The hash of one call: stream given up → speaker."""
    return f"hotline:given-up:{call}"


class StreamBook:
    """The places of all streams of the calls on desks. Failures of Redis cost nothing but time."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._places: dict[CallId, dict[StreamId, StreamPlace]] = {}
        self._given_up: dict[CallId, dict[StreamId, Speaker]] = {}
        self._encoder = msgspec.json.Encoder()

    def __len__(self) -> int:
        return len(self._places)

    async def recall(self, call: CallId) -> Mapping[StreamId, StreamPlace]:
        """What a former bridge wrote of the call."""
        try:
            raw = await cast("Awaitable[dict[bytes, bytes]]", self._redis.hgetall(book_key(call)))
        except (RedisError, OSError, TimeoutError):
            return {}
        found: dict[StreamId, StreamPlace] = {}
        for stream, place in raw.items():
            try:
                known = msgspec.json.decode(place, type=StreamPlace)
            except msgspec.MsgspecError:
                log.warning("stream_place_unreadable", call=call)
                continue
            found[StreamId(stream.decode())] = known
        self._places.setdefault(call, {}).update(found)
        return found

    async def remember(self, call: CallId, stream: StreamId, place: StreamPlace) -> None:
        """A stream began."""
        self._places.setdefault(call, {})[stream] = place
        await self._write([call])

    async def recall_given_up(self, call: CallId) -> Mapping[StreamId, Speaker]:
        """The streams that a former bridge gave up."""
        key = given_up_key(call)
        try:
            raw = await cast("Awaitable[dict[bytes, bytes]]", self._redis.hgetall(key))
        except (RedisError, OSError, TimeoutError):
            return {}
        known = {StreamId(stream.decode()): leg.decode() for stream, leg in raw.items()}
        found = {stream: Speaker(leg) for stream, leg in known.items() if leg in set(Speaker)}
        self._given_up.setdefault(call, {}).update(found)
        return found

    async def give_up(self, call: CallId, stream: StreamId, speaker: Speaker) -> None:
        """Nothing that the stream still tells is to be listened to."""
        self._given_up.setdefault(call, {})[stream] = speaker
        await self._write([call])

    def forget(self, call: CallId) -> None:
        """The call is on no desk any more; what is in Redis expires."""
        self._places.pop(call, None)
        self._given_up.pop(call, None)

    async def keep(self) -> None:
        """Write everything again, renewed: Redis may have lost it unnoticed."""
        await self._write(list(self._places.keys() | self._given_up.keys()))

    async def _write(self, calls: list[CallId]) -> None:
        if not calls:
            return
        pipe = self._redis.pipeline(transaction=True)
        for call in calls:
            places = self._places.get(call, {})
            hashes: dict[str, Mapping[StreamId, bytes | str]] = {
                book_key(call): {s: self._encoder.encode(place) for s, place in places.items()},
                given_up_key(call): self._given_up.get(call, {}),
            }
            for key, fields in hashes.items():
                if fields:
                    parts = [part for field in fields.items() for part in field]
                    pipe.execute_command("HSET", key, *parts)
                    pipe.execute_command("EXPIRE", key, EXPIRY_S)
        try:
            await pipe.execute()
        except (RedisError, OSError, TimeoutError) as error:
            log.debug("stream_book_not_written", error=type(error).__name__)
