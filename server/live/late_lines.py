"""Which words of a recording are new: what was heard live stays, the gaps are filled. Pure.

A leg heard from its recording is never put in the place of its live lines: the draft's evidence
and the agent's eyes rest on these. Only words spoken while no live line of that leg stands are
taken, so hearing a leg again, in whole or in part, adds nothing that is there already.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from server.push.protocol import Line
from transcription.draft_ticket import Speaker
from transcription.engine import SpeechEvent, Word

EDGE_S = 0.3
"""Live times and the recording's differ by the way through Asterisk: so near a live line a word
counts as heard."""
SHORTEST_S = 0.35
"""What is left beside a live line and shorter than this is an edge, not a word."""


def new_lines(
    known: Sequence[Line], speaker: Speaker, utterances: Iterable[SpeechEvent]
) -> list[tuple[Line, tuple[Word, ...]]]:
    """The lines to add to a leg, numbered after those that are known."""
    own = [line for line in known if line.speaker == speaker]
    heard = [(line.start_s - EDGE_S, line.end_s + EDGE_S) for line in own if _is_heard(line)]
    first = max((line.number for line in own), default=-1) + 1
    parts = [part for event in utterances for part in _unheard(event, heard) if part.text]
    return [
        (_line(speaker, first + index, part), part.words)
        for index, part in enumerate(sorted(parts, key=lambda part: part.start_s))
    ]


def withdrawn(known: Iterable[Line], speaker: Speaker) -> list[Line]:
    """Guesses that no final will follow, as lines that take them back: their words come anew."""
    return [
        Line(
            id=line.id,
            speaker=line.speaker,
            number=line.number,
            revision=line.revision + 1,
            text="",
            start_s=line.start_s,
            end_s=line.end_s,
            is_final=True,
            confidence=None,
        )
        for line in known
        if line.speaker == speaker and not line.is_final
    ]


def _is_heard(line: Line) -> bool:
    return line.is_final and bool(line.text)


Span = tuple[float, float]


def _unheard(event: SpeechEvent, heard: Sequence[Span]) -> list[SpeechEvent]:
    """The parts of an utterance that no live line covers."""
    touched = [span for span in heard if span[0] < event.end_s and event.start_s < span[1]]
    if not touched:
        return [event]
    if not event.words:
        covered_s = sum(min(e, event.end_s) - max(b, event.start_s) for b, e in touched)
        return [event] if covered_s < (event.end_s - event.start_s) / 2 else []
    runs: list[list[Word]] = [[]]
    for word in event.words:
        middle_s = (word.start_s + word.end_s) / 2
        if any(begin <= middle_s <= end for begin, end in touched):
            runs.append([])
        else:
            runs[-1].append(word)
    return [_part(event, run) for run in runs if run and _length_s(run) >= SHORTEST_S]


def _length_s(run: Sequence[Word]) -> float:
    return run[-1].end_s - run[0].start_s


def _part(event: SpeechEvent, run: Sequence[Word]) -> SpeechEvent:
    known = [word.confidence for word in run if word.confidence is not None]
    return replace(
        event,
        text="".join(word.text for word in run),
        start_s=run[0].start_s,
        end_s=run[-1].end_s,
        words=tuple(run),
        confidence=sum(known) / len(known) if known else None,
    )


def _line(speaker: Speaker, number: int, part: SpeechEvent) -> Line:
    return Line(
        id=f"{speaker}-{number}",
        speaker=speaker.value,
        number=number,
        revision=0,
        text=part.text,
        start_s=round(part.start_s, 2),
        end_s=round(part.end_s, 2),
        is_final=True,
        confidence=part.confidence,
    )
