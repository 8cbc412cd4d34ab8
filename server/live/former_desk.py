"""What a former bridge had on an agent's desk, read back from the snapshot it left in Redis.

Fresher than the records while these wait on disk for PostgreSQL; asked before the new bridge
writes its own first snapshot.
"""

import asyncio
from collections.abc import Iterable
from typing import Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from base.ids import AgentId, CallId
from server.live.stored_view import agent_scope, find_view
from server.push.protocol import DeskView

log = structlog.get_logger(__name__)

SIGNED_IN_TIMEOUT_S: Final = 3.0


class FormerDesks:
    """The snapshots, by agent."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def signed_in(self, agents: Iterable[AgentId]) -> frozenset[AgentId]:
        """Who was at work, as the snapshots say; nobody while Redis is away or was emptied."""
        found = set()
        try:
            async with asyncio.timeout(SIGNED_IN_TIMEOUT_S):
                for agent in agents:
                    stored = await find_view(self._redis, agent_scope(agent))
                    if stored is not None and stored.view.me.state != "offline":
                        found.add(agent)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("former_desks_unknown", error=type(error).__name__)
        return frozenset(found)

    async def find(self, agent: AgentId, call: CallId) -> DeskView | None:
        """The desk if it showed this call; None also while Redis is away."""
        try:
            stored = await find_view(self._redis, agent_scope(agent))
        except (RedisError, OSError, TimeoutError):
            return None
        view = None if stored is None else stored.view
        return view if view is not None and view.call and view.call.call == call else None
