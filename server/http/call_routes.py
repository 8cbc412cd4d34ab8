"""What an agent does inside the call on their desk, and calls out.

Decides no right: the bridge refuses what does not fit. It only knows from the directory whether a
number is a unit's or an expert's; while PostgreSQL is away every number is anybody's.
"""

from typing import Annotated, Final

import msgspec
from aiohttp import web
from redis.asyncio import Redis

from base.database import DatabaseUnavailable
from server.http.identity import Identity
from server.http.problems import body, json_response
from server.live.commands import CallAction, ControlCall, DialOut, RecordConsent, ask
from server.push.protocol import PartyKind
from server.records.call_book import CallBook

Number = Annotated[str, msgspec.Meta(pattern="^[0-9]{2,20}$")]
MOST_REASON: Final = 200


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be done; ``number`` for ``consult`` and ``send_on``."""

    action: CallAction
    number: Number | None = None
    reason: Annotated[str, msgspec.Meta(max_length=MOST_REASON)] = ""


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the caller said when asked whether somebody may join."""

    is_given: bool


class Dial(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to call, and what it is about."""

    number: Number
    call: Annotated[str, msgspec.Meta(max_length=128)] | None = None
    ticket: Annotated[str, msgspec.Meta(max_length=32)] | None = None


class CallRoutes:
    """/api/calls/{call}/control and …/consent, /api/dial, /api/directory"""

    def __init__(
        self, identity: Identity, redis: Redis, book: CallBook, colleagues: tuple[str, ...]
    ) -> None:
        self._identity = identity
        self._redis = redis
        self._book = book
        self._colleagues = colleagues

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/api/calls/{call}/control", self.control),
            web.post("/api/calls/{call}/consent", self.consent),
            web.post("/api/dial", self.dial),
            web.get("/api/directory", self.directory),
        ]

    async def control(self, request: web.Request) -> web.Response:
        """Answers when the switch has done it."""
        _user, agent = await self._identity.agent(request)
        wish = await body(request, Wish)
        command = ControlCall(
            agent=agent,
            call=request.match_info["call"],
            action=wish.action,
            number=wish.number or "",
            kind=await self._kind(wish.number),
            reason=wish.reason,
        )
        await ask(self._redis, command)
        return web.Response(status=204)

    async def _kind(self, number: str | None) -> PartyKind:
        try:
            entry = None if number is None else await self._book.entry(number)
        except DatabaseUnavailable:
            entry = None
        return "outside" if entry is None else entry.kind

    async def consent(self, request: web.Request) -> web.Response:
        _user, agent = await self._identity.agent(request)
        answer = await body(request, Answer)
        call = request.match_info["call"]
        await ask(self._redis, RecordConsent(agent=agent, call=call, is_given=answer.is_given))
        return web.Response(status=204)

    async def dial(self, request: web.Request) -> web.Response:
        """202: the agent's phone rings, then the number's."""
        _user, agent = await self._identity.agent(request)
        wish = await body(request, Dial)
        command = DialOut(agent=agent, number=wish.number, call=wish.call, ticket=wish.ticket)
        return json_response(msgspec.Raw(await ask(self._redis, command)), status=202)

    async def directory(self, request: web.Request) -> web.Response:
        """Units, expert seats and colleagues."""
        _user, agent = await self._identity.agent(request)
        colleagues = [number for number in self._colleagues if number != agent]
        return json_response({"entries": await self._book.entries(), "colleagues": colleagues})
