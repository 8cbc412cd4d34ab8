"""How far a ticket is, for the ear: number and code come as keys, the answer is made of prompts.

The dialplan gets one line, ``state=NAME&month=N&day=N``: which prompt says the state, and by when a
reply is due (0: nothing to say). Nothing of what the ticket says leaves by this way.
"""

import asyncio
from datetime import datetime
from typing import Final

import asyncpg
import structlog

from base.errors import HotlineError
from rules.worktime import local_date
from server.auth import TooManyAttempts
from server.citizen_door import CitizenDoor, CodeWrong, Origin
from tickets.ticket import TicketState

log = structlog.get_logger(__name__)

S = TicketState
ANSWER_WITHIN_S: Final = 0.8
"""The dialplan waits for one second."""
FREE_ATTEMPTS_PER_NUMBER: Final = 10
SAID: Final = {
    S.REGISTERED: "registered",
    S.TO_DISPATCH: "unit-sought",
    S.UNDER_STUDY: "unit-sought",
    S.WITH_UNITS: "handled",
    S.IN_REVIEW: "reviewed",
    S.FOLLOWING_UP: "replied",
    S.ANSWERED: "closed",
    S.REPEAT_ANSWERED: "closed",
    S.CLOSED: "closed",
    S.ENDED: "closed",
    S.ARCHIVED: "closed",
    S.TERMINATED: "stopped",
    S.STOPPED: "stopped",
    S.NOT_ACCEPTED: "not-accepted",
    S.NOT_REGISTERED: "not-accepted",
    S.HANDED_OVER: "handed-over",
}
"""The prompt ``hotline/progress-is-…`` of each state."""
WRONG, BRAKED, UNKNOWN = "wrong", "braked", "unknown"


def spoken(state: TicketState, reply_due_at: datetime | None) -> str:
    """The line for the dialplan; a due time is said only while a reply is still owed."""
    is_owed = state in (S.TO_DISPATCH, S.UNDER_STUDY, S.WITH_UNITS, S.IN_REVIEW)
    if reply_due_at is None or not is_owed:
        return _line(SAID[state])
    due = local_date(reply_due_at)
    return _line(SAID[state], due.month, due.day)


def ticket_number(keys: str) -> str:
    """20261019000001, as keyed, → 20261019-000001."""
    return f"{keys[:8]}-{keys[8:]}"


def _line(state: str, month: int = 0, day: int = 0) -> str:
    return f"state={state}&month={month}&day={day}"


class SpokenProgress:
    """Answers the dialplan; whatever fails is ``unknown``, and the caller goes on to a person."""

    def __init__(self, door: CitizenDoor) -> None:
        self._door = door

    async def answer(self, keys: str, code: str, caller: str) -> str:
        origin = Origin("citizen-phone", caller, FREE_ATTEMPTS_PER_NUMBER)
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                facts = await self._door.facts(ticket_number(keys), code, origin)
        except CodeWrong:
            return _line(WRONG)
        except TooManyAttempts:
            return _line(BRAKED)
        except (HotlineError, asyncpg.PostgresError, TimeoutError) as error:
            log.warning("progress_not_told", error=type(error).__name__)
            return _line(UNKNOWN)
        return spoken(facts.state, facts.reply_due_at)
