"""What is done about the tickets of an event: tagging, one answer for many, news from its unit.

Cards themselves, and calls about them: ``server.http.event_card_routes``.
"""

import secrets
from typing import Annotated, Final

import msgspec
import structlog
from aiohttp import web

from base.errors import HotlineError
from server.auth import Role
from server.event_answers import EventAnswers, Outcome
from server.events import Events, EventTicket, EventUnknown
from server.http.event_card_routes import EVENT
from server.http.identity import ANSWERS_CALLS, Identity
from server.http.operations import KEY, ONCE, Operation
from server.http.problems import body, json_response, number_in_path

log = structlog.get_logger(__name__)

TELLS: Final = frozenset({Role.UNIT, Role.LEADER})
MOST_AT_ONCE: Final = 100
"""Of one request: it is answered within seconds; the page asks again for the rest."""
Number = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class TagTicket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ticket that is about the event."""

    ticket: Number


class AnswerThese(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tickets that were seen, and the one text for all of their callers."""

    tickets: Annotated[list[Number], msgspec.Meta(min_length=1, max_length=MOST_AT_ONCE)]
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=r"\S")]


class TellNews(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Newer facts."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=2000, pattern=r"\S")]


class TicketsListed(msgspec.Struct, frozen=True, kw_only=True):
    """What is about an event, the oldest first."""

    tickets: list[EventTicket]


class Outcomes(msgspec.Struct, frozen=True, kw_only=True):
    """What came of each ticket."""

    outcomes: list[Outcome]


class NotThisUnits(HotlineError):
    """Another unit keeps the facts of this event."""

    code = "event_of_other_unit"
    http_status = 403


class EventRoutes:
    """/api/events/{event}/tickets, …/answer, …/updates"""

    def __init__(self, identity: Identity, events: Events, answers: EventAnswers) -> None:
        self._identity = identity
        self._events = events
        self._answers = answers

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="GET",
                path=f"{EVENT}/tickets",
                name="event_tickets",
                says="The tickets that are about it, the oldest first",
                handler=self.tickets,
                gives=TicketsListed,
            ),
            Operation(
                method="POST",
                path=f"{EVENT}/tickets",
                name="tag_ticket",
                says="A ticket is about it",
                handler=self.tag,
                takes=TagTicket,
                status=204,
                refuses=(EventUnknown,),
            ),
            Operation(
                method="POST",
                path=f"{EVENT}/answer",
                name="answer_event",
                says="One text for the tickets that were seen; what came of each",
                handler=self.answer,
                takes=AnswerThese,
                gives=Outcomes,
                headers=ONCE,
                refuses=(EventUnknown,),
            ),
            Operation(
                method="POST",
                path=f"{EVENT}/updates",
                name="tell_event",
                says="Newer facts, from the unit that must keep them up to date or a leader",
                handler=self.tell,
                takes=TellNews,
                status=204,
                refuses=(EventUnknown, NotThisUnits),
            ),
        ]

    async def tickets(self, request: web.Request) -> web.Response:
        await self._identity.leader(request)
        found = await self._events.tickets(number_in_path(request, "event"))
        return json_response(TicketsListed(tickets=found))

    async def tag(self, request: web.Request) -> web.Response:
        user = await self._identity.one_of(request, ANSWERS_CALLS)
        given = await body(request, TagTicket)
        number = number_in_path(request, "event")
        await self._events.tag_ticket(number, given.ticket, by=user.username)
        log.info("ticket_tagged", ticket=given.ticket, event_number=number, user=user.username)
        return web.Response(status=204)

    async def answer(self, request: web.Request) -> web.Response:
        user = await self._identity.leader(request)
        given = await body(request, AnswerThese)
        outcomes = await self._answers.answer(
            number_in_path(request, "event"),
            given.tickets,
            given.text.strip(),
            by=user.id,
            key=request.headers.get(KEY) or secrets.token_hex(8),
        )
        return json_response(Outcomes(outcomes=outcomes))

    async def tell(self, request: web.Request) -> web.Response:
        user = await self._identity.one_of(request, TELLS)
        given = await body(request, TellNews)
        number = number_in_path(request, "event")
        event = await self._events.event(number)
        if user.role is Role.UNIT and user.unit != event["unit"]:
            raise NotThisUnits(event=number)
        await self._events.tell(number, given.text.strip(), unit=user.unit, by=user.id)
        log.info("event_told", event_number=number, user=user.username)
        return web.Response(status=204)
