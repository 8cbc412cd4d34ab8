"""Legs to be heard from recordings, in PostgreSQL: leased, stored once, or put back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from base.database import Database, storable
from base.ids import CallId, StreamId
from server.live.records import LateLine
from server.push.protocol import Line
from server.records.postgres import SQL, line_of
from transcription.draft_ticket import Speaker
from transcription.wire import LateLeg, LegHeard, late_patience_s

LEASE_SPARE_S: Final = late_patience_s(0.0) + 60.0
"""A lease outlives the role's patience, so that no leg is heard twice at once."""


class LateLegs:
    """``server.live.late_words.LateLegBook``, as ``hotline_bridge``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def lease(self, stream: StreamId, *, tries_most: int) -> LateLeg | None:
        row = await self._database.fetchrow(
            SQL["lease_late_leg"], stream, tries_most, LEASE_SPARE_S
        )
        if row is None:
            return None
        return LateLeg(
            stream=stream,
            call=CallId(row["call_id"]),
            speaker=Speaker(row["speaker"]),
            recording=row["recording_path"],
            talk_s=row["talk_s"],
        )

    async def lines(self, call: CallId) -> list[Line]:
        rows = await self._database.fetch(SQL["lines_of_call"], call)
        return [line_of(row) for row in rows]

    async def finish(self, heard: LegHeard, lines: Sequence[LateLine]) -> bool:
        async with self._database.transaction() as connection:
            if await connection.fetchval(SQL["end_late_leg"], heard.stream) is None:
                return False
            for late in lines:
                line = late.line
                await connection.execute(
                    SQL["keep_line"],
                    *(heard.call, line.speaker, line.number, line.revision, storable(line.text)),
                    *(line.start_s, line.end_s, late.words, line.confidence),
                    *(heard.engine, heard.model),
                )
        return True

    async def put_back(self, stream: StreamId) -> None:
        await self._database.execute(SQL["put_back_late_leg"], stream)

    async def want_messages(self, since: datetime) -> None:
        """Ask for the words of every message left since then; again changes nothing."""
        await self._database.execute(SQL["keep_wanted_messages"], since)

    async def messages_without_draft(self, since: datetime) -> list[CallId]:
        """Those whose words are there."""
        rows = await self._database.fetch(SQL["undrafted_late_leg"], since)
        return [CallId(row["call_id"]) for row in rows]
