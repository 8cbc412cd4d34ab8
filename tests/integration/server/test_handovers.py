"""Hand-overs to emergency lines reach the records, once each, whatever was dead meanwhile."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from base.database import Database, DatabaseUnavailable
from base.ids import AgentId, CallId
from server.live.handovers import HandoverKeeper
from server.records.handovers import Handovers
from telephony.handovers import Handover, HandoverOutcome, Try

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
RINGING = Handover(
    handover="c-1.0/1",
    call=CallId("c-1.0"),
    line="119",
    source="button",
    agent=AgentId("1001"),
    caller_number="13800000001",
    caller_name="王小明",
    asked_at=NOW - timedelta(minutes=5),
    tries=(Try("emergency", "BUSY", "17"),),
)
ENDED = replace(
    RINGING,
    trunk="emergency-2",
    answered_at=NOW - timedelta(minutes=4),
    ended_at=NOW - timedelta(minutes=1),
    outcome=HandoverOutcome.ANSWERED,
)


class Book:
    """Asterisk's book as far as it is written."""

    def __init__(self, *handovers: Handover) -> None:
        self.handovers = list(handovers)
        self.asked_since: list[datetime] = []

    def read(self, since: datetime) -> Sequence[Handover]:
        self.asked_since.append(since)
        return [each for each in self.handovers if each.asked_at >= since]


def keeper(database: Database, book: Book) -> HandoverKeeper:
    return HandoverKeeper(Handovers(database), book.read, lambda: NOW)


async def test_hand_over_is_entered_as_it_goes_on_and_read_by_the_web_role(
    bridge: Database, web: Database
) -> None:
    book = Book(RINGING)
    keeping = keeper(bridge, book)
    await keeping.look()
    assert await Handovers(web).of_call(RINGING.call) == [RINGING]
    book.handovers = [ENDED]
    await keeping.look()
    assert await Handovers(web).of_call(RINGING.call) == [ENDED]
    await keeping.look()
    assert book.asked_since[-1] > ENDED.asked_at


async def test_hand_over_made_while_everything_of_ours_was_dead_is_entered_at_the_next_start(
    bridge: Database, web: Database
) -> None:
    await keeper(bridge, Book(RINGING)).look()
    unseen = replace(ENDED, handover="c-9.0/1", call=CallId("c-9.0"))
    await keeper(bridge, Book(ENDED, unseen)).look()
    since = NOW - timedelta(days=1)
    assert {each.handover for each in await Handovers(web).since(since, most=10)} == {
        "c-1.0/1",
        "c-9.0/1",
    }
    assert await Handovers(web).of_call(RINGING.call) == [ENDED]


class Away(Handovers):
    """The database is away."""

    async def latest_handover(self) -> datetime | None:
        raise DatabaseUnavailable


async def test_database_that_is_away_costs_nothing_but_time(bridge: Database) -> None:
    book = Book(ENDED)
    waiting = HandoverKeeper(Away(bridge), book.read, lambda: NOW)
    with pytest.raises(DatabaseUnavailable):
        await waiting.look()
    await keeper(bridge, book).look()
    assert await Handovers(bridge).of_call(ENDED.call) == [ENDED]
