"""The organisation tree: who may be given a ticket, who is on duty, whose duty a demand is.

Pure: ``Organisation`` is the tree at one instant; ``tickets.unit_store`` keeps its history.
Never decides alone: it suggests, with the basis, and a dispatcher confirms.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from base.ids import UnitId
from tickets.refusals import UnitUnfit
from tickets.ticket import Matter, TicketType

NO_ACCOUNTS: Mapping[UnitId, frozenset[str]] = MappingProxyType({})
_BETWEEN_WORDS = re.compile(r"[\W_]+")


class Level(StrEnum):
    """Where a unit stands."""

    CITY = "city"
    """The city's departments and enterprises."""
    COUNTY = "county"
    """Districts and counties (旗县)."""
    TOWNSHIP = "township"
    """Townships and streets (苏木乡镇、街道)."""
    UNIT = "unit"
    """Below these."""


class UnitKind(StrEnum):
    """What it is."""

    DEPARTMENT = "department"
    """A government department or agency."""
    LOCAL = "local"
    """A county, township or street government."""
    CENTRE = "centre"
    """A county's own hotline centre: hands on, supervises, feeds back."""
    UTILITY = "utility"
    """A public-service enterprise: on duty day and night."""
    BODY = "body"
    """A mass or grass-roots body: helps, never leads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """What a unit answers for, and why."""

    topic: str
    """Topic or domain code; ``*`` for whatever happens in its region."""
    basis: str
    """The law, list of powers or catalogue that says so."""
    types: tuple[TicketType, ...] = ()
    """For these types of demand alone (who inspects need not be who serves); empty: for all."""

    def is_for(self, type: TicketType | None) -> bool:
        return not self.types or type is None or type in self.types


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Somebody on duty."""

    unit: UnitId
    person: str
    phone: str
    begins_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationUnit:
    """One office, as it was at the instant of its tree."""

    id: UnitId
    name: str
    parent: UnitId | None = None
    level: Level = Level.CITY
    kind: UnitKind = UnitKind.DEPARTMENT
    regions: frozenset[str] = frozenset()
    duties: tuple[Duty, ...] = ()
    first_responsible: str = ""
    """Who answers for the unit's tickets (第一责任人)."""
    handlers: tuple[str, ...] = ()
    duty_phone: str = ""
    working_hours: str = ""

    @property
    def is_answered_for(self) -> bool:
        """Somebody is first responsible, somebody handles, somebody can be called (R009)."""
        return bool(self.first_responsible and self.handlers and self.duty_phone)


class Suggestion(StrEnum):
    """How a unit was found."""

    DUTY = "duty"
    """By its listed duties."""
    PLACE = "place"
    """By the region it happens in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestedUnit:
    """A unit that may be meant, and why."""

    unit: UnitId
    by: Suggestion
    basis: str


class Organisation:
    """The tree at one instant, with the shifts around it."""

    def __init__(
        self,
        units: Iterable[OrganisationUnit],
        shifts: Iterable[Shift] = (),
        accounts: Mapping[UnitId, frozenset[str]] = NO_ACCOUNTS,
    ) -> None:
        """``accounts``: the names of who signs in for a unit."""
        self._units = {unit.id: unit for unit in units}
        self._accounts = accounts
        self._shifts = tuple(shifts)

    def get(self, unit: UnitId) -> OrganisationUnit:
        """The unit; one that does not exist (any more, or yet) is refused."""
        found = self._units.get(unit)
        if found is None:
            raise UnitUnfit(unit=unit, why="not_in_force")
        return found

    def units(self) -> list[OrganisationUnit]:
        return list(self._units.values())

    def name(self, unit: UnitId) -> str:
        """How people call it; its id where it exists no more."""
        found = self._units.get(unit)
        return unit if found is None else found.name

    def is_below(self, unit: UnitId, above: UnitId) -> bool:
        """``unit`` stands anywhere below ``above``."""
        seen = set()
        at: UnitId | None = unit
        while at is not None and at not in seen:
            seen.add(at)
            at = self._units[at].parent if at in self._units else None
            if at == above:
                return True
        return False

    def is_accused(self, unit: UnitId, units: Collection[UnitId], people: Collection[str]) -> bool:
        """The unit, or one above it, is accused; or somebody of theirs is, by name."""
        return unit in units or any(
            above in units or self._has_any_of(above, people)
            for above in self._units
            if unit == above or self.is_below(unit, above)
        )

    def _has_any_of(self, unit: UnitId, people: Iterable[str]) -> bool:
        """A name stands at the beginning, or by itself: what follows may be an office."""
        found = self._units[unit]
        names = {found.first_responsible, *found.handlers, *self._accounts.get(unit, ())}
        said = [word for each in people for word in _BETWEEN_WORDS.split(each)]
        return any(word.startswith(name) for name in names if name for word in said)

    def below(self, above: UnitId) -> list[UnitId]:
        return [unit for unit in self._units if self.is_below(unit, above)]

    def on_duty(self, unit: UnitId, at: datetime) -> Shift | None:
        return next(
            (s for s in self._shifts if s.unit == unit and s.begins_at <= at < s.ends_at), None
        )

    def shifts_at(self, at: datetime) -> list[Shift]:
        """Everybody who is on duty."""
        return [each for each in self._shifts if each.begins_at <= at < each.ends_at]

    def check_fit(self, unit: UnitId, matter: Matter, at: datetime, *, leads: bool = True) -> None:
        """Refuse a unit that nobody answers for, or that is not on duty for what cannot wait."""
        found = self.get(unit)
        if not found.is_answered_for:
            raise UnitUnfit(unit=unit, why="nobody_responsible")
        if leads and found.kind is UnitKind.BODY:
            raise UnitUnfit(unit=unit, why="helps_only")
        is_round_the_clock = found.kind is UnitKind.UTILITY or matter is not Matter.ORDINARY
        if is_round_the_clock and self.on_duty(unit, at) is None:
            raise UnitUnfit(unit=unit, why="nobody_on_duty")

    def suggest(
        self, topics: Iterable[str], region: str, type: TicketType | None = None
    ) -> list[SuggestedUnit]:
        """Units whose duty it may be: by topic inside the region first, then by place alone."""
        wanted = {topic for topic in topics if topic}
        by_duty: list[SuggestedUnit] = []
        by_place: list[SuggestedUnit] = []
        for unit in self._units.values():
            is_here = not unit.regions or not region or _covers(unit.regions, region)
            if not is_here or unit.kind is UnitKind.BODY:
                continue
            for duty in unit.duties:
                if not duty.is_for(type):
                    continue
                if duty.topic in wanted:
                    by_duty.append(
                        SuggestedUnit(unit=unit.id, by=Suggestion.DUTY, basis=duty.basis)
                    )
                elif duty.topic == "*" and region and unit.regions:
                    by_place.append(
                        SuggestedUnit(unit=unit.id, by=Suggestion.PLACE, basis=duty.basis)
                    )
        nearest = sorted(by_duty, key=lambda s: not self._units[s.unit].regions)
        return [*nearest, *by_place]


def _covers(regions: frozenset[str], region: str) -> bool:
    """Region codes nest by their dots: ``lixia`` covers ``lixia.dongguan``."""
    return any(region == each or region.startswith(f"{each}.") for each in regions)
