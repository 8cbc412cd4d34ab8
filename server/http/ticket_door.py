"""Who asks about a ticket, and with which eyes the database is read for them.

Common to all routes of tickets. Units read through the database's own login for them, with the
session's token; what they may not see is not among its rows.
"""

from collections.abc import AsyncIterator, Set
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from base.database import Connection, Database
from base.ids import TicketId
from server.auth import Role, User
from server.http.identity import COOKIE, Identity, NotAllowed
from tickets.access import UnitView
from tickets.facts import Actor, ActorRole
from tickets.work_orders import WorkOrders, open_to_read

ACTS_AS: Final = {
    Role.AGENT: ActorRole.AGENT,
    Role.LEADER: ActorRole.AGENT,
    Role.DISPATCHER: ActorRole.DISPATCHER,
    Role.REVIEWER: ActorRole.REVIEWER,
    Role.FOLLOW_UP: ActorRole.FOLLOW_UP,
    Role.SUPERVISOR: ActorRole.SUPERVISOR,
    Role.HEAD: ActorRole.HEAD,
    Role.UNIT: ActorRole.UNIT,
}
"""An administrator looks after machines and has no part in tickets."""
EVERYBODY: Final = frozenset(ACTS_AS.values())
CENTRE: Final = EVERYBODY - {ActorRole.UNIT}
AUDITS: Final = frozenset({ActorRole.SUPERVISOR, ActorRole.HEAD})
"""Who may see what others did."""


class TicketDoor:
    """Lets people of the centre and of units in to tickets."""

    def __init__(
        self, identity: Identity, database: Database, of_units: Database, orders: WorkOrders
    ) -> None:
        self._identity = identity
        self._database = database
        self._of_units = of_units
        self._orders = orders

    async def who(
        self, request: web.Request, roles: Set[ActorRole] = EVERYBODY
    ) -> tuple[User, Actor]:
        """The one who asks, where they act as one of ``roles``; else ``NotAllowed``."""
        user = await self._identity.user(request)
        role = ACTS_AS.get(user.role)
        if role is None or role not in roles:
            raise NotAllowed(role=user.role.value)
        return user, Actor(user=user.id, roles=frozenset({role}), unit=user.unit)

    async def ticket(self, request: web.Request) -> TicketId:
        return await self._orders.id_of(request.match_info["number"])

    def unit_view(self, request: web.Request) -> UnitView:
        return UnitView(self._of_units, request.cookies[COOKIE])

    @asynccontextmanager
    async def reading(self, request: web.Request, actor: Actor) -> AsyncIterator[Connection]:
        """A transaction in which the database knows what the one who asks may see."""
        if actor.is_of_unit:
            async with self.unit_view(request).reading() as connection:
                yield connection
            return
        async with self._database.transaction() as connection:
            await open_to_read(connection, actor)
            yield connection
