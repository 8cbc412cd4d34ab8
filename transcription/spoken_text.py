"""Puts recognised words together as people write them. Pure."""

import re
from collections.abc import Iterable
from typing import Final

from transcription.engine import Word

_SPACE_KEPT: Final = re.compile(r"(?<=[A-Za-z0-9]) (?=[A-Za-z0-9])")


def join_words(words: Iterable[str]) -> str:
    """Join with no space between Chinese words and one between Latin ones.

    Markers such as ``[unk]`` or ``<unk>`` are no words and are left out.
    """
    text = " ".join(word for word in words if word[:1] not in "[<")
    parts = _SPACE_KEPT.split(text)
    return " ".join(part.replace(" ", "") for part in parts)


def mean_confidence(words: tuple[Word, ...]) -> float | None:
    """The words' confidence, each weighed by its length; None where none is known."""
    known = [(word.confidence, len(word.text)) for word in words if word.confidence is not None]
    if not known:
        return None
    return sum(share * length for share, length in known) / sum(length for _, length in known)
