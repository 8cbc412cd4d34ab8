"""A small city for tests: its units, who is on duty, its people."""

from datetime import UTC, datetime

from base.ids import UnitId, UserId
from tickets.facts import Actor, ActorRole
from tickets.units import Duty, Level, Organisation, OrganisationUnit, Shift, UnitKind

WATER = UnitId("city.water")
HOUSING = UnitId("city.housing")
TRAFFIC = UnitId("city.traffic")
MARKET = UnitId("city.market")
LIXIA = UnitId("lixia")
DONGGUAN = UnitId("lixia.dongguan")
WENHUA = UnitId("lixia.wenhua")
RESIDENTS = UnitId("lixia.residents")
EMPTY = UnitId("city.empty")
"""Nobody answers for it."""


def _unit(
    id_: UnitId,
    name: str,
    *,
    parent: UnitId | None = None,
    level: Level = Level.CITY,
    kind: UnitKind = UnitKind.DEPARTMENT,
    regions: frozenset[str] = frozenset(),
    duties: tuple[Duty, ...] = (),
    has_people: bool = True,
) -> OrganisationUnit:
    return OrganisationUnit(
        id=id_,
        name=name,
        parent=parent,
        level=level,
        kind=kind,
        regions=regions,
        duties=duties,
        first_responsible="主任" if has_people else "",
        handlers=("经办人",) if has_people else (),
        duty_phone="053100000000" if has_people else "",
    )


UNITS = (
    _unit(
        WATER, "水务集团", kind=UnitKind.UTILITY, duties=(Duty(topic="water", basis="供水条例"),)
    ),
    _unit(HOUSING, "住建局", duties=(Duty(topic="urban_construction", basis="三定规定"),)),
    _unit(TRAFFIC, "交通局", duties=(Duty(topic="transport", basis="三定规定"),)),
    _unit(MARKET, "市场监管局"),
    _unit(
        LIXIA,
        "历下区热线中心",
        level=Level.COUNTY,
        kind=UnitKind.CENTRE,
        regions=frozenset({"lixia"}),
        duties=(Duty(topic="*", basis="属地管理"),),
    ),
    _unit(DONGGUAN, "东关街道", parent=LIXIA, level=Level.TOWNSHIP, kind=UnitKind.LOCAL),
    _unit(WENHUA, "文化东路街道", parent=LIXIA, level=Level.TOWNSHIP, kind=UnitKind.LOCAL),
    _unit(RESIDENTS, "居民委员会", parent=LIXIA, level=Level.UNIT, kind=UnitKind.BODY),
    _unit(EMPTY, "无人负责的单位", has_people=False),
)
ALWAYS = (datetime(2018, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC))
SHIFTS = tuple(
    Shift(unit=unit, person="值班员", phone="053100000001", begins_at=ALWAYS[0], ends_at=ALWAYS[1])
    for unit in (WATER, LIXIA, DONGGUAN)
)


def organisation() -> Organisation:
    return Organisation(UNITS, SHIFTS)


def person(number: int) -> UserId:
    """A user's id that says its number."""
    return UserId(f"00000000-0000-4000-8000-{number:012}")


def centre(role: ActorRole, number: int = 1) -> Actor:
    return Actor(user=person(number), roles=frozenset({role}))


def of_unit(unit: UnitId) -> Actor:
    number = 100 + [each.id for each in UNITS].index(unit)
    return Actor(user=person(number), roles=frozenset({ActorRole.UNIT}), unit=unit)
