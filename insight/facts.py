"""What figures are made of: the calls and the agents' steps, as the event log holds them.

The log is the tables ``calls`` and ``agent_moves``, written by the bridge. The live wall takes the
same rows in the moment in which they are noted, the report reads them later: both get here.
"""

from dataclasses import dataclass
from datetime import datetime

from base.ids import AgentId, CallId


@dataclass(frozen=True, slots=True)
class CallFact:
    """One call's way through a queue."""

    call: CallId
    queue: str | None = None
    queued_at: datetime | None = None
    agent: AgentId | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: str | None = None

    def merged(self, later: "CallFact") -> "CallFact":
        """As ``keep_call`` merges rows: the earliest instants, the latest words."""
        return CallFact(
            call=self.call,
            queue=later.queue or self.queue,
            queued_at=_earlier(self.queued_at, later.queued_at),
            agent=later.agent or self.agent,
            answered_at=_earlier(self.answered_at, later.answered_at),
            ended_at=later.ended_at or self.ended_at,
            outcome=later.outcome or self.outcome,
        )

    @property
    def latest_at(self) -> datetime | None:
        """The last instant in it."""
        instants = (self.queued_at, self.answered_at, self.ended_at)
        return max((at for at in instants if at is not None), default=None)


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return one or other
    return min(one, other)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an agent's state: a row of ``agent_moves``."""

    number: int
    """The order of steps."""
    agent: AgentId
    at: datetime
    event: str
    new: str
    call: CallId | None = None


@dataclass(frozen=True, slots=True)
class Interval:
    """From ``start_at`` until just before ``end_at``; what happened later is not known in it."""

    start_at: datetime
    end_at: datetime

    def has(self, at: datetime) -> bool:
        """Whether ``at`` lies in it."""
        return self.start_at <= at < self.end_at
