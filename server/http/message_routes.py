"""Messages left on the voicemail: what is to be done, and the one ticket of each."""

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import structlog
from aiohttp import web

from base.ids import CallId
from routing.return_call import ReturnTrigger
from server.http.identity import ANSWERS_CALLS, Identity
from server.http.problems import body, json_response
from server.http.ticket_routes import ticket_json
from server.left_messages import LeftMessages
from server.records.return_calls import ReturnCalls
from tickets.registration import Confirmation
from tickets.spool import Kept, Registrar

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

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/messages", self.list),
            web.post("/api/messages/{call}/confirm", self.confirm),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """The last days' messages, those without a ticket first."""
        await self._identity.one_of(request, ANSWERS_CALLS)
        since = datetime.now(UTC) - SHOWN
        return json_response({"messages": await self._messages.since(since, most=MOST_SHOWN)})

    async def confirm(self, request: web.Request) -> web.Response:
        """Exactly one ticket a message, as of a call (invariant 7)."""
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
        is_kept = isinstance(outcome, Kept)
        number = None if isinstance(outcome, Kept) else outcome.ticket.number
        is_settled = False
        if given.is_return_done and leaver.return_call is not None:
            is_settled = await self._returns.settle(
                leaver.return_call, ReturnTrigger.SETTLE, by=user.username, note=number or ""
            )
        log.info("message_registered", call=call, ticket=number, is_return_settled=is_settled)
        return json_response(
            {
                "ticket": None if isinstance(outcome, Kept) else ticket_json(outcome.ticket),
                "saved": "kept_on_disk" if is_kept else "entered",
                "is_return_settled": is_settled,
            },
            status=202 if is_kept else 200,
        )
