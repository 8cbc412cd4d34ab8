"""Lists of tickets and the texts of one, as whoever asks may see them.

What a login may not see is not among its rows (``tickets.access``). Pages go from the newest
number down; a number is also the cursor. Which numbers are on a page is found by a function of the
database, with an index for each thing a list is narrowed by; the lines are then read under
row-level security.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from base.database import Connection, storable
from base.ids import AssignmentId, TicketId, UnitId
from base.sql_files import load_sql
from tickets.assignment import Assignment
from tickets.facts import Actor, Consult, Explanation, UnitRequest
from tickets.lifecycle import GOING_ON
from tickets.ticket import Channel, Matter, TicketState, TicketType, Urgency

SQL = load_sql(Path(__file__).parent / "sql" / "board")
MOST_A_PAGE = 200
MOST_COMPARED, MOST_SIMILAR = 2000, 10
"""Looked at for a double, the newest ones; and shown."""
Asked = TypeVar("Asked", Consult, Explanation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One ticket in a list."""

    number: str
    version: int
    state: TicketState
    channel: Channel
    type: TicketType
    topic: str
    title: str
    domain: str
    region: str
    urgency: Urgency
    matter: Matter
    created_at: datetime
    reply_due_at: datetime | None
    completion_due_at: datetime | None
    is_supervised: bool
    is_confidential: bool
    units: list[UnitId]
    """Who has it now; a unit is shown itself and those that work for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which tickets; what is left empty does not narrow the list."""

    states: tuple[TicketState, ...] = ()
    type: TicketType | None = None
    unit: UnitId | None = None
    words: str = ""
    """A number, or a part of the title."""
    is_asked: bool = False
    """A unit's request waits for the centre's decision."""
    below: str = ""
    """The last number of the page before."""
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """What was said."""

    number: str
    title: str
    content: str
    demand: str
    place: str
    occurred: str
    topic: str
    channel: Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalTold:
    """What a caller was told when their demand was left outside."""

    reason: str
    told: str
    told_at: datetime
    refer_to: str
    article: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerTexts:
    """What was written before an amendment."""

    version: int
    """Of the ticket when they were changed."""
    changed_at: datetime
    changed_by: str
    title: str
    content: str
    demand: str
    place: str
    occurred: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that belongs to a ticket; where it lies is the server's."""

    id: str
    assignment: AssignmentId | None
    source: str
    """``caller``, ``centre`` or ``unit``: whose it is."""
    is_for_units: bool
    """Units see it though the ticket is confidential."""
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    added_at: datetime
    added_by: str
    withdrawn_at: datetime | None
    withdrawn_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitTicket:
    """Of a ticket's facts, those a unit is shown."""

    version: int
    state: TicketState
    type: TicketType
    domain: str
    region: str
    urgency: Urgency
    matter: Matter
    wants_reply: bool
    is_confidential: bool
    created_at: datetime
    reply_due_at: datetime | None
    completion_due_at: datetime | None
    round: int
    urge_count: int
    is_supervised: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Similar:
    """A ticket in hand of the same type and region that speaks of the same (R027)."""

    number: str
    state: TicketState
    title: str
    created_at: datetime
    likeness: float
    """Of both titles' pairs of characters, what part they share: from a third to 1."""
    is_same_caller: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """That something was done; a unit is not shown by whom, nor what was said."""

    seq: int
    at: datetime
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPart:
    """A ticket as a unit has it."""

    ticket: UnitTicket
    assignments: list[Assignment]
    requests: list[UnitRequest]
    consults: list[Consult]
    """What it was asked before anything was dispatched; what others were asked is not its."""
    explanations: list[Explanation]
    """What the caller wants explained."""
    history: list[Act]


async def lines(connection: Connection, wanted: Wanted, by: Actor) -> tuple[list[Line], str | None]:
    """One page, the newest first, and where the next one begins; read by the login for ``by``."""
    limit = min(wanted.limit, MOST_A_PAGE)
    page = await connection.fetch(
        SQL["page_of_unit" if by.is_of_unit else "page_of_centre"],
        list(wanted.states),
        wanted.type or "",
        wanted.unit or "",
        storable(wanted.words),
        storable(wanted.below),
        limit,
        wanted.is_asked,
    )
    numbers = [row["number"] for row in page]
    if by.is_of_unit:
        rows = await connection.fetch(SQL["lines_of_unit"], numbers)
    else:
        rows = await connection.fetch(SQL["lines"], numbers, by.user)
    # By the page's numbers: a ticket that went out of sight just now ends no list.
    following = numbers[-1] if len(numbers) == limit else None
    return msgspec.convert([dict(row) for row in rows], list[Line]), following


async def texts(connection: Connection, ticket: TicketId, *, by_unit: bool = False) -> Texts | None:
    """``by_unit``: the connection is of the units' login."""
    row = await connection.fetchrow(SQL["unit_texts" if by_unit else "texts"], uuid.UUID(ticket))
    return None if row is None else msgspec.convert(dict(row), Texts)


async def told_texts(connection: Connection, ticket: TicketId) -> Texts:
    """As a unit is told them, asked by the centre's login."""
    row = await connection.fetchrow(SQL["told_texts"], uuid.UUID(ticket))
    return msgspec.convert(dict(row or {}), Texts)


async def refusal_told(connection: Connection, ticket: TicketId) -> RefusalTold | None:
    """While that is how the ticket ended."""
    row = await connection.fetchrow(SQL["refusal_told"], uuid.UUID(ticket))
    return None if row is None else RefusalTold(**row)


async def answer_told(connection: Connection, ticket: TicketId) -> str:
    """What the centre answered at once, while that is how the ticket ended; else nothing."""
    return await connection.fetchval(SQL["answer_told"], uuid.UUID(ticket)) or ""


async def former_texts(connection: Connection, ticket: TicketId) -> list[FormerTexts]:
    """Asked by the centre's login."""
    rows = await connection.fetch(SQL["former_texts"], uuid.UUID(ticket))
    return [FormerTexts(**row) for row in rows]


async def attachments(connection: Connection, ticket: TicketId) -> list[Attachment]:
    rows = await connection.fetch(SQL["attachments"], uuid.UUID(ticket))
    return msgspec.convert([dict(row) for row in rows], list[Attachment])


async def similar(connection: Connection, ticket: TicketId, by: Actor) -> list[Similar]:
    """Who called before first, then the most alike; read by the centre's login."""
    rows = await connection.fetch(
        SQL["similar_tickets"],
        uuid.UUID(ticket),
        [state.value for state in GOING_ON],
        MOST_COMPARED,
        MOST_SIMILAR,
        by.user,
    )
    return msgspec.convert([dict(row) for row in rows], list[Similar])


async def history(connection: Connection, ticket: TicketId) -> list[Act]:
    """What was done with it, without who and what was said."""
    rows = await connection.fetch(SQL["history"], uuid.UUID(ticket))
    return msgspec.convert([dict(row) for row in rows], list[Act])


async def unit_part(connection: Connection, ticket: TicketId) -> UnitPart | None:
    """Asked by the units' login: None of a ticket that the unit does not see."""
    id_ = uuid.UUID(ticket)
    row = await connection.fetchrow(SQL["unit_ticket"], id_)
    if row is None:
        return None
    assigned = await connection.fetch(SQL["unit_assignments"], id_)
    asked = await connection.fetch(SQL["unit_requests"], id_)
    return UnitPart(
        ticket=msgspec.convert(dict(row), UnitTicket),
        assignments=msgspec.convert([row["assignment"] for row in assigned], list[Assignment]),
        requests=msgspec.convert([row["request"] for row in asked], list[UnitRequest]),
        consults=await _rows(connection, "unit_consults", id_, Consult),
        explanations=await _rows(connection, "unit_explanations", id_, Explanation),
        history=await history(connection, ticket),
    )


async def _rows(
    connection: Connection, statement: str, ticket: uuid.UUID, kind: type[Asked]
) -> list[Asked]:
    rows = await connection.fetch(SQL[statement], ticket)
    return msgspec.convert([row["asked"] for row in rows], list[kind])  # type: ignore[valid-type]
