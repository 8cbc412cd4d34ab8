"""After gaps what ended unseen is closed, and the records come to tell all that Asterisk's books
tell, however often the bridge is killed in between."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from base.ids import AgentId, CallId
from server.live.gaps import GapFiller, Unsettled
from server.live.records import CallFacts
from telephony.events import Outcome
from telephony.past_calls import PastCall

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
GONE, TALKING = CallId("hl1-1.0"), CallId("hl1-2.0")
AGENT = AgentId("1001")


class Killed(Exception):
    """The process ends in the middle of what it does."""


class Calls:
    """Records in memory, with the same rules for writing twice and late as those of PostgreSQL."""

    def __init__(self, *unended: CallId) -> None:
        self.rows = {call: facts(call, agent=AGENT, answered_at=NOW) for call in unended}
        self.followed: datetime | None = None
        self.steps_to_live: int | None = None
        """So many more statements reach the database before the process is killed."""

    def _step(self) -> None:
        if self.steps_to_live is not None:
            self.steps_to_live -= 1
            if self.steps_to_live < 0:
                raise Killed

    async def unsettled_calls(self) -> list[Unsettled]:
        self._step()
        return [
            Unsettled(row.call, row.agent, row.arrived_at, row.answered_at, row.ended_at)
            for row in self.rows.values()
            if not row.is_settled
        ]

    async def settled_of(self, calls: Collection[CallId]) -> Mapping[CallId, bool]:
        self._step()
        return {call: self.rows[call].is_settled for call in calls if call in self.rows}

    async def settle_calls(self, calls: Collection[CallId]) -> None:
        self._step()
        for call in calls:
            if call in self.rows and self.rows[call].ended_at is not None:
                self.rows[call] = replace(self.rows[call], is_settled=True)

    async def followed_to(self) -> datetime | None:
        self._step()
        return self.followed

    async def keep_followed(self) -> None:
        self._step()
        newest = max((row.arrived_at for row in self.rows.values()), default=None)
        self.followed = max((at for at in (self.followed, newest) if at), default=None)

    async def keep_call(self, facts: CallFacts) -> None:
        self._step()
        self.write(facts)

    async def end_rings(self, call: CallId, agent: AgentId | None, at: datetime) -> None:
        self._step()

    def write(self, new: CallFacts) -> None:
        old = self.rows.get(new.call, new)
        first, second = (old, new) if old.is_settled and not new.is_settled else (new, old)
        answers = [at for at in (old.answered_at, new.answered_at) if at is not None]
        self.rows[new.call] = replace(
            old,
            agent=first.agent or second.agent,
            answered_at=min(answers, default=None),
            ended_at=first.ended_at or second.ended_at,
            outcome=first.outcome or second.outcome,
            is_settled=old.is_settled or new.is_settled,
        )


def facts(call: CallId, arrived_at: datetime = NOW, **known: object) -> CallFacts:
    return CallFacts(call, "", "", "", arrived_at, **known)  # type: ignore[arg-type]


def past(call: CallId = TALKING, ended_at: datetime | None = NOW) -> PastCall:
    return PastCall(
        call, "13800138000", "", "12345", NOW, agent=AGENT, answered_at=NOW, ended_at=ended_at
    )


async def test_a_call_that_ends_while_the_books_are_read_is_not_closed_as_unknown() -> None:
    records, live = Calls(GONE, TALKING), {TALKING}

    def books(_since: datetime) -> Sequence[PastCall]:
        live.clear()  # it is hung up; the books were opened before
        return []

    filler = GapFiller(records, books, lambda: set(live), lambda: NOW, lag_s=0.0)
    assert await filler.fill() == []
    assert records.rows[GONE].ended_at is not None
    assert records.rows[TALKING].ended_at is None


async def test_what_the_books_know_is_entered_with_its_true_end() -> None:
    records, told = Calls(GONE), replace(past(GONE), outcome=Outcome.ANSWERED)
    filler = GapFiller(records, lambda _: [told], set, lambda: NOW, lag_s=0.0)
    assert await filler.fill() == [told]
    assert (records.rows[GONE].ended_at, records.rows[GONE].is_settled) == (told.ended_at, True)


async def test_books_are_asked_again_until_they_tell_the_end() -> None:
    records, found = Calls(GONE), list[PastCall]()
    filler = GapFiller(records, lambda _: found, set, lambda: NOW, lag_s=0.0)
    await filler.fill()
    assert not records.rows[GONE].is_settled
    found.append(past(GONE, ended_at=None))
    await filler.fill()
    found[:] = [past(GONE, ended_at=NOW + timedelta(seconds=9))]
    await filler.fill()
    assert records.rows[GONE].ended_at == NOW + timedelta(seconds=9)


async def test_a_call_that_no_book_ever_tells_of_is_left_as_it_is_known() -> None:
    records, readings = Calls(GONE), list[datetime]()

    def books(since: datetime) -> Sequence[PastCall]:
        readings.append(since)
        return []

    filler = GapFiller(records, books, set, lambda: NOW, lag_s=0.0, patience_s=0.0)
    for _ in range(4):
        await filler.fill()
    assert records.rows[GONE].ended_at == NOW
    assert records.rows[GONE].is_settled
    assert len(readings) <= 2


async def test_books_that_cannot_be_read_settle_nothing() -> None:
    def books(_since: datetime) -> Sequence[PastCall]:
        raise OSError

    records = Calls(GONE)
    filler = GapFiller(records, books, set, lambda: NOW, lag_s=0.0, patience_s=0.0)
    for _ in range(3):
        await filler.fill()
    assert records.rows[GONE].ended_at is not None
    assert not records.rows[GONE].is_settled
    assert records.followed is None


async def test_without_a_gap_and_a_debt_no_book_is_opened() -> None:
    records, readings = Calls(TALKING), list[datetime]()

    def books(since: datetime) -> Sequence[PastCall]:
        readings.append(since)
        return []

    filler = GapFiller(records, books, lambda: {TALKING}, lambda: NOW, lag_s=0.0)
    for _ in range(5):
        await filler.fill()
    assert len(readings) == 1


async def test_without_a_link_nothing_is_closed() -> None:
    records = Calls(GONE)
    filler = GapFiller(records, lambda _: [], lambda: None, lambda: NOW, lag_s=0.0)
    await filler.fill()
    assert records.rows[GONE].ended_at is None


@dataclass
class Truth:
    """A call as Asterisk had it; times in minutes."""

    arrived: int
    answered: int | None = None
    ended: int | None = None
    is_told: bool = False
    """Whether the books tell the end yet: Asterisk writes it a moment later."""


class World:
    """Asterisk, its books, the records, and a bridge that is killed and cut off at any moment.

    The bridge follows as ``server.live.centre`` does: in order, writing behind, and sure of a call
    only if it followed it from its arrival. What it had not written when it was killed is lost.
    """

    def __init__(self) -> None:
        self.minute = 0
        self.calls: dict[CallId, Truth] = {}
        self.records = Calls()
        self.filler: GapFiller | None = None
        self.is_linked = False
        self.waiting: list[CallFacts] = []
        self.followed: set[CallId] = set()
        self.answers: dict[CallId, datetime] = {}

    def at(self, minute: int) -> datetime:
        return NOW + timedelta(minutes=minute)

    def live(self) -> set[CallId] | None:
        standing = {call for call, truth in self.calls.items() if truth.ended is None}
        return standing if self.is_linked else None

    def books(self, since: datetime) -> Sequence[PastCall]:
        told = []
        for call, truth in self.calls.items():
            ended_at = self.at(truth.ended) if truth.ended is not None and truth.is_told else None
            if ended_at is None or ended_at >= since:
                answered_at = None if truth.answered is None else self.at(truth.answered)
                arrived_at = self.at(truth.arrived)
                told.append(
                    replace(past(call, ended_at), arrived_at=arrived_at, answered_at=answered_at)
                )
        return told

    # ---- what happens --------------------------------------------------------------------------

    def arrive(self) -> None:
        call = CallId(f"hl1-{len(self.calls)}.0")
        self.calls[call] = Truth(self.minute)
        if self.is_linked:
            self.followed.add(call)
            self._note(call)

    def answer(self) -> None:
        """Of the oldest that waits; its agent leaves at once, and only the caller stays."""
        for call, truth in self.calls.items():
            if truth.answered is None and truth.ended is None:
                truth.answered = self.minute
                if self.is_linked:
                    self.answers[call] = self.at(self.minute)
                    self._note(call)
                return

    def hang_up(self) -> None:
        for call, truth in self.calls.items():
            if truth.ended is None:
                truth.ended = self.minute
                if self.is_linked:
                    self._note(call, ended=self.minute, is_settled=call in self.followed)
                return

    def cut(self) -> None:
        if self.is_linked:
            assert self.filler is not None
            self.is_linked = False
            self.followed.clear()
            self.filler.gap_began()

    def link(self) -> None:
        """The bridge runs, and sees what stands."""
        if self.is_linked:
            return
        if self.filler is None:
            self.filler = GapFiller(
                self.records, self.books, self.live, lambda: self.at(self.minute), lag_s=0.0
            )
        self.is_linked = True
        for call in self.live() or ():
            self._note(call)
        for call, facts_known in self.records.rows.items():
            if facts_known.ended_at is None and self.calls[call].ended is not None:
                # It knew the call before the link was cut, and tells its end late.
                self._note(call, ended=self.minute)

    def kill(self) -> None:
        self.filler, self.is_linked = None, False
        self.waiting.clear()
        self.followed.clear()
        self.answers.clear()

    def write(self) -> None:
        for each in self.waiting:
            self.records.write(each)
        self.waiting.clear()

    def book_is_written(self) -> None:
        for truth in self.calls.values():
            truth.is_told = truth.ended is not None

    async def look(self, steps_to_live: int | None = None) -> None:
        if self.filler is None:
            return
        self.records.steps_to_live = steps_to_live
        try:
            await self.filler.fill()
        except Killed:
            self.kill()
        self.records.steps_to_live = None

    def _note(self, call: CallId, ended: int | None = None, *, is_settled: bool = False) -> None:
        self.waiting.append(
            facts(
                call,
                self.at(self.calls[call].arrived),
                answered_at=self.answers.get(call),
                ended_at=None if ended is None else self.at(ended),
                is_settled=is_settled,
            )
        )

    async def do(self, step: str) -> None:
        self.minute += 5
        name, _, count = step.partition(" ")
        if name == "look":
            await self.look(int(count) if count else None)
        else:
            getattr(self, name)()

    async def come_to_rest(self) -> None:
        for step in ("book_is_written", "link", "write", "look", "look", "look"):
            await self.do(step)
        while self.live():
            await self.do("hang_up")
        for step in ("write", "book_is_written", "look", "look", "look"):
            await self.do(step)


STEPS = ("arrive", "answer", "hang_up", "cut", "link", "kill", "write", "book_is_written", "look")

ANSWERED_IN_THE_FIRST_OF_THREE_GAPS = [
    *("link", "arrive", "write", "look", "kill", "answer", "link", "write", "look"),
    *("kill", "link", "write", "kill"),
]
CAME_AND_WENT_BEFORE_ONE_WHO_STAYED = [
    *("link", "look", "kill", "arrive", "hang_up", "arrive", "link", "write", "look 3"),
]


@settings(max_examples=150)
@given(
    st.lists(
        st.sampled_from(STEPS) | st.integers(0, 9).map(lambda count: f"look {count}"), max_size=40
    )
)
@example(ANSWERED_IN_THE_FIRST_OF_THREE_GAPS)
@example(CAME_AND_WENT_BEFORE_ONE_WHO_STAYED)
@example(["link", "arrive", "cut", "answer", "link", "hang_up"])
@example(["link", "cut", "arrive", "hang_up", "link", "look", "book_is_written", "look"])
def test_however_often_it_is_killed_the_records_tell_what_the_books_tell(steps: list[str]) -> None:
    async def play() -> World:
        world = World()
        for step in steps:
            await world.do(step)
        await world.come_to_rest()
        return world

    world = asyncio.run(play())
    for call, truth in world.calls.items():
        row = world.records.rows[call]
        assert row.is_settled
        assert row.answered_at == (None if truth.answered is None else world.at(truth.answered))
        assert truth.ended is not None
        assert row.ended_at == world.at(truth.ended)
