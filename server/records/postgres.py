"""The lasting records in PostgreSQL, behind the live desk's port ``server.live.records.Records``.

Every write is one statement that may be repeated and may come late; the statements themselves
keep older facts from overwriting newer ones. Retrying is the scribe's work, not done here.
"""

from collections.abc import Collection
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import msgspec

from base.database import Database, storable
from base.ids import AgentId, CallId, RingId
from base.sql_files import load_sql
from routing.nuisance import read as read_steps
from server.live.call_facts import Attempt, Consent, Party, RecordingPause
from server.live.calls import CallerUse, History
from server.live.event_watch import OpenEvent
from server.live.gaps import Unsettled
from server.live.records import (
    ATTEMPT_RECORDING,
    Act,
    AgentMove,
    CallFacts,
    StoredCall,
    StoredDraft,
)
from server.nuisance import step_of
from server.push.protocol import FormerCall, FormerTicket, Line
from telephony.events import Outcome
from telephony.naming import began_at
from tickets.store import SQL as TICKETS_SQL
from transcription.draft_ticket import Draft, DraftField, FieldName, Speaker
from transcription.engine import Word

SQL = load_sql(Path(__file__).parent / "sql")
USE_DAYS = 30
LONG_S = 20 * 60.0
"""A conversation longer than this is shown as a long one."""
SILENT_S = 15.0
"""So long with the agent speaking and the caller not: a silent call."""
MOST_HISTORY = 10
"""Former calls, and former tickets, that a pop shows."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Where a call's sound lies, and its hash."""

    path: str
    sha256: str


class PostgresRecords:
    """Live facts through a pool, as ``hotline_bridge`` (writing) or ``hotline_web`` (reading)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep_call(self, facts: CallFacts) -> None:
        await self._database.execute(
            SQL["keep_call"],
            facts.call,
            storable(facts.caller_number),
            storable(facts.caller_name),
            storable(facts.called_number),
            facts.arrived_at,
            facts.queue,
            facts.queued_at,
            facts.agent,
            facts.answered_at,
            facts.ended_at,
            facts.outcome,
            facts.emergency_line,
            facts.is_settled,
        )

    async def keep_ring(self, ring: RingId, call: CallId, agent: AgentId, at: datetime) -> None:
        await self._database.execute(SQL["keep_ring"], ring, call, agent, at)

    async def end_ring(self, ring: RingId, ended_by: str, at: datetime) -> None:
        await self._database.execute(SQL["end_ring"], ring, ended_by, at)

    async def keep_line(
        self, call: CallId, line: Line, words: tuple[Word, ...], engine: str, model: str
    ) -> None:
        await self._database.execute(
            SQL["keep_line"],
            call,
            line.speaker,
            line.number,
            line.revision,
            storable(line.text),
            line.start_s,
            line.end_s,
            words,
            line.confidence,
            engine,
            model,
        )

    async def keep_draft(
        self, call: CallId, version: int, machine: Draft, edits: dict[FieldName, str], at: datetime
    ) -> None:
        await self._database.execute(SQL["keep_draft"], call, version, machine.fields, edits, at)

    async def keep_move(self, move: AgentMove) -> None:
        await self._database.execute(
            SQL["keep_move"],
            move.number,
            move.agent,
            move.at,
            move.old,
            move.event,
            move.new,
            storable(move.reason),
            move.call,
            move.by,
        )

    async def keep_consent(self, consent: Consent) -> None:
        await self._database.execute(
            SQL["keep_consent"], consent.call, consent.agent, consent.at, consent.is_given
        )

    async def keep_party(self, party: Party) -> None:
        await self._database.execute(SQL["keep_party"], *astuple(party))

    async def keep_recording_pause(self, pause: RecordingPause) -> None:
        if pause.to_at is not None:
            await self._database.execute(SQL["end_recording_pause"], pause.call, pause.to_at)
            return
        await self._database.execute(
            SQL["keep_recording_pause"],
            pause.call,
            pause.from_at,
            pause.agent,
            storable(pause.reason),
        )

    async def keep_attempt(self, attempt: Attempt) -> None:
        await self._database.execute(SQL["keep_attempt"], *astuple(attempt))

    async def keep_act(self, act: Act) -> None:
        await self._database.execute(
            SQL["keep_act"],
            act.id,
            act.at,
            act.leader,
            storable(act.leader_name),
            act.act,
            act.agent,
            act.call,
            act.phone,
            storable(act.reason),
        )

    async def end_act(
        self, act: str, answered_at: datetime | None, ended_at: datetime | None
    ) -> None:
        await self._database.execute(SQL["end_act"], act, answered_at, ended_at)

    async def open_acts(self) -> list[Act]:
        """Those on the phone that have no end."""
        return [_act(row) for row in await self._database.fetch(SQL["open_acts"])]

    async def open_events(self) -> list[OpenEvent]:
        """Events that callers are told of now."""
        return [OpenEvent(*row.values()) for row in await self._database.fetch(SQL["open_events"])]

    async def want_late_leg(self, call: CallId, speaker: Speaker) -> None:
        await self._database.execute(SQL["want_late_leg"], call, speaker)

    async def keep_recording(self, call: CallId, path: str, sha256: str) -> None:
        if call.startswith(ATTEMPT_RECORDING):
            attempt = call.removeprefix(ATTEMPT_RECORDING)
            await self._database.execute(SQL["keep_attempt_recording"], attempt, path, sha256)
            return
        arrived_at = began_at(call) or datetime.now(UTC)
        await self._database.execute(SQL["keep_recording"], call, arrived_at, path, sha256)

    async def history(self, caller_number: str, before_call: CallId) -> History:
        """Earlier calls and tickets of exactly this number; empty for a withheld one."""
        if not caller_number:
            return History()
        async with self._database.connection() as connection:
            calls = await connection.fetch(
                SQL["former_calls"], storable(caller_number), before_call, MOST_HISTORY
            )
            tickets = await connection.fetch(
                TICKETS_SQL["former_tickets"], storable(caller_number), MOST_HISTORY
            )
            use = await connection.fetchrow(
                SQL["caller_use"], storable(caller_number), before_call, USE_DAYS, LONG_S, SILENT_S
            )
            steps = await connection.fetch(SQL["caller_steps"], storable(caller_number))
        case = read_steps([step_of(row) for row in steps], datetime.now(UTC))
        return History(
            use=CallerUse() if use is None else CallerUse(**dict(use)),
            nuisance=case,
            calls=[_former_call(row) for row in calls],
            tickets=[FormerTicket(**dict(row)) for row in tickets],
        )

    async def caller_use(self, caller_number: str, before_call: CallId) -> CallerUse:
        """How a number used the line lately; of a withheld one nothing."""
        if not caller_number:
            return CallerUse()
        row = await self._database.fetchrow(
            SQL["caller_use"], storable(caller_number), before_call, USE_DAYS, LONG_S, SILENT_S
        )
        return CallerUse(**dict(row)) if row is not None else CallerUse()

    async def find_call(self, call: CallId) -> StoredCall | None:
        """A call with its lines and draft; None if it was never stored."""
        async with self._database.connection() as connection:
            facts = await connection.fetchrow(SQL["call_by_id"], storable(call))
            if facts is None:
                return None
            lines = await connection.fetch(SQL["lines_of_call"], call)
            draft = await connection.fetchrow(SQL["draft_by_call"], call)
            consent = await connection.fetchval(SQL["consent_of_call"], call)
        return StoredCall(
            facts=_facts(facts),
            lines=[line_of(row) for row in lines],
            draft=None if draft is None else _draft(draft),
            engine=lines[-1]["engine"] if lines else None,
            model=lines[-1]["model"] if lines else None,
            consent=consent,
        )

    async def recording(self, call: CallId) -> Recording | None:
        row = await self._database.fetchrow(SQL["recording_of_call"], storable(call))
        return None if row is None else Recording(row["recording_path"], row["recording_sha256"])

    async def unsettled_calls(self) -> list[Unsettled]:
        rows = await self._database.fetch(SQL["unsettled_calls"])
        return [
            Unsettled(
                CallId(row["id"]),
                row["agent"],
                row["arrived_at"],
                row["answered_at"],
                row["ended_at"],
            )
            for row in rows
        ]

    async def settled_of(self, calls: Collection[CallId]) -> dict[CallId, bool]:
        rows = await self._database.fetch(SQL["settled_of_calls"], list(calls))
        return {CallId(row["id"]): row["is_settled"] for row in rows}

    async def settle_calls(self, calls: Collection[CallId]) -> None:
        await self._database.execute(SQL["keep_settled"], list(calls))

    async def followed_to(self) -> datetime | None:
        at: datetime | None = await self._database.fetchval(SQL["followed_to"])
        return at

    async def keep_followed(self) -> None:
        await self._database.execute(SQL["keep_followed"])

    async def close_attempts(self, live: Collection[str]) -> None:
        """Attempts that ended while nobody saw it."""
        await self._database.execute(SQL["end_attempts"], list(live))

    async def end_rings(self, call: CallId, agent: AgentId | None, at: datetime) -> None:
        await self._database.execute(SQL["end_rings"], call, agent, at)

    async def is_up(self) -> bool:
        return await self._database.is_up()

    async def last_unconfirmed(self, agent: AgentId) -> CallId | None:
        """The agent's latest ended conversation, if it has no ticket."""
        call: str | None = await self._database.fetchval(SQL["last_unconfirmed"], agent)
        return None if call is None else CallId(call)


def _act(row: asyncpg.Record) -> Act:
    return Act(**dict(row))


def _former_call(row: asyncpg.Record) -> FormerCall:
    return FormerCall(
        call=row["id"],
        started_at=row["arrived_at"],
        outcome=row["outcome"] or "",
        agent=row["agent"],
        ticket_number=row["number"],
    )


def _facts(row: asyncpg.Record) -> CallFacts:
    values = dict(row)
    outcome = values.pop("outcome")
    return CallFacts(
        call=CallId(values.pop("id")),
        outcome=None if outcome is None else Outcome(outcome),
        **values,
    )


def line_of(row: asyncpg.Record) -> Line:
    """A row of ``lines_of_call``."""
    return Line(
        id=f"{row['speaker']}-{row['number']}",
        speaker=row["speaker"],
        number=row["number"],
        revision=row["revision"],
        text=row["text"],
        start_s=row["start_s"],
        end_s=row["end_s"],
        is_final=True,
        confidence=row["confidence"],
    )


def _draft(row: asyncpg.Record) -> StoredDraft:
    fields = msgspec.convert(row["machine"], dict[FieldName, DraftField])
    return StoredDraft(
        version=row["version"],
        machine=Draft(fields=fields),
        edits=msgspec.convert(row["agent"], dict[FieldName, str]),
        ticket_number=row["ticket_number"],
    )
