"""Return calls on a real PostgreSQL and a scripted switch: opened once, called once, settled."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from base.database import Database
from base.ids import CallId
from routing.hours import ALWAYS
from routing.return_call import ReturnRules, ReturnState, ReturnTrigger
from server.live.records import CallFacts
from server.live.return_calls import ReturnCaller
from server.records.postgres import PostgresRecords
from server.records.return_calls import ReturnCalls
from telephony.events import Outcome
from telephony.marks import Mark, MarkKind


class Asterisk:
    """The switch and its book, as far as return calls see them."""

    def __init__(self) -> None:
        self.marks: list[Mark] = []
        self.live: set[CallId] = set()
        self.waits: list[tuple[CallId, str, datetime]] = []
        self.begun: list[tuple[str, int | None]] = []
        self.is_up = True

    async def call_back(
        self, call: CallId, number: str, queue: str, place: int | None, *, wait_s: int
    ) -> None:
        self.begun.append((number, place))
        self.live.add(call)

    async def hangup(self, call: CallId) -> None:
        self.live.discard(call)

    def calls_in_switch(self) -> set[CallId] | None:
        return self.live if self.is_up else None

    def waiting(self) -> list[tuple[CallId, str, datetime]]:
        return self.waits

    def read(self, since: datetime) -> Sequence[Mark]:
        return [mark for mark in self.marks if mark.at >= since]


class Clock:
    def __init__(self) -> None:
        self.at = datetime.now(UTC) + timedelta(seconds=5)

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def asterisk() -> Asterisk:
    return Asterisk()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def begin(bridge: Database, asterisk: Asterisk, clock: Clock) -> Callable[[], ReturnCaller]:
    """Another bridge on the same database and switch."""

    def build() -> ReturnCaller:
        rules = ReturnRules(calling_hours=ALWAYS)
        return ReturnCaller(
            ReturnCalls(bridge),
            asterisk,
            asterisk,
            asterisk.read,
            clock,
            default_queue="hotline",
            may_dial=True,
            rules=rules,
        )

    return build


async def lost_call(
    records: PostgresRecords, call: str, number: str, at: datetime, **more: object
) -> None:
    values: dict[str, object] = {
        "call": CallId(call),
        "caller_number": number,
        "caller_name": "",
        "called_number": "12345",
        "arrived_at": at,
        "queue": "hotline",
        "queued_at": at,
        "ended_at": at + timedelta(minutes=1),
        "outcome": Outcome.ABANDONED,
        "is_settled": True,
    }
    await records.keep_call(CallFacts(**(values | more)))  # type: ignore[arg-type]


async def states(book: ReturnCalls) -> dict[str, ReturnState]:
    rows = await book.since(datetime.now(UTC) - timedelta(days=2), most=100)
    return {row["origin_call"]: ReturnState(row["state"]) for row in rows}


async def test_who_asked_left_a_message_or_gave_up_is_called_back_once_a_number(
    bridge: Database, begin: Callable[[], ReturnCaller], asterisk: Asterisk, clock: Clock
) -> None:
    records, now = PostgresRecords(bridge), clock.at
    ago = [now - timedelta(minutes=m) for m in range(12)]
    await lost_call(records, "asked", "13800000001", ago[5], outcome=Outcome.FAILED)
    await lost_call(records, "asked-again", "13800000001", ago[4])
    await lost_call(records, "message", "13800000002", ago[6], outcome=Outcome.FAILED)
    await lost_call(records, "gave-up", "13800000003", ago[7])
    # Asterisk's books may yet tell that an agent answered this one in a gap of ours.
    await lost_call(records, "in-a-gap", "13800000009", ago[7], is_settled=False)
    await lost_call(records, "hidden", "", ago[7])
    await lost_call(records, "emergency", "13800000004", ago[7], emergency_line="110")
    await lost_call(records, "gave-up-then-served", "13800000005", ago[9])
    await lost_call(records, "served", "13800000005", ago[8], answered_at=ago[8])
    asterisk.marks = [
        Mark(CallId("asked"), MarkKind.RETURN_ASKED, "", ago[4]),
        Mark(CallId("message"), MarkKind.VOICEMAIL, "", ago[5]),
    ]
    book = ReturnCalls(bridge)
    # Two bridges at once, again and again: each number in one line only, each citizen once.
    first, second = begin(), begin()
    for _ in range(3):
        await asyncio.gather(first.step(), second.step())
    assert await states(book) == {
        "asked": ReturnState.RESERVED,
        "message": ReturnState.REQUESTED,
        "gave-up": ReturnState.RESERVED,
    }
    assert sorted(asterisk.begun) == [("13800000001", 1), ("13800000003", None)]


async def test_a_return_call_is_followed_over_a_restart_to_its_end(
    bridge: Database, begin: Callable[[], ReturnCaller], asterisk: Asterisk, clock: Clock
) -> None:
    records, book = PostgresRecords(bridge), ReturnCalls(bridge)
    await lost_call(records, "asked", "13800000001", clock.at - timedelta(minutes=2))
    asterisk.marks = [Mark(CallId("asked"), MarkKind.RETURN_ASKED, "", clock.at)]
    await begin().step()
    (call,) = asterisk.live
    # The agent takes it while no bridge lives; the citizen picks up; the talk ends before the next
    # bridge looks for the first time.
    asterisk.marks += [
        Mark(call, MarkKind.RETURN_DIALLED, "", clock.at),
        Mark(call, MarkKind.RETURN_ANSWERED, "", clock.at),
    ]
    asterisk.live.clear()
    clock.at += timedelta(minutes=5)
    await begin().step()
    assert await states(book) == {"asked": ReturnState.DONE}
    assert len(asterisk.begun) == 1


async def test_a_citizen_not_reached_is_tried_again_and_one_who_calls_is_not(
    bridge: Database, begin: Callable[[], ReturnCaller], asterisk: Asterisk, clock: Clock
) -> None:
    records, book, caller = PostgresRecords(bridge), ReturnCalls(bridge), begin()
    await lost_call(records, "gave-up", "13800000001", clock.at - timedelta(minutes=2))
    await caller.step()
    (call,) = asterisk.live
    asterisk.marks = [
        Mark(call, MarkKind.RETURN_DIALLED, "", clock.at),
        Mark(call, MarkKind.RETURN_FAILED, "NOANSWER", clock.at),
    ]
    asterisk.live.clear()
    await caller.step()
    assert await states(book) == {"gave-up": ReturnState.FAILED}
    clock.at += timedelta(minutes=11)
    await caller.step()
    assert len(asterisk.begun) == 2
    # Now the citizen calls themself, and is answered: the virtual caller leaves the line.
    await lost_call(
        records, "again", "13800000001", clock.at, answered_at=clock.at, outcome=Outcome.ANSWERED
    )
    await caller.step()
    assert await states(book) == {"gave-up": ReturnState.CANCELLED}
    assert not asterisk.live


async def test_nothing_is_begun_while_the_link_is_down_and_leaders_may_settle(
    bridge: Database,
    web: Database,
    begin: Callable[[], ReturnCaller],
    asterisk: Asterisk,
    clock: Clock,
) -> None:
    records = PostgresRecords(bridge)
    await lost_call(records, "gave-up", "13800000001", clock.at - timedelta(minutes=2))
    asterisk.is_up = False
    await begin().step()
    assert asterisk.begun == []
    pages = ReturnCalls(web)
    (row,) = await pages.since(clock.at - timedelta(hours=1), most=10)
    assert await pages.settle(row["id"], ReturnTrigger.SETTLE, by="leader", note="已短信回复")
    assert not await pages.settle(row["id"], ReturnTrigger.CANCEL, by="leader", note="")
    asterisk.is_up = True
    await begin().step()
    assert asterisk.begun == []


async def test_satisfaction_is_counted_once_however_often_the_book_is_read(
    bridge: Database, begin: Callable[[], ReturnCaller], asterisk: Asterisk, clock: Clock
) -> None:
    asterisk.marks = [
        Mark(CallId(f"call-{n}"), MarkKind.SATISFACTION, score, clock.at)
        for n, score in enumerate(("1", "1", "5"))
    ]
    for _ in range(2):
        await begin().step()
    day = timedelta(days=1)
    counts = await ReturnCalls(bridge).satisfaction(clock.at - day, clock.at + day)
    assert counts == {"1": 2, "5": 1}
