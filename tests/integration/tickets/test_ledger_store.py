"""The ledger in PostgreSQL: whoever tampers is refused, or shows in the chain."""

import asyncio
from datetime import UTC, datetime

import asyncpg
import pytest

from base.database import Connection, Database
from base.ids import TicketId
from tests.integration.tickets.test_registration import confirmation
from tickets.ledger import ChainFault, verify_chain
from tickets.registration import register
from tickets.store import TicketStore, append_to_ledger

AT = datetime(2026, 11, 22, 3, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
async def ticket(web: Database, agent: str) -> TicketId:
    """A ticket with a ledger of three entries."""
    ticket = (await register(web, confirmation(agent))).ticket.id
    for text in ("先行联系", "补充材料 “引号” \\ \n 🙂"):
        body = {"text": text, "count": 10**20, "list": [1, True, None], "b": {"z": 1, "a": 2}}
        async with web.transaction() as connection:
            await append_to_ledger(
                connection, ticket, at=AT, actor=agent, action="noted", body=body, reason="test"
            )
    return ticket


async def test_untouched_chain_verifies_after_the_way_through_jsonb(
    web: Database, ticket: TicketId
) -> None:
    entries = await TicketStore(web).ledger(ticket)
    assert [entry.seq for entry in entries] == [1, 2, 3]
    assert verify_chain(entries) is None


@pytest.mark.parametrize(
    ("tampering", "fault"),
    [
        ("UPDATE ledger SET reason = 'other' WHERE seq = 2", ChainFault(seq=2, what="changed")),
        ("UPDATE ledger SET actor = 'other' WHERE seq = 1", ChainFault(seq=1, what="changed")),
        (
            'UPDATE ledger SET body = body || \'{"text": "x"}\' WHERE seq = 3',
            ChainFault(seq=3, what="changed"),
        ),
        (
            "UPDATE ledger SET at = at + interval '1 microsecond' WHERE seq = 2",
            ChainFault(seq=2, what="changed"),
        ),
        ("DELETE FROM ledger WHERE seq = 2", ChainFault(seq=2, what="missing")),
        ("DELETE FROM ledger WHERE seq = 1", ChainFault(seq=1, what="missing")),
        (
            "UPDATE ledger SET hash = repeat('0', 64) WHERE seq = 2",
            ChainFault(seq=2, what="changed"),
        ),
        (
            "DELETE FROM ledger WHERE seq = 2; UPDATE ledger SET seq = 2 WHERE seq = 3",
            ChainFault(seq=2, what="broken_link"),
        ),
    ],
)
async def test_tampering_by_a_superuser_shows(
    tampering: str, fault: ChainFault, web: Database, superuser: Connection, ticket: TicketId
) -> None:
    await superuser.execute("SET session_replication_role = 'replica'")  # triggers off
    await superuser.execute(tampering)
    assert verify_chain(await TicketStore(web).ledger(ticket)) == fault


@pytest.mark.parametrize(
    "sql", ["UPDATE ledger SET reason = 'x'", "DELETE FROM ledger", "TRUNCATE ledger CASCADE"]
)
async def test_triggers_refuse_even_the_superuser(
    sql: str, superuser: Connection, ticket: TicketId
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await superuser.execute(sql)


async def test_entry_that_does_not_continue_the_chain_is_refused(
    web: Database, ticket: TicketId
) -> None:
    insert = (
        "INSERT INTO ledger (ticket_id, seq, at, actor, action, reason, article, body, prev_hash,"
        " hash) VALUES ($1, $2, now(), 'x', 'x', '', '', '{}', repeat('0', 64), repeat('1', 64))"
    )
    for seq in (4, 5, 1):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await web.execute(insert, ticket, seq)


async def test_concurrent_appends_form_one_chain(
    web: Database, agent: str, ticket: TicketId
) -> None:
    async def append(number: int) -> None:
        async with web.transaction() as connection:
            await append_to_ledger(
                connection, ticket, at=AT, actor=agent, action="noted", body={"n": number}
            )

    await asyncio.gather(*(append(number) for number in range(20)))
    entries = await TicketStore(web).ledger(ticket)
    assert len(entries) == 23
    assert verify_chain(entries) is None


async def test_body_that_jsonb_would_change_is_not_accepted(
    web: Database, agent: str, ticket: TicketId
) -> None:
    with pytest.raises(TypeError, match="float"):
        async with web.transaction() as connection:
            await append_to_ledger(
                connection, ticket, at=AT, actor=agent, action="noted", body={"n": 1.0}
            )
