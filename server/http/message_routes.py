"""Messages left on the voicemail: what is to be done, and the one ticket of each."""

from datetime import UTC, datetime, timedelta
from typing import Final, Literal

import msgspec
import structlog
from aiohttp import web

from base.ids import CallId
from routing.return_call import ReturnTrigger
from server.http.identity import ANSWERS_CALLS, Identity
from server.http.operations import Operation
from server.http.problems import body, json_response
from server.left_messages import LeftMessage, LeftMessages, MessageUnknown
from server.records.return_calls import ReturnCalls
from tickets.registration import Confirmation
from tickets.spool import Kept, Registrar, SpoolFailed
from tickets.ticket import OF_FIELDS, Ticket

log = structlog.get_logger(__name__)

SHOWN: Final = timedelta(days=7)
MOST_SHOWN: Final = 200


class ConfirmMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The final values, by field name, and the version of the draft that was on the page.

    ``is_return_done``: nobody need call back any more.
    """

    version: int
    fields: dict[str, str]
    is_return_done: bool = False


class MessagesListed(msgspec.Struct, frozen=True, kw_only=True):
    """The last days' messages, those without a ticket first."""

    messages: list[LeftMessage]


class MessageConfirmed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a confirmation. ``ticket`` None: it gets its number when PostgreSQL is back."""

    ticket: Ticket | None
    saved: Literal["entered", "kept_on_disk"]
    is_return_settled: bool


class MessageRoutes:
    """/api/messages, /api/messages/{call}/confirm"""

    def __init__(
        self,
        identity: Identity,
        messages: LeftMessages,
        registrar: Registrar,
        returns: ReturnCalls,
    ) -> None:
        self._identity = identity
        self._messages = messages
        self._registrar = registrar
        self._returns = returns

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="GET",
                path="/api/messages",
                name="messages",
                says="The last days' messages, those without a ticket first",
                handler=self.list,
                gives=MessagesListed,
            ),
            Operation(
                method="POST",
                path="/api/messages/{call}/confirm",
                name="confirm_message",
                says="Exactly one ticket a message; 202: kept on disk while PostgreSQL is away",
                handler=self.confirm,
                takes=ConfirmMessage,
                gives=MessageConfirmed,
                or_status=202,
                refuses=(*OF_FIELDS, MessageUnknown, SpoolFailed),
            ),
        ]

    async def list(self, request: web.Request) -> web.Response:
        await self._identity.one_of(request, ANSWERS_CALLS)
        since = datetime.now(UTC) - SHOWN
        found = await self._messages.since(since, most=MOST_SHOWN)
        return json_response(MessagesListed(messages=found))

    async def confirm(self, request: web.Request) -> web.Response:
        """As of a call (invariant 7)."""
        user = await self._identity.one_of(request, ANSWERS_CALLS)
        given = await body(request, ConfirmMessage)
        call = CallId(request.match_info["call"])
        leaver = await self._messages.leaver(call)
        outcome = await self._registrar.confirm(
            Confirmation(
                call=call,
                actor=user.id,
                confirmed_at=datetime.now(UTC),
                fields=given.fields,
                draft_version=given.version,
                caller_number=leaver.number,
                caller_name=leaver.name,
            )
        )
        ticket = None if isinstance(outcome, Kept) else outcome.ticket
        number = None if ticket is None else ticket.number
        is_settled = False
        if given.is_return_done and leaver.return_call is not None:
            is_settled = await self._returns.settle(
                leaver.return_call, ReturnTrigger.SETTLE, by=user.username, note=number or ""
            )
        log.info("message_registered", call=call, ticket=number, is_return_settled=is_settled)
        return json_response(
            MessageConfirmed(
                ticket=ticket,
                saved="kept_on_disk" if ticket is None else "entered",
                is_return_settled=is_settled,
            ),
            status=202 if ticket is None else 200,
        )
