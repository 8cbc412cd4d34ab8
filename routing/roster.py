"""Whether somebody was there: from the log of the agents' steps, every minute of an interval. Pure.

Somebody is there who takes calls, talks or writes up; neither who is paused nor whose phone is
gone. A bridge that starts and finds an agent in another state than the log ends with proves nothing
for the time between: it counts as absence.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from base.ids import AgentId
from routing.agents import AgentState
from routing.hours import LOCAL
from routing.queues import Plan

AT_WORK: Final = frozenset(
    {
        AgentState.READY,
        AgentState.RESERVED,
        AgentState.RINGING,
        AgentState.TALKING,
        AgentState.HOLDING,
        AgentState.WRAP_UP,
    }
)
FOUND: Final = "bridge_started"
"""The event with which a bridge writes down in which state it found an agent."""
HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the log: from ``at`` on the agent is ``state``."""

    agent: AgentId
    at: datetime
    event: str
    state: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """From one instant to before another."""

    begin: datetime
    end: datetime


def at_work(steps: Iterable[Step], begin: datetime, end: datetime) -> list[Stretch]:
    """When each agent was there, between the two instants. ``steps`` in their order, from each
    agent's last one before ``begin`` on."""
    by_agent: dict[AgentId, list[Step]] = {}
    for step in steps:
        by_agent.setdefault(step.agent, []).append(step)
    found = []
    for own in by_agent.values():
        last = Step(own[-1].agent, end, "", "")
        for step, after in zip(own, [*own[1:], last], strict=True):
            is_proven = after.event != FOUND or after.state == step.state
            since, until = max(step.at, begin), min(after.at, end)
            if step.state in AT_WORK and is_proven and since < until:
                found.append(Stretch(since, until))
    return found


def without_anybody(presence: Iterable[Stretch], begin: datetime, end: datetime) -> list[Stretch]:
    """The stretches of the interval that none of ``presence`` covers."""
    found, reached = [], begin
    for stretch in sorted(presence, key=lambda each: each.begin):
        if stretch.begin > reached:
            found.append(Stretch(reached, min(stretch.begin, end)))
        reached = max(reached, stretch.end)
        if reached >= end:
            break
    if reached < end:
        found.append(Stretch(reached, end))
    return found


def hours_without_anybody(absences: Sequence[Stretch]) -> list[datetime]:
    """The hours of local time in which somebody was missing for any moment."""
    hours: set[datetime] = set()
    for absence in absences:
        hour = absence.begin.astimezone(LOCAL).replace(minute=0, second=0, microsecond=0)
        while hour < absence.end:
            hours.add(hour)
            hour += HOUR
    return sorted(hours)


def planned(plan: Plan, at: datetime) -> frozenset[AgentId]:
    """Who is to be there by the shift plan."""
    return frozenset(
        agent for shift in plan.shifts if shift.hours.is_open(at) for agent in shift.agents
    )
