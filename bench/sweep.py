"""A hundred thousand open tickets' timers: what a look costs, and what telling does.

``look``: one look of a sweeper while nothing is due, beside the one bare query for it, as it is at
every second of every day. ``find``: the next timer and its ticket's lock with all of them overdue,
after a night off, beside that bare query with the lock: both in a transaction, since that alone
takes longer than the query. ``tell``: each reminder with its ledger entry, message and new timers,
beside the same statements said barely (``bench.rehearsal``).
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from base.database import connect
from bench.harness import BenchResult, LoadWatch, interleave_async, machine, medians
from bench.made_city import ALL_WITH_UNITS, CITY, PATIENCE, made_city
from bench.rehearsal import Times, Work, per_second, percentile_ms, take_turns
from rules.library import load_pack
from tests.fakes.work_order import MONDAY_10, calendar
from tickets.packs import Packs
from tickets.store import SQL
from tickets.sweeper import Sweeper
from tickets.work_orders import WorkOrders

TICKETS: Final = 100_000
LOOKS: Final = 100
TOLD: Final = 60
"""In a round."""
NOTHING_DUE_AT: Final = MONDAY_10 + timedelta(hours=1)
ALL_DUE_AT: Final = MONDAY_10 + timedelta(days=60)
BARE_QUERY: Final = """
SELECT ticket_id FROM hotline.timers WHERE fired_at IS NULL AND due_at <= $1
ORDER BY due_at LIMIT 1"""
BARE_FIND: Final = """
SELECT t.ticket_id FROM hotline.timers t JOIN hotline.tickets k ON k.id = t.ticket_id
WHERE t.fired_at IS NULL AND t.due_at <= $1 ORDER BY t.due_at LIMIT 1 FOR UPDATE OF k"""
AIM: Final = 0.7


def run(runs: int, scale: float = 1.0, data: Path | None = None) -> BenchResult:
    """A second's worth of each, medians of rounds."""
    load = LoadWatch()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    rounds = max(runs, 5)
    tickets = round(TICKETS * scale)
    looks, told = asyncio.run(_measure(tickets, rounds, data))
    ours = {
        "look": looks["look"],
        "find": looks["find"],
        "tell": statistics.median(per_second(each.ours) for each in told),
    }
    bare = {
        "look": looks["bare look"],
        "find": looks["bare find"],
        "tell": statistics.median(per_second(each.bare) for each in told),
    }
    all_s = [value for each in told for value in each.ours]
    return BenchResult(
        name="sweep",
        unit="per second, one after the other",
        ours={case: round(value, 1) for case, value in ours.items()},
        reference={case: round(value, 1) for case, value in bare.items()},
        ratio={case: round(ours[case] / bare[case], 3) for case in ours},
        aim=dict.fromkeys(ours, AIM),
        runs=rounds,
        machine=machine(),
        load=load.done(),
        notes=(
            f"{tickets:,} open tickets, four timers each at first",
            "look: beside one bare query, by the same pool, for what is due longest",
            "find: beside that query with the ticket's lock, each in a transaction of its own",
            f"tell: p50 {percentile_ms(all_s, 50):.2f} ms, p99 {percentile_ms(all_s, 99):.2f} ms; "
            f"all would take one process {4 * tickets / ours['tell'] / 60:.0f} min",
        ),
    )


def sweeping(at: datetime) -> Work:
    """One step of a sweeper."""
    packs = Packs(lambda: load_pack(CITY))
    return lambda database: Sweeper(
        database, WorkOrders(database, packs, calendar), lambda: at
    ).fire_next(at)


async def _measure(
    tickets: int, rounds: int, data: Path | None
) -> tuple[dict[str, float], list[Times]]:
    async with made_city(tickets, ALL_WITH_UNITS, data) as city, city.database("web") as web:
        bare = await connect(city.url("web"), name="bare", patience=PATIENCE)

        packs = Packs(lambda: load_pack(CITY))
        idle = Sweeper(web, WorkOrders(web, packs, calendar), lambda: NOTHING_DUE_AT)

        async def find(sql: str) -> object:
            async with web.transaction() as connection:
                return await connection.fetchrow(sql, ALL_DUE_AT)

        looks = await interleave_async(
            {
                "look": _rate(idle.sweep),
                "bare look": _rate(lambda: web.fetchrow(BARE_QUERY, NOTHING_DUE_AT)),
                "find": _rate(lambda: find(SQL["next_timer"])),
                "bare find": _rate(lambda: find(BARE_FIND)),
            },
            runs=rounds,
        )
        told: list[Times] = []
        for _ in range(rounds):
            times = Times()
            one = sweeping(ALL_DUE_AT)
            await take_turns(web, bare, ((one, one) for _ in range(TOLD)), times)
            told.append(times)
        await bare.close()
        return medians(looks), told


def _rate(ask: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[float]]:
    async def measure() -> float:
        begun = time.perf_counter()
        for _ in range(LOOKS):
            await ask()
        return LOOKS / (time.perf_counter() - begun)

    return measure
