"""The database and the login roles the product uses, made once by PostgreSQL's superuser.

Owns the roles' names and limits; what each may do to which table stands in the migrations.
``hotline_owner`` owns the schema: migrations, set-up and ``hotline user``. The others are the
running roles' logins and may do no more than the migrations grant.
"""

from collections.abc import Mapping
from enum import StrEnum

from base.database import SCHEMA, Connection


class DatabaseLogin(StrEnum):
    """Who connects."""

    OWNER = "hotline_owner"
    """Owns every table; used by migrations and by set-up commands, never by a running role."""
    BRIDGE = "hotline_bridge"
    """The single writer of live facts: calls, rings, utterances, drafts."""
    WEB = "hotline_web"
    """Sign-in, tickets, ledger."""
    UNIT = "hotline_unit"
    """What a unit is shown of its own tickets; reads alone, by the session's token."""


_STATEMENT_TIMEOUT = {
    DatabaseLogin.OWNER: "10min",
    DatabaseLogin.BRIDGE: "5s",
    DatabaseLogin.WEB: "5s",
    DatabaseLogin.UNIT: "5s",
}
_CONNECTION_LIMIT = {
    DatabaseLogin.OWNER: 8,
    DatabaseLogin.BRIDGE: 32,
    DatabaseLogin.WEB: 64,
    DatabaseLogin.UNIT: 64,
}
RUNNING = tuple(login for login in DatabaseLogin if login is not DatabaseLogin.OWNER)


async def create_roles(superuser: Connection, passwords: Mapping[DatabaseLogin, str]) -> None:
    """Make the roles, or give existing ones these passwords and limits. Can be run again."""
    for role in DatabaseLogin:
        if await superuser.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role) is None:
            await superuser.execute(f"CREATE ROLE {role}")
        password = await superuser.fetchval("SELECT quote_literal($1::text)", passwords[role])
        await superuser.execute(
            f"ALTER ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION"
            f" NOBYPASSRLS NOINHERIT CONNECTION LIMIT {_CONNECTION_LIMIT[role]}"
            f" PASSWORD {password}"
        )
        await superuser.execute(f"ALTER ROLE {role} SET search_path = {SCHEMA}")
        await superuser.execute(
            f"ALTER ROLE {role} SET statement_timeout = '{_STATEMENT_TIMEOUT[role]}'"
        )


async def create_database(superuser: Connection, name: str) -> bool:
    """Make the product's database, closed to everybody else; False if it is there already.

    Logins that came with a later version are let into a database of an earlier one.
    """
    known = await superuser.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name)
    quoted = await superuser.fetchval("SELECT quote_ident($1)", name)
    if known is None:
        await superuser.execute(
            f"CREATE DATABASE {quoted} OWNER {DatabaseLogin.OWNER} ENCODING 'UTF8'"
        )
        await superuser.execute(f"REVOKE ALL ON DATABASE {quoted} FROM PUBLIC")
    for role in RUNNING:
        await superuser.execute(f"GRANT CONNECT ON DATABASE {quoted} TO {role}")
    return known is None
