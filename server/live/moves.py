"""Each step of each agent's state: one line in the log, one row for the figures.

Noted in the order in which the desks took the steps; the scribe keeps that order, also while
PostgreSQL is away. A bridge that starts writes one row an agent (``bridge_started``): what was
true before it may have changed unseen.
"""

import time
from datetime import datetime
from typing import Final

import structlog

from base.ids import AgentId
from routing.agents import Agent
from routing.desks import Moved
from server.live.notes import KeepMove
from server.live.records import AgentMove
from server.live.scribe import Scribe

log = structlog.get_logger(__name__)

BRIDGE_STARTED: Final = "bridge_started"


class MoveLog:
    """The one writer of ``agent_moves``."""

    def __init__(self, scribe: Scribe) -> None:
        self._scribe = scribe
        self._last = 0
        self._last_at: dict[AgentId, datetime] = {}

    def note(self, moved: Moved) -> None:
        """Take one step."""
        log.info(
            "agent_moved",
            agent=moved.agent,
            old=moved.old.value,
            move=moved.event.value,
            new=moved.new.value,
            reason=moved.reason,
            call=moved.call,
            by=moved.by,
        )
        self._keep(
            AgentMove(
                number=self._number(),
                agent=moved.agent,
                at=self._at(moved.agent, moved.at),
                old=moved.old.value,
                event=moved.event.value,
                new=moved.new.value,
                reason=moved.reason,
                call=moved.call,
                by=moved.by,
            )
        )

    def begin(self, agent: Agent, *, at: datetime) -> None:
        """The state in which a bridge that starts found an agent."""
        state = agent.state.value
        self._keep(
            AgentMove(
                number=self._number(),
                agent=agent.agent,
                at=self._at(agent.agent, at),
                old=state,
                event=BRIDGE_STARTED,
                new=state,
                reason=agent.pause_reason or "",
                call=agent.call,
                by="system",
            )
        )

    def _keep(self, move: AgentMove) -> None:
        self._scribe.note(KeepMove(move))

    def _at(self, agent: AgentId, at: datetime) -> datetime:
        """Never before the step before: Asterisk's instants and ours differ by milliseconds."""
        last_at = self._last_at.get(agent, at)
        self._last_at[agent] = max(at, last_at)
        return self._last_at[agent]

    def _number(self) -> int:
        self._last = max(self._last + 1, time.time_ns() // 1000)
        return self._last
