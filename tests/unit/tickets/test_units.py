"""The organisation tree: who can be given a ticket, and whose duty it may be."""

from datetime import UTC, datetime

import pytest

from tests.fakes.city import (
    DONGGUAN,
    EMPTY,
    HOUSING,
    LIXIA,
    RESIDENTS,
    UNITS,
    WATER,
    organisation,
)
from tickets.refusals import UnitUnfit
from tickets.ticket import Matter
from tickets.units import Organisation, Suggestion

AT = datetime(2026, 11, 27, 20, 0, tzinfo=UTC)


def test_duty_comes_before_place_and_each_suggestion_has_its_basis() -> None:
    found = organisation().suggest(["urban_construction"], "lixia.dongguan")
    assert [(each.unit, each.by, each.basis) for each in found] == [
        (HOUSING, Suggestion.DUTY, "三定规定"),
        (LIXIA, Suggestion.PLACE, "属地管理"),
    ]


def test_nobody_is_suggested_for_another_place() -> None:
    assert organisation().suggest(["unknown"], "tianqiao") == []


@pytest.mark.parametrize(
    ("unit", "why"), [(EMPTY, "nobody_responsible"), (RESIDENTS, "helps_only")]
)
def test_who_cannot_answer_is_unfit(unit: str, why: str) -> None:
    with pytest.raises(UnitUnfit) as refused:
        organisation().check_fit(unit, Matter.ORDINARY, AT)  # type: ignore[arg-type]
    assert refused.value.params["why"] == why


def test_a_body_may_assist() -> None:
    organisation().check_fit(RESIDENTS, Matter.ORDINARY, AT, leads=False)


def test_a_utility_is_on_duty_day_and_night_or_gets_nothing() -> None:
    organisation().check_fit(WATER, Matter.ORDINARY, AT)
    with pytest.raises(UnitUnfit) as refused:
        Organisation(UNITS).check_fit(WATER, Matter.ORDINARY, AT)
    assert refused.value.params["why"] == "nobody_on_duty"


def test_what_cannot_wait_goes_only_to_who_is_on_duty() -> None:
    organisation().check_fit(HOUSING, Matter.ORDINARY, AT)
    with pytest.raises(UnitUnfit):
        organisation().check_fit(HOUSING, Matter.DISASTER, AT)


def test_below_means_anywhere_below_and_not_itself() -> None:
    tree = organisation()
    assert tree.is_below(DONGGUAN, LIXIA)
    assert not tree.is_below(LIXIA, LIXIA)
    assert not tree.is_below(LIXIA, DONGGUAN)
