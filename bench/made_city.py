"""A city of a million tickets in a private PostgreSQL: few are lived, then multiplied.

A few tickets are taken through their lives by the product's own moves; SQL then copies each of
them, set-wise, with an id, a number, a caller, a title and a unit of its own. So every row is such
as the product writes. The hashes of a copied ledger are its pattern's: they link, but prove
nothing.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from base.database import Connection, Database, Patience, connect
from base.database_roles import DatabaseLogin, create_database, create_roles
from base.ids import TicketId, UnitId
from base.migrate import migrate
from base.sql_files import load_sql
from bench.private_valkey import HOST
from rules.library import load_pack
from server.services.database import connect_as_superuser
from server.services.postgres import PrivatePostgres
from server.services.unprivileged import unprivileged_account
from tests.conftest import free_port
from tests.fakes.city import SHIFTS, UNITS, WATER, centre, of_unit, person
from tests.fakes.work_order import MONDAY_10, WorkOrder, WorkOrders, calendar
from tickets import moves as m
from tickets.facts import Actor, ActorRole, TicketFacts
from tickets.intake import Demand
from tickets.packs import Packs
from tickets.unit_store import add_shift, put_unit
from tickets.work_orders import WorkOrders as Stored

SQL: Final = load_sql(Path(__file__).parent / "sql")
CITY: Final = "jinan_2018"
DATABASE: Final = "hotline"
PASSWORD: Final = "bench"
EVENTS: Final = 15
"""Ledger entries a ticket."""
UNITS_COUNT: Final = 200
FOUNDED: Final = datetime(2018, 1, 1, tzinfo=UTC)
PATIENCE: Final = Patience(statement_s=600.0, command_s=605.0, lock_s=60.0)
CHILDREN: Final = ("assignments", "follow_ups", "contact_attempts", "timers")
WORKING_SETTINGS: Final = {"max_wal_size": "8GB", "checkpoint_timeout": "30min"}
"""So that no checkpoint of the making falls into the measuring."""
ALL_WITH_UNITS: Final = {"with_units": 1000}
MIXED: Final = {
    "closed": 900,
    "with_units": 53,
    "promised": 2,
    "following_up": 15,
    "in_review": 10,
    "to_dispatch": 5,
    "registered": 15,
}
"""State → of a thousand tickets, oldest first. ``promised``: with units, until a promised day."""
SPRING: Final = date(MONDAY_10.year + 1, 3, 31)


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """The made city."""

    url: Callable[[str], str]
    """The address of the database for a role."""

    @asynccontextmanager
    async def database(self, role: str) -> AsyncIterator[Database]:
        """A pool as the product opens it, of a bench's patience."""
        pool = await Database.open(self.url(role), name="bench", patience=PATIENCE)
        try:
            yield pool
        finally:
            await pool.close()


@asynccontextmanager
async def made_city(
    tickets: int, shares: dict[str, int], folder: Path | None
) -> AsyncIterator[City]:
    """The city, made now or found in ``folder``, where it then stays for the next run."""
    with _place(folder) as root, _cluster(root) as postgres:
        city = City(url=partial(_url, postgres.port))
        mark = root / "made.json"
        wanted = json.dumps({"tickets": tickets, "shares": shares})
        if not mark.exists():
            await _make(postgres, city, tickets, shares)
            mark.write_text(wanted)
        elif mark.read_text() != wanted:
            raise SystemExit(f"{root} holds another city: remove it, or name another folder")
        owner = await connect(city.url("owner"), name="bench", patience=PATIENCE)
        await migrate(owner)
        await owner.close()
        yield city


def _url(port: int, role: str) -> str:
    return f"postgresql://hotline_{role}:{PASSWORD}@{HOST}:{port}/{DATABASE}"


@contextmanager
def _place(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    root = Path(tempfile.mkdtemp(prefix="hotline-bench-"))
    root.chmod(0o711)
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


@contextmanager
def _cluster(root: Path) -> Iterator[PrivatePostgres]:
    postgres = PrivatePostgres(
        root=root / "postgres",
        host=HOST,
        port=free_port(),
        superuser_password=PASSWORD,
        account=unprivileged_account(),
        extra=WORKING_SETTINGS,
    )
    postgres.start()
    try:
        yield postgres
    finally:
        postgres.stop()


async def _make(
    postgres: PrivatePostgres, city: City, tickets: int, shares: dict[str, int]
) -> None:
    superuser = await connect_as_superuser(postgres)
    await create_roles(superuser, dict.fromkeys(DatabaseLogin, PASSWORD))
    await create_database(superuser, DATABASE)
    await superuser.close()
    owner = await connect(city.url("owner"), name="bench", patience=PATIENCE)
    await migrate(owner)
    await owner.close()
    superuser = await connect_as_superuser(postgres, DATABASE)
    await superuser.execute("SET search_path = hotline; SET maintenance_work_mem = '1GB'")
    await fill(city, superuser, tickets, shares)
    await superuser.close()


async def fill(city: City, superuser: Connection, tickets: int, shares: dict[str, int]) -> None:
    """Make it in a migrated, empty database."""
    owner = await connect(city.url("owner"), name="bench", patience=PATIENCE)
    await _found(owner)
    await owner.close()
    async with city.database("web") as web:
        patterns = await _patterns(web, shares)
    await _multiply(superuser, tickets, patterns, shares)


async def _found(owner: Connection) -> None:
    """Units, shifts, people and a session for a person of each unit (``token_of``)."""
    for unit in UNITS:
        await put_unit(owner, unit, FOUNDED)
    for number in range(UNITS_COUNT):
        more = replace(UNITS[1], id=unit_name(number), name=f"单位{number}", duties=())
        await put_unit(owner, more, FOUNDED)
    for shift in SHIFTS:
        await add_shift(owner, shift)
    people: list[tuple[int, str, UnitId | None]]
    people = [(number, "dispatcher", None) for number in range(1, 10)]
    people += [(100 + number, "unit", unit.id) for number, unit in enumerate(UNITS)]
    people += [(1000 + number, "unit", unit_name(number)) for number in range(UNITS_COUNT)]
    await owner.executemany(
        SQL["insert_person"], [(person(n), f"person{n}", role, unit) for n, role, unit in people]
    )
    until = datetime.now(UTC) + timedelta(days=30)
    await owner.executemany(
        SQL["insert_session"],
        [
            (hashlib.sha256(token_of(number).encode()).digest(), person(1000 + number), until)
            for number in range(UNITS_COUNT)
        ],
    )


def unit_name(number: int) -> UnitId:
    """A unit of the made city: 0 has the most tickets."""
    return UnitId(f"city.u{number:03}")


def token_of(number: int) -> str:
    """The session's token of the unit's person."""
    return f"bench-{number}"


# ---- the patterns --------------------------------------------------------------------------------


class _Backend:
    """Carries a driver's moves out in the database."""

    def __init__(self, database: Database) -> None:
        self._orders = Stored(database, Packs(lambda: load_pack(CITY)), calendar)

    async def register(self, demand: Demand, by: Actor, at: datetime) -> TicketFacts:
        return await self._orders.register(demand, by, at)

    async def move(self, ticket: TicketId, move: m.Move, by: Actor, at: datetime) -> TicketFacts:
        return (await self._orders.move(ticket, move, by, at)).facts

    async def facts(self, ticket: TicketId) -> TicketFacts:
        return await self._orders.facts(ticket, centre(ActorRole.SYSTEM))


async def _patterns(web: Database, shares: dict[str, int]) -> list[str]:
    """A ticket in each state, with all its entries; their ids, in the order of ``shares``."""
    orders = WorkOrders(_Backend(web), CITY, MONDAY_10)
    return [(await _lived(orders, state)).facts.id for state in shares]


async def _lived(orders: WorkOrders, state: str) -> WorkOrder:
    """A life up to a state, filled up with progress notes or corrections to ``EVENTS`` entries."""
    order = await orders.register()
    if state == "registered":
        return await _filled(order, EVENTS)
    await order.check()
    if state == "to_dispatch":
        return await _filled(order, EVENTS)
    await order.dispatch(WATER)
    await order.sign(WATER)
    await order.contact(WATER)
    if state == "promised":
        promise = m.Promise(
            measures="更换老旧管道", progress="已立项", promised_on=SPRING, told="已告知"
        )
        await order.do(promise, of_unit(WATER))
    left = {"with_units": 0, "promised": 0, "in_review": 1, "following_up": 2, "closed": 4}[state]
    await _filled(order, EVENTS - left)
    if left:
        await order.feedback(WATER)
    if left > 1:
        await order.review(WATER)
    if left > 2:
        await order.follow_up()
        await order.close()
    return order


async def _filled(order: WorkOrder, version: int) -> WorkOrder:
    while order.facts.version < version:
        if order.facts.assignments:
            await order.do(m.Progress(note="已派人到现场查看，正在维修。"), of_unit(WATER))
        else:
            amend = m.Amend(reason="补充登记", wants_reply=order.facts.version % 2 == 0)
            await order.do(amend, centre(ActorRole.DISPATCHER))
    return order


# ---- a million of them ---------------------------------------------------------------------------


async def _multiply(
    superuser: Connection, tickets: int, patterns: list[str], shares: dict[str, int]
) -> None:
    bounds = _bounds(tickets, list(shares.values()))
    await superuser.execute("SET session_replication_role = replica")  # no triggers, no look-ups
    await superuser.execute(SQL["make_list"])
    await superuser.execute(SQL["fill_list"], patterns, bounds, tickets, MONDAY_10, UNITS_COUNT)
    indexes = await superuser.fetch(SQL["indexes_of_ledger"])
    for index in indexes:
        await superuser.execute(f"DROP INDEX hotline.{index['indexname']}")
    await superuser.execute("ALTER TABLE ledger DROP CONSTRAINT ledger_pkey")
    for table in ("tickets", *CHILDREN, "ledger"):
        await superuser.execute(await _copying(superuser, table), timeout=1800)
    await superuser.execute(SQL["fill_words"], timeout=1800)
    await superuser.execute("ALTER TABLE ledger ADD PRIMARY KEY (ticket_id, seq)", timeout=1800)
    for index in indexes:
        await superuser.execute(index["indexdef"], timeout=1800)
    await superuser.execute("SET session_replication_role = origin")
    await superuser.execute("VACUUM ANALYZE", timeout=1800)
    await superuser.execute("CHECKPOINT", timeout=1800)


def _bounds(tickets: int, shares: list[int]) -> list[int]:
    """Up to which ticket each pattern is copied."""
    return [round(tickets * sum(shares[: n + 1]) / sum(shares)) for n in range(len(shares))]


OF_TICKET: Final = {
    "id": "l.id",
    "number": "l.number",
    "title": "l.title",
    "caller_number": "l.caller",
    "created_at": "l.at",
}
OF_ASSIGNMENT: Final = {
    "id": "md5(p.id::text || l.n)::uuid",
    "ticket_id": "l.id",
    "number": "l.number",
    "unit": "l.unit",
}
OF_CHILD: Final = {
    "ticket_id": "l.id",
    "assignment": "md5(p.assignment::text || l.n)::uuid",
    "subject": "CASE p.subject WHEN '' THEN '' ELSE md5(p.subject || l.n)::uuid::text END",
}
"""What a copy has of its own, by column."""


async def _copying(superuser: Connection, table: str) -> str:
    """The statement that copies a table's rows of the patterns for every ticket of the list."""
    columns = [row["attname"] for row in await superuser.fetch(SQL["columns_of"], table)]
    own = {"tickets": OF_TICKET, "assignments": OF_ASSIGNMENT}.get(table, OF_CHILD)
    key = "id" if table == "tickets" else "ticket_id"
    values = ", ".join(own.get(column, f"p.{column}") for column in columns)
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values}"
        f" FROM made_list l JOIN {table} p ON p.{key} = l.pattern ORDER BY l.n"
    )
