"""The speech role's work after calls: takes legs that nobody heard live and hears the recordings.

Begins a leg only while the live decoders have room, and one at a time. What is to be done is kept
by the bridge in PostgreSQL: a leg that is lost here is given again when its lease runs out.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, cast

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from transcription.draft_ticket import Speaker
from transcription.engine import SpeechEvent
from transcription.recording_ears import RecordingEars, RecordingNotHeard
from transcription.wire import (
    LATE_LEGS_KEY,
    LateLeg,
    LegHeard,
    SpeechMessage,
    decode_late_leg,
    late_patience_s,
)

log = structlog.get_logger(__name__)

LOOK_EVERY_S: Final = 1.0
IDLE_MOST_S: Final = 60.0
"""Without work for so long, the process ends: its model takes memory."""
CHANNELS: Final = {Speaker.CITIZEN: 0, Speaker.AGENT: 1}


class LateLegs:
    """Takes legs from the list, one at a time; ``run`` for ever."""

    def __init__(
        self,
        redis: Redis,
        ears: RecordingEars,
        recordings: Path,
        *,
        has_room: Callable[[], bool],
        publish: Callable[[SpeechMessage], None],
    ) -> None:
        self._redis = redis
        self._ears = ears
        self._recordings = recordings
        self._has_room = has_room
        self._publish = publish

    async def run(self) -> None:
        """Hear what there is to hear, until cancelled."""
        worked_mono = time.monotonic()
        try:
            while True:
                leg = await self._next() if self._has_room() else None
                if leg is not None:
                    self._publish(await self._hear(leg))
                    worked_mono = time.monotonic()
                    continue
                if time.monotonic() - worked_mono > IDLE_MOST_S:
                    await self._ears.close()
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            await self._ears.close()

    async def _next(self) -> LateLeg | None:
        try:
            raw = await cast("Awaitable[bytes | None]", self._redis.lpop(LATE_LEGS_KEY))
            return None if raw is None else decode_late_leg(raw)
        except (RedisError, OSError, TimeoutError):
            return None
        except msgspec.DecodeError:
            log.warning("late_leg_unreadable")
            return None

    async def _hear(self, leg: LateLeg) -> LegHeard:
        begun_mono = time.monotonic()
        model = self._ears.model
        failure = ""
        utterances: tuple[SpeechEvent, ...] = ()
        try:
            answer = await self._ears.hear(
                self._recordings / Path(leg.recording).name,
                channel=CHANNELS[leg.speaker],
                talk_s=leg.talk_s,
                timeout_s=late_patience_s(leg.talk_s),
            )
            utterances = answer.utterances
        except RecordingNotHeard as error:
            failure = str(error)
            log.warning("late_leg_not_heard", call=leg.call, speaker=leg.speaker, reason=failure)
        else:
            took_s = round(time.monotonic() - begun_mono, 1)
            log.info("late_leg_heard", call=leg.call, speaker=leg.speaker, took_s=took_s)
        return LegHeard(
            stream=leg.stream,
            call=leg.call,
            speaker=leg.speaker,
            engine=model.engine,
            model=model.name,
            at=datetime.now(UTC),
            utterances=utterances,
            failure=failure,
        )
