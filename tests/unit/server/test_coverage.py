"""What a run of marked tests proves of the requirements, and what it does not."""

import re

import pytest

from base.errors import SetupError
from rules.catalogue import RULES
from rules.library import load_packs
from server.coverage import (
    Mark,
    MarkedTest,
    Mutation,
    MutationOutcome,
    Requirement,
    Unnoticed,
    judge,
    measure,
    read_requirements,
    read_unnoticed,
)

ROWS = {
    "R001": Requirement("R001", ("a", "b"), False, "same everywhere"),
    "R002": Requirement("R002", ("a", "b"), True, "differs"),
    "R003": Requirement("R003", (), False, "of no single city"),
}


def _test(name: str, rows: list[str], cities: list[str], *, passed: bool = True) -> MarkedTest:
    return MarkedTest(name, passed, [Mark(rows, cities)])


def test_mark_without_city_proves_what_is_the_same_everywhere_and_no_more() -> None:
    coverage = measure(ROWS, [_test("t", ["R001", "R002", "R003"], [])])
    assert coverage.proven == ["R001@a", "R001@b", "R003"]
    assert coverage.unproven == ["R002@a", "R002@b"]


def test_mark_with_city_proves_that_city_alone() -> None:
    assert measure(ROWS, [_test("t", ["R002"], ["b"])]).proven == ["R002@b"]


def test_one_failing_test_of_several_leaves_the_row_unproven() -> None:
    coverage = measure(
        ROWS, [_test("good", ["R003"], []), _test("bad", ["R003"], [], passed=False)]
    )
    assert "R003" in coverage.unproven
    assert coverage.tests == {"R003": ["good", "bad"]}


@pytest.mark.parametrize(("rows", "cities"), [(["R999"], []), (["R003"], ["a"])])
def test_mark_of_an_unknown_row_or_city_is_refused(rows: list[str], cities: list[str]) -> None:
    with pytest.raises(SetupError):
        measure(ROWS, [_test("t", rows, cities)])


def test_list_holds_every_row_once_in_order() -> None:
    requirements = read_requirements()
    assert list(requirements) == [f"R{number:03}" for number in range(1, 126)]
    cities = {city for requirement in requirements.values() for city in requirement.cities}
    assert cities == {
        "jinan_2018",
        "jinan_draft_2018",
        "taian_draft",
        "hangzhou_2024",
        "tongliao_2024",
    }
    assert all(re.fullmatch(r".{5,60}", r.summary) for r in requirements.values())


def _tried(rule: str, part: str, killed_by: str = "", *, answer: int = 0) -> MutationOutcome:
    changed = Mutation(pack="a", rule=rule, answer=answer, part=part, was="1", became="2")
    return MutationOutcome(mutation=changed, asked_by=["t"], killed_by=killed_by)


def test_a_survivor_is_one_that_no_reason_covers_and_a_reason_for_what_is_noticed_is_needless() -> (
    None
):
    later, one, other_pack, unused = (
        Unnoticed("*", "later.*", "*", "not yet"),
        Unnoticed("a", "clock.base[1]", "unit", "never reached"),
        Unnoticed("b", "clock.base", "*", "elsewhere"),
        Unnoticed("a", "clock.sign", "amount", "not so"),
    )
    outcomes = [
        _tried("later.thing", "force"),
        _tried("clock.base", "unit", answer=1),
        _tried("clock.base", "unit"),
        _tried("clock.sign", "amount", "t"),
    ]
    found = judge(outcomes, [later, one, other_pack, unused])
    assert (found.noticed, found.excused) == (1, 2)
    assert found.survivors == (outcomes[2],)
    assert found.needless == (unused,)


def test_every_reason_is_about_packs_and_rules_that_there_are() -> None:
    groups = {f"{name.split('.')[0]}.*" for name in RULES}
    for each in read_unnoticed():
        assert each.pack == "*" or each.pack in load_packs()
        assert each.rule.split("[")[0] in RULES.keys() | groups
        assert each.reason
