"""A recording to words, off line: for `hotline transcribe` and for calls nobody decoded live."""

import time
from dataclasses import dataclass

from transcription.audio_file import Recording
from transcription.engine import Engine, Session, SpeechEvent, SpeechEventKind
from transcription.voice_segments import voiced_session

PIECE_S = 0.2
TAIL_S = 0.6
"""Silence put at the end, so that the last word is not cut by the end of the file."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """All that was said in a recording."""

    engine: str
    model: str
    segments: tuple[SpeechEvent, ...]
    seconds: float
    took_s: float

    @property
    def text(self) -> str:
        """The words of all segments, one a line."""
        return "\n".join(segment.text for segment in self.segments)

    @property
    def rtf(self) -> float:
        """Seconds of work for a second of sound."""
        return self.took_s / self.seconds if self.seconds else 0.0


def transcribe(engine: Engine, recording: Recording) -> Transcript:
    """Recognise a whole recording; silence and noise give no segments."""
    begun_mono = time.perf_counter()
    session = _session(engine, recording.rate_hz)
    try:
        events = _decode(session, recording)
    finally:
        session.close()
    return Transcript(
        engine=engine.name,
        model=engine.model_name,
        segments=tuple(e for e in events if e.kind is SpeechEventKind.FINAL and e.text),
        seconds=recording.seconds,
        took_s=time.perf_counter() - begun_mono,
    )


def _session(engine: Engine, rate_hz: int) -> Session:
    if engine.capabilities.streaming:
        return voiced_session(engine, rate_hz)
    return engine.session(rate_hz)  # It has a voice filter of its own.


def _decode(session: Session, recording: Recording) -> list[SpeechEvent]:
    size = int(PIECE_S * recording.rate_hz) * 2
    sound = recording.pcm16 + bytes(int(TAIL_S * recording.rate_hz) * 2)
    events: list[SpeechEvent] = []
    for at in range(0, len(sound), size):
        events += session.accept(sound[at : at + size])
    return events + session.finish()
