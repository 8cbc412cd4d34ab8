"""What is counted, when, and that no figure divides by nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from base.ids import AgentId, CallId
from insight.facts import CallFact, Interval, Step
from insight.figures import Figures, count
from insight.measures import AGENT, CALLS, STAFF

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = Interval(NOON, NOON + timedelta(hours=1))


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def call(
    name: str,
    queued: float,
    *,
    answered: float | None = None,
    ended: float | None = None,
    outcome: str | None = None,
    queue: str = "hotline",
) -> CallFact:
    return CallFact(
        call=CallId(name),
        queue=queue,
        queued_at=at(queued),
        answered_at=None if answered is None else at(answered),
        ended_at=None if ended is None else at(ended),
        outcome=outcome or ("answered" if answered is not None else "abandoned"),
    )


def step(number: int, seconds: float, new: str, event: str = "x", of: str | None = None) -> Step:
    call = None if of is None else CallId(of)
    return Step(number, AgentId("1001"), at(seconds), event, new, call)


def figures(
    calls: list[CallFact], steps: list[Step], interval: Interval, queue: str | None = None
) -> Figures:
    return count(calls, steps, interval, queue=queue).figures()


def of_calls(*calls: CallFact, interval: Interval = HOUR) -> dict[str, float | None]:
    return figures(list(calls), [], interval).total


def of_agent(*steps: Step, interval: Interval = HOUR) -> Figures:
    return figures([], list(steps), interval)


def test_answered_within_fifteen_seconds_counts_from_the_queue_and_includes_the_fifteenth() -> None:
    found = of_calls(
        call("a", 0, answered=15, ended=60),
        call("b", 10, answered=25.1, ended=70),
        call("c", 20, answered=21, ended=70),
    )
    assert (found["answered"], found["in_time"]) == (3, 2)
    assert found["service_level"] == pytest.approx(0.6667)


def test_abandoned_calls_are_told_with_and_without_the_short_ones() -> None:
    found = of_calls(
        call("a", 0, answered=5, ended=60),
        call("b", 0, ended=5),
        call("c", 0, ended=30),
    )
    assert (found["abandoned"], found["abandoned_short"]) == (2, 1)
    assert found["abandonment"] == pytest.approx(0.6667)
    assert found["abandonment_without_short"] == 0.5
    assert found["connected"] == pytest.approx(0.3333)
    assert found["connected_without_short"] == 0.5
    assert found["service_level"] == 0.5
    assert found["mean_abandoned_wait"] == 17.5


def test_an_emergency_and_a_call_that_still_waits_are_in_no_rate() -> None:
    found = of_calls(
        call("a", 0, ended=40, outcome="emergency"),
        call("b", 3590, answered=3605, ended=3700),
    )
    assert (found["offered"], found["to_emergency"], found["waiting"]) == (2, 1, 1)
    assert found["connected"] is None
    assert found["service_level"] is None


def test_what_happens_after_the_interval_is_not_known_in_it() -> None:
    late = call("a", 3590, answered=3600, ended=3700)
    assert of_calls(late)["answered"] == 0
    longer = Interval(NOON, NOON + timedelta(hours=1, microseconds=1))
    assert of_calls(late, interval=longer)["answered"] == 1


def test_waits_are_told_as_mean_and_as_percentiles_of_nearest_rank() -> None:
    found = of_calls(*(call(str(n), 0, answered=n, ended=100) for n in range(1, 11)))
    assert found["mean_wait"] == 5.5
    assert (found["wait_p50"], found["wait_p80"], found["wait_p95"]) == (5, 8, 10)


def test_handling_is_talk_hold_and_wrap_up_of_calls_whose_agents_have_left_them() -> None:
    done = call("a", 0, answered=10, ended=100)
    found = figures(
        [done, call("b", 200, answered=210, ended=300)],
        [
            step(1, 0, "ready"),
            step(2, 5, "ringing", "ring", "a"),
            step(3, 10, "talking", "answer", "a"),
            step(4, 40, "holding", "hold", "a"),
            step(5, 50, "talking", "resume", "a"),
            step(6, 100, "wrap_up", "call_over", "a"),
            step(7, 130, "ready", "wrapped_up", "a"),
            step(8, 210, "talking", "answer", "b"),
            step(9, 300, "wrap_up", "call_over", "b"),
        ],
        HOUR,
    )
    total = found.total
    assert total["handling"] == 120.0
    assert (total["mean_talk"], total["mean_hold"], total["mean_wrap_up"]) == (80.0, 10.0, 30.0)
    assert found.agents[AgentId("1001")]["taken"] == 2


def test_occupancy_is_work_by_time_at_work_and_pauses_are_no_time_at_work() -> None:
    found = of_agent(
        step(1, -100, "ready"),
        step(2, 600, "talking", "answer", "a"),
        step(3, 1200, "wrap_up", "call_over", "a"),
        step(4, 1800, "paused", "go_paused"),
        step(5, 2400, "offline", "sign_out"),
    )
    assert found.staff["occupancy"] == pytest.approx(1200 / 1800, abs=1e-4)
    assert (found.staff["at_work"], found.staff["paused"]) == (1800.0, 600.0)
    assert found.agents[AgentId("1001")]["handling"] == 1200.0


def test_time_before_a_new_bridge_that_found_another_state_is_nobodys() -> None:
    found = of_agent(
        step(1, 0, "ready"), step(2, 600, "paused", "bridge_started"), step(3, 900, "offline")
    )
    assert (found.staff["unknown"], found.staff["paused"]) == (600.0, 300.0)
    same = of_agent(step(1, 0, "ready"), step(2, 600, "ready", "bridge_started"))
    assert (same.staff["unknown"], same.staff["at_work"]) == (0.0, 3600.0)


def test_queues_are_told_apart_and_one_can_be_asked_for() -> None:
    calls = [call("a", 0, answered=5, ended=9), call("b", 0, answered=20, ended=30, queue="law")]
    found = figures(calls, [], HOUR)
    assert found.queues["hotline"]["service_level"] == 1.0
    assert found.queues["law"]["service_level"] == 0.0
    assert figures(calls, [], HOUR, queue="law").total["offered"] == 1


def test_the_worst_of_any_twenty_four_hours_is_found_across_midnight() -> None:
    calls = [
        call(f"good{n}", 3600 * n, answered=3600 * n + 5, ended=3600 * n + 60) for n in range(9)
    ]
    bad = [call(f"bad{n}", 3600 * 9 + n, ended=3600 * 9 + n + 60) for n in range(3)]
    found = figures([*calls, *bad], [], Interval(at(3600 * 10), at(3600 * 40)))
    assert found.total["offered"] == 0
    worst = found.worst_day
    assert worst is not None
    # A day later the good ones have gone and only the bad ones are left.
    assert worst.connected == 0.0
    assert worst.end_at == at(3600 * 32 + 60)


def test_each_measure_says_its_formula_and_survives_an_empty_interval() -> None:
    for measure in (*CALLS, *STAFF, *AGENT):
        assert measure.name
        assert measure.formula
        assert measure.of({}) in (None, 0)
