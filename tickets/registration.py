"""A confirmed draft becomes exactly one ticket, whatever is retried, doubled or cut off.

Owns the one transaction that makes a call's ticket: ticket (``tickets.new_ticket``), corrections,
draft closed. A call that has its ticket gives that same ticket again, whatever else is sent. Never
writes outside the database: for its absence there is ``tickets.spool``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec
import structlog

from base.database import Connection, Database, storable
from base.ids import CallId, TicketId, UserId
from tickets.beginning import Beginning, facts_of, rests_on
from tickets.facts import PackId
from tickets.intake import Demand, pack_id
from tickets.new_ticket import insert_ticket
from tickets.store import SQL, ticket_of_row
from tickets.ticket import (
    DEFAULTS,
    MOST_CHARACTERS,
    Channel,
    Correction,
    MalformedValue,
    Ticket,
    TicketField,
    TicketType,
    Urgency,
    checked_fields,
)

log = structlog.get_logger(__name__)

_CALL_ID = re.compile(r"[!-~]{1,128}")
NO_PACK = PackId(name="", version="", hash="")


class MachineField(msgspec.Struct, frozen=True, kw_only=True):
    """What the machine had proposed for a field, and the words it took it from."""

    value: str
    confidence: float | None = None
    evidence: list[dict[str, object]] = []


class Confirmation(msgspec.Struct, frozen=True, kw_only=True):
    """An agent's confirmation of the draft of one call; what the spool keeps on disk."""

    call: str
    actor: str
    """The user's id."""
    confirmed_at: datetime
    fields: dict[str, str]
    """Final values by ``TicketField``; what is not named is empty."""
    draft_version: int = 0
    caller_number: str = ""
    caller_name: str = ""
    machine: dict[str, MachineField] | None = None
    """None: as the drafts table has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """The call's one ticket."""

    ticket: Ticket
    is_new: bool
    """False: an earlier confirmation of the call had made it."""


def checked(confirmation: Confirmation) -> dict[TicketField, str]:
    """The ticket's fields, or a ``TicketRefused``. Called before anything is written or kept."""
    if not _CALL_ID.fullmatch(confirmation.call):
        raise MalformedValue(field="call")
    fields = checked_fields(confirmation.fields)
    if not fields[TicketField.CALLER_NAME]:
        most = MOST_CHARACTERS[TicketField.CALLER_NAME]
        fields[TicketField.CALLER_NAME] = storable(confirmation.caller_name.strip()[:most])
    return fields


async def register(
    database: Database, confirmation: Confirmation, beginning: Beginning | None = None
) -> Registered:
    """Make the ticket of the call, or find it.

    Without ``beginning`` it has no law yet and waits for nothing: its first move gives it both.

    ``DatabaseUnavailable`` leaves open whether it was made: asking again tells.
    """
    fields = checked(confirmation)
    async with database.transaction() as connection:
        await connection.execute(SQL["lock_call"], confirmation.call)
        row = await connection.fetchrow(SQL["ticket_of_call"], confirmation.call)
        if row is not None:
            return Registered(ticket=ticket_of_row(row), is_new=False)
        ticket = await _insert(connection, confirmation, fields, beginning)
    log.info("ticket_registered", ticket=ticket.number, call=confirmation.call)
    return Registered(ticket=ticket, is_new=True)


async def _insert(
    connection: Connection,
    confirmation: Confirmation,
    fields: dict[TicketField, str],
    beginning: Beginning | None,
) -> Ticket:
    machine = await _machine_fields(connection, confirmation)
    corrections = corrections_of(machine, fields, confirmation.fields)
    demand = _demand_of(confirmation, fields)
    at = confirmation.confirmed_at
    the_law = None if beginning is None else await beginning.law(connection, at)
    snapshot = {
        "version": confirmation.draft_version,
        "machine": machine,
        "final": {field.value: value for field, value in fields.items()},
    }
    row = await insert_ticket(
        connection,
        demand,
        by=UserId(confirmation.actor),
        at=at,
        pack=NO_PACK if the_law is None else pack_id(the_law.pack),
        draft=snapshot,
        cards=() if the_law is None else rests_on(demand, the_law),
        more={
            "corrected": [correction.field for correction in corrections],
            "draft_version": confirmation.draft_version,
        },
    )
    ticket = TicketId(str(row["id"]))
    await connection.execute(SQL["insert_corrections"], ticket, corrections)
    await connection.execute(SQL["mark_draft_confirmed"], confirmation.call, at)
    if beginning is not None and demand.is_urgent:
        await beginning.wait(connection, await facts_of(connection, ticket))
    return ticket_of_row(row)


async def _machine_fields(
    connection: Connection, confirmation: Confirmation
) -> dict[str, MachineField]:
    if confirmation.machine is not None:
        return confirmation.machine
    row = await connection.fetchrow(SQL["draft_of_call"], confirmation.call)
    return {} if row is None else msgspec.convert(row["machine"], dict[str, MachineField])


def _demand_of(confirmation: Confirmation, fields: Mapping[TicketField, str]) -> Demand:
    return Demand(
        channel=Channel.PHONE,
        type=TicketType(fields[TicketField.TYPE]),
        demand=fields[TicketField.DEMAND],
        content=fields[TicketField.CONTENT],
        title=fields[TicketField.SUMMARY],
        topic=fields[TicketField.TOPIC],
        place=fields[TicketField.PLACE],
        occurred=fields[TicketField.TIME],
        urgency=Urgency(fields[TicketField.URGENCY]),
        caller_name=fields[TicketField.CALLER_NAME],
        caller_number=storable(confirmation.caller_number),
        contact_number=fields[TicketField.PHONE],
        wants_reply=fields[TicketField.WANTS_REPLY] == "yes",
        is_confidential=fields[TicketField.CONFIDENTIAL] == "yes",
        call=CallId(confirmation.call),
    )


def corrections_of(
    machine: Mapping[str, MachineField],
    fields: Mapping[TicketField, str],
    given: Mapping[str, str],
) -> list[Correction]:
    """Fields in which the person's word differs from the machine's.

    A value that nobody gave (a default, the title made of the demand) corrects nothing.
    """
    found = []
    for field in TicketField:
        proposed = machine.get(field.value)
        is_given = bool(given.get(field.value, "").strip())
        final = fields[field] if is_given else None
        if proposed is None and final == DEFAULTS.get(field):
            continue
        if final != (proposed.value if proposed is not None else None):
            found.append(
                Correction(
                    field=field.value,
                    machine_value=None if proposed is None else proposed.value,
                    final_value=final,
                    evidence=[] if proposed is None else proposed.evidence,
                )
            )
    return found
