"""Makes the records whole after a gap: a crash of the bridge, or a link to Asterisk that was down.

What a gap may have hidden is told by the records alone, so that no number of further gaps loses it.
A call's row is unsettled until one bridge has followed the call from its arrival to its end without
a gap, or Asterisk's own books have told its end; and the records know up to which arrival each call
has a row. Calls that are over and unsettled are read from the books again and again, calls that
came and went unseen are entered, and conversations that ended unseen are handed back, so that
their agents can finish the drafts. Reads books and records only; knows no desk.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from base.backoff import backoff_s
from base.database import DatabaseUnavailable
from base.ids import AgentId, CallId
from server.live.records import CallFacts
from telephony.events import Outcome
from telephony.past_calls import PastCall

log = structlog.get_logger(__name__)

FURTHEST_BACK: Final = timedelta(days=7)
MARGIN: Final = timedelta(minutes=1)
BOOKS_LAG_S: Final = 2.0
"""Asterisk writes its books a moment after the call's end."""
PATIENCE_S: Final = 30.0
"""A call of whose end the books say nothing for so long stays as it is known."""

ReadBooks = Callable[[datetime], Sequence[PastCall]]
"""Calls under way since then; blocking (``telephony.past_calls.read_past_calls``)."""


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A call of which the records may not know all."""

    call: CallId
    agent: AgentId | None
    arrived_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None


class GapRecords(Protocol):
    """What the filler asks of the records (``server.records.postgres``)."""

    async def unsettled_calls(self) -> list[Unsettled]:
        """Every one, those that still live among them."""

    async def settled_of(self, calls: Collection[CallId]) -> Mapping[CallId, bool]:
        """Of these calls, those that are known: whether they are settled."""

    async def settle_calls(self, calls: Collection[CallId]) -> None:
        """Nothing more will be learnt of these; those without an end stay unsettled."""

    async def followed_to(self) -> datetime | None:
        """Each call that came until then is known; None: nobody can say."""

    async def keep_followed(self) -> None:
        """Each call that came before the newest known one is known."""

    async def keep_call(self, facts: CallFacts) -> None:
        """Insert or update."""

    async def end_rings(self, call: CallId, agent: AgentId | None, at: datetime) -> None:
        """End the call's rings that are still open; that of ``agent`` was answered."""


class GapFiller:
    """``fill`` now and then; at once after a gap."""

    def __init__(
        self,
        records: GapRecords,
        read_books: ReadBooks,
        live: Callable[[], Collection[CallId] | None],
        now: Callable[[], datetime],
        *,
        lag_s: float = BOOKS_LAG_S,
        patience_s: float = PATIENCE_S,
        entered: Callable[[CallFacts], None] = lambda _facts: None,
    ) -> None:
        self._records = records
        self._read_books = read_books
        self._live = live
        self._now = now
        self._lag_s = lag_s
        self._patience_s = patience_s
        self._entered = entered
        """Told of each call that was entered or closed, for the figures of now."""
        self._gaps = 1
        """So many began; our own start ends the first."""
        self._filled = 0
        self._over: dict[CallId, float] = {}
        """Calls found over whose end no book has told, and when first (monotonic)."""

    def gap_began(self) -> None:
        """The link is down: what is not followed now is to be read."""
        self._gaps += 1

    async def fill(self) -> list[PastCall]:
        """Close and enter; returns the conversations that ended unseen, oldest first.

        Without a gap, and nothing owed, it costs a look into the records. Waits for the database
        as long as it takes. While the link is down it does nothing.
        """
        for wait_s in backoff_s(first_s=0.5, most_s=10.0):
            try:
                return await self._fill()
            except DatabaseUnavailable:
                await asyncio.sleep(wait_s)
        raise AssertionError("backoff is endless")

    async def _fill(self) -> list[PastCall]:
        gaps = self._gaps
        unsettled = {each.call: each for each in await self._records.unsettled_calls()}
        before = self._live()
        if before is None:
            return []
        over = {call: each for call, each in unsettled.items() if call not in before}
        if self._filled == gaps and not over.keys() & self._over.keys():
            # What has just ended before our eyes: its note is on its way.
            self._note_over(over.keys())
            await self._records.keep_followed()
            return []
        past = await self._read(over.values(), is_gap=self._filled < gaps)
        live = self._live()
        if live is None:
            return []
        gone = [call for call in past or () if call.call not in live]
        known = await self._records.settled_of([call.call for call in gone])
        told = {call.call: call for call in gone if call.ended_at is not None}
        unseen = {
            each.call: each
            for each in await self._records.unsettled_calls()
            if each.call in over and each.ended_at is None and each.call not in live
        }
        entered = [call for call in told.values() if not known.get(call.call, False)]
        for call in entered:
            await self._enter(call)
        await self._close([each for each in unseen.values() if each.call not in told])
        # The books hold the beginning of a call that is gone: they are not finished.
        half_told = {call.call for call in gone if call.call not in told and call.call not in known}
        self._note_over((over.keys() - told.keys()) | half_told)
        if past is not None:
            half_told -= await self._give_up()
            if not half_told:
                self._filled = gaps
        if entered or unseen:
            log.info("gap_filled", unended=len(unseen), entered=len(entered))
        return [
            call
            for call in told.values()
            if call.call in unseen and call.outcome is Outcome.ANSWERED
        ]

    def _note_over(self, calls: Collection[CallId]) -> None:
        at_mono = time.monotonic()
        self._over = {call: self._over.get(call, at_mono) for call in calls}

    async def _give_up(self) -> set[CallId]:
        """The calls that the books had time enough to tell of."""
        at_mono = time.monotonic()
        given_up = [
            call for call, since in self._over.items() if at_mono - since >= self._patience_s
        ]
        if given_up:
            await self._records.settle_calls(given_up)
            log.warning("calls_not_in_books", calls=len(given_up))
        return set(given_up)

    async def _read(
        self, over: Collection[Unsettled], *, is_gap: bool
    ) -> Sequence[PastCall] | None:
        """What the books tell; None where they cannot be read."""
        begins = [each.arrived_at for each in over]
        furthest_at = self._now() - FURTHEST_BACK
        if is_gap:
            begins.append(await self._records.followed_to() or furthest_at)
            await asyncio.sleep(self._lag_s)
        since = min(begins) - MARGIN
        try:
            return await asyncio.to_thread(self._read_books, max(since, furthest_at))
        except OSError as error:
            log.error("books_unreadable", cause=type(error).__name__)
            return None

    async def _enter(self, call: PastCall) -> None:
        assert call.ended_at is not None
        await self._keep(
            CallFacts(
                call=call.call,
                caller_number=call.caller_number,
                caller_name=call.caller_name,
                called_number=call.called_number,
                arrived_at=call.arrived_at,
                queue=call.queue,
                queued_at=call.queued_at,
                agent=call.agent,
                answered_at=call.answered_at,
                ended_at=call.ended_at,
                outcome=call.outcome,
                emergency_line=call.emergency_line or None,
                is_settled=True,
            )
        )
        await self._records.end_rings(call.call, call.agent, call.ended_at)
        log.info("call_of_gap_entered", call=call.call, outcome=call.outcome.value)

    async def _keep(self, facts: CallFacts) -> None:
        await self._records.keep_call(facts)
        self._entered(facts)

    async def _close(self, unended: Sequence[Unsettled]) -> None:
        """Calls that neither Asterisk nor its books know any more end with what is known last."""
        for each in unended:
            ended_at = each.answered_at or each.arrived_at
            await self._keep(
                CallFacts(
                    call=each.call,
                    caller_number="",
                    caller_name="",
                    called_number="",
                    arrived_at=each.arrived_at,
                    ended_at=ended_at,
                    outcome=Outcome.ANSWERED if each.answered_at else Outcome.FAILED,
                )
            )
            await self._records.end_rings(each.call, each.agent, ended_at)
            log.warning("call_closed_without_books", call=each.call)
