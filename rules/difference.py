"""What differs between two packs, rule by rule. Pure; the same both ways round."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from rules.catalogue import RULES
from rules.pack import Entry, Pack
from rules.values import Force


class Aspect(StrEnum):
    PRESENCE = "presence"
    """Only one of them holds the rule."""
    VALUE = "value"
    FORCE = "force"
    ORIGIN = "origin"
    CONDITIONS = "conditions"
    DATES = "dates"
    """Days of force of single entries, where they differ from their pack's."""


class Answer(msgspec.Struct, frozen=True):
    """One entry without its words: what it decides."""

    force: Force
    value: object
    when: Mapping[str, tuple[object, ...]]
    place: str


class Difference(msgspec.Struct, frozen=True):
    rule: str
    aspects: tuple[Aspect, ...]
    left: tuple[Answer, ...]
    right: tuple[Answer, ...]


def differences(left: Pack, right: Pack) -> list[Difference]:
    """Compare what two packs decide, in the catalogue's order. Words and articles do not count."""
    found = []
    for rule in RULES:
        ours, theirs = left.entries.get(rule, ()), right.entries.get(rule, ())
        if aspects := _aspects(left, ours, right, theirs):
            found.append(Difference(rule, aspects, _answers(left, rule), _answers(right, rule)))
    return found


def _aspects(
    left: Pack, ours: tuple[Entry, ...], right: Pack, theirs: tuple[Entry, ...]
) -> tuple[Aspect, ...]:
    if bool(ours) != bool(theirs):
        return (Aspect.PRESENCE,)
    views = {
        Aspect.VALUE: ([e.value for e in ours], [e.value for e in theirs]),
        Aspect.FORCE: ([e.force for e in ours], [e.force for e in theirs]),
        Aspect.ORIGIN: ([e.origin for e in ours], [e.origin for e in theirs]),
        Aspect.CONDITIONS: ([e.when for e in ours], [e.when for e in theirs]),
        Aspect.DATES: (_dates(left, ours), _dates(right, theirs)),
    }
    return tuple(aspect for aspect, (one, other) in views.items() if one != other)


def _dates(pack: Pack, entries: tuple[Entry, ...]) -> list[object]:
    return [(None if e.since == pack.since else e.since, e.until) for e in entries]


def _answers(pack: Pack, rule: str) -> tuple[Answer, ...]:
    return tuple(
        Answer(entry.force, entry.value, entry.when, card.place)
        for entry, card in zip(pack.entries.get(rule, ()), pack.cards(rule), strict=True)
    )
