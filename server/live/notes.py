"""What the live desk wants to last, as values: they can wait in memory or on disk and be repeated.

Each is one idempotent statement of ``server.live.records.Records``; written in order, and again in
order after a crash, they lead to the same rows.
"""

import zlib
from datetime import datetime
from typing import Final, assert_never

import msgspec

from base.ids import AgentId, CallId, RingId
from server.live.call_facts import Attempt, Consent, Party, RecordingPause
from server.live.records import Act, AgentMove, CallFacts, Records
from server.push.protocol import Line
from transcription.draft_ticket import Draft, FieldName, Speaker
from transcription.engine import Word


class KeepCall(msgspec.Struct, frozen=True, tag="call"):
    """What is known of a call."""

    facts: CallFacts


class KeepRing(msgspec.Struct, frozen=True, tag="ring"):
    """A phone began to ring."""

    ring: RingId
    call: CallId
    agent: AgentId
    at: datetime


class EndRing(msgspec.Struct, frozen=True, tag="ring_end"):
    """It stopped; ``ended_by`` is ``answered`` or a RingEnd value."""

    ring: RingId
    ended_by: str
    at: datetime


class KeepLine(msgspec.Struct, frozen=True, tag="line"):
    """A final line."""

    call: CallId
    line: Line
    words: tuple[Word, ...]
    engine: str
    model: str


class KeepDraft(msgspec.Struct, frozen=True, tag="draft"):
    """A draft's version."""

    call: CallId
    version: int
    machine: Draft
    edits: dict[FieldName, str]
    at: datetime


class WantLateLeg(msgspec.Struct, frozen=True, tag="late_leg"):
    """A leg that was not heard live, or not to its end."""

    call: CallId
    speaker: Speaker


class KeepMove(msgspec.Struct, frozen=True, tag="move"):
    """One step of an agent's state."""

    move: AgentMove


class KeepConsent(msgspec.Struct, frozen=True, tag="consent"):
    """The caller was asked whether somebody may join."""

    consent: Consent


class KeepParty(msgspec.Struct, frozen=True, tag="party"):
    """What is known of a party to a call."""

    party: Party


class KeepRecordingPause(msgspec.Struct, frozen=True, tag="recording_pause"):
    """A recording was silenced, or goes on."""

    pause: RecordingPause


class KeepAttempt(msgspec.Struct, frozen=True, tag="attempt"):
    """What is known of an attempt to reach somebody."""

    attempt: Attempt


class KeepAct(msgspec.Struct, frozen=True, tag="act"):
    """A leader's act."""

    act: Act


class EndAct(msgspec.Struct, frozen=True, tag="act_end"):
    """What is known of its course: when the phone was answered, and when it was over."""

    id: str
    answered_at: datetime | None
    ended_at: datetime | None


Note = (
    KeepConsent
    | KeepParty
    | KeepRecordingPause
    | KeepAttempt
    | KeepMove
    | KeepCall
    | KeepRing
    | EndRing
    | KeepLine
    | KeepDraft
    | WantLateLeg
    | KeepAct
    | EndAct
)

_decoder: Final[msgspec.json.Decoder[Note]] = msgspec.json.Decoder(Note)


async def write(records: Records, note: Note) -> None:
    """Carry a note into the records."""
    match note:
        case KeepCall():
            await records.keep_call(note.facts)
        case KeepRing():
            await records.keep_ring(note.ring, note.call, note.agent, note.at)
        case EndRing():
            await records.end_ring(note.ring, note.ended_by, note.at)
        case KeepLine():
            await records.keep_line(note.call, note.line, note.words, note.engine, note.model)
        case KeepDraft():
            await records.keep_draft(note.call, note.version, note.machine, note.edits, note.at)
        case KeepConsent():
            await records.keep_consent(note.consent)
        case KeepParty():
            await records.keep_party(note.party)
        case KeepRecordingPause():
            await records.keep_recording_pause(note.pause)
        case KeepAttempt():
            await records.keep_attempt(note.attempt)
        case KeepMove():
            await records.keep_move(note.move)
        case WantLateLeg():
            await records.want_late_leg(note.call, note.speaker)
        case KeepAct():
            await records.keep_act(note.act)
        case EndAct():
            await records.end_act(note.id, note.answered_at, note.ended_at)
        case _:
            assert_never(note)


def kind(note: Note) -> str:
    """Its name in logs."""
    return str(type(note).__struct_config__.tag)


def as_line(note: Note) -> bytes:
    """One line of a file, with a sum that shows whether it is whole."""
    body = msgspec.json.encode(note)
    return b"%08x %s\n" % (zlib.crc32(body), body)


def from_line(line: bytes) -> Note | None:
    """The note, or None for a line that was cut off or spoilt."""
    total, _, body = line.rstrip(b"\n").partition(b" ")
    if total != b"%08x" % zlib.crc32(body):
        return None
    try:
        return _decoder.decode(body)
    except msgspec.MsgspecError:
        return None
