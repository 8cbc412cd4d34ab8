"""Reads drafts in a process of its own: the words' tables weigh 50 MB, and a reading takes
milliseconds that whoever follows calls has not.

Owns that process: started by ``run``, started again when it ends, killed when a reading takes too
long. Must never make anybody wait for a start: without a process there is no reading.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final

import msgspec
import structlog

from base.backoff import backoff_s
from base.errors import HotlineError
from transcription.draft_ticket import Draft, Utterance
from transcription.line_process import LineProcess

log = structlog.get_logger(__name__)

READ_TIMEOUT_S: Final = 2.0
START_TIMEOUT_S: Final = 60.0
STEADY_AFTER_S: Final = 60.0
"""After a process that lived this long the next wait is short again."""
DRAFT_MOST_BYTES: Final = 8 << 20


class DraftNotRead(HotlineError):
    """The words could not be read now; a later try may succeed."""

    code: ClassVar[str] = "draft_not_read"
    retryable: ClassVar[bool] = True


class DraftReader:
    """One reading at a time."""

    def __init__(self, *, read_timeout_s: float = READ_TIMEOUT_S) -> None:
        self._read_timeout_s = read_timeout_s
        self._child: LineProcess | None = None
        """Only while it is ready to read."""
        self._turn = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The process, while it can read."""
        return self._child.pid if self._child else None

    async def run(self) -> None:
        """Keep the process for ever; it ends with us."""
        waits = backoff_s(first_s=0.5, most_s=30.0)
        while True:
            began_mono = time.monotonic()
            try:
                await self._live()
            except (OSError, TimeoutError, ValueError) as error:
                log.error("draft_reader_not_started", cause=type(error).__name__)
            if time.monotonic() - began_mono > STEADY_AFTER_S:
                waits = backoff_s(first_s=0.5, most_s=30.0)
            await asyncio.sleep(next(waits))

    async def _live(self) -> None:
        """One process, from its start to its end."""
        child = await LineProcess.start("transcription.draft_process", most_bytes=DRAFT_MOST_BYTES)
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                _draft(await child.next_line())
            log.info("draft_reader_ready", pid=child.pid)
            self._child = child
            code = await child.wait()
            log.warning("draft_reader_ended", pid=child.pid, code=code)
        finally:
            self._child = None
            await child.end()

    async def read(
        self, utterances: Sequence[Utterance], caller_number: str, now: datetime
    ) -> Draft:
        """What ``transcription.draft.extract`` finds; raises DraftNotRead."""
        async with self._turn:
            child = self._child
            if child is None:
                raise DraftNotRead("no process")
            ask = {"utterances": utterances, "caller_number": caller_number, "now": now}
            draft = None
            try:
                async with asyncio.timeout(self._read_timeout_s):
                    draft = _draft(await child.ask(ask))
            except (OSError, TimeoutError, ValueError, msgspec.DecodeError) as error:
                raise DraftNotRead(type(error).__name__) from error
            finally:
                if draft is None:
                    self._child = None
                    child.kill()
            return draft


def _draft(line: bytes) -> Draft:
    return msgspec.json.decode(line, type=Draft)
