"""What the speech bench plays and how it reads the words that come back. Pure but for the files.

The delay of a word is the time from its last sample's being sent to the first text, guess or
final, that holds it (as often as it was said so far). It needs no script: each contestant is
asked when it showed the words it settled on.
"""

import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from transcription.audio_file import read_wav

RATE_HZ: Final = 8_000
FRAME_S: Final = 0.02
FRAME_BYTES: Final = int(RATE_HZ * FRAME_S) * 2
PAUSE_S: Final = 1.2
SENTENCES: Final = ("c01", "c04", "c02", "c07", "c03", "c05", "c08", "c06")
STAGGER_S: Final = 0.13
"""Between the beginnings of two streams: people do not speak in step."""


class Text(msgspec.Struct, frozen=True):
    """What was shown of one utterance at one moment, in seconds since the stream's first sample."""

    at_s: float
    text: str
    words: tuple[tuple[str, float], ...] = ()
    """Of a final: each word and its end."""


class Heard(msgspec.Struct, frozen=True):
    """What one run of one contestant gave."""

    delays: list[tuple[float, float]]
    """Of each word: when it was spoken, how long until it was shown."""
    cpu: float
    """Processor time of a stream for a second of sound."""
    refused: int = 0


class Figures(msgspec.Struct, frozen=True):
    """Of all runs of one contestant."""

    p50_s: float
    p95_s: float
    cpu: float
    growth_s: float
    """The median delay of the last third less that of the first."""
    refused: int


def talk(voices: Path, stream: int, seconds: float) -> bytes:
    """One person's sound: sentences with pauses, another order for each stream."""
    sound = bytearray()
    turn = stream
    while len(sound) < seconds * RATE_HZ * 2:
        name = SENTENCES[turn % len(SENTENCES)]
        sound += bytes(int(PAUSE_S * RATE_HZ) * 2) + read_wav(voices / f"{name}.wav").pcm16
        turn += 1
    return bytes(sound[: int(seconds * RATE_HZ) * 2])


def frames(sound: bytes) -> list[bytes]:
    """As a switch sends it: every 20 ms."""
    return [sound[at : at + FRAME_BYTES] for at in range(0, len(sound), FRAME_BYTES)]


def delays(texts: Iterable[Text]) -> list[tuple[float, float]]:
    """(when it was spoken, how long until it was shown) of each word of one stream, in order."""
    found: list[tuple[float, float]] = []
    shown: list[Text] = []
    for text in texts:
        shown.append(text)
        if not text.words:
            continue
        so_far = ""
        for word, end_s in text.words:
            so_far += word
            times = so_far.count(word)
            first = next((each for each in shown if each.text.count(word) >= times), text)
            found.append((end_s, first.at_s - end_s))
        shown = []
    return found


def heard(
    streams: Sequence[Sequence[Text]], *, cpu_s: float, seconds: float, refused: int = 0
) -> Heard:
    """Of all words of all streams of one run."""
    found = sorted(word for texts in streams for word in delays(texts))
    return Heard(found, cpu_s / (seconds * max(1, len(streams) - refused)), refused)


def figures(runs: Sequence[Heard]) -> Figures:
    """Of all runs together: one run has too few words to tell the slowest twentieth."""
    words = sorted(word for run in runs for word in run.delays)
    late = [delay for _, delay in words]
    if len(late) < 6 * len(runs):
        raise ValueError("hardly a word was recognised: is the model the demo's?")
    ordered = sorted(late)
    third = len(late) // 3
    return Figures(
        p50_s=statistics.median(ordered),
        p95_s=ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))],
        cpu=statistics.median(run.cpu for run in runs),
        growth_s=statistics.median(late[-third:]) - statistics.median(late[:third]),
        refused=sum(run.refused for run in runs),
    )
