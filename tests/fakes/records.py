"""The lasting records in memory: keeps what was written, and can be away, frozen or refuse."""

import asyncio
from datetime import datetime

import asyncpg

from base.database import DatabaseUnavailable
from base.ids import AgentId, CallId, RingId
from server.live.call_facts import Attempt, Consent, Party, RecordingPause
from server.live.calls import History
from server.live.notes import (
    EndAct,
    EndRing,
    KeepAct,
    KeepAttempt,
    KeepCall,
    KeepConsent,
    KeepDraft,
    KeepLine,
    KeepMove,
    KeepParty,
    KeepRecordingPause,
    KeepRing,
    Note,
    WantLateLeg,
)
from server.live.records import (
    Act,
    AgentMove,
    CallFacts,
    StoredCall,
)
from server.push.protocol import Line
from transcription.draft_ticket import Draft, FieldName, Speaker
from transcription.engine import Word


class FakeRecords:
    """``server.live.records.Records`` for tests of the live desk."""

    def __init__(self) -> None:
        self.written: list[Note] = []
        self.is_away = False
        self.frozen: asyncio.Event | None = None
        """While it is not set, every question waits."""
        self.refused: Note | None = None
        self.stored: dict[CallId, StoredCall] = {}

    async def _take(self, note: Note) -> None:
        await self._answer()
        if note == self.refused:
            raise asyncpg.CheckViolationError("refused")
        self.written.append(note)

    async def _answer(self) -> None:
        if self.frozen is not None:
            await self.frozen.wait()
        if self.is_away:
            raise DatabaseUnavailable(cause="test")

    async def keep_call(self, facts: CallFacts) -> None:
        await self._take(KeepCall(facts))

    async def keep_ring(self, ring: RingId, call: CallId, agent: AgentId, at: datetime) -> None:
        await self._take(KeepRing(ring, call, agent, at))

    async def end_ring(self, ring: RingId, ended_by: str, at: datetime) -> None:
        await self._take(EndRing(ring, ended_by, at))

    async def keep_line(
        self, call: CallId, line: Line, words: tuple[Word, ...], engine: str, model: str
    ) -> None:
        await self._take(KeepLine(call, line, words, engine, model))

    async def keep_draft(
        self, call: CallId, version: int, machine: Draft, edits: dict[FieldName, str], at: datetime
    ) -> None:
        await self._take(KeepDraft(call, version, machine, edits, at))

    async def keep_move(self, move: AgentMove) -> None:
        await self._take(KeepMove(move))

    async def keep_consent(self, consent: Consent) -> None:
        await self._take(KeepConsent(consent))

    async def keep_party(self, party: Party) -> None:
        await self._take(KeepParty(party))

    async def keep_recording_pause(self, pause: RecordingPause) -> None:
        await self._take(KeepRecordingPause(pause))

    async def keep_attempt(self, attempt: Attempt) -> None:
        await self._take(KeepAttempt(attempt))

    async def keep_act(self, act: Act) -> None:
        await self._take(KeepAct(act))

    async def end_act(
        self, act: str, answered_at: datetime | None, ended_at: datetime | None
    ) -> None:
        await self._take(EndAct(act, answered_at, ended_at))

    async def want_late_leg(self, call: CallId, speaker: Speaker) -> None:
        await self._take(WantLateLeg(call, speaker))

    async def history(self, caller_number: str, before_call: CallId) -> History:
        await self._answer()
        return History()

    async def find_call(self, call: CallId) -> StoredCall | None:
        await self._answer()
        return self.stored.get(call)

    async def last_unconfirmed(self, agent: AgentId) -> CallId | None:
        await self._answer()
        return None

    async def is_up(self) -> bool:
        try:
            await self._answer()
        except DatabaseUnavailable:
            return False
        return True
