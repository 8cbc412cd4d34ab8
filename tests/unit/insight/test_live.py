"""The wall's way of counting and the report's come to the same, whatever happens in which order."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from base.ids import AgentId, CallId
from insight.facts import CallFact, Interval, Step
from insight.figures import count
from insight.live import LiveFigures
from insight.worst_day import DAY, minute_of

START = datetime(2026, 3, 1, 20, 17, 33, 123_456, tzinfo=UTC)
STATES = ("offline", "ready", "ringing", "talking", "holding", "wrap_up", "paused", "lost")
WINDOWS = {
    "half_hour": lambda at: minute_of(at - timedelta(minutes=30)),
    "day": lambda at: minute_of(at - DAY),
    "today": lambda at: (
        at.replace(hour=16, minute=0, second=0, microsecond=0)
        - (DAY if at.hour < 16 else timedelta())
    ),
}


class History:
    """Random calls and steps with the instant at which each is learnt."""

    def __init__(self, chance: random.Random, *, hours: float) -> None:
        self.calls: list[CallFact] = []
        self.steps: list[Step] = []
        self.told: list[tuple[datetime, CallFact | Step]] = []
        self._chance = chance
        span_s = hours * 3600
        for number in range(150):
            self._call(CallId(f"c{number}"), START + timedelta(seconds=chance.uniform(0, span_s)))
        for agent in range(6):
            self._agent(AgentId(str(1001 + agent)), span_s)
        self.told.sort(key=lambda each: each[0])

    def _call(self, call: CallId, queued_at: datetime) -> None:
        chance = self._chance
        queue = chance.choice(["hotline", "law", "night"])
        last_at = queued_at
        facts = [CallFact(call, queue, queued_at)]
        if chance.random() < 0.7:
            last_at += timedelta(seconds=chance.choice([0, 3, 15, 15.000001, 40]))
            facts.append(CallFact(call, queue, queued_at, AgentId("1001"), last_at))
        outcome = "answered" if len(facts) == 2 else chance.choice(["abandoned", "failed"])
        last_at += timedelta(seconds=chance.choice([0, 5, 5.1, 90, 4000]))
        before = facts[-1]
        facts.append(
            CallFact(call, queue, queued_at, before.agent, before.answered_at, last_at, outcome)
        )
        self.calls.append(facts[-1])
        for fact in facts:
            self._tell(fact.latest_at or queued_at, fact)

    def _agent(self, agent: AgentId, span_s: float) -> None:
        at, number = START, 0
        while at < START + timedelta(seconds=span_s):
            number += 1
            call = self._chance.choice([None, CallId(f"c{self._chance.randrange(150)}")])
            event = self._chance.choice(["answer", "ring_missed", "bridge_started", "x"])
            step = Step(number, agent, at, event, self._chance.choice(STATES), call)
            self.steps.append(step)
            self._tell(at, step)
            at += timedelta(seconds=self._chance.choice([0, 1, 59, 60, 700, 5000]))

    def _tell(self, at: datetime, fact: CallFact | Step) -> None:
        late_s = self._chance.choice([0, 0.01, 0.5, 1.9]) if isinstance(fact, CallFact) else 0.1
        self.told.append((at + timedelta(seconds=late_s), fact))


def take(live: LiveFigures, fact: CallFact | Step) -> None:
    if isinstance(fact, CallFact):
        live.take_call(fact)
    else:
        live.take_step(fact)


def same(live: LiveFigures, history: History, window: str) -> None:
    interval: Interval = live.interval(window)
    counted, followed = count(history.calls, history.steps, interval).sums, live.sums(window)
    queues = {queue: sums for queue, sums in counted.queues.items() if sums}
    assert followed.queues == queues, interval
    assert followed.staff == counted.staff, interval


@pytest.mark.parametrize("seed", range(12))
def test_following_step_by_step_equals_counting_all_at_once(seed: int) -> None:
    chance = random.Random(seed)
    history = History(chance, hours=chance.choice([1, 6, 30]))
    live = LiveFigures(WINDOWS.items(), at=START)
    looks = 0
    for at, fact in history.told:
        take(live, fact)
        if chance.random() < 0.3:
            take(live, fact)  # told twice, as after a restart
        live.advance(at - timedelta(seconds=2))
        if chance.random() < 0.1:
            looks += 1
            for window in WINDOWS:
                same(live, history, window)
    live.advance(history.told[-1][0] + timedelta(hours=1))
    for window in WINDOWS:
        same(live, history, window)
    assert looks


def test_a_wall_that_begins_from_stored_facts_shows_what_a_wall_that_was_there_shows() -> None:
    history = History(random.Random(99), hours=6)
    there = LiveFigures(WINDOWS.items(), at=START)
    end_at = START + timedelta(hours=4)
    for at, fact in history.told:
        if at < end_at:
            take(there, fact)
    there.advance(end_at - timedelta(seconds=2))
    late = LiveFigures(WINDOWS.items(), at=end_at - timedelta(seconds=2))
    for call in history.calls:
        late.take_call(call)
    for step in history.steps:
        late.take_step(step)
    late.advance(end_at - timedelta(seconds=2))
    for window in WINDOWS:
        assert there.sums(window) == late.sums(window)


def test_after_days_nothing_is_kept_of_what_no_window_shows() -> None:
    live = LiveFigures(WINDOWS.items(), at=START)
    for number in range(4000):
        at = START + timedelta(minutes=number)
        live.take_call(CallFact(CallId(str(number)), "hotline", at, None, None, at, "abandoned"))
        live.take_step(Step(number, AgentId("1001"), at, "x", "talking", CallId(f"out-{number}")))
        live.advance(at + timedelta(seconds=1))
    assert live.kept <= 2 * (24 * 60 + 4)
