"""Connections of each login to the test's own database (``tests.conftest.database``)."""

import uuid
from collections.abc import AsyncIterator

import pytest

from base.database import Connection, Database, Patience, connect
from base.database_roles import create_database
from server.services.database import connect_as_superuser
from tests.conftest import TestCluster, TestDatabase

PATIENCE = Patience(connect_s=5.0, acquire_s=10.0, statement_s=10.0, command_s=12.0, lock_s=10.0)


@pytest.fixture
async def empty_database(postgres_cluster: TestCluster) -> AsyncIterator[TestDatabase]:
    """No schema in it: for the migrations themselves."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    superuser = await connect_as_superuser(postgres_cluster.postgres)
    await create_database(superuser, name)
    yield TestDatabase(postgres_cluster, name)
    await superuser.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await superuser.close()


@pytest.fixture
async def superuser(database: TestDatabase) -> AsyncIterator[Connection]:
    """The superuser in the test's own database."""
    connection = await connect_as_superuser(database.cluster.postgres, database.name)
    await connection.execute("SET search_path = hotline")
    yield connection
    await connection.close()


@pytest.fixture
async def owner(database: TestDatabase) -> AsyncIterator[Connection]:
    connection = await connect(database.url("owner"), name="test", patience=PATIENCE)
    yield connection
    await connection.close()


@pytest.fixture
async def web(database: TestDatabase) -> AsyncIterator[Database]:
    pool = await Database.open(database.url("web"), name="test", patience=PATIENCE)
    yield pool
    await pool.close()


@pytest.fixture
async def bridge(database: TestDatabase) -> AsyncIterator[Database]:
    pool = await Database.open(database.url("bridge"), name="test", patience=PATIENCE)
    yield pool
    await pool.close()


@pytest.fixture
async def unit(database: TestDatabase) -> AsyncIterator[Database]:
    """The login of what units are shown."""
    pool = await Database.open(database.url("unit"), name="test", patience=PATIENCE)
    yield pool
    await pool.close()


@pytest.fixture
async def agent(owner: Connection) -> str:
    """The id of a user who may confirm."""
    user = str(uuid.uuid4())
    await owner.execute(
        "INSERT INTO users (id, username, display_name, role, agent, password_hash)"
        " VALUES ($1, 'agent1001', '坐席1001', 'agent', '1001', 'none')",
        user,
    )
    return user
