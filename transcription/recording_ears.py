"""Hears recordings of ended calls, beside the live decoders and never in their place.

Owns the one process that does it: started at the first leg, ended when there has been none for a
while, killed when a leg takes too long. Must never take a live stream's room: it is no member of
the pool, and the kernel gives it only the time that nobody else wants.
"""

import asyncio
import importlib.util
from pathlib import Path
from typing import ClassVar, Final

import msgspec
import structlog

from base.errors import HotlineError
from transcription.line_process import LineProcess
from transcription.models import ModelInfo, best_model
from transcription.recording_process import Answer, Ask

log = structlog.get_logger(__name__)

ANSWER_MOST_BYTES: Final = 32 << 20
"""Hours of words with their times."""


class RecordingNotHeard(HotlineError):
    """A recording gave no words because of a fault, not because nobody spoke."""

    code: ClassVar[str] = "recording_not_heard"
    retryable: ClassVar[bool] = True


class RecordingEars:
    """One leg at a time."""

    def __init__(self, model: ModelInfo) -> None:
        self.model = model
        self._child: LineProcess | None = None

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return self._child.pid if self._child else None

    async def hear(self, path: Path, *, channel: int, talk_s: float, timeout_s: float) -> Answer:
        """The words of one channel's last ``talk_s``; raises RecordingNotHeard."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._ask(Ask(str(path), channel, talk_s))
        except TimeoutError as error:
            raise RecordingNotHeard("took too long") from error
        except (OSError, ValueError, msgspec.DecodeError) as error:
            raise RecordingNotHeard(f"the process ended: {type(error).__name__}") from error

    async def _ask(self, ask: Ask) -> Answer:
        is_answered = False
        child = self._child = self._child or await self._start()
        try:
            answer = msgspec.json.decode(await child.ask(ask), type=Answer)
            is_answered = True
        finally:
            if not is_answered:
                await self.close()
        if answer.failure:
            raise RecordingNotHeard(answer.failure)
        return answer

    async def _start(self) -> LineProcess:
        child = await LineProcess.start(
            "transcription.recording_process",
            *(self.model.engine, str(self.model.path), self.model.name),
            most_bytes=ANSWER_MOST_BYTES,
        )
        log.info("recording_ears_started", pid=child.pid, model=self.model.name)
        return child

    async def close(self) -> None:
        """End the process, and free the model's memory."""
        child, self._child = self._child, None
        if child is not None:
            await child.end()


def recording_model(tools: Path, live: ModelInfo, wanted: str) -> ModelInfo:
    """What hears recordings: a model asked for by name, as for live words; else the best for them.

    Whisper understands any speech, so it goes before a small model and the demo model; of the
    large Mandarin model we know of no such advantage.
    """
    if wanted != "auto" or live.name == "cn" or not _has_whisper():
        return live
    try:
        return best_model(tools, "auto", engine="whisper")
    except HotlineError:
        return live


def _has_whisper() -> bool:
    return importlib.util.find_spec("faster_whisper") is not None
