"""Fires what has fallen due: once each, a ticket's in their order, also after a night off.

Any number of sweepers work beside each other: each takes the longest due timer of a ticket that
nobody else holds, in a transaction of its own, and locks the ticket before anything else, as a move
does. One that dies leaves its timer to the next. Never decides: the move ``remind`` tells.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from base.backoff import backoff_s
from base.database import Database, DatabaseUnavailable
from base.ids import AssignmentId, TicketId, UserId
from tickets.facts import Actor, ActorRole
from tickets.moves import Remind
from tickets.refusals import MoveRefused
from tickets.store import SQL
from tickets.timers import TimerKind
from tickets.work_orders import WorkOrders

log = structlog.get_logger(__name__)

SWEEPER = Actor(user=UserId("system:timers"), roles=frozenset({ActorRole.SYSTEM}))
POLL_S = 1.0
_ABOUT_ASSIGNMENT = frozenset(TimerKind) - {
    TimerKind.DISPATCH_DUE,
    TimerKind.DECISION_DUE,
    TimerKind.FOLLOW_UP_DUE,
    TimerKind.EXPLANATION_DUE,
}


class Sweeper:
    """One process's part in it."""

    def __init__(self, database: Database, orders: WorkOrders, now: Callable[[], datetime]) -> None:
        self._database = database
        self._orders = orders
        self._now = now

    async def run(self, poll_s: float = POLL_S) -> None:
        """Fire for ever; PostgreSQL's absence is waited out."""
        waits = backoff_s(first_s=poll_s, most_s=10.0)
        while True:
            try:
                fired = await self.sweep()
            except DatabaseUnavailable:
                await asyncio.sleep(next(waits))
                continue
            except Exception:
                log.exception("timers_failed")
                await asyncio.sleep(next(waits))
                continue
            waits = backoff_s(first_s=poll_s, most_s=10.0)
            if fired:
                log.info("timers_fired", count=fired)
            await asyncio.sleep(poll_s)

    async def sweep(self) -> int:
        """Fire all that is due now; return how many."""
        count = 0
        if not await self._database.fetchval(SQL["is_anything_due"], self._now()):
            return count
        while await self.fire_next(self._now()):
            count += 1
        return count

    async def fire_next(self, at: datetime) -> bool:
        """Fire the longest due; False: nothing is due that nobody else is at."""
        async with self._database.transaction() as connection:
            await connection.execute(SQL["open_locked_lanes"])
            row = await connection.fetchrow(SQL["next_timer"], at)
            if row is None:
                return False
            timer = (row["ticket_id"], row["kind"], row["subject"], row["due_at"])
            if await connection.fetchval(SQL["mark_fired"], *timer, at) is None:
                return True  # fired by another between its being found and the lock
            kind = TimerKind(row["kind"])
            is_about = kind in _ABOUT_ASSIGNMENT
            remind = Remind(
                timer=kind.value,
                assignment=AssignmentId(row["subject"]) if is_about else None,
                due_at=row["due_at"],
            )
            ticket = TicketId(row["ticket_id"])
            try:
                async with connection.transaction():
                    await self._orders.move_within(connection, ticket, remind, SWEEPER, at)
            except MoveRefused as error:
                log.warning("timer_came_to_nothing", ticket=ticket, timer=kind, code=error.code)
            except Exception:
                # One ticket's fault must not hold up every timer behind it. A lost connection
                # shows at the commit, which takes the mark back.
                log.exception("timer_failed", ticket=ticket, timer=kind)
            return True
