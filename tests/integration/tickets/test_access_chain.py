"""Tampering with the log of who saw what, by PostgreSQL's superuser, found by chains and seals."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from base.database import Connection, Database, connect
from base.migrate import migrate, read_migrations
from base.sql_files import load_sql
from tests.conftest import TestDatabase
from tests.fakes.city import WATER, centre, of_unit
from tests.fakes.work_order import WorkOrder, WorkOrders
from tests.fakes.work_order_http import SUPERVISOR, Asking
from tests.integration.tickets.sessions import Session
from tests.integration.tickets.test_registration import confirmation
from tests.integration.tickets.test_seals import Witness
from tests.released_statements import RELEASED
from tickets.access_chain import AccessLine
from tickets.facts import ActorRole
from tickets.ledger import FIRST_PREV_HASH
from tickets.registration import register
from tickets.store import SQL

Hotline = Callable[[str], WorkOrders]
ODD = '核查 "引号" \\ 换行\n制表\t铃\a😀\x7f'
"""What two spellings of JSON could differ in."""


@pytest.fixture
def witness(owner: Connection, tmp_path: Path) -> Witness:
    return Witness(owner, tmp_path)


@pytest.fixture
async def jinan(asking: Callable[[str], Awaitable[Asking]]) -> Asking:
    return await asking("jinan_2018")


@pytest.fixture
async def order(hotline: Hotline) -> WorkOrder:
    """A ticket at a unit; making it has looked at it, too."""
    order = await hotline("jinan_2018").register()
    await order.to_units(WATER)
    return order


@pytest.fixture
async def seen(order: WorkOrder, jinan: Asking, superuser: Connection) -> WorkOrder:
    """Looked at by supervision, by the unit, and in clear; the superuser's triggers are off."""
    path = f"/api/work-orders/{order.facts.number}"
    await jinan.must(SUPERVISOR, "GET", path)
    await jinan.must(of_unit(WATER), "GET", path)
    await jinan.must(SUPERVISOR, "POST", f"{path}/reveal", {"reason": ODD})
    await jinan.must(centre(ActorRole.REVIEWER), "GET", path)
    await superuser.execute("SET session_replication_role = 'replica'")
    return order


async def lines(owner: Connection) -> list[AccessLine]:
    rows = await owner.fetch(SQL["accesses_between"], datetime(2000, 1, 1, tzinfo=UTC), LATER)
    return [AccessLine(**row) for row in rows]


LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.mark.requirement("R122")
async def test_every_look_is_in_the_chain_whoever_writes_it_and_verifies(
    seen: WorkOrder,
    jinan: Asking,
    sign_in: Callable[[str], Session],
    witness: Witness,
    owner: Connection,
) -> None:
    await sign_in(WATER).view.reveal_caller(seen.facts.id, "回访")
    log = await lines(owner)
    assert [line.seq for line in log] == list(range(1, len(log) + 1))
    assert {line.login for line in log} == {"hotline_web", "hotline_unit"}
    assert all(line.hash == line.sha256() for line in log)
    assert ODD in {line.reason for line in log}
    await witness.seal()
    verdict = await witness.verify()
    assert verdict.faults == ()
    assert (verdict.accesses, verdict.accesses_before_chain) == (len(log), 0)
    assert verdict.access_seals == 1
    told = await jinan.must(SUPERVISOR, "GET", f"/api/work-orders/{seen.facts.number}/accesses")
    assert len(told["accesses"] if isinstance(told, dict) else told) == len(log)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("UPDATE access_log SET user_id = gen_random_uuid() WHERE seq = 2", "access_changed"),
        ("UPDATE access_log SET reason = 'x' WHERE act = 'reveal'", "access_changed"),
        ("UPDATE access_log SET at = at - interval '1 day' WHERE seq = 1", "access_changed"),
        ("UPDATE access_log SET fields = '{}' WHERE seq = 3", "access_changed"),
        ("DELETE FROM access_log WHERE seq = 2", "accesses_missing"),
        ("DELETE FROM access_log WHERE seq = 1", "accesses_missing"),
        ("DELETE FROM access_log WHERE act = 'reveal'", "accesses_missing"),
        (
            "DELETE FROM access_log WHERE seq > (SELECT max(seq) - 2 FROM access_log)",
            "accesses_missing",
        ),
        ("DELETE FROM access_log", "accesses_missing"),
        (
            "UPDATE access_log SET seq = NULL, prev_hash = NULL, hash = NULL"
            " WHERE seq = (SELECT max(seq) FROM access_log)",
            "accesses_missing",
        ),
        (
            "INSERT INTO access_log (user_id, ticket_id, act, fields, reason)"
            " SELECT gen_random_uuid(), ticket_id, 'view', '{}', '' FROM access_log WHERE seq = 1",
            "access_slipped_in",
        ),
    ],
)
@pytest.mark.requirement("R114")
async def test_an_edited_a_deleted_and_a_cut_off_line_are_found_at_once(
    change: str, what: str, seen: WorkOrder, witness: Witness, superuser: Connection
) -> None:
    assert await witness.faults() == set()
    await superuser.execute(change)
    assert await witness.faults() == {(seen.facts.number, what)}


async def test_last_lines_deleted_and_their_head_turned_back_are_found_by_the_seal(
    seen: WorkOrder, witness: Witness, superuser: Connection
) -> None:
    await witness.seal()
    await superuser.execute("DELETE FROM access_log WHERE act = 'reveal' OR seq > 5")
    await superuser.execute("DELETE FROM access_log WHERE seq > 4")
    await superuser.execute(
        "UPDATE access_heads SET (seq, hash) = (SELECT seq, hash FROM access_log WHERE seq = 4)"
    )
    assert await witness.faults() == {("access seal 1", "entries_missing")}


async def test_a_log_computed_anew_from_the_beginning_is_found_by_the_seal(
    seen: WorkOrder, witness: Witness, superuser: Connection
) -> None:
    await witness.seal()
    prev_hash = FIRST_PREV_HASH
    for line in await lines(superuser):
        forged = replace(line, reason="工作需要", prev_hash=prev_hash)
        prev_hash = forged.sha256()
        await superuser.execute(
            "UPDATE access_log SET reason = $2, prev_hash = $3, hash = $4 WHERE id = $1",
            *(line.id, forged.reason, forged.prev_hash, prev_hash),
        )
    await superuser.execute("UPDATE access_heads SET hash = $1", prev_hash)
    assert await witness.faults() == {("access seal 1", "entries_changed")}


async def test_lines_from_before_the_chain_are_no_fault_and_the_first_seal_covers_them(
    seen: WorkOrder, jinan: Asking, witness: Witness, superuser: Connection
) -> None:
    await superuser.execute("UPDATE access_log SET seq = NULL, prev_hash = NULL, hash = NULL")
    await superuser.execute("DELETE FROM access_heads")
    old = await superuser.fetchval("SELECT count(*) FROM access_log")
    await jinan.must(SUPERVISOR, "GET", f"/api/work-orders/{seen.facts.number}")
    await witness.seal()
    verdict = await witness.verify()
    assert verdict.faults == ()
    assert (verdict.accesses, verdict.accesses_before_chain) == (old + 1, old)
    await superuser.execute("UPDATE access_log SET reason = 'x' WHERE act = 'reveal'")
    assert await witness.faults() == {("access seal 1", "entries_changed")}
    await superuser.execute("DELETE FROM access_log WHERE act = 'reveal'")
    assert await witness.faults() == {("access seal 1", "entries_missing")}


async def test_looks_of_old_code_before_and_after_the_migration_are_told_apart(
    empty_database: TestDatabase, tmp_path: Path
) -> None:
    """Old processes go on writing the statement that they know."""
    [chain] = [each for each in read_migrations() if each.name == "access_chain"]
    owner = await connect(empty_database.url("owner"), name="test")
    await migrate(owner, migrations=read_migrations()[: chain.number - 1])
    await owner.execute(
        "INSERT INTO users (id, username, display_name, role, agent, password_hash)"
        " VALUES ($1, 'agent', 'x', 'agent', '1001', 'none')",
        SUPERVISOR.user,
    )
    web = await Database.open(empty_database.url("web"), name="test")
    ticket = (await register(web, confirmation(SUPERVISOR.user))).ticket
    said = load_sql(RELEASED / "0021")["tickets__log_access"]
    look = (SUPERVISOR.user, None, ticket.id, "view", ["texts"], "")
    await web.execute(said, *look)
    await migrate(owner)
    await web.execute(said, *look)
    assert [line.seq for line in await lines(owner)] == [None, 1]
    verdict = await Witness(owner, tmp_path).verify()
    assert (verdict.accesses, verdict.accesses_before_chain) == (2, 1)
    assert verdict.faults == ()
    await web.close()
    await owner.close()


async def test_many_looks_at_once_stand_in_one_chain(
    order: WorkOrder, jinan: Asking, witness: Witness, owner: Connection
) -> None:
    before = len(await lines(owner))
    path = f"/api/work-orders/{order.facts.number}"
    people = [SUPERVISOR, of_unit(WATER), centre(ActorRole.REVIEWER)]
    for who in people:
        await jinan.signed_in(who)
    await asyncio.gather(*(jinan.must(people[n % 3], "GET", path) for n in range(30)))
    log = await lines(owner)
    assert sorted(line.seq or 0 for line in log) == list(range(1, before + 31))
    assert await witness.faults() == set()


async def test_a_login_cannot_write_a_place_in_the_chain(order: WorkOrder, web: Database) -> None:
    for sql in (
        "UPDATE access_heads SET seq = 1",
        "DELETE FROM access_heads",
        "INSERT INTO access_log (user_id, ticket_id, act, fields, reason, seq, prev_hash, hash)"
        " SELECT created_by, id, 'view', '{}', '', 1, '', '' FROM tickets",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await web.execute(sql)
