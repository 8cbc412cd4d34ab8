"""What the web role does for the dialplan about nuisance: at call entry, and for those it concerns.

``lay_over`` is on the way of every call: memory, and one question to Redis with its own small
time-out; whatever fails, the caller is admitted as everybody. What is to be kept is kept behind.
"""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import asyncpg
import structlog

from base.database import Database, storable
from base.errors import HotlineError
from base.ids import CallId
from base.sql_files import load_sql
from base.task_set import TaskSet
from routing.admission import Admission
from routing.nuisance import StepKind, Wish
from routing.throttle import OFTEN, at_entry
from server.nuisance import NuisanceDesk
from server.suspensions import SuspensionBook
from server.throttle import Throttle
from tickets.lifecycle import GOING_ON

log = structlog.get_logger(__name__)

SQL = load_sql(Path(__file__).parent / "sql" / "progress")
ANSWER_WITHIN_S: Final = 0.8
"""The dialplan waits for one second: later it would tell the caller something else than we kept."""
MOST_NOTICES: Final = 20
"""Being written at a time. Overflow rule: one more is not kept; the caller has heard it."""


class NuisanceEntry:
    """One installation's."""

    def __init__(
        self,
        database: Database,
        desk: NuisanceDesk,
        suspensions: SuspensionBook,
        throttle: Throttle,
    ) -> None:
        self._database = database
        self._desk = desk
        self._suspensions = suspensions
        self._throttle = throttle
        self._tasks = TaskSet("nuisance")
        self._noticing = 0

    async def aclose(self) -> None:
        await self._tasks.close()

    async def lay_over(self, decision: Admission, number: str, call: str) -> Admission:
        """The decision for this caller; never later than the throttle's time-out."""
        at = datetime.now(UTC)
        suspended = self._suspensions.of(number, at)
        is_often = await self._throttle.is_often(number)
        decided = at_entry(decision, suspended=suspended, is_often=is_often, at=at)
        if decided.prompt == OFTEN and self._noticing < MOST_NOTICES:
            self._noticing += 1
            self._tasks.spawn(self._notice(number, CallId(call), at), name="notice")
        return decided

    async def _notice(self, number: str, call: CallId, at: datetime) -> None:
        try:
            await self._desk.take(number, Wish(kind=StepKind.NOTICE, call=call), reason="", at=at)
        except (HotlineError, asyncpg.PostgresError) as error:
            log.info("notice_not_kept", call=call, error=type(error).__name__)
        finally:
            self._noticing -= 1

    async def object(self, number: str, call: str) -> bool:
        """A suspended caller objects; False where it could not be kept."""
        wish = Wish(kind=StepKind.OBJECT, call=CallId(call) if call else None)
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self._desk.take(number, wish, reason="", at=datetime.now(UTC))
        except (HotlineError, asyncpg.PostgresError, TimeoutError) as error:
            log.warning("objection_not_kept", call=call, error=type(error).__name__)
            return False
        return True

    async def progress(self, number: str) -> str:
        """The prompt that tells how far the caller's last ticket is; nothing of what it says."""
        if not number:
            return "progress-none"
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                state = await self._database.fetchval(SQL["last_ticket_state"], storable(number))
        except (HotlineError, asyncpg.PostgresError, TimeoutError):
            return "progress-unknown"
        if state is None:
            return "progress-none"
        return "progress-open" if state in GOING_ON else "progress-over"
