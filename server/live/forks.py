"""Sends both legs of a conversation to the speech role, and knows which forks still stand.

A fork never delays a call: it is asked for after the answer, and any failure only shows as
``broken`` on the desk (the words then come later from the recording).
"""

import asyncio
import time
import uuid
from typing import Literal

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from base.errors import HotlineError
from base.ids import CallId, StreamId
from server.streams import get_bytes
from telephony.switch import Switch
from transcription.draft_ticket import Speaker
from transcription.wire import (
    FORK_KEY_TTL_S,
    SPEECH_ROLE_KEY,
    Fork,
    encode,
    fork_key,
)

log = structlog.get_logger(__name__)

FORK_TIMEOUT_S = 5.0
LIST_TIMEOUT_S = 10.0
ABSENT_S = 4.0
"""The speech role renews its sign every 3 s: only what is missing for longer is gone. A Redis that
was started anew holds no sign either, for that long."""

Presence = Literal["up", "down", "unknown"]
Standing = dict[CallId, dict[StreamId, Speaker]]


_LEGS: dict[Speaker, Literal["citizen", "agent"]] = {
    Speaker.CITIZEN: "citizen",
    Speaker.AGENT: "agent",
}


class Forks:
    """Makes forks of live calls."""

    def __init__(self, switch: Switch, redis: Redis, *, host: str, port: int) -> None:
        self._switch = switch
        self._redis = redis
        self._host = host
        self._port = port
        self._absent_since_mono: float | None = None

    async def fork(self, call: CallId, speaker: Speaker) -> StreamId | None:
        """Fork one leg; None when it could not be done."""
        stream = StreamId(str(uuid.uuid4()))
        try:
            async with asyncio.timeout(FORK_TIMEOUT_S):
                told = encode(Fork(call=call, speaker=speaker))
                await self._redis.set(fork_key(stream), told, ex=FORK_KEY_TTL_S)
                await self._switch.fork(call, _LEGS[speaker], stream, self._host, self._port)
        except (HotlineError, RedisError, OSError, TimeoutError) as error:
            log.warning("fork_failed", call=call, speaker=speaker, error=str(error))
            return None
        return stream

    async def end(self, stream: StreamId) -> None:
        """End a fork that was given up; where that fails it is found standing and ended later."""
        try:
            async with asyncio.timeout(FORK_TIMEOUT_S):
                await self._switch.end_fork(stream)
        except (HotlineError, TimeoutError) as error:
            log.warning("fork_not_ended", stream=stream, error=str(error))

    async def standing(self) -> Standing | None:
        """The forks that Asterisk has, by call; None when it cannot be asked."""
        try:
            async with asyncio.timeout(LIST_TIMEOUT_S):
                forks = await self._switch.live_forks()
        except (HotlineError, TimeoutError) as error:
            log.warning("forks_not_listed", error=str(error))
            return None
        found: Standing = {}
        for fork in forks:
            if fork.call and fork.speaker in set(Speaker):
                found.setdefault(fork.call, {})[fork.stream] = Speaker(fork.speaker)
        return found

    async def speech_presence(self) -> Presence:
        """Whether the speech role lives; unknown while Redis cannot tell, or not yet."""
        try:
            raw = await get_bytes(self._redis, SPEECH_ROLE_KEY)
        except (RedisError, OSError, TimeoutError):
            self._absent_since_mono = None
            return "unknown"
        if raw:
            self._absent_since_mono = None
            return "up"
        now_mono = time.monotonic()
        self._absent_since_mono = self._absent_since_mono or now_mono
        return "down" if now_mono - self._absent_since_mono >= ABSENT_S else "unknown"
