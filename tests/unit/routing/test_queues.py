"""The plan of queues: who is rung, and how the circle grows."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.ids import AgentId
from routing.hours import LOCAL, parse_hours
from routing.queues import (
    OVERFLOW_PENALTY,
    DutyPhone,
    Expert,
    Plan,
    PlanInvalid,
    Queue,
    Shift,
    default_plan,
)

A, B, C = AgentId("1001"), AgentId("1002"), AgentId("1003")
GENERAL = Queue(name="hotline", title="综合受理", numbers=("12345",))
LAW = Queue(
    name="law",
    title="法律服务专席",
    skill="law",
    hours=parse_hours("mon-fri 09:00-17:00"),
    overflow=("hotline", "neighbour", "duty"),
)


def plan(**changes: object) -> Plan:
    values: dict[str, object] = {
        "queues": (GENERAL, LAW),
        "skills": {A: {"law": 1}, B: {"law": 3}},
        "neighbour": "057112345",
        "duty": (DutyPhone("13900000001", "值班"),),
        "widen_s": 10,
        "overflow_after_s": 60,
    }
    return Plan(**(values | changes))  # type: ignore[arg-type]


def test_the_better_skilled_come_first_and_the_others_by_overflow() -> None:
    assert plan().members("law", [A, B, C]) == {A: 0, B: 20, C: OVERFLOW_PENALTY}
    assert plan().members("hotline", [A, B, C]) == {A: 0, B: 0, C: 0}


def test_the_circle_grows_by_level_then_over_the_queues_and_out_of_the_house() -> None:
    steps = plan().steps([0, 20, 100, 200, 300])
    assert [(step.after_s, step.penalty) for step in steps] == [
        (10, 20),
        (60, 100),
        (70, 200),
        (80, 300),
    ]


@given(st.sets(st.sampled_from([0, 10, 20, 30, 40, 100, 110, 200, 300])), st.integers(1, 90))
def test_a_circle_only_grows_and_reaches_everybody(penalties: set[int], widen_s: int) -> None:
    steps = plan(widen_s=widen_s).steps(penalties)
    assert [s.after_s for s in steps] == sorted({s.after_s for s in steps})
    assert [s.penalty for s in steps] == sorted({s.penalty for s in steps})
    reached = {step.penalty for step in steps} | ({min(penalties)} if penalties else set())
    assert penalties <= reached


def test_a_special_seat_outside_its_hours_is_stood_in_for() -> None:
    assert plan().open_queue("law", datetime(2026, 11, 27, 10, tzinfo=LOCAL)) is LAW
    assert plan().open_queue("law", datetime(2026, 11, 28, 10, tzinfo=LOCAL)) is GENERAL


@pytest.mark.parametrize(
    "changes",
    [
        {"queues": ()},
        {"queues": (LAW,)},
        {"queues": (GENERAL, GENERAL)},
        {"queues": (GENERAL, Queue(name="x", title="x", numbers=("12345",)))},
        {"queues": (GENERAL, Queue(name="x", title="x", overflow=("nowhere",)))},
        {"neighbour": ""},
        {"skills": {A: {"law": 9}}},
        {
            "queues": (
                GENERAL,
                Queue(name="x", title="x", hours=LAW.hours, otherwise="y"),
                Queue(name="y", title="y", hours=LAW.hours, otherwise="x"),
            )
        },
    ],
)
def test_a_plan_that_does_not_hold_together_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(PlanInvalid):
        plan(**changes)


def test_a_centre_without_a_file_has_its_special_seats_answered_by_everybody() -> None:
    made = default_plan()
    assert [queue.name for queue in made.queues] == [
        *("hotline", "law", "enterprise", "language", "utilities", "night", "experts"),
    ]
    assert made.members("law", [A, B]) == {A: OVERFLOW_PENALTY, B: OVERFLOW_PENALTY}


@pytest.mark.requirement("R101", city="tongliao_2024")
def test_experts_are_found_by_topic_and_by_who_is_there_now() -> None:
    made = plan(
        experts=(
            Expert("赵", "市住建局", ("物业", "公积金"), A, hours=parse_hours("mon 09:00-12:00")),
            Expert("钱", "市人社局", ("社保",), number="13900000002"),
        )
    )
    monday = datetime(2026, 11, 23, 10, tzinfo=LOCAL)
    assert [e.name for e in made.experts_on("物业")] == ["赵"]
    assert [e.name for e in made.experts_on("", monday)] == ["赵", "钱"]
    assert made.experts_on("物业", monday.replace(hour=13)) == []


def test_a_shift_plan_shows_the_hours_without_anybody() -> None:
    made = plan(shifts=(Shift(parse_hours("08:00-24:00"), (A,)), Shift(parse_hours("always"), ())))
    assert len(made.coverage_gaps()) == 7
