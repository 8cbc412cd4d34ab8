"""Turns what was said so far into a draft ticket, each field tied to the words it came from.

Pure: same utterances, same draft; it reads no clock. It is called again after every new word, so
the finders keep their answers per utterance and only a changed utterance is read again. Mostly
the citizen's words count; the agent's count where the citizen says yes to them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import pairwise

import rjieba

from transcription.danger import find_danger
from transcription.demand import find_demands
from transcription.demand_type import TYPE_NAMES, DemandType, find_type_cues, guess_type
from transcription.draft_ticket import Draft, DraftField, Evidence, FieldName, Speaker, Utterance
from transcription.mention import Mention
from transcription.phones import CALLER_NUMBER, best_phone, find_phones, joined_phone
from transcription.places import find_places, is_region_only, narrowest
from transcription.times import find_times
from transcription.topics import IssueWord, TopicGuess, find_issue_words, guess_topic
from transcription.urgency import Urgency, find_harms
from transcription.wishes import (
    NO,
    YES,
    asks_about_reply,
    asks_about_secrecy,
    find_reply_wishes,
    find_secrecy_wishes,
    says_no,
    says_yes,
)

CHINA = timezone(timedelta(hours=8))
SUMMARY_MAX = 40
_MAX_EVIDENCE = 4
_CONFIRMED_SHARE = 0.9
_STOPS = "，。；！？,;!?\n"
_CLAUSE_REACH = 16


@dataclass(frozen=True, slots=True)
class _Said:
    """A mention with the utterance it is in."""

    utterance: Utterance
    mention: Mention

    @property
    def evidence(self) -> Evidence:
        return _evidence(self.utterance, self.mention.start, self.mention.end)


@dataclass(frozen=True, slots=True)
class _Talk:
    """A call's utterances in the order of time, and who confirmed what."""

    citizen: tuple[Utterance, ...]
    exchanges: tuple[tuple[Utterance, Utterance], ...]
    """Agent's utterance and the citizen's next one."""

    @property
    def confirmed(self) -> tuple[Utterance, ...]:
        return tuple(asked for asked, answer in self.exchanges if says_yes(answer.text))


def _evidence(utterance: Utterance, start: int, end: int) -> Evidence:
    return Evidence(utterance.speaker, utterance.number, start, end, utterance.text[start:end])


def _talk(utterances: Sequence[Utterance]) -> _Talk:
    ordered = sorted(utterances, key=lambda u: u.start_s)
    exchanges = tuple(
        (asked, answer)
        for asked, answer in pairwise(ordered)
        if asked.speaker is Speaker.AGENT and answer.speaker is Speaker.CITIZEN
    )
    return _Talk(tuple(u for u in ordered if u.speaker is Speaker.CITIZEN), exchanges)


def _said(
    utterances: Iterable[Utterance], find: Callable[[str], Iterable[Mention]]
) -> Iterator[_Said]:
    for utterance in utterances:
        for mention in find(utterance.text):
            yield _Said(utterance, mention)


def _weigh(said: Iterable[_Said], confirmed: Iterable[_Said]) -> list[tuple[float, _Said]]:
    """Citizen's mentions and the confirmed ones of the agent, surest first, then as said."""
    weighed = [(s.mention.score, s) for s in said]
    weighed += [(s.mention.score * _CONFIRMED_SHARE, s) for s in confirmed]
    return sorted(weighed, key=lambda pair: -pair[0])


def _field(
    said: Sequence[_Said], value: str, confidence: float, codes: tuple[str, ...] = ()
) -> DraftField:
    return DraftField(value, round(confidence, 2), tuple(s.evidence for s in said), codes)


def _place(talk: _Talk, home: str | None) -> DraftField | None:
    def find(text: str) -> tuple[Mention, ...]:
        return find_places(text, home)

    ranked = _weigh(_said(talk.citizen, find), _said(talk.confirmed, find))
    if not ranked:
        return None
    score, best = ranked[0]
    parts = _whole_place(best, [said for _, said in ranked[1:]])
    codes = narrowest([p.mention.codes for p in parts])
    return _field(parts, "".join(p.mention.value for p in parts), score, codes)


def _whole_place(best: _Said, others: list[_Said]) -> list[_Said]:
    """The best phrase, led by a region named elsewhere, followed by the rest of a broken one."""
    parts = [best]
    for other in others:
        follows = other.utterance.number - best.utterance.number
        if other.utterance.speaker is not best.utterance.speaker:
            continue
        if follows == 1 and _touches(best, other):
            parts.append(other)
            break
        if follows == -1 and _touches(other, best):
            parts.insert(0, other)
            break
    if not any(p.mention.codes for p in parts):
        region = next(
            (o for o in others if o not in parts and o.mention.codes and is_region_only(o.mention)),
            None,
        )
        if region is not None:
            parts.insert(0, region)
    return parts


def _touches(first: _Said, second: _Said) -> bool:
    at_end = not first.utterance.text[first.mention.end :].strip("的，。 ,.")
    return at_end and second.mention.start <= 1


def _time(talk: _Talk, now: datetime) -> DraftField | None:
    today = now.astimezone(CHINA).date()

    def find(text: str) -> tuple[Mention, ...]:
        return find_times(text, today)

    ranked = _weigh(_said(talk.citizen, find), _said(talk.confirmed, find))
    if not ranked:
        return None
    score, best = ranked[0]
    return _field([best], best.mention.value, score, best.mention.codes)


def _phone(talk: _Talk, caller_number: str) -> DraftField | None:
    said = list(_said(talk.citizen, find_phones))
    joined: dict[Mention, tuple[_Said, _Said]] = {}
    for first, second in pairwise(talk.citizen):
        if pair := joined_phone(first.text, second.text):
            head = _Said(first, pair[0])
            joined[pair[0]] = (head, _Said(second, pair[1]))
            said.append(head)
    said += [
        _Said(
            s.utterance,
            Mention(
                s.mention.start, s.mention.end, s.mention.value, min(0.98, s.mention.score + 0.05)
            ),
        )
        for s in _said(talk.confirmed, find_phones)
    ]
    said.sort(key=lambda s: s.utterance.start_s)
    best = best_phone([s.mention for s in said])
    if best is None:
        return None
    chosen = next(s for s in reversed(said) if s.mention is best)
    value = caller_number if best.value == CALLER_NUMBER else best.value
    return _field(joined.get(best, (chosen,)), value, best.score) if value else None


def _wish(
    talk: _Talk, find: Callable[[str], Iterable[Mention]], asks: Callable[[str], bool]
) -> DraftField | None:
    """The last word on a wish, whether volunteered or in answer to the agent's question."""
    said = list(_said(talk.citizen, find))
    told = {s.utterance.number for s in said}
    for question, answer in talk.exchanges:
        if asks(question.text) and answer.number not in told:
            value, match = (
                (NO, says_no(answer.text)) if says_no(answer.text) else (YES, says_yes(answer.text))
            )
            if match is not None:
                said.append(_Said(answer, Mention(match.start(), match.end(), value, 0.8)))
    if not said:
        return None
    last = max(said, key=lambda s: (s.utterance.start_s, s.mention.start))
    return _field([last], last.mention.value, last.mention.score)


def _type(talk: _Talk, topic: DraftField | None) -> DraftField | None:
    cues = [(u, cue) for u in talk.citizen for cue in find_type_cues(u.text)]
    guess = guess_type([u.text for u in talk.citizen])
    if guess is None:
        return _type_by_default(topic)
    own = sorted(
        (pair for pair in cues if pair[1].type is guess.type), key=lambda pair: -pair[1].weight
    )
    evidence = tuple(_evidence(u, c.start, c.end) for u, c in own[:_MAX_EVIDENCE])
    return DraftField(guess.type.value, round(guess.confidence, 2), evidence)


def _type_by_default(topic: DraftField | None) -> DraftField | None:
    """A trouble told without a word of asking or blame is most often a complaint."""
    return topic and DraftField(DemandType.COMPLAIN.value, 0.2, topic.evidence)


def _issue_words(talk: _Talk) -> list[tuple[Utterance, IssueWord]]:
    return [(u, word) for u in talk.citizen for word in find_issue_words(u.text)]


def _topic(guess: TopicGuess, words: list[tuple[Utterance, IssueWord]]) -> DraftField:
    own = [pair for pair in words if pair[1].issue.topic is guess.topic]
    own.sort(key=lambda pair: (pair[1].issue is not guess.issue, -pair[1].weight))
    seen: dict[str, Evidence] = {}
    for utterance, word in own:
        seen.setdefault(word.word, _evidence(utterance, word.start, word.end))
    return DraftField(
        guess.topic.value, round(guess.confidence, 2), tuple(seen.values())[:_MAX_EVIDENCE]
    )


def _demand(talk: _Talk, guess: TopicGuess | None) -> DraftField | None:
    ranked = _weigh(_said(talk.citizen, find_demands), ())
    if ranked:
        score, best = ranked[0]
        return _field([best], best.mention.value, score)
    if guess is None:
        return None
    words = [pair for pair in _issue_words(talk) if pair[1].issue is guess.issue]
    utterance, word = max(words, key=lambda pair: (pair[1].weight, -pair[0].start_s))
    start, end = _clause(utterance.text, word.start, word.end)
    return DraftField(utterance.text[start:end], 0.3, (_evidence(utterance, start, end),))


def _clause(text: str, start: int, end: int) -> tuple[int, int]:
    """The clause around some words: up to stops, else some words to both sides."""
    left = max((text.rfind(stop, 0, start) for stop in _STOPS), default=-1) + 1
    right = min((i for stop in _STOPS if (i := text.find(stop, end)) >= 0), default=len(text))
    borders, position = {left, right}, left
    for word in rjieba.cut(text[left:right]):
        position += len(word)
        borders.add(position)
    left = min((b for b in borders if b >= start - _CLAUSE_REACH and b <= start), default=start)
    while left < start and text[left] in "的了地得着 ":
        left += 1
    right = max((b for b in borders if end <= b <= end + _CLAUSE_REACH), default=end)
    return left, right


def _urgency(
    utterances: Sequence[Utterance], talk: _Talk, topic: DraftField | None
) -> DraftField | None:
    dangers = find_danger(utterances)
    if dangers:
        worst = dangers[0]
        line = (worst.proposed_line,)
        return DraftField(Urgency.EMERGENCY.value, worst.confidence, worst.evidence, line)
    harms = _weigh(_said(talk.citizen, find_harms), ())
    if harms:
        score, harm = harms[0]
        return _field([harm], harm.mention.value, score)
    if topic is None:
        return None
    return DraftField(Urgency.NORMAL.value, 0.5, topic.evidence)


def _summary(
    place: DraftField | None,
    kind: DraftField | None,
    topic: DraftField | None,
    guess: TopicGuess | None,
) -> DraftField | None:
    if guess is None or topic is None:
        return None
    noun = TYPE_NAMES[DemandType(kind.value)] if kind else TYPE_NAMES[DemandType.OTHER]
    ending = f"{guess.issue.title}的{noun}"
    room = SUMMARY_MAX - len("关于") - len(ending)
    where = place.value[-room:] if place is not None and room > 0 else ""
    sources = [field for field in (place, topic, kind) if field is not None]
    evidence = tuple(dict.fromkeys(e for field in sources for e in field.evidence))
    confidence = min(field.confidence for field in sources)
    return DraftField(f"关于{where}{ending}", confidence, evidence)


def extract(
    utterances: Sequence[Utterance],
    *,
    caller_number: str,
    now: datetime,
    home_region: str | None = None,
) -> Draft:
    """Everything understood from ``utterances`` so far; fields not understood are absent.

    ``caller_number`` stands in where the caller says "the number I am calling from". ``now``
    (aware) dates "昨天". ``home_region`` is the code of the hotline's own city, e.g. ``2201``: it
    tells districts of the same name apart.
    """
    talk = _talk(utterances)
    words = _issue_words(talk)
    guess = guess_topic(word for _, word in words)
    topic = _topic(guess, words) if guess is not None else None
    kind, place = _type(talk, topic), _place(talk, home_region)
    fields = {
        FieldName.TYPE: kind,
        FieldName.TOPIC: topic,
        FieldName.PLACE: place,
        FieldName.TIME: _time(talk, now),
        FieldName.DEMAND: _demand(talk, guess),
        FieldName.SUMMARY: _summary(place, kind, topic, guess),
        FieldName.URGENCY: _urgency(utterances, talk, topic),
        FieldName.PHONE: _phone(talk, caller_number),
        FieldName.WANTS_REPLY: _wish(talk, find_reply_wishes, asks_about_reply),
        FieldName.CONFIDENTIAL: _wish(talk, find_secrecy_wishes, asks_about_secrecy),
    }
    return Draft({name: field for name, field in fields.items() if field is not None})


def warm_up() -> None:
    """Load the dictionary and the tables (about 0.3 s), so that the first caller's words do not."""
    sample = Utterance(Speaker.CITIZEN, 0, "请问电话一三八零零一三八零零零", 0.0, 1.0)
    extract([sample], caller_number="", now=datetime(2026, 1, 1, tzinfo=CHINA))
