"""How a ticket asks its pack: what is given, by which article, or refused in its name. Pure.

The one place that turns "this city's law does not give that" into a refusal with the rule's name
and its article. Which rule a move rests on stands in ``tickets.lifecycle`` and ``tickets.acts``.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any, TypeVar

from rules.article import ArticleCard
from rules.catalogue import Rule
from rules.pack import Decision, FactMissingError, Pack, RuleNotGivenError
from rules.values import Force
from tickets.refusals import NotSaid, RefusedByLaw

T = TypeVar("T")


class Law:
    """A ticket's pack on the day it began, asked during one decision.

    ``relied`` keeps the cards that the decision rested on, in order: the ledger gets them.
    """

    def __init__(self, pack: Pack, on: date) -> None:
        self.pack = pack
        self._on = on
        self.relied: list[ArticleCard] = []

    def ask(self, rule: Rule[T], **facts: object) -> Decision[T]:
        """What the law gives; refused where it gives nothing."""
        try:
            decision = self.pack.decide(rule, facts, on=self._on)
        except RuleNotGivenError as error:
            card = error.card
            raise RefusedByLaw(
                why="not_given",
                rule=rule.name,
                pack=self.pack.id,
                article="" if card is None else card.place,
                summary="" if card is None else card.summary,
            ) from error
        except FactMissingError as error:
            raise NotSaid(field=error.fact, rule=rule.name) from error
        self.rely_on(decision.card)
        return decision

    def rely_on(self, card: ArticleCard) -> None:
        """Show this card with the decision."""
        if card not in self.relied:
            self.relied.append(card)

    def ask_if_given(self, rule: Rule[T], **facts: object) -> Decision[T] | None:
        """What the law gives, or None; relied on only where it gives something."""
        return self.ask(rule, **facts) if self.gives(rule, **facts) else None

    def gives(self, rule: Rule[T], **facts: object) -> bool:
        """Whether it gives this at all; where that hangs on a fact yet unsaid, it may."""
        try:
            return self.pack.has(rule, facts, on=self._on)
        except FactMissingError:
            return True

    def demands(self, rule: Rule[T], **facts: object) -> Decision[T] | None:
        """What the law makes a duty, or None."""
        decision = self.ask_if_given(rule, **facts)
        return decision if decision is not None and decision.force is Force.MUST else None


def places_of(cards: Iterable[ArticleCard]) -> str:
    """The articles that these cards name, as the ledger says them; own practice has none."""
    return "；".join(dict.fromkeys(card.place for card in cards if card.articles))


def refused(decision: Decision[Any], why: str, **params: object) -> RefusedByLaw:
    """The refusal in the name of a rule that gives it, but not like this."""
    card = decision.card
    refusal = RefusedByLaw(
        why=why, rule=card.rule, pack=card.pack, article=card.place, summary=card.summary
    )
    refusal.params |= params
    return refusal


def missing(field: str, decision: Decision[Any] | None = None) -> NotSaid:
    """The refusal of a move that leaves something out; a rule asks for it, or our own practice."""
    if decision is None:
        return NotSaid(field=field)
    card = decision.card
    return NotSaid(
        field=field, rule=card.rule, pack=card.pack, article=card.place, summary=card.summary
    )
