"""Makes the product's database usable: roles, the database, its schema, the first accounts."""

import asyncpg

from base.database import connect
from base.database_roles import DatabaseLogin, create_database, create_roles
from base.migrate import Migration, migrate
from server.accounts import ensure_first_users
from server.connections import DATABASE_NAME, database_secret, database_url
from server.secrets_store import secrets_of
from server.services.postgres import SUPERUSER, PrivatePostgres
from server.settings import Settings

CONNECT_TIMEOUT_S = 30.0


async def prepare_database(settings: Settings, cluster: PrivatePostgres | None) -> list[Migration]:
    """Bring roles, database, schema and accounts up to date; returns the migrations applied.

    Without a cluster of ours (``database_url`` names a server) roles and database are the
    administrator's to make; the schema is ours in any case.
    """
    if cluster is not None:
        store = secrets_of(settings)
        passwords = {login: store.read(database_secret(login)) for login in DatabaseLogin}
        superuser = await connect_as_superuser(cluster)
        try:
            await create_roles(superuser, passwords)
            await create_database(superuser, DATABASE_NAME)
        finally:
            await superuser.close()
    owner = await connect(database_url(settings, "owner"), name="hotline set-up")
    try:
        applied = await migrate(owner)
        await ensure_first_users(owner, settings)
        return applied
    finally:
        await owner.close()


async def connect_as_superuser(
    cluster: PrivatePostgres, database: str = "postgres"
) -> "asyncpg.Connection[asyncpg.Record]":
    """Open a session over the private cluster's unix socket."""
    return await asyncpg.connect(
        host=str(cluster.socket_dir),
        port=cluster.port,
        user=SUPERUSER,
        password=cluster.superuser_password,
        database=database,
        timeout=CONNECT_TIMEOUT_S,
    )
