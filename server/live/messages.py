"""Messages left with nobody there become drafts: their words come from the call's recording.

What is to be done is found in the records again and again, so that a crash loses nothing and
nothing is done twice. Hearing the recording is the late words' work; the return call is opened
beside this (``server.live.return_calls``).
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Protocol

import asyncpg
import structlog

from base.database import DatabaseUnavailable
from base.ids import CallId
from server.live.drafting import Extract
from server.live.records import StoredCall
from server.push.protocol import Line
from transcription.draft_reader import DraftNotRead
from transcription.draft_ticket import Draft, FieldName, Speaker, Utterance

log = structlog.get_logger(__name__)

LOOK_EVERY_S: Final = 3.0
FURTHEST_BACK: Final = timedelta(days=7)


class MessageBook(Protocol):
    """What is asked of the records (``server.records.late_legs``)."""

    async def want_messages(self, since: datetime) -> None:
        """Ask for the words of every message left since then."""

    async def messages_without_draft(self, since: datetime) -> list[CallId]:
        """Those whose words are there."""


class CallRecords(Protocol):
    """``server.live.records.Records``, as far as it is needed."""

    async def find_call(self, call: CallId) -> StoredCall | None:
        """A call with its lines."""

    async def keep_draft(
        self, call: CallId, version: int, machine: Draft, edits: dict[FieldName, str], at: datetime
    ) -> None:
        """Keep the draft."""


class Messages:
    """``run`` beside everything else."""

    def __init__(
        self,
        book: MessageBook,
        records: CallRecords,
        extract: Extract,
        now: Callable[[], datetime],
    ) -> None:
        self._book = book
        self._records = records
        self._extract = extract
        self._now = now

    async def run(self) -> None:
        """Look for ever."""
        while True:
            try:
                await self.look()
            except (DatabaseUnavailable, DraftNotRead):
                pass  # the words wait in the records
            except asyncpg.PostgresError as error:
                log.error("messages_refused", sqlstate=error.sqlstate)
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Ask for words; draft what has them."""
        since = self._now() - FURTHEST_BACK
        await self._book.want_messages(since)
        for call in await self._book.messages_without_draft(since):
            stored = await self._records.find_call(call)
            if stored is None:
                continue
            utterances = [_utterance(line) for line in stored.lines]
            facts = stored.facts
            draft = await self._extract(utterances, facts.caller_number, facts.arrived_at)
            await self._records.keep_draft(call, 1, draft, {}, self._now())
            log.info("message_drafted", call=call, lines=len(utterances))


def _utterance(line: Line) -> Utterance:
    return Utterance(Speaker(line.speaker), line.number, line.text, line.start_s, line.end_s)
