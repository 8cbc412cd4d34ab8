"""Third parties of a dispute over HTTP: named by whoever handles it, shown masked (R063)."""

from typing import Annotated, Final

import msgspec
from aiohttp import web

from server.http.operations import Operation
from server.http.problems import body, json_response
from server.http.ticket_family import TicketFamily
from tickets.access import log_view
from tickets.facts import Actor, ActorRole, TicketFacts
from tickets.parties import Party, masked, name_parties, parties_of
from tickets.refusals import IllegalMove
from tickets.work_orders import open_lanes

PATH: Final = "/api/work-orders/{number}/parties"
NAMES: Final = frozenset(
    {ActorRole.AGENT, ActorRole.DISPATCHER, ActorRole.REVIEWER, ActorRole.UNIT}
)


class Named(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom a dispute is about, beside the caller."""

    parties: Annotated[list[Party], msgspec.Meta(min_length=1, max_length=20)]


class PartyRoutes(TicketFamily):
    """/api/work-orders/{number}/parties"""

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="GET",
                path=PATH,
                name="parties",
                says="Others whom a dispute is about, masked",
                handler=self.parties,
                gives=list[Party],
            ),
            Operation(
                method="POST",
                path=PATH,
                name="name_parties",
                says="Name them: the caller is told nothing that does",
                handler=self.name,
                takes=Named,
                status=204,
                refuses=(IllegalMove,),
            ),
        ]

    async def parties(self, request: web.Request) -> web.Response:
        actor, facts = await self._about(request)
        async with self._database.transaction() as connection:
            found = await parties_of(connection, facts.id)
        await log_view(self._database, actor, facts.id, ["parties"])
        return json_response(masked(found))

    async def name(self, request: web.Request) -> web.Response:
        actor, facts = await self._about(request)
        named = await body(request, Named)
        the_law = await self._orders.law_of(facts)
        async with self._database.transaction() as connection:
            await open_lanes(connection, actor)
            await name_parties(connection, facts, named.parties, actor, the_law, self._now())
        return web.Response(status=204)

    async def _about(self, request: web.Request) -> tuple[Actor, TicketFacts]:
        _user, actor = await self._door.who(request, NAMES)
        return actor, await self._orders.facts(await self._door.ticket(request), actor)
