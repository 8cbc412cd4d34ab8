"""What helps whoever registers and dispatches: phrases (R021), doubles (R027), units (R038)."""

from typing import Final

from aiohttp import web

from rules.worktime import local_date
from server.http.operations import Operation
from server.http.problems import json_response
from server.http.ticket_door import CENTRE
from server.http.ticket_family import TicketFamily
from tickets.board import Similar, similar
from tickets.facts import ActorRole
from tickets.guide import Guide, guide
from tickets.suggesting import Proposal

DISPATCHES: Final = frozenset(
    {ActorRole.AGENT, ActorRole.DISPATCHER, ActorRole.REVIEWER, ActorRole.HEAD}
)


class DispatchRoutes(TicketFamily):
    """/api/guide, /api/work-orders/{number}/proposals and /similar"""

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="GET",
                path="/api/work-orders/{number}/proposals",
                name="proposals",
                says="Units whose duty it may be, with the reason of each; a dispatcher decides",
                handler=self.proposals,
                gives=list[Proposal],
            ),
            Operation(
                method="GET",
                path="/api/work-orders/{number}/similar",
                name="similar",
                says="Tickets in hand that speak of the same, the same caller's first",
                handler=self.similar,
                gives=list[Similar],
            ),
            Operation(
                method="GET",
                path="/api/guide",
                name="guide",
                says="What to ask a caller, and the phrases that the city's rules bring along",
                handler=self.guide,
                gives=Guide,
            ),
        ]

    async def guide(self, request: web.Request) -> web.Response:
        await self._door.who(request, CENTRE)
        at = self._now()
        the_law = await self._orders.law_today(at)
        return json_response(guide(the_law.pack, local_date(at)))

    async def similar(self, request: web.Request) -> web.Response:
        _user, actor = await self._door.who(request, CENTRE)
        ticket = await self._door.ticket(request)
        await self._orders.facts(ticket, actor)  # or it is not theirs to see
        async with self._door.reading(request, actor) as connection:
            return json_response(await similar(connection, ticket, actor))

    async def proposals(self, request: web.Request) -> web.Response:
        _user, actor = await self._door.who(request, DISPATCHES)
        ticket = await self._door.ticket(request)
        return json_response(await self._orders.proposals(ticket, actor, self._now()))
