"""The migrations on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from base.database import Connection, connect
from base.errors import SetupError
from base.migrate import Migration, Phase, migrate, pending_migrations, read_migrations
from tests.conftest import TestDatabase


@pytest.fixture
async def empty(empty_database: TestDatabase) -> AsyncIterator[Connection]:
    connection = await connect(empty_database.url("owner"), name="test")
    yield connection
    await connection.close()


async def test_all_migrations_run_once_and_then_nothing_is_pending(empty: Connection) -> None:
    assert len(await pending_migrations(empty)) == len(read_migrations())
    assert await migrate(empty) == read_migrations()
    assert await migrate(empty) == []
    assert await pending_migrations(empty) == []


async def test_concurrent_runners_apply_each_migration_once(empty_database: TestDatabase) -> None:
    dsn = empty_database.url("owner")
    connections = [await connect(dsn, name=f"test {number}") for number in range(5)]
    done = await asyncio.gather(*(migrate(connection) for connection in connections))
    assert sorted(len(each) for each in done) == [0, 0, 0, 0, len(read_migrations())]
    for connection in connections:
        await connection.close()


async def test_runner_that_waits_too_long_says_what_to_do(
    empty_database: TestDatabase, empty: Connection
) -> None:
    other = await connect(empty_database.url("owner"), name="other")
    await other.execute("SELECT pg_advisory_lock($1)", 0x686F746C)
    with pytest.raises(SetupError, match="another migration"):
        await migrate(empty, lock_wait_s=0.1)
    await other.close()
    assert await migrate(empty)


async def test_changed_migration_is_refused(empty: Connection) -> None:
    await migrate(empty)
    first, *others = read_migrations()
    changed = [replace(first, sql=first.sql + "\n-- changed"), *others]
    with pytest.raises(SetupError, match="0001_schema was changed") as refused:
        await migrate(empty, migrations=changed)
    assert refused.value.fix


async def test_database_of_a_newer_version_is_refused(empty: Connection) -> None:
    await migrate(empty)
    with pytest.raises(SetupError, match="does not know"):
        await migrate(empty, migrations=read_migrations()[:-1])


async def test_pre_phase_stops_before_the_first_post_migration(empty: Connection) -> None:
    number = len(read_migrations())
    post = Migration(number + 1, Phase.POST, "drop_it", "DROP TABLE hotline.rings")
    listed = [*read_migrations(), post]
    first_post = next(at for at, each in enumerate(listed) if each.phase is Phase.POST)
    assert await migrate(empty, through=Phase.PRE, migrations=listed) == listed[:first_post]
    assert await empty.fetchval("SELECT to_regclass('rings')") is not None
    assert await migrate(empty, migrations=listed) == listed[first_post:]
    assert await empty.fetchval("SELECT to_regclass('rings')") is None


async def test_failed_migration_leaves_nothing_behind(empty: Connection) -> None:
    await migrate(empty)
    number = len(read_migrations()) + 1
    bad = Migration(number, Phase.PRE, "bad", "CREATE TABLE hotline.half (); SELECT 1/0;")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(empty, migrations=[*read_migrations(), bad])
    assert await empty.fetchval("SELECT to_regclass('half')") is None
    assert await migrate(empty) == []
