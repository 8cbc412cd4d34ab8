"""An agent's steps as stretches of time in a state. Pure.

A bridge that starts writes one step an agent (``bridge_started``). Whether the state before it
lasted until then is known only where both agree: else the time since the step before counts as
nobody's (``UNKNOWN``).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from base.ids import AgentId, CallId
from insight.facts import Step

BRIDGE_STARTED: Final = "bridge_started"
UNKNOWN: Final = "unknown"
HANDLING: Final = frozenset({"talking", "holding", "wrap_up"})
"""States that are work on a caller's matter."""
STATES: Final = (
    "ready", "reserved", "ringing", "talking", "holding", "wrap_up", "paused", "lost", UNKNOWN,
)  # fmt: skip
"""Whose time is counted; nobody is paid for being offline."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """An agent's time in one state."""

    agent: AgentId
    state: str
    start_at: datetime
    end_at: datetime
    call: CallId | None

    @property
    def is_work(self) -> bool:
        """Whether it is work on ``call``."""
        return self.call is not None and self.state in HANDLING


@dataclass(slots=True)
class Timeline:
    """One agent, step by step."""

    agent: AgentId
    number: int = -1
    state: str = "offline"
    since_at: datetime | None = None
    call: CallId | None = None

    @property
    def is_work(self) -> bool:
        """Whether the agent works on ``call`` now."""
        return self.call is not None and self.state in HANDLING

    def take(self, step: Step) -> Stretch | None:
        """The stretch that ends with this step; None for the first one and one taken before."""
        if step.number <= self.number:
            return None
        at = step.at if self.since_at is None else max(step.at, self.since_at)
        ended = None
        if self.since_at is not None:
            is_known = step.event != BRIDGE_STARTED or step.new == self.state
            state = self.state if is_known else UNKNOWN
            ended = Stretch(self.agent, state, self.since_at, at, self.call)
        self.number, self.state, self.since_at, self.call = step.number, step.new, at, step.call
        return ended

    def until(self, at: datetime) -> Stretch | None:
        """The stretch that lasts still."""
        if self.since_at is None:
            return None
        return Stretch(self.agent, self.state, self.since_at, max(at, self.since_at), self.call)
