"""The speech role: Asterisk's sound in, words out to Redis. Any number may run.

Owns the audio port and the decoder processes. A call never waits for it: with it dead, full or
slow the phones go on and only the words are missing.
"""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from base.errors import HotlineError, SetupError
from base.ids import StreamId
from server.audio_flow import FlowMeter
from server.connections import redis_url
from server.late_legs import LateLegs
from server.redis_client import connect_redis
from server.settings import Settings
from server.speech_outbox import SpeechOutbox
from server.streams import get_bytes
from telephony.audio import AudioLeg, AudioListener, LegEnd
from transcription.models import ModelInfo, best_model
from transcription.pool import WorkerPool
from transcription.recording_ears import RecordingEars, recording_model
from transcription.stream import SpeechStream
from transcription.wire import (
    SPEECH_ROLE_KEY,
    Fork,
    SpeechRoleState,
    decode_fork,
    encode,
    fork_key,
)
from transcription.worker import WorkerSpec

log = structlog.get_logger(__name__)

STATE_EVERY_S: Final = 3.0
STATE_LIFE_S: Final = 10
FIND_FORK_S: Final = 3.0
"""How long a stream's owner is looked for while Redis does not answer."""
REDIS_TIMEOUT_S: Final = 2.0
SPARE_CONNECTIONS: Final = 16
"""Beyond the streams there is room for: refused streams still want a proper refusal."""
LAST_WORDS_S: Final = 2.0
MODEL_AGAIN_S: Final = 15.0

NO_MODEL: Final = ModelInfo(name="", engine="off", path=Path(), is_demo=False, note="")
"""What the state tells before a model is loaded, and where none is usable."""


async def run(settings: Settings) -> None:
    """Serve until cancelled."""
    redis = connect_redis(redis_url(settings))
    role = SpeechRole(settings, redis)
    try:
        await role.serve()
    finally:
        await role.close()
        await redis.aclose()


class SpeechRole:
    """The listener, the decoders and the way out, tied together."""

    def __init__(self, settings: Settings, redis: Redis) -> None:
        self._settings = settings
        self._model = NO_MODEL
        self.pool: WorkerPool | None = None
        self._redis = redis
        self._outbox = SpeechOutbox(redis)
        self._heard: dict[StreamId, AudioLeg] = {}
        self._flow = FlowMeter()
        self._model_open = asyncio.Event()
        most = settings.speech.workers * settings.speech.streams_per_worker
        self.listener = AudioListener(self._on_leg, connections_most=most + SPARE_CONNECTIONS)

    async def serve(self) -> None:
        """Listen and tell until cancelled."""
        host, port = self._settings.service_host, self._settings.ports.audio
        try:
            await self.listener.start(host, port)
        except OSError as error:
            raise SetupError(
                f"port {port} on {host} cannot be used: {error.strerror}",
                fix="stop what uses it, or set HOTLINE_PORT_AUDIO or HOTLINE_PORT_BASE",
            ) from error
        log.info("speech_listening", host=host, port=port)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._open_model(), name="model")
                tasks.create_task(self._outbox.run(), name="outbox")
                tasks.create_task(self._tell_state(), name="state")
                tasks.create_task(self._hear_recordings(), name="recordings")
        finally:
            await self.listener.close()
            await self._send_last_words()

    async def close(self) -> None:
        """End the decoders."""
        if self.pool is not None:
            await self.pool.close()

    async def _open_model(self) -> None:
        """Start the decoders; where no model is usable, say so and look again now and then."""
        speech = self._settings.speech
        while self.pool is None:
            try:
                model = best_model(self._settings.tools, speech.model, engine=speech.engine)
                pool = WorkerPool(
                    WorkerSpec(engine=model.engine, model_dir=model.path, model=model.name),
                    workers=speech.workers,
                    streams_per_worker=speech.streams_per_worker,
                )
                await pool.start()
            except (HotlineError, OSError, TimeoutError) as error:
                fix = error.fix if isinstance(error, SetupError) else ""
                log.error("speech_without_model", what=str(error), fix=fix)
                self._model = replace(NO_MODEL, note=f"{error} {fix}".strip())
                await asyncio.sleep(MODEL_AGAIN_S)
                continue
            self._model, self.pool = model, pool
            self._model_open.set()
            if model.is_demo:
                log.warning("speech_demo_model", note=model.note)

    async def _hear_recordings(self) -> None:
        """After the calls, the legs that could not be heard live."""
        await self._model_open.wait()
        model = recording_model(self._settings.tools, self._model, self._settings.speech.model)
        late = LateLegs(
            self._redis,
            RecordingEars(model),
            self._settings.recordings_dir,
            has_room=self._has_room,
            publish=self._outbox.publish,
        )
        await late.run()

    def _has_room(self) -> bool:
        return self.pool is not None and self.pool.streams < self.pool.capacity

    async def _on_leg(self, leg: AudioLeg) -> None:
        fork = await self._find_fork(leg.stream)
        if fork is None or leg.stream in self._heard:
            log.warning("audio_of_unknown_stream", stream=leg.stream)
            return
        stream = SpeechStream(leg.stream, fork, publish=self._outbox.publish, now=_now)
        self._heard[leg.stream] = leg
        leg.on_quiet, leg.on_flow = stream.tell_quiet, stream.tell_flow
        leg.on_thin = stream.tell_thin
        try:
            await self._decode(leg, stream)
        finally:
            del self._heard[leg.stream]
            self._flow.forget(leg)
            stream.break_off("speech role stops")

    async def _decode(self, leg: AudioLeg, stream: SpeechStream) -> None:
        has_begun = False
        async for sound in leg.sound():
            if not has_begun:
                has_begun = stream.begin(
                    self.pool,
                    sound.rate_hz,
                    engine=self._model.engine,
                    model=self._model.name,
                    is_demo=self._model.is_demo,
                )
            if stream.ended.is_set():
                return  # Refused or broken: closing our end ends the fork as well.
            stream.accept(sound.pcm16)
        if leg.end in (LegEnd.GARBAGE, LegEnd.FLOOD, LegEnd.LOST):
            stream.break_off(f"sound ended by {leg.end}")
        await stream.finish()

    async def _find_fork(self, stream: StreamId) -> Fork | None:
        """Whose leg it is. The bridge writes that before it asks Asterisk for the fork."""
        try:
            async with asyncio.timeout(FIND_FORK_S):
                while True:
                    try:
                        raw = await get_bytes(self._redis, fork_key(stream))
                        return None if raw is None else decode_fork(raw)
                    except (RedisError, OSError) as error:
                        log.warning("speech_fork_not_read", stream=stream, reason=str(error))
                    await asyncio.sleep(0.2)
        except TimeoutError:
            return None
        except msgspec.DecodeError:
            log.warning("speech_fork_unreadable", stream=stream)
            return None

    async def _tell_state(self) -> None:
        while True:
            try:
                async with asyncio.timeout(REDIS_TIMEOUT_S):
                    await self._redis.set(SPEECH_ROLE_KEY, encode(self._state()), ex=STATE_LIFE_S)
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("speech_state_not_told", reason=str(error))
            await asyncio.sleep(STATE_EVERY_S)

    def _state(self) -> SpeechRoleState:
        legs = self._heard.values()
        return SpeechRoleState(
            engine=self._model.engine,
            model=self._model.name,
            is_demo=self._model.is_demo,
            streams=self.pool.streams if self.pool else 0,
            capacity=self.pool.capacity if self.pool else 0,
            note=self._model.note,
            quiet=sum(leg.is_quiet for leg in legs),
            quiet_times=self._flow.quiet_times(legs),
            bytes_per_s=self._flow.bytes_per_s(legs, time.monotonic()),
        )

    async def _send_last_words(self) -> None:
        """What the streams said as they were closed; Redis may be gone already."""
        try:
            async with asyncio.timeout(LAST_WORDS_S):
                await self._outbox.flush()
                await self._redis.delete(SPEECH_ROLE_KEY)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("speech_last_words_lost", waiting=len(self._outbox), reason=str(error))


def _now() -> datetime:
    return datetime.now(UTC)
