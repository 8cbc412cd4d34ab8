"""The units' login against everything that the catalogue names: what is new is tried by itself.

What a unit may read or call is listed here; all else must be refused. And of a ticket that is not
its to see, whatever it reads or calls must hold neither an id nor a word of it.
"""

from collections.abc import Callable, Iterator

import asyncpg

from base.database import Connection, Database
from base.ids import UnitId
from tests.fakes.city import HOUSING, LIXIA, MARKET, centre, of_unit
from tests.fakes.work_order import WorkOrder, WorkOrders
from tests.integration.tickets.sessions import Session
from tickets import moves as m
from tickets.facts import ActorRole
from tickets.ticket import Lane, TicketType

Hotline = Callable[[str], WorkOrders]
SignIn = Callable[[UnitId], Session]

READABLE = {
    "assignments",
    "attachments",
    "consults",
    "explanations",
    "ledger",
    "tickets",
    "unit_requests",
    "units",
}
"""Tables with a column that a unit may read."""
CALLABLE = {
    "caller_of",
    "is_seen_by_unit",
    "is_seen_closely",
    "leads",
    "page_of_unit",
    "reveal_caller",
    "session_is_body",
    "session_unit",
    "session_user_id",
    "unit_explanations",
    "unit_texts",
}
RELATIONS = """
SELECT n.nspname || '.' || c.relname AS name, c.relname, c.relkind::text,
    array_agg(quote_ident(a.attname)) AS columns
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f', 'S') AND n.nspname !~ '^(pg_|information_schema$)'
GROUP BY 1, 2, 3 ORDER BY 1"""
FUNCTIONS = """
SELECT p.proname AS name, array(SELECT format_type(t, NULL)
    FROM unnest(p.proargtypes) WITH ORDINALITY u(t, nth) ORDER BY nth) AS takes
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname !~ '^(pg_|information_schema$)' AND p.prorettype <> 'trigger'::regtype
ORDER BY 1"""
VALUES = {
    "uuid": "'{ticket}'",
    "text": "''",
    "text[]": "'{{}}'",
    "integer": "100",
    "boolean": "false",
}
"""Of each type that a function takes: what asks for most."""


async def refused(session: Session, sql: str) -> bool:
    try:
        await session.fetch(sql)
    except asyncpg.InsufficientPrivilegeError:
        return True
    return False


async def test_what_is_not_listed_is_refused_to_units_and_nothing_can_be_written(
    sign_in: SignIn, superuser: Connection
) -> None:
    session = sign_in(MARKET)
    readable, writable, callable_ = set(), [], set()
    for row in await superuser.fetch(RELATIONS):
        for column in row["columns"]:
            if not await refused(session, f"SELECT {column} FROM {row['name']} LIMIT 1"):
                readable.add(row["relname"])
            if row["relkind"] != "S":
                change = f"UPDATE {row['name']} SET {column} = DEFAULT WHERE false"
                writable += [] if await refused(session, change) else [change]
        if row["relkind"] != "S":
            for sql in ("DELETE FROM {} WHERE false", "INSERT INTO {} DEFAULT VALUES"):
                said = sql.format(row["name"])
                writable += [] if await refused(session, said) else [said]
    for row in await superuser.fetch(FUNCTIONS):
        nulls = ", ".join(f"NULL::{type_}" for type_ in row["takes"])
        try:
            is_refused = await refused(session, f"SELECT hotline.{row['name']}({nulls})")
        except asyncpg.CheckViolationError:  # called, and wanted a reason
            is_refused = False
        if not is_refused or row["name"] == "reveal_caller":
            callable_.add(row["name"])
    assert readable == READABLE
    assert writable == []
    assert callable_ == CALLABLE


async def hidden_from_housing(hotline: Hotline) -> list[WorkOrder]:
    """Another unit's; one that accuses it; one in a locked lane; one that it stepped back from."""
    orders = hotline("jinan_2018")
    another = await orders.register(demand="甲事")
    await another.to_units(MARKET)
    accusing = await orders.register(
        type=TicketType.REPORT, accused_units=[HOUSING], demand="乙事", is_confidential=True
    )
    await accusing.to_units(LIXIA)
    locked = await orders.register(
        type=TicketType.COMPLAIN, lane=Lane.STAFF_COMPLAINT, demand="丙事"
    )
    left = await orders.register(type=TicketType.REPORT, demand="丁事")
    await left.to_units(HOUSING)
    recusal = m.Recuse(users=[of_unit(HOUSING).user], interest="亲属", is_demanded=True)
    await left.do(recusal, centre(ActorRole.AGENT))
    return [another, accusing, locked, left]


def words_of(order: WorkOrder) -> Iterator[str]:
    yield from (order.facts.id, order.facts.number)
    yield from (each.id for each in order.facts.assignments)


async def test_nothing_that_a_unit_can_ask_holds_an_id_or_a_word_of_what_is_hidden_from_it(
    hotline: Hotline, sign_in: SignIn, superuser: Connection
) -> None:
    hidden = await hidden_from_housing(hotline)
    own = await hotline("jinan_2018").register(demand="戊事")
    await own.to_units(HOUSING)
    secrets = {word for each in hidden for word in words_of(each)}
    secrets |= {"甲事", "乙事", "丙事", "丁事", "王小明", "13800001234"}
    told: list[str] = []
    session = sign_in(HOUSING)
    for row in await superuser.fetch(RELATIONS):
        if row["relname"] in READABLE:
            for column in row["columns"]:
                sql = f"SELECT {column}::text FROM {row['name']}"
                if not await refused(session, sql):
                    told += [str(each[0]) for each in await session.fetch(sql)]
    for row in await superuser.fetch(FUNCTIONS):
        for order in hidden if row["name"] in CALLABLE else ():
            given = ", ".join(f"{VALUES[t]}::{t}" for t in row["takes"])
            given = given.format(ticket=order.facts.id)
            sql = f"SELECT f::text FROM hotline.{row['name']}({given}) f"
            if row["name"] == "reveal_caller":
                sql = sql.replace("''::text", "'好奇'::text")
            if not await refused(session, sql):
                told += [str(each[0]) for each in await session.fetch(sql)]
    assert own.facts.number in told
    assert {word for word in secrets if any(word in each for each in told)} == set()


async def test_the_number_that_a_list_skips_cannot_be_asked_for_by_words_either(
    hotline: Hotline, sign_in: SignIn, unit: Database
) -> None:
    hidden = await hidden_from_housing(hotline)
    for order in hidden:
        for words in (order.facts.number, "事", ""):
            rows = await sign_in(HOUSING).fetch(
                "SELECT hotline.page_of_unit('{}', '', '', $1, '', 100, false)", words
            )
            assert rows == []
