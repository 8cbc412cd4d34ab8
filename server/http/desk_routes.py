"""What an agent does at the desk: state, corrections, confirmation."""

from datetime import UTC, datetime
from typing import Literal

import msgspec
import structlog
from aiohttp import web
from redis.asyncio import Redis

from base.errors import HotlineError
from base.ids import AgentId, CallId
from server.http.identity import Identity
from server.http.own_calls import NotYourCall, desks_in
from server.http.problems import body, json_response
from server.http.ticket_routes import ticket_json
from server.live.commands import DraftSettled, EditDraft, SetAgentState, ask
from server.push.protocol import FieldView, PauseReason
from server.records.postgres import PostgresRecords
from tickets.registration import Confirmation, MachineField, Registered
from tickets.spool import Kept, Registrar

log = structlog.get_logger(__name__)


class StateWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the agent wants to be."""

    state: Literal["ready", "paused", "offline"]
    reason: PauseReason | None = None


class Edit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A correction of one field."""

    field: str
    value: str


class Confirm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The final values, by field name, and the version of the draft that was on the page."""

    version: int
    fields: dict[str, str]


WISHES = {"ready": "go_ready", "paused": "go_paused", "offline": "sign_out"}


class DeskRoutes:
    """/api/agent/state, /api/calls/{call}/draft, /api/calls/{call}/confirm"""

    def __init__(
        self, identity: Identity, redis: Redis, registrar: Registrar, records: PostgresRecords
    ) -> None:
        self._identity = identity
        self._redis = redis
        self._desk_of = desks_in(redis)
        self._registrar = registrar
        self._records = records

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/api/agent/state", self.set_state),
            web.patch("/api/calls/{call}/draft", self.edit),
            web.post("/api/calls/{call}/confirm", self.confirm),
        ]

    async def set_state(self, request: web.Request) -> web.Response:
        _user, agent = await self._identity.agent(request)
        wish = await body(request, StateWish)
        command = SetAgentState(agent=agent, wish=WISHES[wish.state], reason=wish.reason)
        await ask(self._redis, command)
        return web.Response(status=204)

    async def edit(self, request: web.Request) -> web.Response:
        _user, agent = await self._identity.agent(request)
        edit = await body(request, Edit)
        command = EditDraft(
            agent=agent, call=request.match_info["call"], field=edit.field, value=edit.value
        )
        draft = await ask(self._redis, command)
        return json_response({"draft": msgspec.Raw(draft)})

    async def confirm(self, request: web.Request) -> web.Response:
        """Exactly one ticket a call, however often this is asked (invariant 7)."""
        user, agent = await self._identity.agent(request)
        given = await body(request, Confirm)
        call = CallId(request.match_info["call"])
        number, name, machine = await self._call_of(agent, call)
        outcome = await self._registrar.confirm(
            Confirmation(
                call=call,
                actor=user.id,
                confirmed_at=datetime.now(UTC),
                fields=given.fields,
                draft_version=given.version,
                caller_number=number,
                caller_name=name,
                machine=machine,
            )
        )
        await self.tell_desk(agent, call, outcome)
        if isinstance(outcome, Kept):
            return json_response({"ticket": None, "saved": "kept_on_disk"}, status=202)
        return json_response({"ticket": ticket_json(outcome.ticket), "saved": "entered"})

    async def tell_desk(self, agent: str, call: str, outcome: Registered | Kept) -> None:
        """Show the result on the desk; the ticket stands even if nobody can be told."""
        number = outcome.ticket.number if isinstance(outcome, Registered) else None
        saved: Literal["kept_on_disk", "entered"] = "entered" if number else "kept_on_disk"
        try:
            settled = DraftSettled(agent=agent, call=call, saved=saved, ticket_number=number)
            await ask(self._redis, settled)
        except HotlineError as error:
            log.warning("desk_not_told", call=call, code=error.code)

    async def _call_of(
        self, agent: AgentId, call: CallId
    ) -> tuple[str, str, dict[str, MachineField] | None]:
        """Caller number, name and the machine's fields of a call this agent has answered."""
        view = await self._desk_of(agent)
        if view is not None and view.view.call is not None and view.view.call.call == call:
            card, draft = view.view.call, view.view.draft
            # Fields the agent touched hide the machine's value: then the stored draft is asked.
            fields = {} if draft is None else draft.fields
            has_edits = any(field.by == "agent" for field in fields.values())
            machine = None if has_edits else {n: _machine(f) for n, f in fields.items()}
            return card.caller_number, card.caller_name, machine
        stored = await self._records.find_call(call)
        if stored is None or stored.facts.agent != agent:
            raise NotYourCall(call=call)
        return stored.facts.caller_number, stored.facts.caller_name, None


def _machine(field: FieldView) -> MachineField:
    evidence = [msgspec.to_builtins(span) for span in field.evidence]
    return MachineField(value=field.value, confidence=field.confidence, evidence=evidence)
