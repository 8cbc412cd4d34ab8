"""Tampering with the ledger by PostgreSQL's superuser, found by chains, versions and seals."""

import hashlib
import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from base.database import Connection, Database
from server.signing import PUBLIC, Checker, Signer
from tests.fakes.city import WATER, centre
from tests.fakes.work_order import MONDAY_10, WorkOrder, WorkOrders
from tickets import moves as m
from tickets.facts import ActorRole
from tickets.ledger import FIRST_PREV_HASH
from tickets.seal_store import Book, LedgerFault, SealFile, Verdict, seal, verify
from tickets.store import SQL, TicketStore, append_to_ledger

Hotline = Callable[[str], WorkOrders]


class Witness:
    """Seals and checks in one folder."""

    def __init__(self, owner: Connection, folder: Path) -> None:
        self._owner = owner
        self.folder = folder
        self._signer = Signer(folder / "secrets", folder)
        self._signer.ensure_key()
        self.seals = SealFile(folder)

    async def seal(self) -> None:
        later = datetime.now(UTC) + timedelta(minutes=5)
        for book in Book:
            file = SealFile(self.folder, book)
            assert await seal(self._owner, file, self._signer.sign, later) is not None

    async def verify(self) -> Verdict:
        checker = Checker(self.folder / PUBLIC)
        return await verify(self._owner, self.folder, checker.is_signed)

    async def faults(self) -> set[tuple[str, str]]:
        return {(fault.where, fault.what) for fault in (await self.verify()).faults}


@pytest.fixture
def witness(owner: Connection, tmp_path: Path) -> Witness:
    return Witness(owner, tmp_path)


@pytest.fixture
async def order(hotline: Hotline, superuser: Connection) -> WorkOrder:
    """A ticket of four entries; the superuser's triggers are off."""
    order = await hotline("jinan_2018").register()
    await order.to_units(WATER)
    await order.sign(WATER)
    await superuser.execute("SET session_replication_role = 'replica'")
    return order


async def test_an_untouched_ledger_verifies(order: WorkOrder, witness: Witness) -> None:
    await witness.seal()
    verdict = await witness.verify()
    assert (verdict.tickets, verdict.entries, verdict.seals, verdict.faults) == (1, 4, 1, ())


async def test_an_edited_entry_is_found(
    order: WorkOrder, witness: Witness, superuser: Connection
) -> None:
    await witness.seal()
    await superuser.execute("UPDATE ledger SET actor = 'somebody' WHERE seq = 3")
    verdict = await witness.verify()
    assert LedgerFault(where=order.facts.number, what="changed", seq=3) in verdict.faults


async def test_a_deleted_last_entry_is_found_even_where_the_ticket_was_turned_back(
    order: WorkOrder, witness: Witness, superuser: Connection
) -> None:
    await witness.seal()
    await superuser.execute("DELETE FROM ledger WHERE seq = 4")
    assert await witness.faults() == {
        (order.facts.number, "entries_missing"),
        ("seal 1", "entries_missing"),
    }
    await superuser.execute("UPDATE tickets SET version = 3")
    assert await witness.faults() == {
        (order.facts.number, "rows_changed"),
        ("seal 1", "entries_missing"),
    }


async def test_a_chain_computed_anew_from_the_beginning_is_found(
    order: WorkOrder, witness: Witness, superuser: Connection, web: Database
) -> None:
    await witness.seal()
    chain = await TicketStore(web).ledger(order.facts.id)
    rows = await superuser.fetch("SELECT seq, entered_at FROM ledger")
    came_at = {row["seq"]: row["entered_at"] for row in rows}
    await superuser.execute("DELETE FROM ledger")
    prev = FIRST_PREV_HASH
    for entry in chain:
        forged = replace(entry, actor="somebody", prev_hash=prev).sealed()
        prev = forged.hash
        await superuser.execute(
            "INSERT INTO ledger VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            *(getattr(forged, name) for name in ("ticket", "seq", "at", "actor", "action")),
            *(forged.reason, forged.article, json.dumps(forged.body), forged.prev_hash),
            *(forged.hash, came_at[forged.seq]),
        )
    assert await witness.faults() == {("seal 1", "entries_changed")}


async def test_a_ticket_changed_behind_its_ledger_is_found(
    order: WorkOrder, witness: Witness, superuser: Connection
) -> None:
    await superuser.execute("UPDATE tickets SET demand = 'nothing at all'")
    assert await witness.faults() == {(order.facts.number, "texts_changed")}
    await superuser.execute("UPDATE tickets SET state = 'closed'")
    assert (order.facts.number, "state_changed") in await witness.faults()


async def test_a_state_changed_behind_an_act_that_names_none_is_found(
    order: WorkOrder, witness: Witness, web: Database, superuser: Connection
) -> None:
    async with web.transaction() as connection:
        await connection.fetchval(SQL["next_version"], uuid.UUID(order.facts.id))
        await append_to_ledger(
            connection, order.facts.id, at=MONDAY_10, actor="x", action="attach", body={}
        )
    assert await witness.faults() == set()
    await superuser.execute("UPDATE tickets SET state = 'closed'")
    assert await witness.faults() == {(order.facts.number, "state_changed")}


async def test_an_entry_slipped_in_behind_a_seal_is_found(
    order: WorkOrder, witness: Witness, superuser: Connection
) -> None:
    await witness.seal()
    await superuser.execute(
        "INSERT INTO ledger SELECT gen_random_uuid(), 1, at, actor, action, reason, article, body,"
        " prev_hash, hash, entered_at FROM ledger WHERE seq = 1"
    )
    assert ("seal 1", "entries_added") in await witness.faults()


async def test_seals_follow_one_another_and_a_forged_one_is_not_signed(
    order: WorkOrder, witness: Witness
) -> None:
    await witness.seal()
    path = witness.folder / Book.LEDGER
    line = path.read_text()
    forged = json.loads(line) | {"entries": 3, "root": hashlib.sha256(b"x").hexdigest()}
    path.write_text(json.dumps(forged) + "\n")
    assert ("seal 1", "not_signed") in await witness.faults()
    path.write_text(json.dumps(json.loads(line) | {"number": 2}) + "\n")
    assert ("seal 1", "missing") in await witness.faults()


async def test_anybody_can_check_a_seal_with_openssl_alone(
    order: WorkOrder, witness: Witness
) -> None:
    await witness.seal()
    [made] = witness.seals.read()
    other = Checker(witness.folder / PUBLIC)
    assert other.is_signed(made.covered(), bytes.fromhex(made.signature))
    assert not other.is_signed(made.covered() + b" ", bytes.fromhex(made.signature))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE tickets SET reply_due_at = reply_due_at + interval '1 day'",
        "UPDATE tickets SET confidential = true",
        "UPDATE tickets SET dispatch_count = 9",
        "UPDATE tickets SET type = 'consult'",
        "UPDATE tickets SET closed_at = now()",
        "UPDATE assignments SET reply = 'x'",
        "UPDATE assignments SET fed_back_at = now()",
        "DELETE FROM assignments",
        "UPDATE follow_ups SET is_satisfied = true",
        "UPDATE ratings SET stars = 5",
        "DELETE FROM contact_attempts",
    ],
)
@pytest.mark.requirement("R122")
async def test_a_row_changed_behind_the_program_is_found_by_its_ticket(
    change: str, rated: WorkOrder, witness: Witness, superuser: Connection
) -> None:
    assert await witness.faults() == set()
    await superuser.execute(change)
    assert await witness.faults() == {(rated.facts.number, "rows_changed")}


@pytest.fixture
async def rated(hotline: Hotline, superuser: Connection) -> WorkOrder:
    """A ticket whose caller was not satisfied and said so; the superuser's triggers are off."""
    order = await hotline("jinan_2018").register()
    await order.to_follow_up(WATER)
    await order.follow_up(is_satisfied=False)
    await order.close()
    await order.do(m.Rate(stars=1, text="慢"), centre(ActorRole.AGENT))
    await superuser.execute("SET session_replication_role = 'replica'")
    return order
