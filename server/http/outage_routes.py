"""Outages that utilities tell the centre of, and who is on duty now (R032, R061)."""

from typing import Final

import msgspec
from aiohttp import web

from base.database import storable
from base.ids import UnitId
from rules import catalogue as law
from server.http.identity import NotAllowed
from server.http.operations import Operation
from server.http.problems import body, json_response, number_in_path
from server.http.ticket_door import CENTRE
from server.http.ticket_family import TicketFamily
from tickets.facts import Actor
from tickets.outages import Ended, Notice, Outage, end, outages, tell
from tickets.refusals import NotFitting
from tickets.unit_store import organisation_at
from tickets.units import Shift, UnitKind

MOST_REGION: Final = 64


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A notice that was taken; by which article utilities owe it here, if by any."""

    id: int
    article: str


class OutageRoutes(TicketFamily):
    """/api/outages, /api/duty"""

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="POST",
                path="/api/outages",
                name="tell_outage",
                says="A utility tells the centre what is, or will be, off",
                handler=self.tell,
                takes=Notice,
                gives=Told,
                status=201,
                refuses=(NotFitting,),
            ),
            Operation(
                method="POST",
                path="/api/outages/{outage}/end",
                name="end_outage",
                says="It ends sooner or later than was said",
                handler=self.end,
                takes=Ended,
                status=204,
                refuses=(NotFitting,),
            ),
            Operation(
                method="GET",
                path="/api/outages",
                name="outages",
                says="What is off now, or will be within two days",
                handler=self.outages,
                gives=list[Outage],
                query={"region": "a region's code; left out, everywhere"},
            ),
            Operation(
                method="GET",
                path="/api/duty",
                name="duty",
                says="Who is on duty now, to the centre",
                handler=self.duty,
                gives=list[Shift],
            ),
        ]

    async def tell(self, request: web.Request) -> web.Response:
        actor, unit = await self._utility(request)
        notice = await body(request, Notice)
        at = self._now()
        given = (await self._orders.law_today(at)).ask_if_given(law.ROUND_THE_CLOCK)
        async with self._database.transaction() as connection:
            id_ = await tell(connection, unit, notice, actor.user, at)
        return json_response(
            Told(id=id_, article="" if given is None else given.card.place), status=201
        )

    async def end(self, request: web.Request) -> web.Response:
        _actor, unit = await self._utility(request)
        outage = number_in_path(request, "outage")
        ended = await body(request, Ended)
        async with self._database.transaction() as connection:
            await end(connection, outage, unit, ended)
        return web.Response(status=204)

    async def outages(self, request: web.Request) -> web.Response:
        await self._door.who(request)
        region = storable(request.query.get("region", "")[:MOST_REGION])
        async with self._database.connection() as connection:
            return json_response(await outages(connection, region, self._now()))

    async def duty(self, request: web.Request) -> web.Response:
        await self._door.who(request, CENTRE)
        at = self._now()
        async with self._database.connection() as connection:
            tree = await organisation_at(connection, at)
        return json_response(tree.shifts_at(at))

    async def _utility(self, request: web.Request) -> tuple[Actor, UnitId]:
        user, actor = await self._door.who(request)
        if actor.unit is None:
            raise NotAllowed(role=user.role.value)
        async with self._database.connection() as connection:
            tree = await organisation_at(connection, self._now())
        if tree.get(actor.unit).kind is not UnitKind.UTILITY:
            raise NotAllowed(role=user.role.value)
        return actor, actor.unit
