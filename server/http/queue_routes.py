"""What leaders see and do about the queues: return calls, events, satisfaction, experts."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

import msgspec
import structlog
from aiohttp import web

from base.errors import HotlineError
from base.ids import CallId, UnitId
from base.task_set import TaskSet
from routing.queues import Plan
from routing.return_call import ReturnTrigger
from server.events import Events
from server.http.identity import ANSWERS_CALLS, Identity
from server.http.problems import BadBody, body, json_response
from server.records.postgres import PostgresRecords
from server.records.return_calls import ReturnCalls

log = structlog.get_logger(__name__)

MOST_ROWS: Final = 500
Line = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
Words = Annotated[str, msgspec.Meta(max_length=200)]
Facts = Annotated[str, msgspec.Meta(max_length=2000)]
Priority = Annotated[int, msgspec.Meta(ge=0, le=99)]


class ReturnCallUnknown(HotlineError):
    """There is no such return call, or its state does not allow this."""

    code: ClassVar[str] = "return_call_not_open"
    http_status: ClassVar[int] = 409


class Settlement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A return call taken off the list by hand."""

    how: Literal["done", "cancelled"]
    note: Words = ""


class NewEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An event card. ``announce``: what its callers are told; empty: the general prompt."""

    title: Line
    text: Facts = ""
    announce: Words = ""
    queues: tuple[str, ...] = ()
    priority: Priority = 0
    since_at: datetime | None = None
    until_at: datetime | None = None
    unit: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_.]{0,63}$")] | None = None
    """Who must keep the facts up to date."""


class EventChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Newer facts, or another end."""

    text: Facts | None = None
    until_at: datetime | None = None


class Tag(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A call that was about the event."""

    call: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class QueueRoutes:
    """/api/return-calls, /api/events, /api/satisfaction, /api/experts"""

    def __init__(
        self,
        identity: Identity,
        plan: Plan,
        returns: ReturnCalls,
        events: Events,
        records: PostgresRecords,
        tools: Path,
    ) -> None:
        self._identity = identity
        self._plan = plan
        self._returns = returns
        self._events = events
        self._records = records
        self._tools = tools
        self._tasks = TaskSet("announcements")

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/return-calls", self.return_calls),
            web.post("/api/return-calls/{number:[0-9]{1,15}}/settle", self.settle),
            web.get("/api/events", self.events),
            web.post("/api/events", self.open_event),
            web.patch("/api/events/{number:[0-9]{1,15}}", self.change_event),
            web.post("/api/events/{number:[0-9]{1,15}}/close", self.close_event),
            web.post("/api/events/{number:[0-9]{1,15}}/calls", self.tag_call),
            web.get("/api/satisfaction", self.satisfaction),
            web.get("/api/experts", self.experts),
        ]

    async def close(self, _app: web.Application) -> None:
        """Stop speaking."""
        await self._tasks.close()

    # ---- return calls --------------------------------------------------------------------------

    async def return_calls(self, request: web.Request) -> web.Response:
        """The open ones and those of the last days; of a message, what was understood of it."""
        await self._identity.leader(request)
        rows = await self._returns.since(_ago(request, days=1), most=MOST_ROWS)
        found = []
        for row in rows:
            one = dict(row)
            if row["reason"] == "voicemail":
                stored = await self._records.find_call(CallId(row["origin_call"]))
                draft = None if stored is None or stored.draft is None else stored.draft.machine
                one["draft"] = None if draft is None else draft.fields
                one["transcript"] = [] if stored is None else stored.lines
            found.append(one)
        return json_response({"return_calls": found})

    async def settle(self, request: web.Request) -> web.Response:
        user = await self._identity.leader(request)
        wish = await body(request, Settlement)
        trigger = ReturnTrigger.SETTLE if wish.how == "done" else ReturnTrigger.CANCEL
        number = int(request.match_info["number"])
        if not await self._returns.settle(number, trigger, by=user.username, note=wish.note):
            raise ReturnCallUnknown(return_call=number)
        log.info("return_call_settled", return_call=number, how=wish.how, user=user.username)
        return web.Response(status=204)

    # ---- events --------------------------------------------------------------------------------

    async def events(self, request: web.Request) -> web.Response:
        """The open events; with ``past`` also those that are over."""
        await self._identity.user(request)
        rows = await self._events.listed(with_past="past" in request.query)
        return json_response({"events": [dict(row) for row in rows]})

    async def open_event(self, request: web.Request) -> web.Response:
        user = await self._identity.leader(request)
        given = await body(request, NewEvent)
        unknown = [queue for queue in given.queues if not self._plan.has(queue)]
        since_at, until_at = _aware(given.since_at) or datetime.now(UTC), _aware(given.until_at)
        if unknown or (until_at is not None and until_at <= since_at):
            raise BadBody(reason="queues or until_at")
        number = await self._events.open(
            title=given.title,
            text=given.text,
            announce=given.announce,
            queues=given.queues,
            priority=given.priority,
            since_at=since_at,
            until_at=until_at,
            by=user.username,
            unit=None if given.unit is None else UnitId(given.unit),
        )
        log.warning("event_opened", event_number=number, user=user.username)
        if given.announce:
            speaking = self._events.speak(number, given.announce, self._tools)
            self._tasks.spawn(speaking, name="speak")
        return json_response({"event": number}, status=201)

    async def change_event(self, request: web.Request) -> web.Response:
        user = await self._identity.leader(request)
        given = await body(request, EventChange)
        number = int(request.match_info["number"])
        until_at = _aware(given.until_at)
        await self._events.update(number, text=given.text, until_at=until_at, by=user.username)
        log.info("event_changed", event_number=number, user=user.username)
        return web.Response(status=204)

    async def close_event(self, request: web.Request) -> web.Response:
        user = await self._identity.leader(request)
        number = int(request.match_info["number"])
        await self._events.close(number, by=user.username)
        log.warning("event_closed", event_number=number, user=user.username)
        return web.Response(status=204)

    async def tag_call(self, request: web.Request) -> web.Response:
        """By whoever speaks with the caller."""
        user = await self._identity.one_of(request, ANSWERS_CALLS)
        tag = await body(request, Tag)
        number = int(request.match_info["number"])
        await self._events.tag(number, tag.call, by=user.username)
        log.info("call_tagged", call=tag.call, event_number=number, user=user.username)
        return web.Response(status=204)

    # ---- figures and lists ---------------------------------------------------------------------

    async def satisfaction(self, request: web.Request) -> web.Response:
        """How often each answer was given in the last days: 1 (very satisfied) to 5."""
        await self._identity.leader(request)
        now = datetime.now(UTC)
        counts = await self._returns.satisfaction(_ago(request, days=7), now)
        return json_response({"counts": {str(n): counts.get(str(n), 0) for n in range(1, 6)}})

    async def experts(self, request: web.Request) -> web.Response:
        """Expert seats by topic; with ``now`` only those who are there at this moment."""
        await self._identity.user(request)
        at = datetime.now(UTC) if "now" in request.query else None
        found = self._plan.experts_on(request.query.get("topic", ""), at)
        return json_response(
            {
                "experts": [
                    {
                        "name": each.name,
                        "unit": each.unit,
                        "topics": each.topics,
                        "agent": each.agent,
                        "number": each.number,
                    }
                    for each in found
                ]
            }
        )


def _ago(request: web.Request, *, days: int) -> datetime:
    asked = request.query.get("days", "")
    return datetime.now(UTC) - timedelta(
        days=int(asked) if re.fullmatch(r"[0-9]{1,3}", asked) else days
    )


def _aware(at: datetime | None) -> datetime | None:
    if at is not None and at.tzinfo is None:
        raise BadBody(reason="a time without its zone")
    return at
