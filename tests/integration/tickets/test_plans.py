"""What people wait for goes by an index, however many tickets there are.

Plans are taken from PostgreSQL itself (auto_explain), those inside its functions too. In a small
city reading a whole table is cheapest: that is forbidden here, and remains where no index helps.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from base.database import Connection
from base.ids import TicketId
from bench.made_city import MIXED, City, fill
from tests.conftest import TestDatabase
from tests.fakes.city import centre
from tickets import board
from tickets.facts import ActorRole
from tickets.oversight import tracked
from tickets.store import SQL

TICKETS = 1000
PLANS_TOLD = """
LOAD 'auto_explain';
SET auto_explain.log_min_duration = 0;
SET auto_explain.log_nested_statements = on;
SET client_min_messages = log;
SET enable_seqscan = off;
SET SESSION AUTHORIZATION hotline_web"""
Plans = Callable[[Awaitable[object]], Awaitable[str]]


@pytest.fixture
async def ticket(database: TestDatabase, superuser: Connection) -> TicketId:
    """A newly registered one among many."""
    await fill(City(url=database.url), superuser, TICKETS, MIXED)
    newest = "SELECT id::text FROM tickets WHERE state = 'registered' ORDER BY number DESC LIMIT 1"
    return TicketId(await superuser.fetchval(newest))


@pytest.fixture
async def plans(ticket: TicketId, superuser: Connection) -> Plans:
    """How PostgreSQL carries out, for the web role, what is asked on the superuser's connection."""
    await superuser.execute(PLANS_TOLD)

    async def told(asked: Awaitable[object]) -> str:
        heard: list[str] = []

        def hear(_: Any, message: asyncpg.PostgresLogMessage) -> None:
            heard.append(str(message.message))

        superuser.add_log_listener(hear)
        await asked
        await asyncio.sleep(0)  # listeners are called by the loop
        superuser.remove_log_listener(hear)
        return "\n".join(heard)

    return told


async def test_the_search_for_the_same_demand_looks_at_what_is_going_on_alone(
    ticket: TicketId, plans: Plans, superuser: Connection
) -> None:
    plan = await plans(board.similar(superuser, ticket, centre(ActorRole.AGENT)))
    assert "tickets_going_on" in plan
    assert "Seq Scan" not in plan


async def test_what_units_go_on_with_is_found_by_its_date(
    plans: Plans, superuser: Connection
) -> None:
    plan = await plans(tracked(superuser))
    assert "using assignments_tracked" in plan
    assert "Seq Scan" not in plan


async def test_a_callers_progress_reads_their_ticket_alone(
    ticket: TicketId, plans: Plans, superuser: Connection
) -> None:
    number = await superuser.fetchval(
        "SELECT number FROM tickets WHERE id = $1::text::uuid", ticket
    )
    id_ = uuid.UUID(ticket)
    for sql, value in (
        (SQL["id_of_number"], number),
        (SQL["facts_of_ticket"], id_),
        *((board.SQL[name], id_) for name in ("refusal_told", "texts", "history")),
    ):
        plan = await plans(superuser.fetch(sql, value))
        assert "Index" in plan
        assert "Seq Scan" not in plan
