"""The words of one call, put together from its streams.

Pure. Each leg is one stream, or several when a fork had to be made again; lines are numbered per
speaker over all of them, and times count from the moment the agent answered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from base.ids import StreamId
from server.push.protocol import Line
from transcription.draft_ticket import Speaker, Utterance
from transcription.engine import SpeechEventKind
from transcription.wire import Words


class StreamPlace(msgspec.Struct, frozen=True):
    """Where a stream's words belong in the call."""

    speaker: Speaker
    offset_s: float
    """From the answer to the stream's first sample."""
    first_number: int
    """The line of its utterance 0."""
    engine: str | None = None
    model: str | None = None


@dataclass(slots=True)
class Transcript:
    """One call's lines, in the order in which they were first heard."""

    answered_at: datetime
    lines: dict[str, Line] = field(default_factory=dict)
    _places: dict[StreamId, StreamPlace] = field(default_factory=dict)

    def open_stream(
        self,
        stream: StreamId,
        speaker: Speaker,
        started_at: datetime,
        *,
        engine: str | None = None,
        model: str | None = None,
    ) -> StreamPlace:
        """A leg's audio begins; a known stream keeps its place."""
        known = self._places.get(stream)
        if known is not None:
            return known
        numbers = [line.number for line in self.lines.values() if line.speaker == speaker]
        offset_s = max(0.0, (started_at - self.answered_at).total_seconds())
        place = StreamPlace(speaker, offset_s, max(numbers, default=-1) + 1, engine, model)
        self._places[stream] = place
        return place

    def knows(self, stream: StreamId) -> bool:
        """Whether the stream's place is known."""
        return stream in self._places

    @property
    def legs_heard(self) -> set[Speaker]:
        """Legs of which a stream began."""
        return {place.speaker for place in self._places.values()}

    def restore_places(self, places: Mapping[StreamId, StreamPlace]) -> None:
        """Places that a former bridge gave."""
        self._places.update(places)

    def take(self, words: Words) -> Line | None:
        """Put words in their line; None where they tell nothing new (late, doubled, empty)."""
        leg = self._places[words.stream]
        number = leg.first_number + words.utterance
        line = Line(
            id=f"{leg.speaker}-{number}",
            speaker=leg.speaker.value,
            number=number,
            revision=words.revision,
            text=words.text,
            start_s=round(leg.offset_s + words.start_s, 2),
            end_s=round(leg.offset_s + words.end_s, 2),
            is_final=words.kind is SpeechEventKind.FINAL,
            confidence=words.confidence,
        )
        known = self.lines.get(line.id)
        if known is not None and (known.is_final or known.revision >= line.revision):
            return None
        if known is None and not line.text:
            return None
        self.lines[line.id] = line
        return line

    def add_late(self, lines: Sequence[Line]) -> None:
        """Lines from the recording; they are final."""
        for line in lines:
            self.lines[line.id] = line

    def restore(self, lines: Sequence[Line]) -> None:
        """Lines known before a restart; a higher revision of one stays."""
        for line in lines:
            known = self.lines.get(line.id)
            if known is None or known.revision < line.revision:
                self.lines[line.id] = line

    def utterances(self) -> list[Utterance]:
        """What the draft reads, by time."""
        spoken = [
            Utterance(Speaker(line.speaker), line.number, line.text, line.start_s, line.end_s)
            for line in self.lines.values()
            if line.text
        ]
        return sorted(spoken, key=lambda utterance: utterance.start_s)
