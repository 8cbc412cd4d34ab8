"""What a caller may do without an account: by the ticket's number and its code (R013, R015, R019).

Shown is how far it is, never who handles it by name, who called, or what others said. Wrong codes
are braked by ticket and by address before they are compared.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import msgspec
from aiohttp import web

from base.database import Database
from rules import catalogue as law
from server.auth import SignIn
from server.citizen_code import CitizenCodes
from server.citizen_door import CALLER, CitizenDoor, CodeWrong, Origin
from server.http.client_address import braked_as
from server.http.operations import CODE, Asker, Operation
from server.http.problems import body, json_response
from tickets import board
from tickets.acts.ending import objections
from tickets.assignment import AssignmentState as A
from tickets.due import OF_CLOCKS
from tickets.facts import TicketFacts
from tickets.moves import AskExplanation, Rate
from tickets.parties import Party, hidden, parties_of
from tickets.refusals import OF_LAW, OF_MOVES
from tickets.ticket import TicketState
from tickets.unit_store import organisation_around
from tickets.work_orders import WorkOrders, open_lanes

ALWAYS_WITHHELD: Final = ("other_people", "internal_opinions")
TOLD: Final = (A.ACCEPTED, A.STOPPED)
"""What a unit said in these is said to the caller."""
FREE_ATTEMPTS_PER_ADDRESS: Final = 30


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Something was done."""

    at: datetime
    action: str


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """What a unit replied, once the centre has accepted it, or why it stopped on a repeat."""

    unit: str
    """Its name."""
    reply: str


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """An explanation that the caller asked for (R015)."""

    ground: str
    question: str
    asked_at: datetime
    answer: str
    """Empty while it is owed."""
    answered_at: datetime | None


class ProgressShown(msgspec.Struct, frozen=True, kw_only=True):
    """How far a ticket is, what is kept back and by which article, and how to object."""

    number: str
    state: TicketState
    title: str
    created_at: datetime
    reply_due_at: datetime | None
    completion_due_at: datetime | None
    steps: list[Step]
    answer: str
    """What the centre itself answered at once, by article or for an event; else empty."""
    replies: list[Answered]
    """Of those who answer; what others gave them for it is theirs."""
    explanations: list[Explained]
    refusal: board.RefusalTold | None
    """Why it was not accepted or not registered, as the caller was told (R036)."""
    withheld: list[str]
    """Kinds of secrets that the city's rules name, and what is other people's or internal."""
    withheld_by: str
    """The article."""
    objections: list[str]
    """Ways to object to a result, as the notice of the close names them."""


class CitizenRoutes:
    """/api/citizen/work-orders/{number}"""

    def __init__(
        self,
        sign_in: SignIn,
        database: Database,
        orders: WorkOrders,
        codes: CitizenCodes,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._door = CitizenDoor(sign_in, orders, codes)
        self._database = database
        self._orders = orders
        self._now = now

    def operations(self) -> list[Operation]:
        order = "/api/citizen/work-orders/{number}"
        return [
            Operation(
                method="GET",
                path=order,
                name="progress",
                says="How far a ticket is, for the one who has its code",
                handler=self.progress,
                asker=Asker.CODE,
                gives=ProgressShown,
                refuses=OF_LAW,
            ),
            Operation(
                method="POST",
                path=f"{order}/explanation",
                name="ask_explanation",
                says="Ask why: a reply is overdue, or its result is disputed",
                handler=self.ask_explanation,
                asker=Asker.CODE,
                takes=AskExplanation,
                status=204,
                refuses=(*OF_MOVES, *OF_CLOCKS),
            ),
            Operation(
                method="POST",
                path=f"{order}/rating",
                name="rate",
                says="Rate the handling; a rating is never deleted",
                handler=self.rate,
                asker=Asker.CODE,
                takes=Rate,
                status=204,
                refuses=(*OF_MOVES, *OF_CLOCKS),
            ),
        ]

    async def progress(self, request: web.Request) -> web.Response:
        facts = await self.mine(request, is_locked_shown=True)
        the_law = await self._orders.law_of(facts)
        kept = the_law.ask(law.PROGRESS)
        async with self._database.transaction() as connection:
            await open_lanes(connection, CALLER)
            refusal = await board.refusal_told(connection, facts.id)
            answer = await board.answer_told(connection, facts.id)
            said = await board.texts(connection, facts.id)
            history = await board.history(connection, facts.id)
            told = [each for each in facts.assignments if each.must_answer and each.state in TOLD]
            at = max((each.fed_back_at for each in told if each.fed_back_at), default=self._now())
            parties = await parties_of(connection, facts.id)
            tree = await organisation_around(connection, [each.unit for each in told], at)
        if said is None:
            raise CodeWrong
        return json_response(
            ProgressShown(
                number=facts.number,
                state=facts.state,
                title=hidden(said.title, parties),
                created_at=facts.created_at,
                reply_due_at=facts.reply_due_at,
                completion_due_at=facts.completion_due_at,
                steps=[Step(at=each.at, action=each.action) for each in history],
                answer=hidden(answer, parties),
                replies=[
                    Answered(unit=tree.name(each.unit), reply=hidden(each.reply, parties))
                    for each in told
                ],
                explanations=[
                    Explained(
                        ground=each.ground,
                        question=each.question,
                        asked_at=each.asked_at,
                        answer=hidden(each.answer, parties),
                        answered_at=each.answered_at,
                    )
                    for each in facts.explanations
                ],
                refusal=None if refusal is None else _hidden(refusal, parties),
                withheld=[*ALWAYS_WITHHELD, *(each.value for each in kept.value)],
                withheld_by=kept.card.place,
                objections=objections(the_law),
            )
        )

    async def ask_explanation(self, request: web.Request) -> web.Response:
        return await self._move(request, await body(request, AskExplanation))

    async def rate(self, request: web.Request) -> web.Response:
        return await self._move(request, await body(request, Rate))

    async def _move(self, request: web.Request, move: AskExplanation | Rate) -> web.Response:
        facts = await self.mine(request)
        await self._orders.move(facts.id, move, CALLER, self._now())
        return web.Response(status=204)

    async def mine(self, request: web.Request, *, is_locked_shown: bool = False) -> TicketFacts:
        """The ticket whose number and code the request gives; guessing is braked."""
        origin = Origin("citizen-address", braked_as(request), FREE_ATTEMPTS_PER_ADDRESS)
        code = request.headers.get(CODE, "")[:40]
        number = request.match_info["number"][:40]
        return await self._door.facts(number, code, origin, is_locked_shown=is_locked_shown)


def _hidden(refusal: board.RefusalTold, parties: Iterable[Party]) -> board.RefusalTold:
    return replace(
        refusal, told=hidden(refusal.told, parties), refer_to=hidden(refusal.refer_to, parties)
    )
