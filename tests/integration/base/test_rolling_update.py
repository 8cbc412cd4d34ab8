"""Old processes on the newest schema: while a city updates, the old code still runs beside the new.

Each statement of a released state (``tests/data/statements``) is planned with the schema it was
written for, to learn which logins may say it, then with the newest: the same logins still may. It
is held to every ``pre`` migration up to the first ``post`` one, which comes after the last old
process. And no table has a new column that an old INSERT would have to give.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import pytest

from base.database import Connection, connect
from base.migrate import Migration, Phase, migrate, read_migrations
from base.sql_files import load_sql
from tests.conftest import TestDatabase
from tests.released_statements import RELEASED, ROOT, statements, write_down

LOGINS = ("owner", "bridge", "web", "unit")
STATES = sorted(int(path.name) for path in RELEASED.iterdir())
NEW_COLUMNS = """
SELECT table_name || '.' || column_name AS name, table_name FROM information_schema.columns
WHERE table_schema = 'hotline' AND is_nullable = 'NO' AND column_default IS NULL
    AND is_identity = 'NO' AND is_generated = 'NEVER'"""
"""What an INSERT must give."""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'hotline'"


def until_the_old_code_has_ended(state: int) -> list[Migration]:
    """All migrations that may be applied while code of that state still runs."""
    found = []
    for migration in read_migrations():
        if migration.number > state and migration.phase is Phase.POST:
            break
        found.append(migration)
    return found


@pytest.fixture
async def owner_of_empty(empty_database: TestDatabase) -> AsyncIterator[Connection]:
    connection = await connect(empty_database.url("owner"), name="test")
    yield connection
    await connection.close()


async def planned(database: TestDatabase, said: Mapping[str, str]) -> set[tuple[str, str]]:
    """Which login may say which statement: names, types and rights fit."""
    found = set()
    async with AsyncExitStack() as stack:
        for login in LOGINS:
            connection = await connect(database.url(login), name="old")
            stack.push_async_callback(connection.close)
            await connection.execute("SET plan_cache_mode = force_generic_plan")
            for name, sql in said.items():
                try:
                    statement = await connection.prepare(sql)
                    count = len(statement.get_parameters())
                    await connection.execute(f"PREPARE tried AS {sql}")
                    nulls = f"({', '.join(['NULL'] * count)})" if count else ""
                    await connection.execute(f"EXPLAIN EXECUTE tried{nulls}")
                    await connection.execute("DEALLOCATE tried")
                except asyncpg.PostgresError:
                    await connection.execute("DEALLOCATE ALL")
                else:
                    found.add((login, name))
    return found


async def unfit(
    state: int, migrations: Sequence[Migration], database: TestDatabase, owner: Connection
) -> set[str]:
    """What code of that state said and cannot say after these migrations."""
    said = load_sql(RELEASED / f"{state:04}")
    await migrate(owner, migrations=read_migrations()[:state])
    before = await planned(database, said)
    assert {name for _, name in before} == set(said)
    wanted = {row["name"] for row in await owner.fetch(NEW_COLUMNS)}
    tables = {row["tablename"] for row in await owner.fetch(TABLES)}
    await migrate(owner, migrations=migrations)
    demanded = {
        row["name"] for row in await owner.fetch(NEW_COLUMNS) if row["table_name"] in tables
    }
    lost = before - await planned(database, said)
    return {f"{login}: {name}" for login, name in lost} | (demanded - wanted)


@pytest.mark.parametrize("state", STATES)
async def test_what_old_code_says_still_fits_the_newest_schema(
    state: int, empty_database: TestDatabase, owner_of_empty: Connection
) -> None:
    migrations = until_the_old_code_has_ended(state)
    assert await unfit(state, migrations, empty_database, owner_of_empty) == set()


async def test_a_migration_that_old_code_cannot_live_with_is_found(
    empty_database: TestDatabase, owner_of_empty: Connection
) -> None:
    sql = """
        ALTER TABLE hotline.ratings DROP COLUMN stars;
        ALTER TABLE hotline.packs ADD COLUMN author text NOT NULL;
        REVOKE SELECT ON hotline.units FROM hotline_web"""
    state = STATES[-1]
    bad = Migration(state + 1, Phase.PRE, "bad", sql)
    found = await unfit(state, [*read_migrations()[:state], bad], empty_database, owner_of_empty)
    assert {"web: tickets__insert_rating", "web: tickets__units_at", "packs.author"} <= found


def test_the_statements_of_a_release_are_written_down_whole(tmp_path: Path) -> None:
    path = write_down(ROOT, tmp_path)
    assert path.parent.name == f"{read_migrations()[-1].number:04}"
    assert load_sql(path.parent) == dict(statements(ROOT))
