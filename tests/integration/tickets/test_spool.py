"""PostgreSQL stopped, frozen and back: what an agent has confirmed is entered exactly once."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from base.database import Database, DatabaseUnavailable, Patience, connect
from base.errors import HotlineError
from tests.conftest import TestDatabase
from tests.integration.tickets.test_registration import FIELDS, confirmation
from tickets.registration import Confirmation, Registered, register
from tickets.spool import Kept, Registrar, Spool, SpoolFailed
from tickets.store import TicketStore
from tickets.ticket import MissingValue

SHORT = Patience(connect_s=1.0, acquire_s=1.0, statement_s=0.5, command_s=1.0, lock_s=0.5)


@pytest.fixture
async def impatient(database: TestDatabase) -> AsyncIterator[Database]:
    pool = await Database.open(database.url("web"), name="test", patience=SHORT)
    yield pool
    await pool.close()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


@contextmanager
def stopped(database: TestDatabase) -> Iterator[None]:
    postgres = database.cluster.postgres
    postgres.stop()
    try:
        yield
    finally:
        postgres.start()


@contextmanager
def frozen(database: TestDatabase) -> Iterator[None]:
    """No process of the cluster runs; its port still takes connections."""
    postmaster = database.cluster.postgres.pid()
    assert postmaster is not None
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    pids = [postmaster, *(int(child) for child in children)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def tickets_of(database: TestDatabase) -> list[str]:
    owner = await connect(database.url("owner"), name="test")
    rows = await owner.fetch("SELECT number FROM tickets ORDER BY number")
    await owner.close()
    return [row["number"] for row in rows]


async def test_confirmation_is_kept_while_postgres_is_stopped_and_entered_on_return(
    web: Database, agent: str, spool: Spool, database: TestDatabase
) -> None:
    registrar = Registrar(web, spool)
    assert await web.is_up()
    told: list[tuple[str, str]] = []

    async def entered(kept: Confirmation, registered: Registered) -> None:
        told.append((kept.call, registered.ticket.number))

    with stopped(database):
        assert not await web.is_up()
        for _ in range(3):
            assert await registrar.confirm(confirmation(agent)) == Kept(call="node-1.1")
        assert await registrar.confirm(confirmation(agent, "node-1.2")) == Kept(call="node-1.2")
        assert await registrar.is_kept("node-1.1")
        with pytest.raises(DatabaseUnavailable):
            await registrar.enter_kept(entered)
    assert await registrar.enter_kept(entered) == 2
    assert told == [("node-1.1", "20261122-000001"), ("node-1.2", "20261122-000002")]
    assert await tickets_of(database) == ["20261122-000001", "20261122-000002"]
    assert not await registrar.is_kept("node-1.1")
    assert await registrar.enter_kept(entered) == 0
    again = await registrar.confirm(confirmation(agent))
    assert isinstance(again, Registered)
    assert (again.is_new, again.ticket.number) == (False, "20261122-000001")


async def test_frozen_postgres_holds_an_agent_up_for_seconds_only(
    impatient: Database, web: Database, agent: str, spool: Spool, database: TestDatabase
) -> None:
    registrar = Registrar(impatient, spool)
    assert await impatient.is_up()
    with frozen(database):
        async with asyncio.timeout(4):
            assert await registrar.confirm(confirmation(agent)) == Kept(call="node-1.1")
    assert await Registrar(web, spool).enter_kept() == 1
    assert await tickets_of(database) == ["20261122-000001"]


async def test_running_drain_enters_by_itself_when_postgres_returns(
    web: Database, agent: str, spool: Spool, database: TestDatabase
) -> None:
    registrar = Registrar(web, spool)
    entered = asyncio.Event()

    async def tell(kept: Confirmation, registered: Registered) -> None:
        entered.set()

    drain = asyncio.create_task(registrar.run(tell, check_s=0.05))
    with stopped(database):
        assert isinstance(await registrar.confirm(confirmation(agent)), Kept)
    async with asyncio.timeout(20):
        await entered.wait()
    drain.cancel()
    await asyncio.gather(drain, return_exceptions=True)
    assert await tickets_of(database) == ["20261122-000001"]


async def test_crash_between_commit_and_removal_doubles_nothing(
    web: Database, agent: str, spool: Spool, database: TestDatabase
) -> None:
    spool.keep(confirmation(agent))
    await register(web, confirmation(agent))  # committed; the process died before the removal
    assert await Registrar(web, spool).enter_kept() == 1
    assert await tickets_of(database) == ["20261122-000001"]
    assert spool.waiting() == []


async def test_two_processes_draining_at_once_enter_each_once(
    web: Database, agent: str, spool: Spool, database: TestDatabase
) -> None:
    for call in range(10):
        spool.keep(confirmation(agent, f"node-1.{call}"))
    registrars = [Registrar(web, spool) for _ in range(4)]
    await asyncio.gather(*(registrar.enter_kept() for registrar in registrars))
    assert len(await tickets_of(database)) == 10
    assert spool.waiting() == []


async def test_first_kept_confirmation_of_a_call_wins(
    web: Database, agent: str, spool: Spool
) -> None:
    spool.keep(confirmation(agent))
    spool.keep(confirmation(agent, fields=FIELDS | {"demand": "后来的"}))
    registrar = Registrar(web, spool)
    assert isinstance(await registrar.confirm(confirmation(agent)), Kept)
    await registrar.enter_kept()
    ticket = await TicketStore(web).by_number("20261122-000001")
    assert ticket is not None
    assert ticket.demand == FIELDS["demand"]


async def test_files_are_private_whole_and_named_by_no_outsider(
    agent: str, spool: Spool, tmp_path: Path
) -> None:
    spool.keep(confirmation(agent, "../../etc/passwd"))
    folder = tmp_path / "spool"
    [path] = list(folder.iterdir())
    assert path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert spool.read(path) == confirmation(agent, "../../etc/passwd")


async def test_broken_and_refused_files_stay_and_hold_nobody_up(
    web: Database, spool: Spool, agent: str, database: TestDatabase, tmp_path: Path
) -> None:
    spool.keep(confirmation("00000000-0000-0000-0000-000000000000", "node-1.1"))
    (tmp_path / "spool" / "half.confirmation.json").write_text('{"call": "x", ')
    spool.keep(confirmation(agent, "node-1.2"))
    registrar = Registrar(web, spool)
    assert await registrar.enter_kept() == 1
    assert await registrar.enter_kept() == 0
    assert len(spool.waiting()) == 2
    assert await tickets_of(database) == ["20261122-000001"]


async def test_agent_is_told_later_when_telling_fails_for_now(
    web: Database, agent: str, spool: Spool
) -> None:
    class BridgeAway(HotlineError):
        """Away."""

        retryable = True

    told: list[str] = []

    async def entered(kept: Confirmation, registered: Registered) -> None:
        told.append(registered.ticket.number)
        if len(told) == 1:
            raise BridgeAway

    spool.keep(confirmation(agent))
    registrar = Registrar(web, spool)
    with pytest.raises(BridgeAway):
        await registrar.enter_kept(entered)
    assert await registrar.enter_kept(entered) == 1
    assert told == ["20261122-000001", "20261122-000001"]


async def test_bad_values_are_refused_before_anything_is_kept(
    web: Database, agent: str, spool: Spool, database: TestDatabase
) -> None:
    with stopped(database), pytest.raises(MissingValue):
        await Registrar(web, spool).confirm(confirmation(agent, fields={}))
    assert spool.waiting() == []


async def test_both_places_failing_is_told_and_not_swallowed(
    web: Database, agent: str, database: TestDatabase, tmp_path: Path
) -> None:
    blocked = tmp_path / "a file, no folder"
    blocked.write_text("")
    registrar = Registrar(web, Spool(blocked))
    with stopped(database), pytest.raises(SpoolFailed):
        await registrar.confirm(confirmation(agent))
