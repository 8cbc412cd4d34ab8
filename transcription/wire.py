"""What the speech role tells the rest: one tagged message an entry.

Owns the words between the roles (JSON in the field ``m`` of ``hotline:speech``). Must never carry
sound, nor grow a field without a default: an old bridge has to read what a new speech role writes,
and the other way round.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from base.ids import CallId, StreamId
from transcription.draft_ticket import Speaker
from transcription.engine import SpeechEvent, SpeechEventKind, Word

SPEECH_STREAM: Final = "hotline:speech"
SPEECH_STREAM_MAXLEN: Final = 10_000
SPEECH_ROLE_KEY: Final = "hotline:role:speech"
FORK_KEY_TTL_S: Final = 60
LATE_LEGS_KEY: Final = "hotline:late-legs"
"""A list of ``LateLeg``, bridge → speech: legs to be heard from their recording, after the call."""


class StreamEndReason(StrEnum):
    """Why nothing more comes of a stream."""

    CLOSED = "closed"
    """The leg ended and all its words were sent."""
    BROKEN = "broken"
    """Words are missing: the decoder died, fell behind or the sound was not sound."""
    REFUSED = "refused"
    """No decoder had room; the leg is transcribed from the recording after the call."""


class StreamStarted(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="stream_started"
):
    """A decoder took the stream."""

    stream: StreamId
    call: CallId
    speaker: Speaker
    engine: str
    model: str
    at: datetime
    is_demo_model: bool = False
    """The model knows only the demo's sentences; whatever shows its words must say so."""


class Words(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="words"):
    """Words of one utterance; replaces what an earlier revision of it said.

    A final with an empty ``text`` withdraws the utterance: what looked like speech was none.
    Times are seconds since the stream's first sample.
    """

    stream: StreamId
    call: CallId
    speaker: Speaker
    kind: SpeechEventKind
    utterance: int
    revision: int
    text: str
    start_s: float
    end_s: float
    words: tuple[Word, ...] = ()
    confidence: float | None = None


class StreamEnded(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="stream_ended"):
    """The last message of a stream."""

    stream: StreamId
    call: CallId
    speaker: Speaker
    reason: StreamEndReason
    bytes_received: int
    at: datetime


class StreamQuiet(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="stream_quiet"):
    """No frame came for ``quiet_s``; told again every two seconds while that lasts.

    Hold or fault: the speech role cannot know. Also of a stream that never began.
    """

    stream: StreamId
    call: CallId
    speaker: Speaker
    quiet_s: float
    at: datetime


class StreamFlows(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="stream_flows"):
    """Frames come again on a stream that was quiet."""

    stream: StreamId
    call: CallId
    speaker: Speaker
    at: datetime


class StreamThin(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="stream_thin"):
    """Frames flow, but too few: sound is lost on its way. Told again while that lasts.

    What is recognised of such sound is wrong words.
    """

    stream: StreamId
    call: CallId
    speaker: Speaker
    share: float
    """Of the bytes per second that the leg should bring, over five seconds of flowing sound."""
    at: datetime


class LegHeard(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="leg_heard"):
    """A whole leg from its recording, in one message: stored whole or not at all.

    Times are seconds since the answer. With a ``failure`` there are no words.
    """

    stream: StreamId
    call: CallId
    speaker: Speaker
    engine: str
    model: str
    at: datetime
    utterances: tuple[SpeechEvent, ...] = ()
    failure: str = ""


SpeechMessage = (
    StreamStarted | Words | StreamEnded | StreamQuiet | StreamFlows | StreamThin | LegHeard
)


class LateLeg(msgspec.Struct, frozen=True, kw_only=True):
    """A leg to be heard from the recording of its call."""

    stream: StreamId
    """Names this attempt; a result under another name is of no use any more."""
    call: CallId
    speaker: Speaker
    recording: str
    """The file's name in the recordings' folder: left the citizen, right the agent."""
    talk_s: float
    """From the answer to the end, which is also the recording's."""


def late_patience_s(talk_s: float) -> float:
    """How long a leg's hearing may take before it counts as failed: it has the lowest priority."""
    return 120.0 + 2 * talk_s


class Fork(msgspec.Struct, frozen=True, kw_only=True):
    """Whose leg a stream is: written by the bridge just before it originates the fork."""

    call: CallId
    speaker: Speaker


class SpeechRoleState(msgspec.Struct, frozen=True, kw_only=True):
    """The speech role's heartbeat, at ``SPEECH_ROLE_KEY`` with a short life."""

    engine: str
    model: str
    is_demo: bool
    streams: int
    capacity: int
    note: str = ""
    quiet: int = 0
    """Streams without a frame for two seconds, now."""
    quiet_times: int = 0
    """How often a stream fell quiet since the role began."""
    bytes_per_s: int = 0
    """Sound of all streams since the last heartbeat."""


def fork_key(stream: StreamId) -> str:
    """The Redis key that tells whose leg ``stream`` is."""
    return f"hotline:fork:{stream}"


def encode(message: SpeechMessage | Fork | SpeechRoleState | LateLeg) -> bytes:
    """Write a message as JSON."""
    return msgspec.json.encode(message)


_messages: Final[msgspec.json.Decoder[SpeechMessage]] = msgspec.json.Decoder(SpeechMessage)
_forks: Final = msgspec.json.Decoder(Fork)
_states: Final = msgspec.json.Decoder(SpeechRoleState)
_late_legs: Final = msgspec.json.Decoder(LateLeg)


def decode_message(data: bytes | str) -> SpeechMessage:
    """Read one entry of the stream; raises ``msgspec.DecodeError`` on anything else."""
    return _messages.decode(data)


def decode_fork(data: bytes | str) -> Fork:
    """Read a fork key's value."""
    return _forks.decode(data)


def decode_role_state(data: bytes | str) -> SpeechRoleState:
    """Read the speech role's heartbeat."""
    return _states.decode(data)


def decode_late_leg(data: bytes | str) -> LateLeg:
    """Read an entry of the list of late legs."""
    return _late_legs.decode(data)
