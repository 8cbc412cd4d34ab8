"""What the demo's people say: the only sentences that the demo model knows."""

import csv
from dataclasses import dataclass
from importlib.resources import files

from transcription.draft_ticket import Speaker


@dataclass(frozen=True, slots=True)
class Sentence:
    """One script line; ``id`` is also the name of its sound file."""

    id: str
    speaker: Speaker
    text: str


def demo_sentences(speaker: Speaker | None = None) -> tuple[Sentence, ...]:
    """All lines, or one speaker's: the citizen's are c01 … c12."""
    table = files("transcription").joinpath("demo_model", "sentences.tsv")
    rows = csv.DictReader(table.read_text(encoding="utf-8").splitlines(), delimiter="\t")
    lines = (Sentence(row["id"], Speaker(row["speaker"]), row["text"]) for row in rows)
    return tuple(line for line in lines if speaker is None or line.speaker is speaker)
