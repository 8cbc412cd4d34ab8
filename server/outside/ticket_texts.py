"""A message's words, and for a unit what it may know of the ticket, looked up as it is delivered.

To a caller: number and text. To a unit: an event without anybody's name or number in it, ever; what
the demand says only while the ticket is the unit's to see.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import ClassVar, Final

from base.database import Database
from base.ids import UnitId, UserId
from base.outbox import Undeliverable
from server.citizen_code import CitizenCodes
from tickets import board
from tickets.access import caller_of
from tickets.facts import Actor, ActorRole, TicketFacts
from tickets.notices import CALLER, UNIT, Notices
from tickets.refusals import TicketUnseen
from tickets.work_orders import WorkOrders, open_lanes

_MACHINE: Final = Actor(user=UserId("system"), roles=frozenset({ActorRole.SYSTEM}))
_WITH_CONTENT: Final = frozenset({"dispatched", "redo", "feedback_refused"})


class MessageUnknown(Undeliverable):
    """The message names no ticket or text that there is."""

    code: ClassVar[str] = "message_unknown"


class TicketTexts:
    """Of one centre."""

    def __init__(
        self,
        database: Database,
        orders: WorkOrders,
        codes: CitizenCodes,
        notices: Callable[[str], Notices],
    ) -> None:
        """``notices``: the texts under a pack, by its name."""
        self._database = database
        self._orders = orders
        self._codes = codes
        self._notices = notices

    async def to_caller(self, payload: Mapping[str, object]) -> tuple[str, str]:
        """Number and text. A message about a suspension brings its number, a ticket has its own."""
        template, params = _said(payload, CALLER)
        if "ticket" not in payload:
            number = str(payload.get("number", ""))
            return number, self._notices("").to_caller(template, _with_instants(params))
        facts = await self._facts(payload)
        async with self._database.transaction() as connection:
            await open_lanes(connection, _MACHINE)
            caller = await caller_of(connection, facts.id)
        values = {
            **params,
            "number": facts.number,
            "code": self._codes.of(facts.number),
            "reply_due": facts.reply_due_at,
            "completion_due": facts.completion_due_at,
        }
        notices = self._notices(facts.pack.name)
        return "" if caller is None else caller.number, notices.to_caller(template, values)

    async def to_unit(self, payload: Mapping[str, object]) -> dict[str, object]:
        """The event for a unit's own system."""
        template, params = _said(payload, UNIT)
        facts, unit = await self._facts(payload), UnitId(str(payload["to"]))
        notices = self._notices(facts.pack.name)
        event: dict[str, object] = {
            "event": f"ticket.{template}",
            "ticket": facts.number,
            "version": facts.version,
            "unit": unit,
            "params": params,
            "text": notices.to_unit(template, {**params, "number": facts.number}),
        }
        if template in _WITH_CONTENT and facts.is_seen_by(unit):
            event["content"] = await self._content(facts, unit)
        return event

    async def _content(self, facts: TicketFacts, unit: UnitId) -> dict[str, object]:
        async with self._database.transaction() as connection:
            await open_lanes(connection, _MACHINE)
            said = await board.told_texts(connection, facts.id)
        mine = facts.of_unit(unit)
        if mine is None:
            return {}
        return {
            "title": said.title,
            "demand": said.demand,
            "content": said.content,
            "place": said.place,
            "occurred": said.occurred,
            "type": facts.type.value,
            "urgency": facts.urgency.value,
            "is_confidential": facts.is_confidential,
            "part": mine.part.value,
            "sign_due_at": mine.sign_due_at,
            "feedback_due_at": mine.feedback_due_at,
        }

    async def _facts(self, payload: Mapping[str, object]) -> TicketFacts:
        try:
            ticket = await self._orders.id_of(str(payload["ticket"]))
            return await self._orders.facts(ticket, _MACHINE)
        except TicketUnseen as error:
            raise MessageUnknown from error


def _said(
    payload: Mapping[str, object], known: Mapping[str, object]
) -> tuple[str, dict[str, object]]:
    template, params = payload.get("template"), payload.get("params")
    if not isinstance(template, str) or template not in known or not isinstance(params, dict):
        raise MessageUnknown
    return template, params


def _with_instants(params: Mapping[str, object]) -> dict[str, object]:
    until = params.get("until")
    if not isinstance(until, str):
        return dict(params)
    return {**params, "until": datetime.fromisoformat(until).astimezone(UTC)}
