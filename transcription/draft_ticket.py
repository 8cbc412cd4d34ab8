"""A draft ticket: what the machine has understood so far, each field tied to the words it is from.

Pure data. ``transcription.draft`` fills it from words; the agent corrects it; the ticket room
turns a confirmed one into exactly one ticket.
"""

from dataclasses import dataclass
from enum import StrEnum


class Speaker(StrEnum):
    """Who speaks on a leg."""

    CITIZEN = "citizen"
    """The caller."""
    AGENT = "agent"
    """The member of staff who answered."""


class FieldName(StrEnum):
    """The fields a draft fills (DOMAIN.md's union list, what speech can tell of it)."""

    TYPE = "type"
    """Demand type code, R005: consult, help, suggest, complain, report, other."""
    TOPIC = "topic"
    """First-level topic code of ``transcription.topics``."""
    PLACE = "place"
    """Where it happens, as said, with the region found in the gazetteer if any."""
    TIME = "time"
    """When it happened or happens, as said."""
    DEMAND = "demand"
    """The core demand: what the caller wants, in the caller's words."""
    SUMMARY = "summary"
    """A title of at most 40 characters."""
    URGENCY = "urgency"
    """normal, urgent or emergency (danger to life: the red banner, never a transfer by itself)."""
    PHONE = "phone"
    """A telephone number the caller gave for contact, digits only."""
    WANTS_REPLY = "wants_reply"
    """``yes`` or ``no`` (R014, R058)."""
    CONFIDENTIAL = "confidential"
    """``yes`` or ``no``: keep my contact secret (R014)."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One finished or running utterance of a call, as the draft reads it."""

    speaker: Speaker
    number: int
    """Counts from 0 per speaker within the call."""
    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """The words a field came from: characters ``start``..``end`` of one utterance's text."""

    speaker: Speaker
    utterance: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class DraftField:
    """One field's value, 0..1 confidence, and the words behind it."""

    value: str
    confidence: float
    evidence: tuple[Evidence, ...]
    codes: tuple[str, ...] = ()
    """Readings of the value where there are any: region codes the place may mean (several when
    ambiguous), the ISO date of a time, the emergency line that an urgency proposes."""


@dataclass(frozen=True, slots=True)
class Draft:
    """All fields understood so far; a field not understood is absent."""

    fields: dict[FieldName, DraftField]
