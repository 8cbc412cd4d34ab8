"""What one finder saw in one text: a span of characters, its value, and how sure it is.

Finders are pure functions of one utterance's text, so their answers can be kept and an utterance
that did not change is never read twice. ``transcription.draft`` alone chooses between mentions.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mention:
    """Characters ``start``..``end`` of one text, read as ``value``."""

    start: int
    end: int
    value: str
    score: float
    """0..1; compared only with mentions of the same field."""
    codes: tuple[str, ...] = ()
    """Machine-readable readings of the value, where the field has them."""


def best_first(mentions: list[Mention]) -> list[Mention]:
    """Surest first; equals in the order they were said, so that a field does not flap."""
    return sorted(mentions, key=lambda mention: (-mention.score, mention.start))
