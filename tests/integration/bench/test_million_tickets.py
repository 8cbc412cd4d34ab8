"""The benches of the work order at a small scale, and the lists beside a plain query for them."""

import itertools
import random
from collections.abc import AsyncIterator

import pytest

from base.database import Connection, Database, connect
from bench import sweep, tickets
from bench.made_city import EVENTS, MIXED, City, fill, token_of, unit_name
from bench.rehearsal import Times, take_turns
from tests.conftest import TestDatabase
from tests.fakes.city import WATER, centre, of_unit
from tickets import board
from tickets.access import UnitView
from tickets.facts import ActorRole
from tickets.ticket import TicketState

TICKETS = 200
DISPATCHER = centre(ActorRole.DISPATCHER)
UNIT = of_unit(WATER)
"""Whose login reads: the session says which unit."""
PLAIN = """
SELECT number FROM tickets t
WHERE (cardinality($1::text[]) = 0 OR state = ANY ($1)) AND ($2 = '' OR type = $2)
    AND ($3 = '' OR EXISTS (SELECT FROM assignments WHERE ticket_id = t.id AND unit = $3))
    AND ($4 = '' OR strpos(title, $4) > 0 OR number = $4) AND ($5 = '' OR number < $5)
ORDER BY number DESC LIMIT 7"""


@pytest.fixture
async def city(database: TestDatabase, superuser: Connection) -> City:
    made = City(url=database.url)
    await fill(made, superuser, TICKETS, MIXED)
    return made


@pytest.fixture
async def bare(city: City) -> AsyncIterator[Connection]:
    connection = await connect(city.url("web"), name="bare")
    yield connection
    await connection.close()


async def test_the_benches_run_their_cases_on_whole_tickets(
    city: City, web: Database, unit: Database, bare: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every ticket has all its events; each case is carried out and said barely."""
    events = await web.fetch("SELECT count(*) FROM ledger GROUP BY ticket_id")
    assert {row["count"] for row in events} == {EVENTS}
    monkeypatch.setattr(tickets, "SAMPLES", 2)
    cases = tickets.Cases(random.Random(1))
    await cases.learn(web)
    of_unit = await connect(city.url("unit"), name="bare")
    for name, login, pairs in cases.all():
        times = Times()
        by = (web, bare) if login == "web" else (unit, of_unit)
        await take_turns(*by, pairs(), times)
        assert (len(times.ours), len(times.bare)) == (2, 2), name
    await of_unit.close()
    told = Times()
    one = sweep.sweeping(sweep.ALL_DUE_AT)
    await take_turns(web, bare, [(one, one)] * 2, told)
    assert await web.fetchval("SELECT count(*) FROM timers WHERE fired_at IS NOT NULL") == 4


async def test_a_page_is_what_a_plain_query_gives_however_it_is_narrowed(
    city: City, web: Database, unit: Database, superuser: Connection
) -> None:
    a_number = str(await superuser.fetchval("SELECT max(number) FROM tickets"))
    late = str(await superuser.fetchval("SELECT number FROM tickets ORDER BY 1 OFFSET 150 LIMIT 1"))
    states: tuple[tuple[TicketState, ...], ...] = (
        (),
        (TicketState.CLOSED,),
        (TicketState.WITH_UNITS, TicketState.IN_REVIEW, TicketState.ENDED),
    )
    words = ("", "停水", "水", "街1", "%", a_number, "没有的")
    units = ("", unit_name(0), unit_name(150))
    async with web.connection() as centre, UnitView(unit, token_of(0)).reading() as of_unit:
        for state, word, named, below in itertools.product(states, words, units, ("", late)):
            wanted = board.Wanted(
                states=state,
                words=word,
                unit=named,  # type: ignore[arg-type]
                below=below,
                limit=7,
            )
            asked = (list(state), "", named, word, below)
            plain = [row["number"] for row in await superuser.fetch(PLAIN, *asked)]
            page, _ = await board.lines(centre, wanted, DISPATCHER)
            assert [line.number for line in page] == plain, wanted
            mine = await superuser.fetch(PLAIN, list(state), "", unit_name(0), word, below)
            expected = [] if named == unit_name(150) else [row["number"] for row in mine]
            page, _ = await board.lines(of_unit, wanted, UNIT)
            assert [line.number for line in page] == expected, wanted


async def test_a_title_that_was_withheld_is_found_by_its_words_no_more(
    city: City, web: Database, superuser: Connection
) -> None:
    number = await superuser.fetchval(
        "SELECT number FROM tickets WHERE title LIKE '%停水%' LIMIT 1"
    )
    await superuser.execute(
        "SELECT withhold_texts(id, '已隐去') FROM tickets WHERE number = $1", number
    )
    pairs = await superuser.fetchval("SELECT pairs FROM ticket_words WHERE number = $1", number)
    assert pairs == ["已隐", "隐去"]
    async with web.connection() as centre:
        wanted = board.Wanted(words="已隐去")
        page, _ = await board.lines(centre, wanted, DISPATCHER)
    assert [line.number for line in page] == [number]
