"""Who asks: the session behind a request, also while PostgreSQL is away.

A session that was checked before stays good for ``REMEMBERED_S`` when the database cannot be asked:
an agent in the middle of a call must be able to go on, and their confirmation is kept on disk.
"""

import time
from collections import OrderedDict
from collections.abc import Set
from typing import ClassVar, Final

from aiohttp import web

from base.database import DatabaseUnavailable
from base.errors import HotlineError
from base.ids import AgentId
from server.auth import NotSignedIn, Role, SignIn, User

COOKIE: Final = "hotline_session"
REMEMBERED_S: Final = 12 * 3600.0
ANSWERS_CALLS: Final = frozenset({Role.AGENT, Role.LEADER})
MOST_REMEMBERED: Final = 5_000
"""Overflow rule: the session unseen for longest is forgotten (it only matters in an outage)."""


class NotAllowed(HotlineError):
    """This account may not do that."""

    code: ClassVar[str] = "not_allowed"
    http_status: ClassVar[int] = 403


class Identity:
    """Finds the user of a request."""

    def __init__(self, sign_in: SignIn) -> None:
        self._sign_in = sign_in
        self._seen: OrderedDict[str, tuple[float, User]] = OrderedDict()

    async def user(self, request: web.Request) -> User:
        """The signed-in user, or ``NotSignedIn``."""
        token = request.cookies.get(COOKIE)
        try:
            user = await self._sign_in.session_user(token)
        except DatabaseUnavailable:
            remembered = self._seen.get(token or "")
            if remembered is None or time.monotonic() - remembered[0] > REMEMBERED_S:
                raise
            return remembered[1]
        except NotSignedIn:
            self._seen.pop(token or "", None)
            raise
        self._remember(token or "", user)
        return user

    async def agent(self, request: web.Request) -> tuple[User, AgentId]:
        """The signed-in user who has a desk, or ``NotAllowed``."""
        user = await self.user(request)
        if user.role is not Role.AGENT or user.agent is None:
            raise NotAllowed(role=user.role.value)
        return user, user.agent

    async def leader(self, request: web.Request) -> User:
        """The signed-in leader, or ``NotAllowed``."""
        return await self.one_of(request, {Role.LEADER})

    async def one_of(self, request: web.Request, roles: Set[Role]) -> User:
        """The signed-in user whose role is among ``roles``, or ``NotAllowed``."""
        user = await self.user(request)
        if user.role not in roles:
            raise NotAllowed(role=user.role.value)
        return user

    def forget(self, token: str) -> None:
        """The session was closed."""
        self._seen.pop(token, None)

    def _remember(self, token: str, user: User) -> None:
        self._seen[token] = (time.monotonic(), user)
        self._seen.move_to_end(token)
        while len(self._seen) > MOST_REMEMBERED:
            self._seen.popitem(last=False)
