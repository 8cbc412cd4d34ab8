"""Reading a ticket with everything that led to it, and a call."""

from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

import msgspec
import structlog
from aiohttp import web

from base.errors import HotlineError
from base.ids import CallId
from server.auth import Role, User
from server.http.identity import ANSWERS_CALLS, Identity
from server.http.problems import json_response
from server.records.call_book import CallBook
from server.records.handovers import Handovers
from server.records.postgres import PostgresRecords
from tickets.store import TicketStore
from tickets.ticket import Ticket

log = structlog.get_logger(__name__)


class TicketUnknown(HotlineError):
    """There is no such ticket, or this account may not see it."""

    code: ClassVar[str] = "ticket_unknown"
    http_status: ClassVar[int] = 404


class CallUnknown(HotlineError):
    """There is no such call (or recording of it), or this account may not see it."""

    code: ClassVar[str] = "call_unknown"
    http_status: ClassVar[int] = 404


class TicketRoutes:
    """/api/tickets/{number}, /api/calls/{call} with recording and listenings, /api/attempts/…"""

    def __init__(
        self,
        identity: Identity,
        tickets: TicketStore,
        records: PostgresRecords,
        handovers: Handovers,
        book: CallBook,
        recordings_dir: Path,
    ) -> None:
        self._book = book
        self._identity = identity
        self._tickets = tickets
        self._records = records
        self._handovers = handovers
        self._recordings_dir = recordings_dir

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/tickets/{number}", self.ticket),
            web.get("/api/calls/{call}", self.call),
            web.get("/api/calls/{call}/recording", self.recording),
            web.get("/api/calls/{call}/listenings", self.listenings),
            web.get("/api/attempts/{attempt}/recording", self.attempt_recording),
        ]

    async def ticket(self, request: web.Request) -> web.Response:
        user = await self._identity.user(request)
        ticket = await self._tickets.by_number(request.match_info["number"])
        if ticket is None or not _may_see_tickets(user):
            raise TicketUnknown
        if not await self._tickets.opened(ticket.id, user.id):
            raise TicketUnknown
        call = None if ticket.call is None else await self._call_json(ticket.call)
        if call is not None and not await self._may_open(user, CallId(str(ticket.call)), call):
            call = None
        return json_response(
            {
                "ticket": ticket_json(ticket),
                "call": call,
                "corrections": await self._tickets.corrections(ticket.id),
                "ledger": await self._tickets.ledger(ticket.id),
                "attempts": await self._book.attempts_about(ticket=ticket.number, call=ticket.call),
            }
        )

    async def call(self, request: web.Request) -> web.Response:
        user = await self._identity.user(request)
        found = await self._call_json(CallId(request.match_info["call"]))
        if found is None or not _may_see_call(user, found):
            raise CallUnknown
        return json_response({"call": found})

    async def recording(self, request: web.Request) -> web.StreamResponse:
        """The call's sound, whole or by ranges; every listening is logged with who listened.

        A message left on the voicemail is every agent's: one of them makes its ticket.
        """
        user = await self._identity.user(request)
        call = CallId(request.match_info["call"])
        stored = await self._records.find_call(call)
        if stored is None or not await self._may_open(user, call, {"agent": stored.facts.agent}):
            raise CallUnknown
        recording = await self._records.recording(call)
        if recording is None:
            raise CallUnknown(missing="recording")
        part = request.headers.get("Range", "")
        await self._book.note_listening(user.id, call=call, part=part)
        log.info("recording_listened", user=user.username, call=call, part=part)
        return self._sound(recording.path)

    async def _may_open(self, user: User, call: CallId, found: dict[str, object]) -> bool:
        return _may_see_call(user, found) or (
            user.role is Role.AGENT and await self._book.is_message(call)
        )

    async def attempt_recording(self, request: web.Request) -> web.StreamResponse:
        """The sound of a call out; logged in the same way."""
        user = await self._identity.user(request)
        attempt = request.match_info["attempt"]
        sound = await self._book.attempt_sound(attempt)
        if sound is None or not _may_see_call(user, {"agent": sound.agent}):
            raise CallUnknown
        part = request.headers.get("Range", "")
        await self._book.note_listening(user.id, attempt=attempt, part=part)
        log.info("recording_listened", user=user.username, attempt=attempt, part=part)
        return self._sound(sound.path)

    def _sound(self, name: str) -> web.FileResponse:
        path = self._recordings_dir / name
        if not path.resolve().is_relative_to(self._recordings_dir.resolve()):
            raise CallUnknown(missing="recording")
        if not path.is_file():
            log.error("recording_missing", name=name)
            raise CallUnknown(missing="recording")
        headers = {"Content-Type": "audio/wav", "Cache-Control": "private, no-store"}
        return web.FileResponse(path, headers=headers)

    async def listenings(self, request: web.Request) -> web.Response:
        """Who listened to a call, and when: for leaders."""
        await self._identity.leader(request)
        return json_response(
            {"listenings": await self._book.listenings(request.match_info["call"])}
        )

    async def _call_json(self, call: CallId) -> dict[str, object] | None:
        stored = await self._records.find_call(call)
        if stored is None:
            return None
        recording = await self._records.recording(call)
        return {
            "facts": stored.facts,
            "agent": stored.facts.agent,
            "recording": None
            if recording is None
            else {"sha256": recording.sha256, "url": f"/api/calls/{quote(call)}/recording"},
            "engine": stored.engine,
            "model": stored.model,
            "transcript": stored.lines,
            **await self._book.doings(call),
            "emergencies": await self._handovers.of_call(call),
        }


def _may_see_tickets(user: User) -> bool:
    """Agents answer a caller's question about any ticket; that they looked is logged."""
    return user.role in ANSWERS_CALLS


def _may_see_call(user: User, call: dict[str, object]) -> bool:
    return user.role is Role.LEADER or (user.agent is not None and call["agent"] == user.agent)


def ticket_json(ticket: Ticket) -> object:
    """A ticket as the API gives it."""
    return msgspec.to_builtins(ticket)
