"""Special studies over HTTP: clusters, the unit's measures, the report upwards (R062)."""

from datetime import timedelta
from typing import Final

import msgspec
from aiohttp import web

from server.http.operations import Operation
from server.http.problems import BadBody, body, json_response, number_in_path, whole_number
from server.http.ticket_family import TicketFamily
from tickets.facts import ActorRole
from tickets.refusals import OF_LAW, NotFitting
from tickets.studies import (
    LEAST_OF_A_CLUSTER,
    Cluster,
    Measures,
    Opened,
    Report,
    Study,
    clusters,
    give_measures,
    open_study,
    report_study,
    studies,
)

PERIOD: Final = timedelta(days=30)
LOOK_FOR: Final = frozenset(
    {ActorRole.DISPATCHER, ActorRole.REVIEWER, ActorRole.SUPERVISOR, ActorRole.HEAD}
)
OPEN: Final = frozenset({ActorRole.REVIEWER, ActorRole.SUPERVISOR, ActorRole.HEAD})
REPORT: Final = frozenset({ActorRole.HEAD})
MEASURE: Final = frozenset({ActorRole.UNIT})
TAKES_PART: Final = LOOK_FOR | MEASURE


class StudyOpened(msgspec.Struct, frozen=True, kw_only=True):
    """A study that was opened."""

    id: int


class StudyRoutes(TicketFamily):
    """/api/clusters, /api/studies"""

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="GET",
                path="/api/clusters",
                name="clusters",
                says="Tickets of a month that one unit has of one topic and no study is about",
                handler=self.clusters,
                gives=list[Cluster],
                query={"least": f"how many are a cluster; {LEAST_OF_A_CLUSTER}"},
                refuses=(BadBody,),
            ),
            Operation(
                method="GET",
                path="/api/studies",
                name="studies",
                says="Special studies, the newest first; to a unit, its own",
                handler=self.studies,
                gives=list[Study],
            ),
            Operation(
                method="POST",
                path="/api/studies",
                name="open_study",
                says="Give a unit tickets to study together",
                handler=self.open,
                takes=Opened,
                gives=StudyOpened,
                status=201,
                refuses=(*OF_LAW, NotFitting),
            ),
            Operation(
                method="POST",
                path="/api/studies/{study}/measures",
                name="give_measures",
                says="What the unit does about the cause",
                handler=self.measures,
                takes=Measures,
                status=204,
                refuses=(NotFitting,),
            ),
            Operation(
                method="POST",
                path="/api/studies/{study}/report",
                name="report_study",
                says="Report what must be coordinated above the unit",
                handler=self.report,
                takes=Report,
                status=204,
                refuses=(*OF_LAW, NotFitting),
            ),
        ]

    async def clusters(self, request: web.Request) -> web.Response:
        await self._door.who(request, LOOK_FOR)
        least = request.query.get("least", str(LEAST_OF_A_CLUSTER))
        until = self._now()
        async with self._database.transaction() as connection:
            found = await clusters(connection, until - PERIOD, until, max(2, whole_number(least)))
        return json_response(found)

    async def studies(self, request: web.Request) -> web.Response:
        _user, actor = await self._door.who(request, TAKES_PART)
        async with self._database.transaction() as connection:
            return json_response(await studies(connection, actor.unit))

    async def open(self, request: web.Request) -> web.Response:
        _user, actor = await self._door.who(request, OPEN)
        opened = await body(request, Opened)
        at = self._now()
        the_law = await self._orders.law_today(at)
        async with self._database.transaction() as connection:
            id_ = await open_study(connection, opened, the_law, actor.user, at)
        return json_response(StudyOpened(id=id_), status=201)

    async def measures(self, request: web.Request) -> web.Response:
        _user, actor = await self._door.who(request, MEASURE)
        given = await body(request, Measures)
        assert actor.unit is not None, "a unit's people have a unit"
        study = number_in_path(request, "study")
        async with self._database.transaction() as connection:
            await give_measures(connection, study, actor.unit, given, actor.user, self._now())
        return web.Response(status=204)

    async def report(self, request: web.Request) -> web.Response:
        _user, actor = await self._door.who(request, REPORT)
        report = await body(request, Report)
        at = self._now()
        the_law = await self._orders.law_today(at)
        study = number_in_path(request, "study")
        async with self._database.transaction() as connection:
            await report_study(connection, study, report, the_law, actor.user, at)
        return web.Response(status=204)
