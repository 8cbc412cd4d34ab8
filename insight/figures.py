"""The figures of an interval, counted from all of its facts. Pure.

``insight.live`` comes to the same sums step by step; a test holds the two together.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from base.ids import AgentId, CallId
from insight import measures
from insight.facts import CallFact, Interval, Step
from insight.measures import Values
from insight.sums import Sums, add, micros, one
from insight.timeline import STATES, Stretch, Timeline
from insight.visits import Handling, visit_sums
from insight.worst_day import WorstDay, WorstDayFinder


@dataclass(slots=True)
class AllSums:
    """What was counted in one interval."""

    queues: dict[str, Sums] = field(default_factory=dict)
    agents: dict[AgentId, Sums] = field(default_factory=dict)
    staff: Sums = field(default_factory=dict)
    """All agents together."""

    @property
    def total(self) -> Sums:
        """Of all queues."""
        total: Sums = {}
        for sums in self.queues.values():
            add(total, sums)
        return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of one interval, by code (``insight.measures``)."""

    start_at: datetime
    end_at: datetime
    total: Values
    staff: Values
    queues: Mapping[str, Values]
    agents: Mapping[AgentId, Values]
    worst_day: WorstDay | None


class Count:
    """Counts one interval, as known at its end: first all steps in their order, then ``end_steps``,
    then the calls in the order in which they entered a queue.

    Steps from each agent's last one before the interval on; calls from 24 hours before it on, for
    the worst day. With ``queue``, calls of that one alone.
    """

    def __init__(self, interval: Interval, *, queue: str | None = None) -> None:
        self._interval, self._queue = interval, queue
        self.sums = AllSums()
        self._worst = WorstDayFinder(interval)
        self._lines: dict[AgentId, Timeline] = {}
        self._handlings: dict[CallId, Handling] = {}

    def take_step(self, step: Step) -> None:
        if step.at >= self._interval.end_at:
            return
        if self._interval.has(step.at):
            one(self.sums.agents.setdefault(step.agent, {}), *step_count(step))
        line = self._lines.setdefault(step.agent, Timeline(step.agent))
        if ended := line.take(step):
            self._take_stretch(ended)

    def end_steps(self) -> None:
        """There are no more: each agent's last state lasts until the interval's end."""
        for line in self._lines.values():
            if lasting := line.until(self._interval.end_at):
                handling = self._take_stretch(lasting)
                if handling is not None:
                    handling.open += 1

    def _take_stretch(self, stretch: Stretch) -> Handling | None:
        if spent := time_sums(stretch, self._interval):
            add(self.sums.agents.setdefault(stretch.agent, {}), spent)
            add(self.sums.staff, spent)
        return handle(self._handlings, stretch)

    def take_call(self, call: CallFact) -> None:
        if call.queue is None or call.queued_at is None or self._queue not in (None, call.queue):
            return
        sums = visit_sums(call, self._handlings.get(call.call), self._interval.end_at)
        self._worst.take(call.queued_at, sums)
        if sums and self._interval.has(call.queued_at):
            add(self.sums.queues.setdefault(call.queue, {}), sums)

    def figures(self) -> Figures:
        """All figures."""
        sums = self.sums
        return Figures(
            start_at=self._interval.start_at,
            end_at=self._interval.end_at,
            total=measures.values(measures.CALLS, sums.total),
            staff=measures.values(measures.STAFF, sums.staff),
            queues={
                q: measures.values(measures.CALLS, sums.queues[q]) for q in sorted(sums.queues)
            },
            agents={
                agent: measures.values(measures.AGENT, sums.agents[agent])
                for agent in sorted(sums.agents)
                if sums.agents[agent]
            },
            worst_day=self._worst.end(),
        )


def count(
    calls: Iterable[CallFact],
    steps: Iterable[Step],
    interval: Interval,
    *,
    queue: str | None = None,
) -> Count:
    """Count facts that are at hand; calls in any order."""
    counting = Count(interval, queue=queue)
    for step in steps:
        counting.take_step(step)
    counting.end_steps()
    for call in sorted(calls, key=lambda call: call.queued_at or interval.end_at):
        counting.take_call(call)
    return counting


def step_count(step: Step) -> tuple[str, int]:
    """What a step counts for its agent, and how often."""
    match step.event:
        case "answer":
            return "taken", 1
        case "ring_missed":
            return "missed", 1
        case _:
            return "", 0


def time_sums(stretch: Stretch, interval: Interval) -> Sums:
    """The part of a stretch that lies in the interval."""
    sums: Sums = {}
    if stretch.state in STATES:
        start_at = max(stretch.start_at, interval.start_at)
        one(sums, f"time_{stretch.state}", micros(start_at, min(stretch.end_at, interval.end_at)))
    return sums


def handle(handlings: dict[CallId, Handling], stretch: Stretch) -> Handling | None:
    """Note the work that a stretch was on its call."""
    if stretch.call is None or not stretch.is_work:
        return None
    handling = handlings.setdefault(stretch.call, Handling.none())
    handling.micros[stretch.state] += micros(stretch.start_at, stretch.end_at)
    return handling
