"""The caller is asked by short message how it went, and answers by number and code (R070).

Asking is an act of the centre with its ledger entry, once a round; the answer is the move
``follow_up`` itself, made for the caller under the same table and law. A unit has no part in it: it
never has the code.
"""

import uuid
from datetime import datetime
from typing import Final

from base.database import Connection
from base.ids import UserId
from base.outbox import enqueue
from rules.catalogue import FOLLOW_UP_CHANNELS
from rules.values import FollowUpChannel as Way
from tickets import moves as m
from tickets.access import caller_of
from tickets.acts.scene import CALLER
from tickets.facts import Actor, ActorRole, FollowUpChannel, TicketFacts
from tickets.law import Law, refused
from tickets.messages import TO_CALLER, mobile_of
from tickets.refusals import IllegalMove, NotFitting
from tickets.store import SQL, append_to_ledger
from tickets.ticket import TicketState

ACTION: Final = "ask_by_message"
ANSWERING: Final = Actor(user=UserId("caller"), roles=frozenset({ActorRole.FOLLOW_UP}))
"""The caller, in the one move that is theirs here."""


async def ask_by_message(
    connection: Connection, facts: TicketFacts, by: Actor, law: Law, at: datetime
) -> None:
    """Send the question with number and code; a second one in the same round is refused."""
    _check_following_up(facts.state)
    caller = await caller_of(connection, facts.id)
    if not facts.is_reachable or caller is None or mobile_of(caller.number) is None:
        raise NotFitting(why="not_reachable")
    ways = law.ask(FOLLOW_UP_CHANNELS)
    if Way.SMS_LINK not in ways.value:
        raise refused(ways, "other_channel")
    # Others of this ticket wait from here; what happened to it since it was read, counts.
    state = await connection.fetchval(SQL["next_version"], uuid.UUID(facts.id))
    _check_following_up(TicketState(state))
    is_new = await enqueue(
        connection,
        channel=TO_CALLER,
        key=f"follow_up:{facts.id}:{facts.round}",
        ordering_key=facts.id,
        payload={"ticket": facts.number, "to": CALLER, "template": "follow_up", "params": {}},
    )
    if not is_new:
        raise NotFitting(why="asked_already")
    await append_to_ledger(
        connection,
        facts.id,
        at=at,
        actor=by.user,
        action=ACTION,
        article=ways.card.place,
        body={"round": facts.round},
    )


def _check_following_up(state: TicketState) -> None:
    if state is not TicketState.FOLLOWING_UP:
        raise IllegalMove(state=state.value, move=ACTION)


def answer_of(
    facts: TicketFacts, *, is_solved: bool, is_satisfied: bool, reason: str
) -> m.TryFollowUp:
    """The caller's answer as a move; one a round."""
    by_message = FollowUpChannel.SMS
    if any(e.round == facts.round and e.channel is by_message for e in facts.follow_ups):
        raise NotFitting(why="answered_already")
    return m.TryFollowUp(
        channel=by_message,
        is_reached=True,
        is_solved=is_solved,
        is_satisfied=is_satisfied,
        reason=reason,
    )
