"""The port behind which every recogniser stands.

An engine is opened once a process and loads its model; a session decodes one leg of one call.
``accept`` may take over a second of CPU (measured: Vosk up to 1.35 s), so sessions live in worker
processes, never on an event loop. The model for this port is livekit-agents' stt.py.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine can do; callers ask this, never the engine's name."""

    streaming: bool
    """Gives words while a person still talks."""
    partials: bool
    """Gives guesses that later revisions replace."""
    word_times: bool
    confidence: bool
    hotwords: bool
    native_rates_hz: tuple[int, ...]


class SpeechEventKind(StrEnum):
    """How sure the words are to stay."""

    PARTIAL = "partial"
    """A guess; a later revision of the same utterance replaces it."""
    FINAL = "final"
    """The utterance is over; the text stays."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word, its place in the stream in seconds, and 0..1 confidence where known."""

    text: str
    start_s: float
    end_s: float
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class SpeechEvent:
    """Words of one utterance of one stream.

    ``utterance`` counts from 0 in a stream; ``revision`` counts from 0 in an utterance and the
    final has the highest. Times are seconds since the stream's first sample and run on across
    utterances. ``text`` has no spaces between Chinese words.
    """

    kind: SpeechEventKind
    utterance: int
    revision: int
    text: str
    start_s: float
    end_s: float
    words: tuple[Word, ...] = ()
    confidence: float | None = None


class Session(Protocol):
    """Decodes one stream. Not safe for use by two threads at once."""

    def accept(self, pcm16: bytes) -> list[SpeechEvent]:
        """Take signed 16-bit little-endian mono samples; any number of whole samples."""

    def finish(self) -> list[SpeechEvent]:
        """Flush what is left as finals. No ``accept`` may follow."""

    def close(self) -> None:
        """Free the session; may be called at any time, more than once."""


class Engine(Protocol):
    """A loaded recogniser."""

    @property
    def name(self) -> str:
        """Stable name, e.g. ``vosk``."""

    @property
    def model_name(self) -> str:
        """Name of the loaded model, e.g. ``demo-zh`` or ``vosk-model-small-cn-0.22``."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""

    def warmup(self) -> None:
        """Run once over silence so that the first caller does not wait."""

    def session(self, rate_hz: int, hotwords: tuple[str, ...] = ()) -> Session:
        """Begin a stream sampled at ``rate_hz``."""

    def close(self) -> None:
        """Free the model."""
