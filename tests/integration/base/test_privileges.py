"""What the running roles' logins must not be able to do, tried on a real PostgreSQL."""

import asyncpg
import pytest

from base.database import Connection, Database, connect
from base.outbox import SQL as OUTBOX_SQL
from server.accounts import SQL as ACCOUNTS_SQL
from server.admission_book import SQL as ADMISSION_SQL
from server.auth import SQL as AUTH_SQL
from server.events import SQL as EVENTS_SQL
from server.nuisance_entry import SQL as PROGRESS_SQL
from server.outside.short_messages import SQL as SMS_SQL
from server.records.call_book import SQL as CALL_BOOK_SQL
from server.records.postgres import SQL as RECORDS_SQL
from server.records.retention import SQL as RETENTION_SQL
from server.records.return_calls import SETTLE_SQL
from server.suspensions import SQL as NUISANCE_SQL
from tests.conftest import TestDatabase
from tickets.access import UNIT_SQL
from tickets.attachments import SQL as ATTACHMENTS_SQL
from tickets.board import SQL as BOARD_SQL
from tickets.outages import SQL as OUTAGES_SQL
from tickets.oversight import SQL as OVERSIGHT_SQL
from tickets.parties import SQL as PARTIES_SQL
from tickets.store import SQL as TICKETS_SQL
from tickets.studies import SQL as STUDIES_SQL
from tickets.unit_store import OWNER_SQL as ORGANISATION_SQL

FORBIDDEN_TO_BOTH = [
    "CREATE TABLE hotline.mine ()",
    "CREATE TABLE public.mine ()",
    "CREATE TEMPORARY TABLE mine ()",
    "CREATE SCHEMA mine",
    "DROP TABLE hotline.calls",
    "TRUNCATE hotline.calls",
    "DELETE FROM calls",
    "DELETE FROM utterances",
    "DELETE FROM drafts",
    "UPDATE tickets SET title = 'x'",
    "DELETE FROM tickets",
    "UPDATE ledger SET reason = 'x'",
    "DELETE FROM ledger",
    "TRUNCATE ledger",
    "ALTER TABLE ledger DISABLE TRIGGER ALL",
    "SET session_replication_role = 'replica'",
    "UPDATE users SET role = 'admin'",
    "DELETE FROM users",
    "DELETE FROM agent_moves",
    "UPDATE agent_moves SET at = now()",
    "UPDATE consents SET is_given = true",
    "DELETE FROM calls_out",
    "DELETE FROM listenings",
    "UPDATE listenings SET at = now()",
    "INSERT INTO directory VALUES ('12', 'x', 'unit')",
    "SELECT pairs FROM ticket_words",
    "SELECT hotline.page_of_unit('{}', '', '', '', '', 10, false)",
    "DELETE FROM outbox",
    "UPDATE outbox SET payload = '{}'",
    "DELETE FROM nuisance_steps",
    "UPDATE nuisance_steps SET kind = 'lift'",
    "DELETE FROM suspensions",
    "UPDATE suspensions SET caller_number = 'x'",
    "UPDATE outbox SET key = 'other'",
    "INSERT INTO users (id, username, display_name, role, password_hash)"
    " VALUES (gen_random_uuid(), 'mallory', 'm', 'admin', 'x')",
    "INSERT INTO migrations (number, phase, name, checksum) VALUES (99, 'pre', 'x', 'x')",
    "DELETE FROM migrations",
    "SELECT pg_read_file('/etc/passwd')",
    "COPY calls TO PROGRAM 'true'",
    "SET ROLE hotline_owner",
]
FORBIDDEN_TO_BRIDGE = [
    "SELECT hotline.forget_sent_messages(1, 1)",
    "SELECT * FROM users",
    "SELECT * FROM sessions",
    "SELECT * FROM login_attempts",
    "SELECT * FROM ledger",
    "SELECT content FROM tickets",
    "SELECT contact_number FROM tickets",
    "SELECT * FROM ticket_corrections",
    "SELECT * FROM ticket_days",
    "SELECT * FROM outbox",
    "SELECT * FROM short_messages",
    "SELECT reason FROM nuisance_steps",
    "SELECT * FROM suspensions",
    "INSERT INTO nuisance_steps (caller_number, at, kind, reason, script, pack)"
    " VALUES ('x', now(), 'warn', '', '', '')",
    "INSERT INTO outbox (channel, key, payload) VALUES ('sms', 'x', '{}')",
    "UPDATE drafts SET confirmed_at = now()",
    "INSERT INTO ledger (ticket_id, seq, at, actor, action, reason, article, body, prev_hash, hash)"
    " VALUES (gen_random_uuid(), 1, now(), 'x', 'x', '', '', '{}', repeat('0', 64),"
    " repeat('0', 64))",
]
FORBIDDEN_TO_WEB = [
    "INSERT INTO calls (id, arrived_at) VALUES ('x', now())",
    "UPDATE calls SET caller_number = ''",
    "INSERT INTO rings (id, call_id, agent, rang_at) VALUES ('x', 'x', '1001', now())",
    "UPDATE utterances SET text = ''",
    "INSERT INTO drafts (call_id, version, machine, agent, updated_at)"
    " VALUES ('x', 1, '{}', '{}', now())",
    "UPDATE drafts SET machine = '{}'",
    "UPDATE users SET password_hash = 'x'",
    "UPDATE sessions SET expires_at = now() + interval '1 year'",
    "UPDATE ticket_corrections SET final_value = ''",
    "UPDATE tickets SET caller_number = ''",
    "UPDATE tickets SET lane = 'ordinary'",
    "UPDATE tickets SET created_by = created_by",
    "UPDATE follow_ups SET is_satisfied = true",
    "UPDATE ratings SET stars = 5",
    "UPDATE attachments SET sha256 = repeat('0', 64)",
    "DELETE FROM attachments",
    "DELETE FROM short_messages",
    "UPDATE short_messages SET key = 'other'",
    "DELETE FROM ratings",
    "UPDATE refusals SET told = ''",
    "UPDATE contact_attempts SET is_reached = true",
    "DELETE FROM assignments",
    "UPDATE reply_doubts SET note = ''",
    "DELETE FROM reply_doubts",
    "UPDATE outages SET unit = 'x'",
    "UPDATE studies SET reason = 'x'",
    "DELETE FROM study_tickets",
    "UPDATE parties SET name = 'x'",
    "UPDATE packs SET text = ''",
    "UPDATE units SET first_responsible = 'x'",
    "INSERT INTO shifts (unit, begins_at, ends_at, person, phone)"
    " VALUES ('x', now(), now() + interval '1 h', 'x', 'x')",
    "UPDATE access_log SET reason = ''",
    "DELETE FROM access_log",
    "DELETE FROM ticket_days",
    "INSERT INTO outbox (channel, key, payload, state) VALUES ('sms', 'x', '{}', 'sent')",
]


@pytest.mark.parametrize("sql", [*FORBIDDEN_TO_BOTH, *FORBIDDEN_TO_BRIDGE])
async def test_bridge_may_not(sql: str, bridge: Database) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await bridge.execute(sql)


@pytest.mark.parametrize("sql", [*FORBIDDEN_TO_BOTH, *FORBIDDEN_TO_WEB])
async def test_web_may_not(sql: str, web: Database) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await web.execute(sql)


async def test_not_even_the_owner_changes_the_ledger_by_a_slip(owner: Connection) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await owner.execute("TRUNCATE ledger")


async def test_a_database_is_closed_to_whom_it_is_not_opened(
    superuser: Connection, database: TestDatabase
) -> None:
    await superuser.execute(f"REVOKE CONNECT ON DATABASE {database.name} FROM hotline_web")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connect(database.url("web"), name="test")


async def test_every_named_statement_fits_the_schema_and_the_rights_of_its_role(
    web: Database, bridge: Database, unit: Database, owner: Connection
) -> None:
    written_by_bridge = {
        name
        for name in RECORDS_SQL
        if name.startswith(("keep_", "end_", "followed_")) or name.endswith("late_leg")
    }
    of_web = {**AUTH_SQL, **TICKETS_SQL, **OUTBOX_SQL, **EVENTS_SQL, **ADMISSION_SQL, **SETTLE_SQL}
    of_web |= {**NUISANCE_SQL, **PROGRESS_SQL, **ATTACHMENTS_SQL, **OVERSIGHT_SQL, **SMS_SQL}
    of_web |= {**OUTAGES_SQL, **STUDIES_SQL, **PARTIES_SQL}
    of_unit = {"page_of_unit", "lines_of_unit", "unit_texts", "unit_explanations"}
    of_centre = {"page_of_centre", "lines", "texts", "former_texts", "refusal_told", "told_texts"}
    of_centre |= {"answer_told", "similar_tickets"}
    of_web |= {name: sql for name, sql in BOARD_SQL.items() if name not in of_unit}
    async with web.connection() as connection:
        for name, sql in {**of_web, **RECORDS_SQL}.items():
            if name not in written_by_bridge:
                await connection.prepare(sql)
                await explained(connection, sql)
    async with bridge.connection() as connection:
        for sql in [*RECORDS_SQL.values(), TICKETS_SQL["former_tickets"]]:
            await explained(connection, sql)
    async with bridge.connection() as connection:
        for name, sql in RETENTION_SQL.items():
            if name not in ("hold", "release"):
                await explained(connection, sql)
    async with web.connection() as connection:
        for name, sql in CALL_BOOK_SQL.items():
            if name not in ("keep_entry", "remove_entry"):
                await explained(connection, sql)
    for sql in [*ACCOUNTS_SQL.values(), *ORGANISATION_SQL.values(), *CALL_BOOK_SQL.values()]:
        await explained(owner, sql)
    async with unit.connection() as connection:
        for name, sql in {**UNIT_SQL, **BOARD_SQL}.items():
            if name not in of_centre:
                await explained(connection, sql)


async def explained(connection: Connection, sql: str) -> None:
    """Plan it: that checks names, types and rights, and does nothing."""
    statement = await connection.prepare(sql)
    await connection.execute(
        "SET plan_cache_mode = force_generic_plan; SET statement_timeout = '5s'"
    )
    count = len(statement.get_parameters())
    name = f"checked_{abs(hash(sql))}"
    await connection.execute(f"PREPARE {name} AS {sql}")
    nulls = f"({', '.join(['NULL'] * count)})" if count else ""
    await connection.execute(f"EXPLAIN EXECUTE {name}{nulls}")
