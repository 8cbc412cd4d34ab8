"""Finds telephone numbers given for contact, and "the number I am calling from".

A number must read as one that exists in the Chinese numbering plan. A number that belongs to
somebody else (the landlord's, the company's) is not the caller's contact.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

import phonenumbers

from transcription.mention import Mention
from transcription.numbers import DIGIT, digits_of

CALLER_NUMBER = "caller"
"""Stands for the number that the call comes from, which the finder does not know."""

_SURE_MARGIN = 0.2
_THIS_NUMBER_SCORE = 0.7
"""Below a number said digit by digit: "对就是这个号码" also confirms one read back."""

_PAUSE = r"[\s\-—－,，、.。…·]|[嗯呃啊哦]|那个"
_UNIT = rf"(?:[二两三四五六]个)?{DIGIT}"
_RUN = re.compile(rf"{_UNIT}(?:(?:{_PAUSE}){{0,3}}{_UNIT})+")
_REPEAT_TAIL = re.compile(r"[个共下直定样般些起会]")
_CUE = re.compile(r"电话|号码|手机|联系方式|座机|打给我|打我|联系我|微信")
_MINE = re.compile(r"我的|我这|我手机|我电话|本人|我们家|联系电话|联系方式|您的|你的|打我|联系我")
_OTHERS = re.compile(
    r"(?:公司|物业|老板|客服|商家|开发商|房东|中介|对方|他们|他|她|店家|单位|单位的|医院|"
    r"学校|工地|邻居|司机|门口|广告|投诉)"
    r"的?(?:联系)?(?:电话|手机|号码|座机|联系方式)"
)
_THIS_NUMBER = re.compile(
    r"(?:就是|就|用|打|按|是)?(?:我)?(?:现在)?(?:这个|这|本|来电的?|当前|正在打的?|"
    r"打(?:进|过)?来的?(?:这个)?)"
    r"(?:来电)?(?:手机号码?|电话号码|手机|电话|号码|号|机号)(?:就行|就可以|就好|联系我|"
    r"找我|回我|打给我)?"
)
_THIS_IS_CONTACT = re.compile(r"就|联系|打|回|号码|是|用|来电|本机")
_THIS_IS_NOT = re.compile(
    r"(?:别|不要|不用|不能|勿)(?:再)?(?:打|用)?$|不是$|反映$|(?:接|收)到$|再打$|第.次打$"
)


def _is_valid(number: str) -> bool:
    try:
        parsed = phonenumbers.parse(number, "CN")
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(parsed)


@lru_cache(maxsize=4096)
def plausible_number(digits: str) -> tuple[str, float] | None:
    """``digits`` as a Chinese number with how sure it is; None if it cannot be one."""
    if len(digits) == 13 and digits.startswith("861"):
        digits = digits[2:]
    half = len(digits) // 2
    if len(digits) in {22, 24} and digits[:half] == digits[half:]:
        digits = digits[:half]
    if len(digits) == 11 and re.match(r"1[3-9]", digits):
        return (digits, 0.95) if _is_valid(digits) else None
    if 10 <= len(digits) <= 12 and digits[0] == "0":
        return (digits, 0.9) if _is_valid(digits) else None
    if len(digits) in {7, 8} and digits[0] not in "01" and len(set(digits)) > 1:
        return digits, 0.35
    return None


def _read_run(text: str, start: int, end: int) -> tuple[int, tuple[str, float]] | None:
    digits = digits_of(text[start:end])
    found = plausible_number(digits)
    if found is None and len(digits) == 12 and _REPEAT_TAIL.match(text[end : end + 1]):
        # "…零零零一共": the run swallowed the first syllable of the next word.
        found, end = plausible_number(digits[:11]), end - 1
    return None if found is None else (end, found)


def _weigh(text: str, start: int, score: float, *, is_local: bool) -> float:
    before = text[max(0, start - 14) : start]
    if _OTHERS.search(before) and not re.search(r"我(?:的|手机|电话)", before):
        return 0.0
    if _CUE.search(before) or _MINE.search(before):
        return min(0.98, score + (0.3 if is_local else 0.03))
    return 0.0 if is_local else score


def _is_contact(text: str, this_number: re.Match[str]) -> bool:
    meant = this_number[0] + text[this_number.end() : this_number.end() + 4]
    if _THIS_IS_CONTACT.search(meant) is None:
        return False
    return _THIS_IS_NOT.search(text, max(0, this_number.start() - 40), this_number.start()) is None


@lru_cache(maxsize=2048)
def find_phones(text: str) -> tuple[Mention, ...]:
    """All numbers in one text that may be the caller's contact."""
    found = []
    for match in _RUN.finditer(text):
        read = _read_run(text, match.start(), match.end())
        if read is None:
            continue
        end, (number, score) = read
        score = _weigh(text, match.start(), score, is_local=len(number) < 10)
        if score > 0:
            found.append(Mention(match.start(), end, number, score))
    found += [
        Mention(match.start(), match.end(), CALLER_NUMBER, _THIS_NUMBER_SCORE)
        for match in _THIS_NUMBER.finditer(text)
        if _is_contact(text, match)
    ]
    return tuple(found)


def _tail_run(text: str) -> re.Match[str] | None:
    last = None
    for match in _RUN.finditer(text):
        last = match
    return last if last and not text[last.end() :].strip(" 。，,.、…") else None


def _head_run(text: str) -> re.Match[str] | None:
    return re.compile(rf"[\s嗯呃啊哦对是，,]{{0,3}}({_UNIT}(?:(?:{_PAUSE}){{0,3}}{_UNIT})*)").match(
        text
    )


def joined_phone(first: str, second: str) -> tuple[Mention, Mention] | None:
    """A number whose digits are split between two utterances said one after the other."""
    tail, head = _tail_run(first), _head_run(second)
    if tail is None or head is None:
        return None
    left, right = digits_of(tail[0]), digits_of(head[1])
    if not 3 <= len(left) <= 10:
        return None
    found = plausible_number(left + right)
    if found is None or len(found[0]) < 10:
        return None
    number, score = found[0], found[1] - 0.05
    if _weigh(first, tail.start(), score, is_local=False) == 0.0:
        return None
    return (
        Mention(tail.start(), tail.end(), number, score),
        Mention(head.start(1), head.end(1), number, score),
    )


def best_phone(mentions: Sequence[Mention]) -> Mention | None:
    """Of mentions in the order of time the last of the sure ones: people correct themselves."""
    surest = max((mention.score for mention in mentions), default=0.0)
    sure = [mention for mention in mentions if mention.score >= surest - _SURE_MARGIN]
    return sure[-1] if sure else None
