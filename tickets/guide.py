"""What guides a registration: which elements to ask for, the city's own phrases (R021). Pure."""

from dataclasses import dataclass
from datetime import date

from rules.pack import Pack
from rules.values import Force
from tickets.acts.registration import ELEMENTS, NEEDED_ELEMENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One of who, what, where, when, want."""

    name: str
    is_needed: bool
    """Without it no unit can begin; of the others it is enough to have asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """What is said to a caller, by which rule."""

    rule: str
    text: str
    article: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """For the desk."""

    elements: tuple[Element, ...]
    phrases: tuple[Phrase, ...]


def guide(pack: Pack, on: date) -> Guide:
    """Of this city, on that day; in the order of its pack."""
    cards = {rule: pack.cards(rule) for rule in pack.entries}
    return Guide(
        elements=tuple(Element(name=each, is_needed=each in NEEDED_ELEMENTS) for each in ELEMENTS),
        phrases=tuple(
            Phrase(rule=rule, text=entry.script, article=card.place)
            for rule, entries in pack.entries.items()
            for entry, card in zip(entries, cards[rule], strict=True)
            if entry.script and entry.force is not Force.NOT_GIVEN and entry.is_in_force(on)
        ),
    )
