"""Chinese text to the sounds a Mandarin voice is made of: pinyin split into initial and final.

Needs ``pypinyin``, which set-up installs for the voice alone. Pure but for that. Text must already
be written as it is said: no digits, no Latin letters.
"""

import re
from typing import Final

from pypinyin import Style, pinyin

PAUSE: Final = "sil"
BETWEEN: Final = "#0"
NO_INITIAL: Final = "^"

_INITIALS: Final = (
    *("zh", "ch", "sh", "b", "p", "m", "f", "d", "t", "n", "l"),
    *("g", "k", "h", "j", "q", "x", "r", "z", "c", "s"),
)
_SAID: Final = re.compile(r"[\u4e00-\u9fff]+")
_PARTS: Final = re.compile(r"[^，。！？、；：,.!?;:\s]+")


def clauses(text: str) -> list[str]:
    """The text cut at its punctuation, where a speaker takes breath."""
    return _PARTS.findall(text)


def sounds(clause: str) -> list[str]:
    """Symbols of one clause, e.g. ``sil n i2 #0 h ao3 sil``; raises ValueError on other script."""
    if not _SAID.fullmatch(clause):
        raise ValueError(f"only Chinese characters can be spoken: {clause!r}")
    symbols = [PAUSE]
    syllables = pinyin(clause, style=Style.TONE3, neutral_tone_with_five=True)
    for (syllable,) in syllables:
        if len(symbols) > 1:
            symbols.append(BETWEEN)
        symbols.extend(split_syllable(syllable))
    return [*symbols, PAUSE]


def split_syllable(syllable: str) -> tuple[str, ...]:
    """Split e.g. ``zhong1`` into ``zh`` and ``ong1``, with the finals written in full."""
    spelling, tone = syllable[:-1].replace("ü", "v"), syllable[-1]
    if spelling.endswith("r") and spelling != "er":
        return (*split_syllable(spelling[:-1] + tone), "er5")
    if spelling in _ALONE:
        return (NO_INITIAL, _ALONE[spelling] + tone)
    initial = next((start for start in _INITIALS if spelling.startswith(start)), "")
    final = _full_final(initial, spelling[len(initial) :])
    return (initial or NO_INITIAL, final + tone)


def _full_final(initial: str, final: str) -> str:
    """Undo pinyin's shortenings: ``iu`` is iou, ``j`` + ``u`` is ü, ``zhi`` has its own vowel."""
    if not initial:
        return _glide(final)
    if initial in ("z", "c", "s") and final == "i":
        return "ii"
    if initial in ("zh", "ch", "sh", "r") and final == "i":
        return "iii"
    if initial in ("j", "q", "x") and final.startswith("u"):
        final = "v" + final[1:]
    return _SHORTENED.get(final, final)


def _glide(spelling: str) -> str:
    if spelling.startswith("yu"):
        return "v" + spelling[2:]
    if spelling.startswith(("yi", "wu")):
        return spelling[1:]
    if spelling.startswith("y"):
        return _SHORTENED.get("i" + spelling[1:], "i" + spelling[1:])
    if spelling.startswith("w"):
        return _SHORTENED.get("u" + spelling[1:], "u" + spelling[1:])
    return spelling


_SHORTENED: Final = {"iu": "iou", "ui": "uei", "un": "uen", "ue": "ve"}
_ALONE: Final = {"n": "en", "ng": "en", "m": "en", "yo": "iou", "yong": "iong", "you": "iou"}
