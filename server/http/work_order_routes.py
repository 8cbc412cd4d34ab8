"""The work order over HTTP: registering, every move, lists, reading, reveals, who saw it.

One address for all moves: a body's ``move`` names it (``tickets.moves``), the table decides
(``tickets.lifecycle``). Nothing is decided here. Units read through the database's own login for
them; the centre's staff are shown the caller masked until they give a reason.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec
from aiohttp import web

from base.database import Connection, Database, storable
from base.ids import AssignmentId, TicketId, UnitId
from rules.worktime import LOCAL
from server.auth import User
from server.citizen_code import CitizenCodes
from server.http.openapi import openapi
from server.http.operations import E_TAG, KEY, ONCE, Operation
from server.http.own_calls import NotYourCall, OwnCalls
from server.http.problems import BadBody, body, json_response
from server.http.ticket_door import AUDITS, TicketDoor
from server.once import Answer, Once
from tickets import board
from tickets.access import (
    Access,
    CallerShown,
    RevealRefused,
    accesses,
    caller_of,
    log_view,
    reveal_caller,
)
from tickets.acts.scene import duty_note
from tickets.due import OF_CLOCKS
from tickets.facts import Actor, ActorRole, TicketFacts
from tickets.intake import Demand
from tickets.known_codes import KNOWN_CODES
from tickets.law import Law
from tickets.ledger import LedgerEntry
from tickets.lifecycle import moves_open_to
from tickets.masking import masked_name, masked_number
from tickets.moves import Move, read_move
from tickets.new_ticket import OF_DEMANDS
from tickets.refusals import OF_MOVES, TicketUnseen
from tickets.store import ledger_of
from tickets.ticket import TicketState, TicketType
from tickets.unit_store import organisation_at
from tickets.units import OrganisationUnit
from tickets.work_orders import WorkOrders, open_lanes

REGISTERS: Final = frozenset({ActorRole.AGENT, ActorRole.DISPATCHER, ActorRole.SUPERVISOR})


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """The ticket of a demand."""

    number: str
    code: str
    """With it the caller asks after it, rates it, asks for an explanation."""
    version: int
    state: TicketState


NARROWED_BY: Final[Mapping[str, str]] = {
    "state": "states, separated by commas",
    "type": "a demand type",
    "unit": "who has it",
    "words": "a number, or a part of the title",
    "asked": "`yes`: a unit waits for the centre's decision on a request",
    "below": "the `next` of the page before",
    "limit": "at most 200",
}
"""What a list of tickets takes; anything else is refused, not overlooked."""


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """A move that was carried out."""

    number: str
    version: int
    state: TicketState
    siblings: list[str] = []
    """Numbers of the tickets that came of it."""
    codes: dict[str, str] = {}
    """Of each of these the code with which the caller asks after it."""


class MoveOpen(msgspec.Struct, frozen=True, kw_only=True):
    """What the one who asks may do now: a button."""

    move: str
    assignment: AssignmentId | None = None


class Shown(msgspec.Struct, frozen=True, kw_only=True, tag_field="shown_to", tag="centre"):
    """A ticket as the centre's staff see it."""

    facts: TicketFacts
    texts: board.Texts
    former_texts: list[board.FormerTexts]
    """Before each amendment, the newest first."""
    caller: CallerShown
    moves: Sequence[MoveOpen]
    ledger: list[LedgerEntry]
    attachments: list[board.Attachment]
    watermark: str
    """Who looks, and when: laid over the page, so that a picture of it says whose it was (R111)."""


class ShownToUnit(msgspec.Struct, frozen=True, kw_only=True, tag_field="shown_to", tag="unit"):
    """A ticket as a unit sees it. No ``caller``: it is confidential."""

    part: board.UnitPart
    texts: board.Texts
    caller: CallerShown | None
    moves: Sequence[MoveOpen]
    attachments: list[board.Attachment]
    duty_note: str
    """What the city's rules say about the unit's own duty (R029)."""
    watermark: str


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list; ``next`` is the cursor of the following one."""

    items: list[board.Line]
    next: str | None


class Why(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The reason for seeing what is masked."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class WorkOrderRoutes:
    """/api/work-orders, /api/units, /api/openapi.json"""

    def __init__(
        self,
        door: TicketDoor,
        database: Database,
        orders: WorkOrders,
        codes: CitizenCodes,
        calls: OwnCalls,
        more: Sequence[Operation],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``more``: operations that other modules have on the same tickets."""
        self._door = door
        self._database = database
        self._orders = orders
        self._codes = codes
        self._calls = calls
        self._now = now
        self.operations: Final = [*self._all(), *more]

    def routes(self) -> list[web.RouteDef]:
        described = web.get("/api/openapi.json", self.describe)
        return [described, *(operation.route() for operation in self.operations)]

    def _all(self) -> list[Operation]:
        order = "/api/work-orders/{number}"
        return [
            Operation(
                method="POST",
                path="/api/work-orders",
                name="register",
                says="Take one demand from any channel into the one queue",
                handler=self.register,
                takes=Demand,
                gives=Registered,
                status=201,
                headers=ONCE,
                refuses=(*OF_DEMANDS, *OF_CLOCKS, NotYourCall),
            ),
            Operation(
                method="GET",
                path="/api/work-orders",
                name="list",
                says="The tickets that the one who asks may see, the newest first",
                handler=self.page,
                gives=Page,
                query=NARROWED_BY,
                refuses=(BadBody,),
            ),
            Operation(
                method="GET",
                path=order,
                name="show",
                says="A ticket with what may be done with it; the look is logged",
                handler=self.show,
                gives=Shown | ShownToUnit,
            ),
            Operation(
                method="POST",
                path=f"{order}/moves",
                name="move",
                says="Move a ticket along its life-cycle",
                handler=self.move,
                takes=Move,
                gives=Moved,
                headers={
                    **ONCE,
                    E_TAG: 'the version it was decided on, e.g. "7"; another one is a conflict',
                },
                refuses=(*OF_MOVES, *OF_CLOCKS),
            ),
            Operation(
                method="POST",
                path=f"{order}/reveal",
                name="reveal",
                says="See the caller in clear, for a reason that is logged",
                handler=self.reveal,
                takes=Why,
                gives=CallerShown,
                refuses=(RevealRefused,),
            ),
            Operation(
                method="GET",
                path=f"{order}/accesses",
                name="accesses",
                says="Who saw what of it, for supervision and the head",
                handler=self.accesses,
                gives=list[Access],
            ),
            Operation(
                method="GET",
                path="/api/units",
                name="units",
                says="The organisation as it is now; to a unit, itself and those below it",
                handler=self.units,
                gives=list[OrganisationUnit],
            ),
        ]

    async def describe(self, _request: web.Request) -> web.Response:
        """OpenAPI 3.1 of all this."""
        return json_response(
            openapi(self.operations, title="Hotline 12345", version="1", words=KNOWN_CODES)
        )

    # ---- writing -------------------------------------------------------------------------------

    async def register(self, request: web.Request) -> web.Response:
        user, actor = await self._door.who(request, REGISTERS)
        demand = await body(request, Demand)
        if demand.call is not None:
            await self._calls.check(user, demand.call)
        once = _once(request, user, demand)
        async with self._database.transaction() as connection:
            if once and (answer := await once.claim(connection)):
                return _again(answer)
            facts = await self._orders.register_within(connection, demand, actor, self._now())
            made = Registered(
                number=facts.number,
                code=self._codes.of(facts.number),
                version=facts.version,
                state=facts.state,
            )
            await _keep(connection, once, made, 201)
        return json_response(made, status=201)

    async def move(self, request: web.Request) -> web.Response:
        user, actor = await self._door.who(request)
        move = _move(await body(request, dict))
        ticket = await self._door.ticket(request)
        expected = _expected_version(request)
        once = _once(request, user, move)
        async with self._database.transaction() as connection:
            if once and (answer := await once.claim(connection)):
                return _again(answer)
            await open_lanes(connection, actor)
            done = await self._orders.move_within(
                connection, ticket, move, actor, self._now(), expected_version=expected
            )
            moved = Moved(
                number=done.facts.number,
                version=done.facts.version,
                state=done.facts.state,
                siblings=[each.number for each in done.siblings],
                codes={each.number: self._codes.of(each.number) for each in done.siblings},
            )
            await _keep(connection, once, moved, 200)
        return json_response(moved)

    # ---- reading -------------------------------------------------------------------------------

    async def page(self, request: web.Request) -> web.Response:
        _user, actor = await self._door.who(request)
        wanted = _wanted(request)
        async with self._door.reading(request, actor) as connection:
            items, following = await board.lines(connection, wanted, actor)
        return json_response(Page(items=items, next=following))

    async def show(self, request: web.Request) -> web.Response:
        user, actor = await self._door.who(request)
        ticket = await self._door.ticket(request)
        if actor.is_of_unit:
            return await self._show_unit(request, user, actor, ticket)
        facts = await self._orders.facts(ticket, actor)
        async with self._door.reading(request, actor) as connection:
            texts = await board.texts(connection, ticket)
            former = await board.former_texts(connection, ticket)
            attached = await board.attachments(connection, ticket)
            caller = await caller_of(connection, ticket)
            ledger = await ledger_of(connection, ticket)
        if texts is None or caller is None:
            raise TicketUnseen
        await log_view(self._database, actor, ticket, ["texts", "ledger"])
        law = await self._orders.law_of(facts)
        return json_response(
            Shown(
                facts=facts,
                texts=texts,
                former_texts=former,
                caller=CallerShown(
                    name=masked_name(caller.name), number=masked_number(caller.number)
                ),
                moves=_open(facts, actor, law),
                ledger=ledger,
                attachments=attached,
                watermark=watermark_of(user, self._now()),
            )
        )

    async def _show_unit(
        self, request: web.Request, user: User, actor: Actor, ticket: TicketId
    ) -> web.Response:
        view = self._door.unit_view(request)
        async with view.reading() as connection:
            part = await board.unit_part(connection, ticket)
            texts = await board.texts(connection, ticket, by_unit=True)
            attached = await board.attachments(connection, ticket)
        if part is None or texts is None:
            raise TicketUnseen
        facts = await self._orders.facts(ticket, actor)
        await log_view(self._database, actor, ticket, ["texts"])
        law = await self._orders.law_of(facts)
        return json_response(
            ShownToUnit(
                part=part,
                texts=texts,
                caller=await view.caller(ticket),
                moves=_open(facts, actor, law),
                attachments=attached,
                duty_note=duty_note(law),
                watermark=watermark_of(user, self._now()),
            )
        )

    async def reveal(self, request: web.Request) -> web.Response:
        _user, actor = await self._door.who(request)
        why = await body(request, Why)
        ticket = await self._door.ticket(request)
        if actor.is_of_unit:
            view = self._door.unit_view(request)
            return json_response(await view.reveal_caller(ticket, why.reason))
        return json_response(await reveal_caller(self._database, actor, ticket, why.reason))

    async def accesses(self, request: web.Request) -> web.Response:
        _user, actor = await self._door.who(request, AUDITS)
        facts = await self._orders.facts(await self._door.ticket(request), actor)
        return json_response(await accesses(self._database, facts.id))

    async def units(self, request: web.Request) -> web.Response:
        _user, actor = await self._door.who(request)
        async with self._database.connection() as connection:
            tree = await organisation_at(connection, self._now())
        if actor.unit is None:
            return json_response(tree.units())
        mine = {actor.unit, *tree.below(actor.unit)}
        return json_response([each for each in tree.units() if each.id in mine])


def watermark_of(user: User, at: datetime) -> str:
    """Who looks at it and when, to the minute of the centre's clock."""
    return f"{user.display_name} {at.astimezone(LOCAL):%Y-%m-%d %H:%M}"


def _open(facts: TicketFacts, actor: Actor, law: Law) -> Sequence[MoveOpen]:
    return [
        MoveOpen(move=each.move, assignment=None if each.assignment is None else each.assignment.id)
        for each in moves_open_to(facts, actor, law)
    ]


def _wanted(request: web.Request) -> board.Wanted:
    asked = request.query
    unknown = sorted(asked.keys() - NARROWED_BY.keys())
    if unknown:
        raise BadBody(reason=f"no list is narrowed by {', '.join(unknown)[:100]}")
    try:
        return board.Wanted(
            states=tuple(TicketState(each) for each in asked.get("state", "").split(",") if each),
            type=TicketType(asked["type"]) if asked.get("type") else None,
            unit=UnitId(storable(asked["unit"][:64])) if asked.get("unit") else None,
            words=asked.get("words", "")[:100],
            is_asked=_yes(asked.get("asked", "")),
            below=asked.get("below", "")[:40],
            limit=_limit(asked.get("limit", "50")),
        )
    except ValueError as error:
        raise BadBody(reason=str(error)) from error


def _yes(text: str) -> bool:
    if text not in ("", "yes"):
        raise ValueError(f"asked is yes, or left out: {text[:40]!r}")
    return bool(text)


def _limit(text: str) -> int:
    limit = int(text)
    if not 1 <= limit <= board.MOST_A_PAGE:
        raise ValueError(f"limit is from 1 to {board.MOST_A_PAGE}")
    return limit


def _move(said: object) -> Move:
    try:
        return read_move(said)
    except msgspec.ValidationError as error:
        raise BadBody(reason=str(error)) from error


def _expected_version(request: web.Request) -> int | None:
    given = request.headers.get(E_TAG)
    if given is None:
        return None
    version = given.strip().strip('"')
    if not (version.isascii() and version.isdecimal() and len(version) < 10):
        raise BadBody(reason=f"{E_TAG} is a version in quotes")
    return int(version)


def _once(request: web.Request, user: User, said: object) -> Once | None:
    key = request.headers.get(KEY)
    if key is None:
        return None
    return Once.of(user.id, key, request.path.encode(), msgspec.json.encode(said))


async def _keep(connection: Connection, once: Once | None, made: object, status: int) -> None:
    if once is not None:
        await once.keep(connection, Answer(status=status, body=made))


def _again(answer: Answer) -> web.Response:
    return json_response(answer.body, status=answer.status)
