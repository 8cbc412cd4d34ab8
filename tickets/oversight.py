"""What supervision looks for: evidence for the faults that a city's law lists; refusals to sample.

Nothing is judged here: a line says where to look, and the ticket's ledger has the rest. Locked
lanes are among the lines only in a transaction that they are open to (``tickets.access``).
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from base.database import Connection
from base.ids import UnitId
from base.sql_files import load_sql
from rules.values import Fault
from tickets.assignment import CompletionBasis
from tickets.records import RefusalKind
from tickets.ticket import TicketState

SQL = load_sql(Path(__file__).parent / "sql" / "oversight")
MOST_LINES = 1000
COPIED_FROM_CHARACTERS = 12
"""Shorter replies are alike without being copied: own practice."""
MANY_RATINGS, MANY_TICKETS = 3, 5
"""So many of one ticket, or tickets of a caller that got the least: own practice."""
SAME_EVIDENCE = {Fault.INTERFERENCE: Fault.RETALIATION}
"""Reports of somebody who gets in the way come in the lane of retaliation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One place to look at."""

    at: datetime
    number: str
    unit: str
    who: str
    """A user's id or a member of staff's number; empty: the unit."""
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalRate:
    """How much somebody left out: a person at registration, a unit by giving back."""

    of: str
    """``person`` or ``unit``."""
    id: str
    taken: int
    refused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """A unit's task with a date of completion beside its reply and feedback (R052)."""

    completion_due_at: datetime
    number: str
    unit: UnitId
    basis: CompletionBasis
    feedback_due_at: datetime | None
    interim_at: datetime | None
    """When reply and feedback were given although the matter goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtfulRating:
    """Ratings that may be no honest ones (R019); they count all the same until somebody judges."""

    at: datetime
    """The last of them."""
    number: str
    """The ticket; of many, the newest."""
    ratings: int
    """How many the ticket has, or how many tickets of its caller got the least."""
    what: str
    """``repeated``: one ticket over and over; ``all_least``: one caller's many, all the least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledRefusal:
    """One refusal to be looked into, and opened again if it was wrong."""

    number: str
    kind: RefusalKind
    reason: str
    told: str
    told_at: datetime
    refer_to: str
    article: str
    by: str
    state: TicketState


async def evidence_of(
    connection: Connection, fault: Fault, from_at: datetime, until_at: datetime
) -> list[Evidence]:
    """What may prove the fault in that time, oldest first, at most ``MOST_LINES``."""
    arguments: list[object] = [from_at, until_at, MOST_LINES]
    if fault is Fault.FALSE_REPLY:
        arguments.append(COPIED_FROM_CHARACTERS)
    rows = await connection.fetch(SQL[SAME_EVIDENCE.get(fault, fault).value], *arguments)
    return [Evidence(**row) for row in rows]


async def refusal_rates(
    connection: Connection, from_at: datetime, until_at: datetime
) -> list[RefusalRate]:
    rows = await connection.fetch(SQL["refusal_rates"], from_at, until_at)
    return [RefusalRate(**row) for row in rows]


async def tracked(connection: Connection) -> list[Tracked]:
    """What the centre follows until it is done (Jinan 24), the first due first."""
    rows = await connection.fetch(SQL["tracked"], MOST_LINES)
    return msgspec.convert([dict(row) for row in rows], list[Tracked])


async def doubtful_ratings(
    connection: Connection, from_at: datetime, until_at: datetime
) -> list[DoubtfulRating]:
    rows = await connection.fetch(
        SQL["doubtful_ratings"], from_at, until_at, MOST_LINES, MANY_RATINGS, MANY_TICKETS
    )
    return [DoubtfulRating(**row) for row in rows]


async def refusal_sample(
    connection: Connection, from_at: datetime, until_at: datetime, size: int
) -> list[SampledRefusal]:
    """Drawn by a hash of the period's end: repeatable, and not to be chosen."""
    seed = until_at.date().isoformat()
    rows = await connection.fetch(SQL["refusal_sample"], from_at, until_at, seed, size)
    return msgspec.convert([dict(row) for row in rows], list[SampledRefusal])
