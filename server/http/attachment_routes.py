"""Attachments over HTTP: a file up as the body itself, down as a stream, never held in memory.

Sees no further than the ticket's own routes do: for a unit the list comes from its login in the
database. Bounds: bytes, seconds between pieces, bytes a second, seconds in all, uploads
at a time (``server.http.upload_slots``).
"""

import asyncio
import uuid
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, BinaryIO, Final
from urllib.parse import quote

import msgspec
from aiohttp import web

from base.database import Database
from server.auth import Role
from server.citizen_door import CALLER
from server.http.citizen_routes import CitizenRoutes
from server.http.downloads import give
from server.http.identity import NotAllowed
from server.http.operations import Asker, Operation
from server.http.problems import (
    BODY_TIMEOUT_S,
    BadBody,
    BodyTooSlow,
    body,
    json_response,
    refuse_foreign_origin,
)
from server.http.ticket_door import TicketDoor
from server.http.upload_slots import AttachmentsBusy, UploadSlots
from tickets import board
from tickets.access import log_view
from tickets.attachment_files import (
    OF_CONTENTS,
    PIECE_BYTES,
    AttachmentFiles,
    AttachmentTooLarge,
    Incoming,
)
from tickets.attachments import (
    AlreadyAttached,
    AttachmentsFull,
    AttachmentUnknown,
    Source,
    add,
    check_seen,
    show_to_units,
    withdraw,
)
from tickets.facts import Actor, ActorRole, TicketFacts
from tickets.lifecycle import check_open
from tickets.refusals import IllegalMove, NotFitting
from tickets.work_orders import WorkOrders, open_lanes

UPLOAD_S: Final = 300.0
"""For a whole file: 20 MiB at 70 kB/s."""
LEAST_BYTES_S: Final = 8192.0
"""Who sends slower holds a place that others want; looked at after ``GRACE_S``."""
GRACE_S: Final = 10.0
DECIDES: Final = frozenset(
    {ActorRole.DISPATCHER, ActorRole.REVIEWER, ActorRole.SUPERVISOR, ActorRole.HEAD}
)
SEES_WITHDRAWN: Final = frozenset({Role.SUPERVISOR, Role.HEAD})
OF_UPLOADS: Final = (*OF_CONTENTS, AttachmentsBusy, AttachmentsFull, IllegalMove, NotFitting)

Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Attached(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a ticket, there now."""

    id: str
    is_new: bool
    """False: the same side had added the same content already."""


class ForUnits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether units may see a caller's or the centre's file of a confidential ticket."""

    is_shown: bool
    reason: Reason


class Withdrawal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a file should not have been added."""

    reason: Reason


class AttachmentRoutes:
    """/api/work-orders/{number}/attachments and /api/citizen/work-orders/{number}/attachments"""

    def __init__(
        self,
        door: TicketDoor,
        database: Database,
        orders: WorkOrders,
        citizens: CitizenRoutes,
        files: AttachmentFiles,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._door = door
        self._database = database
        self._orders = orders
        self._citizens = citizens
        self._files = files
        self._now = now
        self._slots = UploadSlots()

    def operations(self) -> list[Operation]:
        ours = "/api/work-orders/{number}/attachments"
        name = {"name": "the file's name"}
        return [
            Operation(
                method="POST",
                path=ours,
                name="attach",
                says="Add a file, the body being the file; its kind is read from its content",
                handler=self.attach,
                takes_file=True,
                gives=Attached,
                status=201,
                query={**name, "source": "`caller`: the centre adds what the caller sent in"},
                refuses=OF_UPLOADS,
            ),
            Operation(
                method="GET",
                path=f"{ours}/{{attachment}}",
                name="attachment",
                says="The file, compared with its hash first; the look is logged",
                handler=self.download,
                gives_media="*/*",
                refuses=(AttachmentUnknown,),
            ),
            Operation(
                method="POST",
                path=f"{ours}/{{attachment}}/for-units",
                name="show_attachment",
                says="Let units see a file of a confidential ticket, or no longer",
                handler=self.show,
                takes=ForUnits,
                status=204,
                refuses=(AttachmentUnknown,),
            ),
            Operation(
                method="POST",
                path=f"{ours}/{{attachment}}/withdrawal",
                name="withdraw_attachment",
                says="Take a file out of sight; it is kept, and nothing is ever deleted by hand",
                handler=self.withdraw,
                takes=Withdrawal,
                status=204,
                refuses=(AttachmentUnknown,),
            ),
            Operation(
                method="POST",
                path="/api/citizen/work-orders/{number}/attachments",
                name="caller_attaches",
                says="Add a file to one's own ticket",
                handler=self.caller_attaches,
                asker=Asker.CODE,
                takes_file=True,
                gives=Attached,
                status=201,
                query=name,
                refuses=OF_UPLOADS,
            ),
        ]

    async def attach(self, request: web.Request) -> web.Response:
        _user, actor = await self._door.who(request)
        facts = await self._facts(request, actor)
        if actor.is_of_unit:
            source = Source.UNIT
        elif request.query.get("source") == Source.CALLER:
            source = Source.CALLER
        else:
            source = Source.CENTRE
        return await self._take(request, facts, actor, source)

    async def caller_attaches(self, request: web.Request) -> web.Response:
        facts = await self._citizens.mine(request)
        return await self._take(request, facts, CALLER, Source.CALLER)

    async def download(self, request: web.Request) -> web.StreamResponse:
        user, actor = await self._door.who(request)
        facts = await self._facts(request, actor)
        wanted = str(_id(request))
        async with self._door.reading(request, actor) as connection:
            listed = await board.attachments(connection, facts.id)
        found = next((each for each in listed if each.id == wanted), None)
        if found is None or (found.withdrawn_at is not None and user.role not in SEES_WITHDRAWN):
            raise AttachmentUnknown
        file = await asyncio.to_thread(self._files.open_checked, found.sha256)
        try:
            await log_view(self._database, actor, facts.id, [f"attachment {wanted}"])
            return await _send(request, file, found)
        finally:
            file.close()

    async def show(self, request: web.Request) -> web.Response:
        _user, actor = await self._door.who(request, DECIDES)
        wish = await body(request, ForUnits)
        facts = await self._facts(request, actor)
        async with self._database.transaction() as connection:
            await open_lanes(connection, actor)
            await show_to_units(
                connection,
                facts,
                _id(request),
                actor,
                wish.reason,
                self._now(),
                is_shown=wish.is_shown,
            )
        return web.Response(status=204)

    async def withdraw(self, request: web.Request) -> web.Response:
        user, actor = await self._door.who(request)
        wish = await body(request, Withdrawal)
        facts = await self._facts(request, actor)
        if not actor.roles & DECIDES and not await self._is_own(request, facts, actor):
            raise NotAllowed(role=user.role.value)
        async with self._database.transaction() as connection:
            await open_lanes(connection, actor)
            await withdraw(connection, facts, _id(request), actor, wish.reason, self._now())
        return web.Response(status=204)

    async def _is_own(self, request: web.Request, facts: TicketFacts, actor: Actor) -> bool:
        """A unit's own file: its mistake is its own to mend."""
        if not actor.is_of_unit or actor.unit is None:
            return False
        async with self._door.reading(request, actor) as connection:
            listed = await board.attachments(connection, facts.id)
        mine = facts.of_unit(actor.unit)
        wanted = str(_id(request))
        return mine is not None and any(
            each.id == wanted and each.assignment == mine.id for each in listed
        )

    async def _facts(self, request: web.Request, actor: Actor) -> TicketFacts:
        facts = await self._orders.facts(await self._door.ticket(request), actor)
        check_seen(facts, actor)
        return facts

    async def _take(
        self, request: web.Request, facts: TicketFacts, by: Actor, source: Source
    ) -> web.Response:
        refuse_foreign_origin(request)
        check_open(facts.state, "attach")
        length = request.content_length
        if length is not None and length > self._files.most_bytes:
            raise AttachmentTooLarge(most_bytes=self._files.most_bytes)
        is_caller = ActorRole.CALLER in by.roles
        with (
            self._slots.caller(facts.id) if is_caller else self._slots.staff(),
            self._files.incoming() as coming,
        ):
            await _receive(request, coming)
            return await self._keep(request, facts, by, source, coming)

    async def _keep(
        self,
        request: web.Request,
        facts: TicketFacts,
        by: Actor,
        source: Source,
        coming: Incoming,
    ) -> web.Response:
        whole = await asyncio.to_thread(coming.whole)
        law = await self._orders.law_of(facts)
        try:
            async with self._database.transaction() as connection:
                await open_lanes(connection, by)
                made = await add(
                    connection,
                    facts,
                    coming,
                    whole,
                    name=request.query.get("name", "")[:500],
                    source=source,
                    by=by,
                    law=law,
                    at=self._now(),
                )
        except AlreadyAttached as known:
            return json_response(Attached(id=known.attachment, is_new=False), status=201)
        return json_response(Attached(id=made, is_new=True), status=201)


async def _receive(request: web.Request, coming: Incoming) -> None:
    """The whole body into the file, piece by piece."""
    clock = asyncio.get_running_loop().time
    begun, received = clock(), 0
    try:
        async with asyncio.timeout(UPLOAD_S):
            while True:
                async with asyncio.timeout(BODY_TIMEOUT_S):
                    piece = await request.content.read(PIECE_BYTES)
                if not piece:
                    return
                received += len(piece)
                taken_s = clock() - begun
                if taken_s > GRACE_S and received < taken_s * LEAST_BYTES_S:
                    raise BodyTooSlow
                await asyncio.to_thread(coming.write, piece)
    except TimeoutError as error:
        raise BodyTooSlow from error
    except web.RequestPayloadError as error:
        raise BadBody(reason="broken off, or not in its encoding") from error


async def _send(
    request: web.Request, file: BinaryIO, found: board.Attachment
) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={
            "Content-Type": found.media_type,
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name, safe='')}",
            "Content-Length": str(found.size_bytes),
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Repr-Digest": f"sha-256=:{_base64(found.sha256)}:",
            "Cache-Control": "private, no-store",
        }
    )
    return await give(request, response, file)


def _base64(sha256: str) -> str:
    """As RFC 9530 writes a digest."""
    return b64encode(bytes.fromhex(sha256)).decode()


def _id(request: web.Request) -> uuid.UUID:
    try:
        return uuid.UUID(request.match_info["attachment"])
    except ValueError as error:
        raise AttachmentUnknown from error
