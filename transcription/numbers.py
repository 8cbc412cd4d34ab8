"""Spoken and written digits of Mandarin: ``幺三八``, ``一三八零零``, ``四个零``, ``１３８``.

Owns the reading of digit strings. Values such as 三百一十二 are read by cn2an, and only on spans
that a finder has already cut out.
"""

import re

import cn2an

DIGITS = {
    **{str(digit): str(digit) for digit in range(10)},
    **{chr(ord("０") + digit): str(digit) for digit in range(10)},
    **dict(zip("零一二三四五六七八九", "0123456789", strict=True)),
    "〇": "0",
    "洞": "0",
    "幺": "1",
    "两": "2",
}
DIGIT = "[" + "".join(DIGITS) + "]"
NUMERAL = "[0-9０-９零〇一二三四五六七八九十百千万两半几数多]"
"""Characters of which counting words are made, ``几`` and ``半`` included."""
_REPEATED = re.compile(rf"([二两三四五六])个({DIGIT})")


def digits_of(text: str) -> str:
    """Every digit said in ``text``; ``四个零`` counts four times, all else is skipped."""
    spread = _REPEATED.sub(lambda m: m[2] * int(DIGITS[m[1]]), text)
    return "".join(DIGITS[char] for char in spread if char in DIGITS)


def number_of(numeral: str) -> int | None:
    """The value of a numeral as written in a text, None where it is no exact number."""
    plain = "".join(
        DIGITS[char] if ord(char) > 0xFF00 else char for char in numeral.replace("两", "二")
    )
    try:
        value = cn2an.cn2an(plain, "smart")
    except (ValueError, KeyError, IndexError, TypeError):
        return None
    return int(value) if value == int(value) else None
