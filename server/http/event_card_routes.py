"""Event cards (突发事件): leaders open, change and close them; calls about them are tagged.

What is done about an event's tickets: ``server.http.event_routes``.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import msgspec
import structlog
from aiohttp import web

from base.ids import UnitId
from base.task_set import TaskSet
from routing.queues import Plan
from server.events import EventCard, Events, EventUnknown
from server.http.identity import ANSWERS_CALLS, Identity
from server.http.operations import Asker, Operation
from server.http.problems import (
    BadBody,
    body,
    json_response,
    number_in_path,
    refuse_foreign_origin,
)

log = structlog.get_logger(__name__)

EVENTS: Final = "/api/events"
EVENT: Final = f"{EVENTS}/{{event}}"
Line = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
Words = Annotated[str, msgspec.Meta(max_length=200)]
Facts = Annotated[str, msgspec.Meta(max_length=2000)]
Priority = Annotated[int, msgspec.Meta(ge=0, le=99)]


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


class TagCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A call that was about the event."""

    call: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class EventsListed(msgspec.Struct, frozen=True, kw_only=True):
    """Events, the newest first."""

    events: list[EventCard]


class EventOpened(msgspec.Struct, frozen=True, kw_only=True):
    """The number of an event that was opened."""

    event: int


class EventCardRoutes:
    """/api/events, /api/events/{event}, …/close, …/calls"""

    def __init__(self, identity: Identity, plan: Plan, events: Events, tools: Path) -> None:
        self._identity = identity
        self._plan = plan
        self._events = events
        self._tools = tools
        self._tasks = TaskSet("announcements")

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="GET",
                path=EVENTS,
                name="events",
                says="The open events, to everybody",
                handler=self.events,
                asker=Asker.ACCOUNT,
                gives=EventsListed,
                query={"past": "whatever it says: those that are over too"},
            ),
            Operation(
                method="POST",
                path=EVENTS,
                name="open_event",
                says="Begin an event: its callers are told from then on",
                handler=self.open_event,
                takes=NewEvent,
                gives=EventOpened,
                status=201,
            ),
            Operation(
                method="PATCH",
                path=EVENT,
                name="change_event",
                says="Newer facts, or another end; what is left out stays",
                handler=self.change_event,
                takes=EventChange,
                status=204,
                refuses=(EventUnknown,),
            ),
            Operation(
                method="POST",
                path=f"{EVENT}/close",
                name="close_event",
                says="It is over",
                handler=self.close_event,
                status=204,
                refuses=(EventUnknown,),
            ),
            Operation(
                method="POST",
                path=f"{EVENT}/calls",
                name="tag_call",
                says="A call was about it, by whoever spoke with the caller",
                handler=self.tag_call,
                takes=TagCall,
                status=204,
                refuses=(EventUnknown,),
            ),
        ]

    async def close(self, _app: web.Application) -> None:
        """Stop speaking."""
        await self._tasks.close()

    async def events(self, request: web.Request) -> web.Response:
        await self._identity.user(request)
        found = await self._events.listed(with_past="past" in request.query)
        return json_response(EventsListed(events=found))

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
        return json_response(EventOpened(event=number), status=201)

    async def change_event(self, request: web.Request) -> web.Response:
        user = await self._identity.leader(request)
        given = await body(request, EventChange)
        number = number_in_path(request, "event")
        until_at = _aware(given.until_at)
        event = await self._events.event(number)
        if until_at is not None and until_at <= event["since_at"]:
            raise BadBody(reason="until_at is before it began")
        await self._events.update(number, text=given.text, until_at=until_at, by=user.username)
        log.info("event_changed", event_number=number, user=user.username)
        return web.Response(status=204)

    async def close_event(self, request: web.Request) -> web.Response:
        refuse_foreign_origin(request)
        user = await self._identity.leader(request)
        number = number_in_path(request, "event")
        await self._events.close(number, by=user.username)
        log.warning("event_closed", event_number=number, user=user.username)
        return web.Response(status=204)

    async def tag_call(self, request: web.Request) -> web.Response:
        user = await self._identity.one_of(request, ANSWERS_CALLS)
        tag = await body(request, TagCall)
        number = number_in_path(request, "event")
        await self._events.tag(number, tag.call, by=user.username)
        log.info("call_tagged", call=tag.call, event_number=number, user=user.username)
        return web.Response(status=204)


def _aware(at: datetime | None) -> datetime | None:
    if at is not None and at.tzinfo is None:
        raise BadBody(reason="a time without its zone")
    return at
