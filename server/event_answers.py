"""One answer for the tickets of an event (突发事件): each moved by itself, or told why it was not.

A ticket's move, its ledger entry, its notice and the kept answer are one transaction; one that is
refused leaves the others as they are. Sent again with the same key nothing is done twice, and what
a crash has cut off is finished; without the key a ticket's state keeps it from a second answer.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import ClassVar

import msgspec
import structlog

from base.database import Database, storable
from base.errors import HotlineError
from base.ids import TicketId, UserId
from server.events import SQL, Events
from server.once import Answer, Once
from tickets import moves as m
from tickets.facts import Actor, ActorRole
from tickets.work_orders import WorkOrders

log = structlog.get_logger(__name__)


class NotOfEvent(HotlineError):
    """No ticket of that number is about the event."""

    code: ClassVar[str] = "event_ticket_unknown"
    http_status: ClassVar[int] = 404


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one ticket; ``code`` and ``params`` say why it was refused."""

    ticket: str
    is_answered: bool
    is_told: bool = False
    """A notice goes to the caller; else there is no way to reach them."""
    code: str | None = None
    params: dict[str, object] = {}


class EventAnswers:
    """As ``hotline_web``."""

    def __init__(
        self,
        database: Database,
        events: Events,
        orders: WorkOrders,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._events = events
        self._orders = orders
        self._now = now

    async def answer(
        self, number: int, tickets: Sequence[str], text: str, *, by: UserId, key: str
    ) -> list[Outcome]:
        """Answer these tickets of the event, in this order."""
        event = await self._events.event(number)
        move = m.AnswerEvent(
            event=number, facts_at=event["told_at"] or event["changed_at"], text=text
        )
        done = [
            await self._answer(ticket, move, by=by, key=key) for ticket in dict.fromkeys(tickets)
        ]
        answered = sum(outcome.is_answered for outcome in done)
        log.warning("event_answered", event_number=number, answered=answered, asked=len(done))
        return done

    async def _answer(self, ticket: str, move: m.AnswerEvent, *, by: UserId, key: str) -> Outcome:
        about = (b"answer_event", str(move.event).encode(), move.text.encode(errors="replace"))
        once = Once.of(by, f"{key}/{ticket}", *about)
        actor = Actor(user=by, roles=frozenset({ActorRole.EVENT}))
        try:
            async with self._database.transaction() as connection:
                if (answer := await once.claim(connection)) is not None:
                    return msgspec.convert(answer.body, Outcome)
                row = await connection.fetchrow(
                    SQL["tickets_of_event"], move.event, storable(ticket), 1
                )
                if row is None:
                    raise NotOfEvent(event=move.event, ticket=ticket)
                done = await self._orders.move_within(
                    connection, TicketId(row["id"]), move, actor, self._now()
                )
                outcome = Outcome(ticket=ticket, is_answered=True, is_told=done.facts.is_reachable)
                await once.keep(connection, Answer(status=200, body=msgspec.to_builtins(outcome)))
        except HotlineError as error:
            if error.retryable:
                raise
            return Outcome(ticket=ticket, is_answered=False, code=error.code, params=error.params)
        return outcome
