"""What the live desk asks of the lasting records (``server.records`` on PostgreSQL)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from base.ids import AgentId, CallId, RingId
from server.live.call_facts import Attempt, Consent, Party, RecordingPause
from server.live.calls import History
from server.push.protocol import Line
from telephony.events import Outcome
from transcription.draft_ticket import Draft, FieldName, Speaker
from transcription.engine import Word

ATTEMPT_RECORDING: Final = "attempt-"
"""Begins the name of a call out's recording, which the dialplan gives it."""


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What is stored of a call; written again whenever one of them becomes known."""

    call: CallId
    caller_number: str
    caller_name: str
    called_number: str
    arrived_at: datetime
    queue: str | None = None
    queued_at: datetime | None = None
    agent: AgentId | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    emergency_line: str | None = None
    is_settled: bool = False
    """Whether they tell all of a call that is over: it was followed from its arrival to its end
    without a gap, or read from Asterisk's books."""


@dataclass(frozen=True, slots=True)
class StoredDraft:
    """A draft as it was left."""

    version: int
    machine: Draft
    edits: dict[FieldName, str]
    ticket_number: str | None


@dataclass(frozen=True, slots=True)
class StoredCall:
    """A call found again after a restart."""

    facts: CallFacts
    lines: list[Line]
    draft: StoredDraft | None
    engine: str | None
    model: str | None
    consent: bool | None = None
    """The caller's last answer; None: not asked."""


@dataclass(frozen=True, slots=True)
class LateLine:
    """A line from a recording, with its words' times."""

    line: Line
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class AgentMove:
    """One step of an agent's state, as ``routing.desks.Moved`` tells it."""

    number: int
    """Rises with each step, also over restarts: microseconds since 1970, and never twice."""
    agent: AgentId
    at: datetime
    old: str
    event: str
    new: str
    reason: str
    call: CallId | None
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What a leader did to an agent or their conversation (``server.live.supervision``)."""

    id: str
    at: datetime
    leader: str
    """The user's id."""
    leader_name: str
    act: str
    agent: AgentId
    call: CallId | None
    phone: str | None
    """The leader's, which rang for it."""
    reason: str
    answered_at: datetime | None = None


class Records(Protocol):
    """Every write may be repeated; the later one wins."""

    async def keep_call(self, facts: CallFacts) -> None:
        """Insert or update; facts already known are never erased by None."""

    async def keep_ring(self, ring: RingId, call: CallId, agent: AgentId, at: datetime) -> None:
        """A phone began to ring."""

    async def end_ring(self, ring: RingId, ended_by: str, at: datetime) -> None:
        """It stopped; ``ended_by`` is ``answered`` or a RingEnd value."""

    async def keep_line(
        self, call: CallId, line: Line, words: tuple[Word, ...], engine: str, model: str
    ) -> None:
        """Keep a final line."""

    async def keep_draft(
        self, call: CallId, version: int, machine: Draft, edits: dict[FieldName, str], at: datetime
    ) -> None:
        """Keep the draft; an older version never overwrites a newer."""

    async def keep_move(self, move: AgentMove) -> None:
        """An agent's state changed."""

    async def keep_consent(self, consent: Consent) -> None:
        """The caller was asked."""

    async def keep_party(self, party: Party) -> None:
        """What is known of a party to a call."""

    async def keep_recording_pause(self, pause: RecordingPause) -> None:
        """A recording was silenced, or goes on."""

    async def keep_attempt(self, attempt: Attempt) -> None:
        """What is known of an attempt."""

    async def keep_act(self, act: Act) -> None:
        """A leader did something."""

    async def end_act(
        self, act: str, answered_at: datetime | None, ended_at: datetime | None
    ) -> None:
        """Its course so far."""

    async def want_late_leg(self, call: CallId, speaker: Speaker) -> None:
        """A leg was not heard, or not to its end: hear it from the recording."""

    async def history(self, caller_number: str, before_call: CallId) -> History:
        """Earlier calls and tickets of a number; empty for a withheld one."""

    async def find_call(self, call: CallId) -> StoredCall | None:
        """A call with its lines and draft."""

    async def last_unconfirmed(self, agent: AgentId) -> CallId | None:
        """The agent's latest ended conversation, if it has no ticket."""

    async def is_up(self) -> bool:
        """Whether the records can be written now."""
