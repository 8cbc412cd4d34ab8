"""What is done about the tickets of an event: tagging, one answer for many, news from its unit.

Cards themselves, and calls about them: ``server.http.queue_routes``.
"""

import secrets
from typing import Annotated, Final

import msgspec
import structlog
from aiohttp import web

from base.errors import HotlineError
from server.auth import Role
from server.event_answers import EventAnswers
from server.events import Events
from server.http.identity import ANSWERS_CALLS, Identity
from server.http.problems import body, json_response
from server.http.work_order_routes import KEY

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


class News(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Newer facts."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=2000, pattern=r"\S")]


class NotThisUnits(HotlineError):
    """Another unit keeps the facts of this event."""

    code = "event_of_other_unit"
    http_status = 403


class EventRoutes:
    """/api/events/{number}/tickets, …/answer, …/updates"""

    def __init__(self, identity: Identity, events: Events, answers: EventAnswers) -> None:
        self._identity = identity
        self._events = events
        self._answers = answers

    def routes(self) -> list[web.RouteDef]:
        event = "/api/events/{number:[0-9]{1,15}}"
        return [
            web.get(f"{event}/tickets", self.tickets),
            web.post(f"{event}/tickets", self.tag),
            web.post(f"{event}/answer", self.answer),
            web.post(f"{event}/updates", self.tell),
        ]

    async def tickets(self, request: web.Request) -> web.Response:
        """What is about it, the oldest first."""
        await self._identity.leader(request)
        rows = await self._events.tickets(_number(request))
        return json_response({"tickets": [dict(row) for row in rows]})

    async def tag(self, request: web.Request) -> web.Response:
        user = await self._identity.one_of(request, ANSWERS_CALLS)
        given = await body(request, TagTicket)
        number = _number(request)
        await self._events.tag_ticket(number, given.ticket, by=user.username)
        log.info("ticket_tagged", ticket=given.ticket, event_number=number, user=user.username)
        return web.Response(status=204)

    async def answer(self, request: web.Request) -> web.Response:
        """One text; what came of each ticket."""
        user = await self._identity.leader(request)
        given = await body(request, AnswerThese)
        outcomes = await self._answers.answer(
            _number(request),
            given.tickets,
            given.text.strip(),
            by=user.id,
            key=request.headers.get(KEY) or secrets.token_hex(8),
        )
        return json_response({"outcomes": outcomes})

    async def tell(self, request: web.Request) -> web.Response:
        """By the unit that must keep the facts up to date, or by a leader."""
        user = await self._identity.one_of(request, TELLS)
        given = await body(request, News)
        number = _number(request)
        event = await self._events.event(number)
        if user.role is Role.UNIT and user.unit != event["unit"]:
            raise NotThisUnits(event=number)
        await self._events.tell(number, given.text.strip(), unit=user.unit, by=user.id)
        log.info("event_told", event_number=number, user=user.username)
        return web.Response(status=204)


def _number(request: web.Request) -> int:
    return int(request.match_info["number"])
