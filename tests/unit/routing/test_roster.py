"""Whether somebody was there."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from base.ids import AgentId
from routing.agents import AgentState
from routing.hours import LOCAL, parse_hours
from routing.queues import Plan, Queue, Shift
from routing.roster import (
    AT_WORK,
    FOUND,
    Step,
    Stretch,
    at_work,
    hours_without_anybody,
    planned,
    without_anybody,
)

BEGIN = datetime(2026, 10, 1, tzinfo=LOCAL)  # a public holiday
END = BEGIN + timedelta(days=1)
A, B = AgentId("1001"), AgentId("1002")


def step(agent: AgentId, hour: float, state: AgentState, event: str = "x") -> Step:
    return Step(agent, BEGIN + timedelta(hours=hour), event, state)


def test_shifts_that_meet_leave_no_gap_and_a_pause_of_the_only_one_does() -> None:
    steps = [
        step(A, -2, AgentState.READY),
        step(A, 8, AgentState.OFFLINE),
        step(B, 7.9, AgentState.READY),
        step(B, 9, AgentState.TALKING),
        step(B, 12, AgentState.PAUSED),
        step(B, 12.5, AgentState.READY),
    ]
    absences = without_anybody(at_work(steps, BEGIN, END), BEGIN, END)
    assert absences == [Stretch(BEGIN + timedelta(hours=12), BEGIN + timedelta(hours=12.5))]
    assert hours_without_anybody(absences) == [BEGIN + timedelta(hours=12)]


def test_what_a_bridge_found_changed_proves_nothing_for_the_time_before() -> None:
    steps = [
        step(A, -1, AgentState.READY),
        step(A, 6, AgentState.OFFLINE, FOUND),
        step(B, 5, AgentState.READY),
        step(B, 6, AgentState.READY, FOUND),
    ]
    absences = without_anybody(at_work(steps, BEGIN, END), BEGIN, END)
    assert absences == [Stretch(BEGIN, BEGIN + timedelta(hours=5))]


def test_an_empty_log_proves_nothing() -> None:
    assert without_anybody(at_work([], BEGIN, END), BEGIN, END) == [Stretch(BEGIN, END)]


def test_the_plan_says_who_was_to_be_there() -> None:
    plan = Plan(
        queues=(Queue(name="hotline", title="x"),),
        shifts=(Shift(parse_hours("08:00-20:00"), (A,)), Shift(parse_hours("20:00-08:00"), (B,))),
    )
    assert planned(plan, BEGIN) == {B}
    assert planned(plan, BEGIN + timedelta(hours=9)) == {A}


moves = st.lists(
    st.tuples(st.sampled_from([A, B]), st.integers(0, 24 * 60 - 1), st.sampled_from(AgentState)),
    max_size=40,
)


@given(moves)
def test_every_minute_is_either_covered_by_somebody_or_listed(
    course: list[tuple[AgentId, int, AgentState]],
) -> None:
    steps = [step(agent, minute / 60, state) for agent, minute, state in sorted(course)]
    steps.sort(key=lambda each: each.at)
    absences = without_anybody(at_work(steps, BEGIN, END), BEGIN, END)
    for minute in range(0, 24 * 60, 7):
        at = BEGIN + timedelta(minutes=minute, seconds=30)
        now = {each.agent: each.state for each in steps if each.at <= at}
        is_there = any(state in AT_WORK for state in now.values())
        is_listed = any(each.begin <= at < each.end for each in absences)
        assert is_there is not is_listed
