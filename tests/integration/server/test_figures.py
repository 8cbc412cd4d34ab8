"""The report reads from PostgreSQL what was written there, and counts it as memory does."""

import csv
import io
import random
from datetime import UTC, datetime, timedelta

import pytest

from base.database import Database
from base.ids import AgentId, CallId
from insight.facts import CallFact, Interval, Step
from insight.figures import count
from insight.store import EventLog, IntervalUnfit
from server.http.figure_routes import as_csv
from server.live.records import AgentMove, CallFacts
from server.records.postgres import PostgresRecords
from telephony.events import Outcome

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
STATES = ("ready", "ringing", "talking", "holding", "wrap_up", "paused", "offline")


async def fill(
    records: PostgresRecords, chance: random.Random
) -> tuple[list[CallFact], list[Step]]:
    """Three days of a small centre."""
    calls, steps = [], []
    for number in range(60):
        queued_at = NOON + timedelta(seconds=chance.uniform(-86_400, 2 * 86_400))
        answered_at = queued_at + timedelta(seconds=chance.choice([3, 15, 16.5]))
        is_answered = chance.random() < 0.7
        ended_at = answered_at + timedelta(seconds=chance.uniform(0, 300))
        fact = CallFact(
            call=CallId(f"c{number}"),
            queue=chance.choice(["hotline", "law"]),
            queued_at=queued_at,
            agent=AgentId("1001") if is_answered else None,
            answered_at=answered_at if is_answered else None,
            ended_at=ended_at if chance.random() < 0.9 else None,
            outcome="answered" if is_answered else "abandoned",
        )
        calls.append(fact)
        await records.keep_call(
            CallFacts(
                fact.call, "13800000001", "", "12345", queued_at - timedelta(seconds=9),
                fact.queue, queued_at, fact.agent, fact.answered_at, fact.ended_at,
                Outcome(fact.outcome or ""),
            )
        )  # fmt: skip
    for number in range(80):
        agent, state = AgentId(str(1001 + number % 3)), chance.choice(STATES)
        at = NOON + timedelta(minutes=30 * number - 300)
        call = CallId(f"c{chance.randrange(60)}")
        steps.append(Step(number, agent, at, chance.choice(["answer", "x"]), state, call))
        await records.keep_move(
            AgentMove(number, agent, at, "x", steps[-1].event, state, "", call, "switch")
        )
    return calls, steps


@pytest.mark.parametrize("hours", [(0, 1), (-3, 7.25), (-30, 40)])
async def test_the_report_counts_the_rows_as_memory_counts_the_facts(
    bridge: Database, web: Database, hours: tuple[float, float]
) -> None:
    calls, steps = await fill(PostgresRecords(bridge), random.Random(7))
    interval = Interval(NOON + timedelta(hours=hours[0]), NOON + timedelta(hours=hours[1]))
    for queue in (None, "law"):
        found = await EventLog(web).count(interval, queue=queue)
        assert found.figures() == count(calls, steps, interval, queue=queue).figures()
        assert queue is None or found.sums.queues.keys() <= {queue}


async def test_an_interval_backwards_or_of_more_than_a_month_is_refused(web: Database) -> None:
    log = EventLog(web)
    for interval in (Interval(NOON, NOON), Interval(NOON, NOON + timedelta(days=32))):
        with pytest.raises(IntervalUnfit):
            await log.count(interval)


def test_the_table_has_the_formula_under_each_heading_and_no_cell_is_a_formula() -> None:
    call = CallFact(
        CallId("c"), "hotline", NOON, AgentId("1001"), NOON, NOON + timedelta(seconds=9), "answered"
    )
    steps = [Step(1, AgentId("1001"), NOON, "answer", "talking", CallId("c"))]
    found = count([call], steps, Interval(NOON, NOON + timedelta(hours=1))).figures()
    heads, formulas, total, queue, agent = csv.reader(
        io.StringIO(as_csv(found, {AgentId("1001"): "=李敏"}, {"hotline": "=热线"}))
    )
    column = heads.index("接通率")
    assert formulas[column].startswith("人工接听 ÷")
    assert (total[column], queue[column], queue[3]) == ("1.0", "1.0", "'=热线")
    assert agent[3] == "1001 =李敏"
