"""What lasts of the doings inside a call and on behalf of one."""

from dataclasses import dataclass
from datetime import datetime

from base.ids import AgentId, AttemptId, CallId
from server.push.protocol import PartyKind


@dataclass(frozen=True, slots=True)
class Consent:
    """What the caller said when asked whether somebody may join."""

    call: CallId
    agent: AgentId
    at: datetime
    is_given: bool


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody whom an agent asked, joined in or gave the caller to; kept as it becomes known."""

    id: str
    call: CallId
    agent: AgentId
    number: str
    kind: PartyKind
    began_at: datetime
    answered_at: datetime | None = None
    joined_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: str | None = None
    """``called_off``, ``not_reached``, ``asked``, ``three_way``, ``handed_over``, ``sent_on``."""


@dataclass(frozen=True, slots=True)
class RecordingPause:
    """A stretch of silence in a recording: who wanted it, and why."""

    call: CallId
    from_at: datetime
    to_at: datetime | None
    agent: AgentId | None
    reason: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to reach somebody by telephone; written as it becomes known."""

    id: AttemptId
    agent: AgentId
    number: str
    wanted_at: datetime
    about_call: CallId | None = None
    about_ticket: str | None = None
    rang_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    rang_s: float | None = None
    talked_s: float | None = None
    result: str | None = None
