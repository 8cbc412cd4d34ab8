"""A city's pack: what its law decides, each answer with its article card.

A pack that does not hold a rule, or whose law gives no such power, refuses to answer rather than
guess. A pack is its text: the version is the date it carries and the hash of that text, so a ticket
that keeps both can always be read under the rules it began with.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Generic, TypeVar, overload

import msgspec

from base.errors import HotlineError
from rules.article import ArticleCard, in_words
from rules.catalogue import FACTS, Rule
from rules.values import Force, Origin

T = TypeVar("T")
NO_FACTS: Mapping[str, object] = MappingProxyType({})


class Status(StrEnum):
    LAW = "law"
    """In force."""
    DRAFT = "draft"
    """Published for comment; for comparison and simulation only."""


class Entry(msgspec.Struct, frozen=True):
    """One answer of a rule: under these facts and between these days."""

    rule: str
    force: Force
    origin: Origin
    summary: str
    value: object = None
    articles: tuple[str, ...] = ()
    topic: str = ""
    """Instead of an article where the source has no numbers."""
    reading: str = ""
    reason: str = ""
    source: str = ""
    script: str = ""
    """What the agent says to the caller."""
    when: Mapping[str, tuple[object, ...]] = msgspec.field(default_factory=dict)
    since: date | None = None
    until: date | None = None
    """The last day."""

    def decides_as(self, other: "Entry") -> bool:
        """Say whether another entry comes to the same, whatever its words."""
        return (self.force, self.value) == (other.force, other.value)

    def is_in_force(self, on: date | None) -> bool:
        """Say whether it applies on a day; without a day, whether no end is set."""
        if on is None:
            return self.until is None
        return (self.since is None or self.since <= on) and (self.until is None or on <= self.until)


class Decision(msgspec.Struct, Generic[T], frozen=True):
    """A pack's answer."""

    value: T
    force: Force
    card: ArticleCard
    script: str = ""


class RuleNotGivenError(HotlineError):
    """The city's rules do not provide this."""

    code = "rule_not_given"
    http_status = 409

    def __init__(self, rule: str, pack: str, card: ArticleCard | None = None) -> None:
        self.card = card
        """Why not, where the pack says it."""
        super().__init__(rule=rule, pack=pack)


class FactMissingError(HotlineError):
    """A fact that the rule depends on is not known yet."""

    code = "fact_missing"
    http_status = 409

    def __init__(self, rule: str, pack: str, fact: str) -> None:
        self.fact = fact
        super().__init__(rule=rule, pack=pack, fact=fact)


class FactInvalidError(HotlineError):
    """A fact is not one of the words it may be."""

    code = "fact_invalid"
    http_status = 422


class Pack(msgspec.Struct, frozen=True):
    """The rules of one city as read on one day."""

    id: str
    title: str
    city: str
    status: Status
    read_on: date
    digest: str
    """The hash of ``text``, whole."""
    text: str
    entries: Mapping[str, tuple[Entry, ...]]
    since: date | None = None
    until: date | None = None
    cites_topics: bool = False

    @property
    def version(self) -> str:
        return f"{self.read_on.isoformat()}.{self.digest[:12]}"

    @overload
    def decide(
        self, rule: Rule[T], facts: Mapping[str, object] = ..., *, on: date | None = ...
    ) -> Decision[T]: ...
    @overload
    def decide(
        self, rule: str, facts: Mapping[str, object] = ..., *, on: date | None = ...
    ) -> Decision[Any]: ...
    def decide(
        self,
        rule: Rule[Any] | str,
        facts: Mapping[str, object] = NO_FACTS,
        *,
        on: date | None = None,
    ) -> Decision[Any]:
        """Answer a rule under some facts, on the day the ticket began.

        Raises RuleNotGivenError where the law gives no such duty or power, or the pack is silent;
        FactMissingError where the answer hangs on a fact that is not among ``facts``, or None.
        """
        name = rule if isinstance(rule, str) else rule.name
        entry, used = self._find(name, facts, on)
        card = self._card(entry, used)
        if entry.force is Force.NOT_GIVEN:
            raise RuleNotGivenError(name, self.id, card)
        return Decision(entry.value, entry.force, card, entry.script)

    def has(
        self,
        rule: Rule[Any] | str,
        facts: Mapping[str, object] = NO_FACTS,
        *,
        on: date | None = None,
    ) -> bool:
        """Say whether the rule gives a duty or a power under these facts."""
        try:
            self.decide(rule, facts, on=on)
        except RuleNotGivenError:
            return False
        return True

    def must(
        self,
        rule: Rule[Any] | str,
        facts: Mapping[str, object] = NO_FACTS,
        *,
        on: date | None = None,
    ) -> bool:
        """Say whether it is a duty, not a choice."""
        try:
            return self.decide(rule, facts, on=on).force is Force.MUST
        except RuleNotGivenError:
            return False

    def group(self, prefix: str, *, on: date | None = None) -> Iterator[str]:
        """Name the rules of a group that give something in some case, e.g. ``trigger``."""
        for name, entries in self.entries.items():
            if name.startswith(f"{prefix}.") and any(
                each.force is not Force.NOT_GIVEN and each.is_in_force(on) for each in entries
            ):
                yield name

    def cards(self, rule: str) -> tuple[ArticleCard, ...]:
        """Give the card of every answer the rule may have, its conditions shown as facts."""
        return tuple(self._card(each, each.when) for each in self.entries.get(rule, ()))

    def _find(
        self, name: str, facts: Mapping[str, object], on: date | None
    ) -> tuple[Entry, dict[str, object]]:
        """Find the first entry whose facts all hold.

        A fact nobody gave matters only where the answer hangs on it: an earlier entry that would
        decide the same is passed over.
        """
        used: dict[str, object] = {}
        undecided: list[tuple[Entry, str]] = []
        has_ended = on is not None and self.until is not None and on > self.until
        for entry in () if has_ended else self.entries.get(name, ()):
            if not entry.is_in_force(on):
                continue
            known = {fact: _checked(fact, facts.get(fact)) for fact in entry.when}
            used |= {fact: value for fact, value in known.items() if value is not None}
            if any(v is not None and v not in entry.when[f] for f, v in known.items()):
                continue
            if missing := next((fact for fact, value in known.items() if value is None), None):
                undecided.append((entry, missing))
            elif all(entry.decides_as(other) for other, _ in undecided):
                return entry, used
            else:
                break
        if undecided:
            raise FactMissingError(name, self.id, undecided[0][1])
        raise RuleNotGivenError(name, self.id)

    def _card(self, entry: Entry, facts: Mapping[str, object]) -> ArticleCard:
        return ArticleCard(
            rule=entry.rule,
            articles=entry.articles,
            place=self._place(entry),
            summary=entry.summary,
            facts=dict(facts),
            force=entry.force,
            origin=entry.origin,
            pack=self.id,
            title=self.title,
            version=self.version,
            reading=entry.reading,
            reason=entry.reason,
        )

    def _place(self, entry: Entry) -> str:
        own = {Origin.CENTRE: "热线工作机构自定", Origin.OWN: "本系统自定"}.get(entry.origin, "")
        cited = "、".join([*map(in_words, entry.articles), *filter(None, [entry.topic])])
        return "；".join(filter(None, [cited, entry.source, own]))


def _checked(fact: str, value: object) -> object:
    """A word nobody knows would match nothing, and so be guessed upon."""
    kind = FACTS[fact].kind
    is_known = isinstance(value, bool) if kind is bool else value in list(kind)
    if value is not None and not is_known:
        raise FactInvalidError(fact=fact, value=str(value))
    return value
