"""Where a rule stands, and the card that shows it with every automatic decision.

A reference is ``24`` (article), ``24.2`` (second paragraph), ``24.1(3)`` or ``24(3)`` (item).
"""

import re
from collections.abc import Mapping

import msgspec

from rules.values import Force, Origin

REFERENCE = re.compile(r"^(?P<article>\d{1,3})(\.(?P<paragraph>\d{1,2}))?(\((?P<item>\d{1,2})\))?$")
DIGITS = "零一二三四五六七八九"


class ArticleCard(msgspec.Struct, frozen=True):
    """Why a decision is as it is: the place, our summary of it, and the facts that were used."""

    rule: str
    articles: tuple[str, ...]
    place: str
    """In words: 第二十四条第一款第（三）项, a standard's number, or who decided."""
    summary: str
    facts: Mapping[str, object]
    force: Force
    origin: Origin
    pack: str
    title: str
    version: str
    reading: str = ""
    """How we read what the text leaves open."""
    reason: str = ""
    """Why the centre's default, or our own practice, is as it is."""


def is_reference(text: str) -> bool:
    return REFERENCE.match(text) is not None


def in_words(reference: str) -> str:
    """Say a reference as a Chinese text does."""
    parts = REFERENCE.match(reference)
    if parts is None:
        return reference
    words = f"第{numeral(int(parts['article']))}条"
    if parts["paragraph"]:
        words += f"第{numeral(int(parts['paragraph']))}款"
    if parts["item"]:
        words += f"第（{numeral(int(parts['item']))}）项"
    return words


def numeral(number: int) -> str:
    """Write 1 to 999 in Chinese."""
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    words = f"{DIGITS[hundreds]}百" if hundreds else ""
    if tens:
        words += "十" if tens == 1 and not hundreds else f"{DIGITS[tens]}十"
    elif hundreds and ones:
        words += "零"
    return words + (DIGITS[ones] if ones else "")
