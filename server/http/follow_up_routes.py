"""Follow-up by message: the centre asks, the caller answers with number and code."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec
from aiohttp import web

from base.database import Database
from server.http.citizen_routes import CitizenRoutes
from server.http.operations import Asker, Operation
from server.http.problems import body, refuse_foreign_origin
from server.http.ticket_door import TicketDoor
from tickets.due import OF_CLOCKS
from tickets.facts import ActorRole
from tickets.follow_up_message import ANSWERING, answer_of, ask_by_message
from tickets.refusals import OF_LAW, OF_MOVES, IllegalMove, NotFitting
from tickets.work_orders import WorkOrders, open_lanes

ASKS: Final = frozenset({ActorRole.FOLLOW_UP, ActorRole.REVIEWER, ActorRole.SUPERVISOR})


class Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How it went: solved and satisfied are two answers."""

    is_solved: bool
    is_satisfied: bool
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""
    """Needed of whoever is not satisfied."""


class FollowUpRoutes:
    """…/work-orders/{number}/follow-up-message, and …/follow-up for the caller"""

    def __init__(
        self,
        door: TicketDoor,
        database: Database,
        orders: WorkOrders,
        citizens: CitizenRoutes,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._door = door
        self._database = database
        self._orders = orders
        self._citizens = citizens
        self._now = now

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="POST",
                path="/api/work-orders/{number}/follow-up-message",
                name="ask_by_message",
                says="Ask the caller by short message how it went, once a round",
                handler=self.ask,
                status=204,
                refuses=(*OF_LAW, IllegalMove, NotFitting),
            ),
            Operation(
                method="POST",
                path="/api/citizen/work-orders/{number}/follow-up",
                name="answer_follow_up",
                says="Say whether it is solved and whether one is satisfied",
                handler=self.answer,
                asker=Asker.CODE,
                takes=Answer,
                status=204,
                refuses=(*OF_MOVES, *OF_CLOCKS),
            ),
        ]

    async def ask(self, request: web.Request) -> web.Response:
        refuse_foreign_origin(request)
        _user, actor = await self._door.who(request, ASKS)
        facts = await self._orders.facts(await self._door.ticket(request), actor)
        law = await self._orders.law_of(facts)
        async with self._database.transaction() as connection:
            await open_lanes(connection, actor)
            await ask_by_message(connection, facts, actor, law, self._now())
        return web.Response(status=204)

    async def answer(self, request: web.Request) -> web.Response:
        said = await body(request, Answer)
        facts = await self._citizens.mine(request)
        move = answer_of(
            facts, is_solved=said.is_solved, is_satisfied=said.is_satisfied, reason=said.reason
        )
        await self._orders.move(
            facts.id, move, ANSWERING, self._now(), expected_version=facts.version
        )
        return web.Response(status=204)
