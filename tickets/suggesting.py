"""Which units a dispatcher may think of, each with its reason and what speaks against it. Pure.

A suggestion decides nothing: the dispatch itself checks everything again and keeps its own basis.
"""

from dataclasses import dataclass

from base.ids import UnitId
from rules import catalogue as law
from tickets.acts.dispatching import check_unit
from tickets.acts.scene import Scene
from tickets.refusals import MoveRefused
from tickets.units import Suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One unit that may be meant."""

    unit: UnitId
    name: str
    by: Suggestion
    basis: str
    """The duty's own: what would be the dispatch's basis."""
    why_not: str = ""
    """A code; empty: it could be dispatched to now."""


def proposals(scene: Scene, topic: str) -> list[Proposal]:
    """By demand type, duty and region, as far as the city dispatches by them (R038).

    Those that could not be given it now come last.
    """
    facts = scene.facts
    given = scene.law.ask_if_given(law.DISPATCH_BASIS)
    found: dict[UnitId, Proposal] = {}
    for each in scene.units.suggest([topic, facts.domain], facts.region, facts.type):
        if given is not None and each.by.value not in given.value:
            continue
        found.setdefault(
            each.unit,
            Proposal(
                unit=each.unit,
                name=scene.units.name(each.unit),
                by=each.by,
                basis=each.basis,
                why_not=_against(scene, each.unit),
            ),
        )
    return sorted(found.values(), key=lambda proposal: bool(proposal.why_not))


def _against(scene: Scene, unit: UnitId) -> str:
    try:
        check_unit(scene, unit)
    except MoveRefused as refused:
        return str(refused.params.get("why", refused.code))
    return ""
