"""Whose call it is: of the agent who has it on the desk, or answered it."""

from collections.abc import Awaitable, Callable
from typing import ClassVar

from redis.asyncio import Redis
from redis.exceptions import RedisError

from base.errors import HotlineError
from base.ids import AgentId, CallId
from server.auth import Role, User
from server.live.stored_view import StoredView, agent_scope, find_view
from server.records.call_book import CallBook


class NotYourCall(HotlineError):
    """The call is not on this agent's desk."""

    code: ClassVar[str] = "call_not_on_desk"
    http_status: ClassVar[int] = 409


DeskOf = Callable[[AgentId], Awaitable[StoredView | None]]


def desks_in(redis: Redis) -> DeskOf:
    """The agents' desks; none while Redis is away."""

    async def desk(agent: AgentId) -> StoredView | None:
        try:
            return await find_view(redis, agent_scope(agent))
        except (RedisError, OSError, TimeoutError):
            return None

    return desk


class OwnCalls:
    """Lets an agent make tickets of their own calls alone; a leader of any."""

    def __init__(self, desk_of: DeskOf, book: CallBook) -> None:
        self._desk_of = desk_of
        self._book = book

    async def check(self, user: User, call: CallId) -> None:
        if user.role is Role.LEADER:
            return
        if user.agent is None or not await self._is_of(user.agent, call):
            raise NotYourCall(call=call)

    async def _is_of(self, agent: AgentId, call: CallId) -> bool:
        desk = await self._desk_of(agent)
        if desk is not None and desk.view.call is not None and desk.view.call.call == call:
            return True
        return await self._book.agent_of(call) == agent
