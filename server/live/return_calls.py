"""Carries out return calls: reads the marks, opens, moves, and gives virtual callers to Asterisk.

The state of each is in PostgreSQL and changes only from the state it was seen in, so that two
bridges, or one that starts anew, never call a citizen twice; the dialplan refuses a second call to
a number too. With PostgreSQL or the link away nothing is begun. Decides nothing: that is
``routing.return_call``.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Protocol

import asyncpg
import structlog

from base.database import DatabaseUnavailable
from base.errors import HotlineError
from base.ids import CallId
from routing.return_call import (
    IN_FLIGHT,
    ReturnCall,
    ReturnRules,
    ReturnTrigger,
    Seen,
    Turn,
    move,
    next_turns,
    triggers,
)
from telephony.marks import Mark

log = structlog.get_logger(__name__)

STEP_EVERY_S: Final = 1.5
FURTHEST_BACK: Final = timedelta(days=1)
BOOKS_LAG: Final = timedelta(minutes=1)
LOOK_WIDELY_EVERY: Final = timedelta(minutes=1)
"""A call of a gap is entered late: all of the last day is looked at so often."""
NEWLY: Final = timedelta(minutes=20)
SWITCH_TIMEOUT_S: Final = 5.0

WAIT_MOST_S: Final = 1800
"""A virtual caller that nobody took so long joins anew."""

ReadMarks = Callable[[datetime], Sequence[Mark]]
"""The marks since then; blocking (``telephony.marks.read_marks``)."""


class ReturnBook(Protocol):
    """What is asked of the records (``server.records.return_calls``)."""

    async def latest_mark(self) -> datetime | None:
        """When the newest known one was made."""

    async def keep_marks(self, marks: Sequence[Mark]) -> None:
        """Enter; known ones change nothing."""

    async def open_new(self, since: datetime, default_queue: str) -> list[int]:
        """Open those that are owed to calls since then."""

    async def open(self) -> list[tuple[ReturnCall, Seen]]:
        """The open ones and what the records know of them."""

    async def keep(self, before: ReturnCall, after: ReturnCall) -> bool:
        """Move one; False where it is no longer as it was seen."""


class CallsBack(Protocol):
    """What is asked of the switch."""

    async def call_back(
        self, call: CallId, number: str, queue: str, place: int | None, *, wait_s: int
    ) -> None:
        """Put a virtual caller into the queue."""

    async def hangup(self, call: CallId) -> None:
        """End a caller's line."""


class Line(Protocol):
    """Who waits now (``server.live.centre.Centre``)."""

    def calls_in_switch(self) -> Collection[CallId] | None:
        """The calls that Asterisk has; None while the link is down."""

    def waiting(self) -> Iterable[tuple[CallId, str, datetime]]:
        """Who waits in which queue since when."""


class ReturnCaller:
    """``run`` beside everything else."""

    def __init__(
        self,
        book: ReturnBook,
        switch: CallsBack,
        line: Line,
        read_marks: ReadMarks,
        now: Callable[[], datetime],
        *,
        default_queue: str,
        may_dial: bool,
        rules: ReturnRules | None = None,
    ) -> None:
        self._book = book
        self._switch = switch
        self._line = line
        self._read_marks = read_marks
        self._now = now
        self._default_queue = default_queue
        self._may_dial = may_dial
        """Whether a line leads out; without one the list is worked off by hand."""
        self._rules = rules or ReturnRules()
        self._since: datetime | None = None
        self._known: set[tuple[CallId, str]] = set()
        self._widely_at: datetime | None = None

    async def run(self) -> None:
        """Work for ever."""
        while True:
            try:
                await self.step()
            except DatabaseUnavailable:
                pass  # the book waits
            except asyncpg.PostgresError as error:
                log.error("return_calls_refused", sqlstate=error.sqlstate)
            except OSError as error:
                log.error("books_unreadable", cause=type(error).__name__)
            await asyncio.sleep(STEP_EVERY_S)

    async def step(self) -> None:
        """Read, open, move and reserve once."""
        now = self._now()
        await self._take_marks(now)
        await self._open_new(now)
        live = self._line.calls_in_switch()
        if live is None:
            return
        calls = []
        for one, seen in await self._book.open():
            seen = replace(seen, is_live=one.call is not None and one.call in live)
            calls.append(await self._follow(one, seen, now))
        if self._may_dial:
            virtual = {one.call for one in calls if one.state in IN_FLIGHT}
            waiting = [(q, at) for call, q, at in self._line.waiting() if call not in virtual]
            for turn in next_turns(calls, waiting, at=now, rules=self._rules):
                await self._reserve(turn, now)

    async def _take_marks(self, now: datetime) -> None:
        if self._since is None:
            newest = await self._book.latest_mark() or now - FURTHEST_BACK
            self._since = max(newest - BOOKS_LAG, now - FURTHEST_BACK)
        marks = await asyncio.to_thread(self._read_marks, self._since)
        fresh = [mark for mark in marks if (mark.call, mark.kind) not in self._known]
        if fresh:
            await self._book.keep_marks(fresh)
            for mark in fresh:
                log.info("call_marked", call=mark.call, kind=mark.kind.value)
        self._known = {(mark.call, mark.kind.value) for mark in marks}
        self._since = max(self._since, now - BOOKS_LAG)

    async def _open_new(self, now: datetime) -> None:
        is_due = self._widely_at is None or now - self._widely_at > LOOK_WIDELY_EVERY
        reach = FURTHEST_BACK if is_due else NEWLY
        for number in await self._book.open_new(now - reach, self._default_queue):
            log.info("return_call_opened", return_call=number)
        if is_due:
            self._widely_at = now

    async def _follow(self, one: ReturnCall, seen: Seen, now: datetime) -> ReturnCall:
        """Move it as far as what was seen leads."""
        while found := triggers(one, seen, at=now, rules=self._rules):
            moved = await self._move(one, found[0], now)
            if moved is None:
                break
            if found[0] is ReturnTrigger.CALLED_AGAIN and seen.is_live and one.call:
                await self._take_out(one.call)
            one = moved
        return one

    async def _move(
        self, one: ReturnCall, trigger: ReturnTrigger, now: datetime, call: CallId | None = None
    ) -> ReturnCall | None:
        after = move(one, trigger, at=now, rules=self._rules)
        if after is None:
            return None
        after = replace(after, call=call or one.call)
        if not await self._book.keep(one, after):
            return None
        log.info(
            "return_call_moved",
            return_call=one.id,
            old=one.state.value,
            trigger=trigger.value,
            new=after.state.value,
        )
        return after

    async def _reserve(self, turn: Turn, now: datetime) -> None:
        """First the row, then the call: whoever dies in between has called nobody."""
        one = turn.of
        call = CallId(f"hotline-return{one.id}-{int(now.timestamp())}.0")
        reserved = await self._move(one, ReturnTrigger.RESERVE, now, call)
        if reserved is None:
            return
        try:
            async with asyncio.timeout(SWITCH_TIMEOUT_S):
                await self._switch.call_back(
                    call, one.number, one.queue, turn.place, wait_s=WAIT_MOST_S
                )
        except (HotlineError, TimeoutError) as error:
            # Not taken back here: Asterisk may have begun. What does not stand is lost and comes
            # again (``ReturnRules.lost_after``).
            log.warning("return_call_not_begun", return_call=one.id, error=str(error))

    async def _take_out(self, call: CallId) -> None:
        try:
            async with asyncio.timeout(SWITCH_TIMEOUT_S):
                await self._switch.hangup(call)
        except (HotlineError, TimeoutError) as error:
            log.warning("virtual_caller_not_taken_out", call=call, error=str(error))
