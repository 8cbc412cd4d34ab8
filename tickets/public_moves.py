"""What of a ticket's way outside subscribers are told: a closed list of moves, and no person in it.

Never of a locked lane, never of a confidential ticket: where a demand came from and when may be
enough to find who made it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from base.database import Connection
from base.outbox import enqueue
from tickets.facts import TicketFacts
from tickets.messages import TO_SUBSCRIBER
from tickets.ticket import Lane

PUBLIC_MOVES = frozenset(
    {
        "answer",
        "answer_repeat",
        "not_accept",
        "hand_over",
        "dispatch",
        "designate",
        "sign",
        "interim_reply",
        "feedback",
        "redo",
        "close",
        "end",
        "archive",
        "reopen",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """Somebody outside who wants to know how tickets go on, e.g. the city's data platform."""

    name: str
    moves: frozenset[str] = PUBLIC_MOVES
    """Which of the public ones."""


async def tell_subscribers(
    connection: Connection,
    before: TicketFacts,
    after: TicketFacts,
    move: str,
    at: datetime,
    subscribers: Sequence[Subscriber],
) -> None:
    """One message for each who wants this move, in the transaction of the move."""
    is_hidden = before.is_confidential or after.is_confidential
    if move not in PUBLIC_MOVES or after.lane is not Lane.ORDINARY or is_hidden:
        return
    for each in subscribers:
        if move in each.moves:
            await enqueue(
                connection,
                channel=TO_SUBSCRIBER,
                key=f"{after.id}:{after.version}:{each.name}",
                ordering_key=f"{after.id}:{each.name}",
                payload={"to": each.name, "event": event_of(after, move, at)},
            )


def event_of(facts: TicketFacts, move: str, at: datetime) -> dict[str, object]:
    """What is told of a move."""
    return {
        "event": "ticket.moved",
        "ticket": facts.number,
        "version": facts.version,
        "move": move,
        "at": at.isoformat(),
        "state": facts.state.value,
        "type": facts.type.value,
        "domain": facts.domain,
        "region": facts.region,
        "units": sorted({each.unit for each in facts.assignments if not each.is_gone}),
        "reply_due_at": None if facts.reply_due_at is None else facts.reply_due_at.isoformat(),
    }
