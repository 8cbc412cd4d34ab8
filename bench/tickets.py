"""A million tickets of fifteen events: confirm, move, lists by role, search, beside the bare SQL.

The reference says the very statements that we say (``bench.rehearsal``), so the ratio is what our
deciding, checking and converting cost; a statement that is slow shows in the milliseconds of the
notes. What the lists and searches give is made into the API's JSON.
"""

import gc
import random
import statistics
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog
import uvloop

from base.database import Database, connect
from base.ids import TicketId
from bench.harness import BenchResult, LoadWatch, machine
from bench.made_city import (
    CITY,
    EVENTS,
    MIXED,
    PATIENCE,
    made_city,
    token_of,
    unit_name,
)
from bench.rehearsal import Times, Work, per_second, percentile_ms, take_turns
from rules.library import load_pack
from tests.fakes.city import HOUSING, centre, of_unit, person
from tests.fakes.work_order import MONDAY_10, calendar
from tickets import board
from tickets import moves as m
from tickets.access import UnitView
from tickets.beginning import Beginning, facts_of
from tickets.board import Wanted
from tickets.facts import Actor, ActorRole
from tickets.oversight import tracked
from tickets.packs import Packs
from tickets.registration import Confirmation, register
from tickets.store import SQL
from tickets.ticket import TicketState
from tickets.work_orders import WorkOrders, open_lanes

TICKETS: Final = 1_000_000
SAMPLES: Final = 20
"""Of each case in a round."""
AT: Final = MONDAY_10 + timedelta(days=1)
AIM: Final = 0.7
Pairs = Iterator[tuple[Work, Work]]


def run(runs: int, scale: float = 1.0, data: Path | None = None) -> BenchResult:
    """A second's worth of each case, one after the other; medians of rounds."""
    load = LoadWatch()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    rounds = max(runs, 5)
    times = uvloop.run(_measure(round(TICKETS * scale), rounds, data))  # as the web role runs
    ours = {case: _median(found, "ours") for case, found in times.items()}
    bare = {case: _median(found, "bare") for case, found in times.items()}
    return BenchResult(
        name="tickets",
        unit="per second, one after the other",
        ours={case: round(value, 1) for case, value in ours.items()},
        reference={case: round(value, 1) for case, value in bare.items()},
        ratio={case: round(ours[case] / bare[case], 3) for case in times},
        aim=dict.fromkeys(times, AIM),
        runs=rounds,
        machine=machine(),
        load=load.done(),
        notes=(
            f"{round(TICKETS * scale):,} tickets of {EVENTS} events; PostgreSQL with durability, "
            "as the product starts it",
            "reference: the same statements on a bare connection",
            *(f"{case}: {_percentiles(found)}" for case, found in times.items()),
        ),
    )


def _median(rounds: list[Times], who: str) -> float:
    return statistics.median(per_second(getattr(each, who)) for each in rounds)


def _percentiles(rounds: list[Times]) -> str:
    said = []
    for who in ("ours", "bare"):
        all_s = [value for each in rounds for value in getattr(each, who)]
        p50, p99 = percentile_ms(all_s, 50), percentile_ms(all_s, 99)
        said.append(f"{who} p50 {p50:.2f} ms, p99 {p99:.2f} ms")
    return "; ".join(said)


async def _measure(tickets: int, rounds: int, data: Path | None) -> dict[str, list[Times]]:
    async with made_city(tickets, MIXED, data) as city:
        cases = Cases(random.Random(12345))
        found: dict[str, list[Times]] = {}
        async with city.database("web") as web, city.database("unit") as unit:
            ours = {"web": web, "unit": unit}
            # Kept through all rounds, as ours are: a new connection knows no plan yet.
            bare = {
                login: await connect(city.url(login), name="bare", patience=PATIENCE)
                for login in ours
            }
            await cases.learn(web)
            gc.collect()
            gc.freeze()  # as the roles do
            for turn in range(rounds + 1):
                for name, login, pairs in cases.all():
                    times = Times()
                    await take_turns(ours[login], bare[login], pairs(), times)
                    if turn:  # a first round warms caches and is not counted
                        found.setdefault(name, []).append(times)
            for connection in bare.values():
                await connection.close()
        return found


class Cases:
    """What is asked, by whom."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        pack = load_pack(CITY)  # once, as the product does
        self._packs = Packs(lambda: pack)
        self._beginning = Beginning(packs=self._packs, calendar=calendar)
        self._waiting: dict[str, list[TicketId]] = {}
        self._numbers: list[str] = []
        self._number = 0

    async def learn(self, database: Database) -> None:
        """Which tickets there are to be moved."""
        for state in ("to_dispatch", "in_review", "registered", "with_units"):
            rows = await database.fetch(
                "SELECT id::text FROM tickets WHERE state = $1 AND created_at < $2"
                " ORDER BY id LIMIT 1000",
                state,
                MONDAY_10,
            )
            self._waiting[state] = [TicketId(row["id"]) for row in rows]
        rows = await database.fetch("SELECT number FROM tickets ORDER BY id LIMIT 1000")
        self._numbers = [row["number"] for row in rows]

    def all(self) -> list[tuple[str, str, Callable[[], Pairs]]]:
        """Name, whose login, and the pairs of a round."""

        def centre_list(wanted: Callable[[], Wanted]) -> Callable[[], Pairs]:
            return lambda: self._pairs(lambda: _listing(wanted()))

        states = TicketState
        to_dispatch = (states.REGISTERED, states.TO_DISPATCH, states.UNDER_STUDY)
        going_on = (*to_dispatch[1:], states.WITH_UNITS, states.IN_REVIEW)
        return [
            ("confirm", "web", lambda: self._pairs(self._confirmation)),
            ("move", "web", lambda: self._pairs(self._move)),
            ("list newest", "web", centre_list(Wanted)),
            ("list to dispatch", "web", centre_list(lambda: Wanted(states=to_dispatch))),
            ("list going on", "web", centre_list(lambda: Wanted(states=going_on))),
            ("list to review", "web", centre_list(lambda: Wanted(states=(states.IN_REVIEW,)))),
            ("list asked", "web", centre_list(lambda: Wanted(is_asked=True))),
            ("list of a unit", "web", centre_list(self._of_unit)),
            ("list by a unit", "unit", lambda: self._pairs(self._units_list)),
            ("list deep", "web", centre_list(self._deep)),
            ("search common", "web", centre_list(lambda: Wanted(words="停水"))),
            ("search rare", "web", centre_list(lambda: Wanted(words="窨井盖"))),
            ("search nothing", "web", centre_list(lambda: Wanted(words="飞碟降落"))),
            ("search number", "web", centre_list(self._numbered)),
            ("similar", "web", lambda: self._pairs(self._similar)),
            ("tracked", "web", lambda: self._pairs(lambda: _tracked)),
            ("progress", "web", lambda: self._pairs(self._progress)),
            ("search by a unit", "unit", lambda: self._pairs(lambda: self._units_list("路灯"))),
        ]

    def _pairs(self, make: Callable[[], Work]) -> Pairs:
        for _ in range(SAMPLES):
            yield make(), make()

    # ---- writing ---------------------------------------------------------------------------------

    def _confirmation(self) -> Work:
        confirmation = Confirmation(
            call=f"bench-{uuid.uuid4()}",
            actor=person(1),
            confirmed_at=AT,
            fields={
                "type": "help",
                "demand": "家里停水，请尽快恢复。",
                "summary": "历下区解放路停水",
                "topic": "water",
                "place": "历下区解放路12号",
                "urgency": "normal",
                "caller_name": "王小明",
                "phone": "13800001234",
                "wants_reply": "yes",
            },
            caller_number="13800001234",
            machine={},
        )
        return lambda database: register(database, confirmation, self._beginning)

    def _move(self) -> Work:
        """One of four moves; what is dispatched is so once, the others can be moved again."""
        move: m.Move
        by: Actor
        self._number += 1
        turn = self._number // 2 % 4
        if turn == 0 and self._waiting["to_dispatch"]:
            ticket = self._waiting["to_dispatch"].pop()
            share = m.Share(unit=HOUSING, part="single")
            move, by = m.Dispatch(units=[share], basis="三定规定"), centre(ActorRole.DISPATCHER)
        elif turn == 1:
            ticket = self._dice.choice(self._waiting["in_review"])
            move = m.Supervise(trigger="overdue", opinion="久拖未决")
            by = centre(ActorRole.SUPERVISOR, 5)
        elif turn == 2:
            ticket = self._dice.choice(self._waiting["registered"])
            move = m.Amend(reason="更正", wants_reply=True)
            by = centre(ActorRole.DISPATCHER)
        else:
            ticket = self._dice.choice(self._waiting["with_units"])
            move, by = m.Urge(reason="来电催办"), centre(ActorRole.DISPATCHER)
        return lambda database: WorkOrders(database, self._packs, calendar).move(
            ticket, move, by, AT
        )

    # ---- reading ---------------------------------------------------------------------------------

    def _of_unit(self) -> Wanted:
        return Wanted(unit=unit_name(self._dice.randrange(200)))

    def _deep(self) -> Wanted:
        day = MONDAY_10 - timedelta(days=self._dice.randrange(100, 900))
        return Wanted(below=f"{day:%Y%m%d}-000000", limit=200)

    def _numbered(self) -> Wanted:
        day = MONDAY_10 - timedelta(days=self._dice.randrange(2, 900))
        return Wanted(words=f"{day:%Y%m%d}-000007")

    def _units_list(self, words: str = "") -> Work:
        number = self._dice.randrange(200)

        async def ask(database: Database) -> None:
            async with UnitView(database, token_of(number)).reading() as connection:
                wanted = Wanted(words=words)
                msgspec.json.encode(await board.lines(connection, wanted, of_unit(HOUSING)))

        return ask

    def _similar(self) -> Work:
        """What registration is shown against doubling."""
        ticket, by = self._dice.choice(self._waiting["registered"]), centre(ActorRole.AGENT)

        async def ask(database: Any) -> None:
            async with database.transaction() as connection:
                await open_lanes(connection, by)
                msgspec.json.encode(await board.similar(connection, ticket, by))

        return ask

    def _progress(self) -> Work:
        """What a caller is told who asks by number and code."""
        number = self._dice.choice(self._numbers)

        async def ask(database: Any) -> None:
            async with database.transaction() as connection:
                ticket = await connection.fetchval(SQL["id_of_number"], number)
                msgspec.json.encode(await facts_of(connection, ticket))
                msgspec.json.encode(await board.refusal_told(connection, ticket))
                msgspec.json.encode(await board.texts(connection, ticket))
                msgspec.json.encode(await board.history(connection, ticket))

        return ask


async def _tracked(database: Any) -> None:
    async with database.transaction() as connection:
        msgspec.json.encode(await tracked(connection))


def _listing(wanted: Wanted) -> Work:
    by = centre(ActorRole.DISPATCHER)

    async def ask(database: Any) -> None:
        async with database.transaction() as connection:
            await open_lanes(connection, by)
            msgspec.json.encode(await board.lines(connection, wanted, by))

    return ask
