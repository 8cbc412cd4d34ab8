"""Third parties of a dispute: named for who handles it, never in what the caller is told (R063).

Their names are not in the ledger, which can never be erased: its entry says how many were named.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec

from base.database import Connection, storable
from base.ids import TicketId
from base.sql_files import load_sql
from rules import catalogue as law
from tickets.facts import Actor, TicketFacts
from tickets.law import Law, places_of
from tickets.lifecycle import check_open
from tickets.masking import masked_name, masked_number
from tickets.store import SQL as TICKETS_SQL
from tickets.store import append_to_ledger
from tickets.ticket import TicketState

SQL = load_sql(Path(__file__).parent / "sql" / "parties")


class Party(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody whom the dispute is about, beside the caller."""

    name: Annotated[str, msgspec.Meta(min_length=2, max_length=100)]
    number: Annotated[str, msgspec.Meta(max_length=40)] = ""


def hidden(text: str, parties: Iterable[Party]) -> str:
    """The text with what would name them masked."""
    for each in parties:
        text = text.replace(each.name, masked_name(each.name))
        if each.number:
            text = text.replace(each.number, masked_number(each.number))
    return text


def masked(parties: Iterable[Party]) -> list[Party]:
    return [
        Party(name=masked_name(each.name), number=masked_number(each.number)) for each in parties
    ]


async def parties_of(connection: Connection, ticket: TicketId) -> list[Party]:
    rows = await connection.fetch(SQL["parties"], uuid.UUID(ticket))
    return [Party(**row) for row in rows]


async def name_parties(
    connection: Connection,
    facts: TicketFacts,
    parties: list[Party],
    by: Actor,
    the_law: Law,
    at: datetime,
) -> None:
    """More of them; one entry of the ledger, which names nobody. ``IllegalMove`` once archived."""
    the_law.ask_if_given(law.THIRD_PARTIES)
    ticket = uuid.UUID(facts.id)
    # Others of this ticket wait from here; what happened to it since it was read, counts.
    state = await connection.fetchval(TICKETS_SQL["next_version"], ticket)
    check_open(TicketState(state), "name_parties")
    for each in parties:
        await connection.execute(
            SQL["add_party"], ticket, storable(each.name), storable(each.number), at, by.user
        )
    await append_to_ledger(
        connection,
        facts.id,
        at=at,
        actor=by.user,
        action="name_parties",
        article=places_of(the_law.relied),
        body={
            "count": len(parties),
            "cards": [msgspec.to_builtins(card) for card in the_law.relied],
            **({} if by.unit is None else {"unit": by.unit}),
        },
    )
