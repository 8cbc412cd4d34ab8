"""Last month's tickets under another pack: what would have been decided otherwise."""

from datetime import UTC, date, datetime

import pytest

from rules.calendar import shipped
from rules.library import load_pack
from rules.simulate import Case, CaseUnknownWordError, Other, Simulation, State, simulate


def _simulate(*cases: Case, pack: str = "jinan_2018", against: str) -> Simulation:
    return simulate(cases, load_pack(pack), load_pack(against), shipped())


def _only(found: Simulation, rule: str) -> Other:
    return next(each for each in found.differences if each.rule == rule)


@pytest.mark.requirement("R125", city="jinan_2018")
@pytest.mark.requirement("R125", city="jinan_draft_2018")
def test_jinan_tickets_under_the_draft_show_where_the_final_law_departed_from_it() -> None:
    found = _simulate(
        Case(
            "a",
            facts={"dissatisfied": True, "reasonable": True, "verified": True, "unhandled": False},
            started_at=datetime(2026, 9, 28, 2, 0, tzinfo=UTC),
        ),
        Case("b", on=date(2026, 9, 1), facts={"ended": True}),
        Case("c", on=date(2026, 9, 1), rules=("scope.media",)),
        against="jinan_draft_2018",
    )
    assert (found.cases, found.cases_that_differ) == (3, 2)
    extension = _only(found, "clock.extension")
    assert extension.under.state is State.NOT_GIVEN
    assert extension.against.due_at == datetime(2026, 10, 16, 9, 30, tzinfo=UTC)
    repeat = _only(found, "refuse.repeat")
    assert (repeat.case, repeat.under.state) == ("b", State.NOT_GIVEN)
    assert repeat.against.state is State.ANSWERED
    assert found.by_rule["refuse.repeat"] == 1
    assert not any(each.case == "c" for each in found.differences)


def test_same_pack_differs_nowhere() -> None:
    case = Case("a", facts={"reply": "declined"}, started_at=datetime(2026, 5, 6, tzinfo=UTC))
    assert _simulate(case, against="jinan_2018").differences == []


def test_fact_that_only_one_pack_needs_is_shown_as_missing() -> None:
    case = Case("a", facts={"dissatisfied": True, "reasonable": True, "unhandled": False})
    redo = _only(_simulate(case, against="tongliao_2024"), "follow_up.redo")
    assert (redo.against.state, redo.against.fact) == (State.FACT_MISSING, "lawful")


@pytest.mark.parametrize("case", [Case("a", facts={"mood": True}), Case("a", rules=("a.b",))])
def test_unknown_word_in_a_case_is_refused(case: Case) -> None:
    with pytest.raises(CaseUnknownWordError):
        _simulate(case, against="taian_draft")
