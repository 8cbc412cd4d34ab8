"""Dangers to life in the words of a call: what, which emergency line to propose, and the words.

Pure rules over the word lists of ``data/dangers.toml``. What they find raises a banner and never
transfers a call by itself, so a miss is worse than a false alarm; still, what is denied, feared,
long past, or only the name of a thing (火灾保险, 消防通道) is no danger. The citizen's
words count, and the agent's where the citizen agrees. A danger that the citizen plainly takes
back ("没有着火") is dropped again.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib import resources
from itertools import pairwise
from typing import Final

from transcription.draft_ticket import Evidence, Speaker, Utterance
from transcription.wishes import says_no, says_yes


class DangerKind(StrEnum):
    """What threatens a life."""

    FIRE = "fire"
    """Something burns."""
    EXPLOSION = "explosion"
    """Something blew up."""
    TRAPPED = "trapped"
    """Somebody cannot get out: a lift, a car, a well, a flood."""
    GAS_LEAK = "gas_leak"
    """Gas is smelled or runs out."""
    COLLAPSE = "collapse"
    """A building, a wall, a slope or the ground gave way."""
    VIOLENCE = "violence"
    """Somebody is attacked or threatened, or calls for help without saying why."""
    SUICIDE = "suicide"
    """Somebody wants to end their life, the caller too."""
    ACCIDENT = "accident"
    """People were hurt in traffic."""
    ILLNESS = "illness"
    """Somebody fell ill, is badly hurt, poisoned or gives birth."""
    DROWNING = "drowning"
    """Somebody is in the water."""
    ELECTRIC_SHOCK = "electric_shock"
    """Somebody was struck by electricity."""
    MISSING = "missing"
    """A child or an old person is gone."""


@dataclass(frozen=True, slots=True)
class Danger:
    """One kind of danger told of in a call."""

    kind: DangerKind
    proposed_line: str
    """110, 119, 120 or 122."""
    evidence: tuple[Evidence, ...]
    """The words, in the order said; never empty."""
    confidence: float
    """0..1, the rules' own measure."""
    last_told: Mapping[Speaker, int]
    """Each speaker's last utterance that tells of it, also where its words are not shown."""


_MAX_EVIDENCE: Final = 4
_JOINED_WITHIN_S: Final = 2.0
"""Two utterances of one speaker so close may be one sentence cut in two."""
_CONFIRMED_SHARE: Final = 0.9
_SUPPOSED: Final = 0.6
"""The agent asks where it burns and the citizen tells where: nobody said that it burns."""
_SURE, _COMBINED, _NOW_BONUS, _AGAIN_BONUS = 0.85, 0.8, 0.1, 0.03
_TOP: Final = 0.98
_GAP: Final = "[^。！？!?]{0,6}?"
_SENTENCE_END: Final = re.compile(r"[。！？!?]")
_ASKS_WHERE: Final = re.compile(r"哪里|哪儿|哪个|什么地方|什么位置|几楼|几号|地址")
_LASTING: Final = re.compile(r"^了?[^。！？]{0,3}[几多半两一二三四五六七八九十]+个?多?(?:月|年)")
_NOW_REACH: Final = 20
"""In a long story a "now" farther on is about something else."""
_MASK: Final = "□"


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: DangerKind
    confidence: float
    words: re.Pattern[str]
    """One group for each list."""


@dataclass(frozen=True, slots=True)
class _Tables:
    """The file, compiled."""

    rules: tuple[_Rule, ...]
    lines: dict[DangerKind, str]
    masks: re.Pattern[str]
    feared: re.Pattern[str]
    denied: re.Pattern[str]
    named: re.Pattern[str]
    over: re.Pattern[str]
    past: re.Pattern[str]
    now: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class _Seen:
    """A danger's words within one text."""

    kind: DangerKind
    start: int
    end: int
    confidence: float
    """0 where the words deny the danger."""


def _any(words: str) -> str:
    """A pattern for one of some words, the longest first."""
    return "|".join(sorted(map(re.escape, words.split()), key=lambda w: -len(w)))


@cache
def _tables() -> _Tables:
    file = resources.files("transcription").joinpath("data/dangers.toml")
    table = tomllib.loads(file.read_text("utf-8"))
    rules = tuple(
        _Rule(
            DangerKind(row["kind"]),
            _SURE if len(lists) == 1 else _COMBINED,
            re.compile(_GAP.join(f"({_any(words)})" for words in lists)),
        )
        for row in table["danger"]
        for lists in row["rules"]
    )
    return _Tables(
        rules,
        {DangerKind(row["kind"]): str(row["line"]) for row in table["danger"]},
        masks=re.compile(_any(table["masks"])),
        feared=re.compile(_any(table["feared"])),
        denied=re.compile(rf"(?<![是有])(?:{_any(table['denied'])})$"),
        named=re.compile(rf"的?(?:{_any(table['named'])})"),
        over=re.compile(_any(table["over"])),
        past=re.compile(_any(table["past"])),
        now=re.compile(_any(table["now"])),
    )


def _last_end(found: Iterable[re.Match[str]]) -> int | None:
    return max((match.end() for match in found), default=None)


def _is_only_talked_of(text: str, start: int, end: int) -> bool:
    """Whether the words tell of a fear, a case, a thing's name or something over."""
    tables = _tables()
    if tables.named.match(text, end) or _LASTING.match(text[end:]):
        return True
    sentence = _last_end(_SENTENCE_END.finditer(text, 0, start)) or 0
    reasons = [
        _last_end(tables.feared.finditer(text, sentence, start)),
        _last_end(tables.past.finditer(text, 0, start)),
        start if tables.over.search(text, end) else None,
    ]
    since = max((reason for reason in reasons if reason is not None), default=None)
    return since is not None and not tables.now.search(text, since, end + _NOW_REACH)


def _is_denied(match: re.Match[str]) -> bool:
    """Whether a no stands right before any of the rule's words."""
    denied, groups = _tables().denied, range(1, len(match.groups()) + 1)
    return any(denied.search(match.string[: match.start(group)]) for group in groups)


@lru_cache(maxsize=2048)
def _find(text: str) -> tuple[_Seen, ...]:
    """Dangers in one text, and the denials of such, in the order said."""
    tables = _tables()
    text = tables.masks.sub(lambda match: _MASK * len(match[0]), text)
    seen = []
    for rule in tables.rules:
        for match in rule.words.finditer(text):
            start, end = match.span()
            if _is_denied(match):
                seen.append(_Seen(rule.kind, start, end, 0.0))
            elif not _is_only_talked_of(text, start, end):
                is_now = tables.now.search(text, max(0, start - _NOW_REACH), end + _NOW_REACH)
                confidence = rule.confidence + (_NOW_BONUS if is_now else 0.0)
                seen.append(_Seen(rule.kind, start, end, confidence))
    return tuple(sorted(seen, key=lambda found: (found.start, -found.confidence)))


@dataclass(frozen=True, slots=True)
class _Told:
    """A danger, or its denial, with the characters it came from."""

    at_s: float
    kind: DangerKind
    confidence: float
    evidence: tuple[Evidence, ...]


def _told(utterance: Utterance, share: float = 1.0) -> Iterator[_Told]:
    for seen in _find(utterance.text):
        evidence = _evidence(utterance, seen.start, seen.end)
        yield _Told(utterance.start_s, seen.kind, seen.confidence * share, (evidence,))


def _evidence(utterance: Utterance, start: int, end: int) -> Evidence:
    return Evidence(utterance.speaker, utterance.number, start, end, utterance.text[start:end])


def _told_across(first: Utterance, second: Utterance) -> Iterator[_Told]:
    """Dangers whose words were cut apart by a breath."""
    if second.start_s - first.end_s > _JOINED_WITHIN_S:
        return
    border = len(first.text)
    for seen in _find(first.text + second.text):
        if seen.start < border < seen.end:
            head = _evidence(first, seen.start, border)
            tail = _evidence(second, 0, seen.end - border)
            yield _Told(second.start_s, seen.kind, seen.confidence, (head, tail))


def _told_by_agreement(asked: Utterance, answer: Utterance) -> Iterator[_Told]:
    """Dangers that the agent asked about and the citizen did not deny."""
    if says_yes(answer.text):
        yield from _told(asked, _CONFIRMED_SHARE)
    elif _ASKS_WHERE.search(asked.text) and not says_no(answer.text):
        yield from _told(asked, _SUPPOSED)


def _all_told(utterances: Sequence[Utterance]) -> Iterator[_Told]:
    ordered = sorted(utterances, key=lambda utterance: utterance.start_s)
    citizen = [u for u in ordered if u.speaker is Speaker.CITIZEN]
    for utterance in citizen:
        yield from _told(utterance)
    for first, second in pairwise(citizen):
        yield from _told_across(first, second)
    for asked, answer in pairwise(ordered):
        if asked.speaker is Speaker.AGENT and answer.speaker is Speaker.CITIZEN:
            yield from _told_by_agreement(asked, answer)


def find_danger(utterances: Sequence[Utterance]) -> list[Danger]:
    """Dangers told of so far, each kind once, the surest first."""
    by_kind: dict[DangerKind, list[_Told]] = {}
    for told in sorted(_all_told(utterances), key=lambda told: told.at_s):
        if told.confidence:
            by_kind.setdefault(told.kind, []).append(told)
        else:
            by_kind.pop(told.kind, None)
    dangers = [_danger(kind, told) for kind, told in by_kind.items()]
    return sorted(dangers, key=lambda danger: -danger.confidence)


def _danger(kind: DangerKind, told: Sequence[_Told]) -> Danger:
    evidence = tuple(dict.fromkeys(span for each in told for span in each.evidence))
    again = _AGAIN_BONUS * (len(told) - 1)
    confidence = min(_TOP, max(each.confidence for each in told) + again)
    last_told: dict[Speaker, int] = {}
    for span in evidence:
        last_told[span.speaker] = max(span.utterance, last_told.get(span.speaker, 0))
    return Danger(
        kind, _tables().lines[kind], evidence[:_MAX_EVIDENCE], round(confidence, 2), last_told
    )
