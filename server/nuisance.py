"""Carries out the steps of ``routing.nuisance`` on PostgreSQL, each with reason, words, article.

One step at a time with a number. A suspension's row, its step and the message to the caller are one
transaction. Decides nothing: every step is asked of the ladder under the lock.
"""

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

import asyncpg
import structlog

from base.database import Connection, Database, storable
from base.errors import HotlineError
from base.ids import CallId, UserId
from base.outbox import enqueue
from routing.nuisance import Case, NumberWithheld, Step, StepIllegal, StepKind, Taken, Wish
from routing.nuisance import read as read_steps
from routing.nuisance import take as take_step
from rules.pack import Pack
from rules.values import Misuse
from server.suspensions import SQL
from tickets.messages import TO_CALLER

log = structlog.get_logger(__name__)

MOST_LISTED: Final = 200


class SuspensionUnknown(HotlineError):
    """There is no such suspension."""

    code: ClassVar[str] = "suspension_unknown"
    http_status: ClassVar[int] = 404


class ReasonMissing(HotlineError):
    """Say why."""

    code: ClassVar[str] = "nuisance_reason_missing"
    http_status: ClassVar[int] = 422


@dataclass(frozen=True, slots=True)
class KeptStep:
    """A step with what was written beside it."""

    step: Step
    by_name: str | None
    reason: str
    script: str
    article: dict[str, object] | None


class NuisanceDesk:
    """The steps with all callers, as ``hotline_web``, under one city's pack."""

    def __init__(self, database: Database, pack: Pack) -> None:
        self._database = database
        self.pack = pack

    async def steps(self, number: str) -> list[KeptStep]:
        """Everything done with a number, oldest first."""
        if not number:
            return []
        rows = await self._database.fetch(SQL["steps_of_caller"], storable(number))
        return [_kept(row) for row in rows]

    async def check(self, number: str, wish: Wish, *, at: datetime) -> Taken:
        """What ``take`` would come to; nothing is kept."""
        if not number:
            raise NumberWithheld
        return take_step(case_of(await self.steps(number), at), wish, self.pack, at)

    async def take(
        self,
        number: str,
        wish: Wish,
        *,
        reason: str,
        at: datetime,
        carry_out: Callable[[], Awaitable[object]] | None = None,
    ) -> Taken:
        """Do one step, or refuse it; what ``carry_out`` refuses is not kept."""
        if not number:
            raise NumberWithheld
        async with self._database.transaction() as connection:
            case = await self._locked(connection, number, at)
            taken = take_step(case, wish, self.pack, at)
            suspension = None
            if wish.kind is StepKind.PROPOSE:
                suspension = await self._propose(connection, number, taken, reason)
            await self._keep(connection, number, taken, reason, suspension)
            if carry_out is not None:
                await carry_out()
        log.info("nuisance_step", step=wish.kind.value, call=wish.call, by=wish.by)
        return taken

    async def decide(self, suspension: str, wish: Wish, *, reason: str, at: datetime) -> Taken:
        """Approve, refuse, review or lift one suspension."""
        if not reason.strip():
            raise ReasonMissing
        row = await self._suspension(suspension)
        number = str(row["caller_number"])
        async with self._database.transaction() as connection:
            case = await self._locked(connection, number, at)
            taken = take_step(case, wish, self.pack, at)
            await self._settle(connection, row["id"], number, taken)
            await self._keep(connection, number, taken, reason, row["id"])
        log.warning("suspension_decided", step=wish.kind.value, suspension=suspension, by=wish.by)
        return taken

    async def suspensions(self) -> list[dict[str, object]]:
        """The newest, whatever became of them."""
        rows = await self._database.fetch(SQL["latest_suspensions"], MOST_LISTED)
        return [dict(row) for row in rows]

    async def _suspension(self, suspension: str) -> asyncpg.Record:
        try:
            row = await self._database.fetchrow(SQL["suspension_by_id"], uuid.UUID(suspension))
        except ValueError as error:
            raise SuspensionUnknown from error
        if row is None:
            raise SuspensionUnknown
        return row

    async def _locked(self, connection: Connection, number: str, at: datetime) -> Case:
        await connection.execute(SQL["lock_caller"], storable(number))
        rows = await connection.fetch(SQL["steps_of_caller"], storable(number))
        return read_steps([step_of(row) for row in rows], at)

    async def _propose(
        self, connection: Connection, number: str, taken: Taken, reason: str
    ) -> uuid.UUID:
        if not reason.strip():
            raise ReasonMissing
        step, suspension = taken.step, uuid.uuid4()
        assert step.misuse is not None
        await connection.execute(
            SQL["insert_suspension"],
            suspension,
            storable(number),
            step.misuse.value,
            storable(reason),
            taken.card,
            step.by,
            step.at,
        )
        return suspension

    async def _settle(
        self, connection: Connection, suspension: uuid.UUID, number: str, taken: Taken
    ) -> None:
        step = taken.step
        match step.kind:
            case StepKind.APPROVE | StepKind.REFUSE:
                sql, values = "decide_suspension", (step.by, step.at, step.until)
            case StepKind.LIFT:
                sql, values = "lift_suspension", (step.by, step.at, None)
            case _:
                return
        arguments = values if sql == "decide_suspension" else values[:2]
        if await connection.fetchval(SQL[sql], suspension, *arguments) is None:
            raise StepIllegal(step=step.kind.value)
        if step.kind is not StepKind.REFUSE:
            await self._tell_caller(connection, suspension, number, taken)

    async def _tell_caller(
        self, connection: Connection, suspension: uuid.UUID, number: str, taken: Taken
    ) -> None:
        """Beside what is said at their next call."""
        has_begun = taken.step.kind is StepKind.APPROVE
        until = taken.step.until
        await enqueue(
            connection,
            channel=TO_CALLER,
            key=f"suspension:{suspension}:{taken.step.kind.value}",
            ordering_key=str(suspension),
            payload={
                "to": "caller",
                "number": storable(number),
                "template": "suspension_begun" if has_begun else "suspension_lifted",
                "params": {
                    "until": None if until is None else until.isoformat(),
                    "script": taken.script,
                    "article": "" if taken.card is None else taken.card.place,
                },
            },
        )

    async def _keep(
        self,
        connection: Connection,
        number: str,
        taken: Taken,
        reason: str,
        suspension: uuid.UUID | None,
    ) -> None:
        step = taken.step
        await connection.execute(
            SQL["insert_step"],
            storable(number),
            step.at,
            step.kind.value,
            None if step.misuse is None else step.misuse.value,
            step.call,
            step.by,
            step.until,
            suspension,
            storable(reason),
            taken.script,
            taken.card,
            f"{self.pack.id} {self.pack.version}",
        )


def case_of(steps: Sequence[KeptStep], at: datetime) -> Case:
    """Fold what is kept."""
    return read_steps([kept.step for kept in steps], at)


def _kept(row: asyncpg.Record) -> KeptStep:
    return KeptStep(step_of(row), row["by_name"], row["reason"], row["script"], row["article"])


def step_of(row: asyncpg.Record) -> Step:
    """A row as the ladder reads it; who did it only where the reader may see that."""
    by = row.get("by_user")
    return Step(
        kind=StepKind(row["kind"]),
        at=row["at"],
        misuse=None if row["misuse"] is None else Misuse(row["misuse"]),
        call=None if row["call_id"] is None else CallId(row["call_id"]),
        by=None if by is None else UserId(str(by)),
        until=row["until_at"],
    )
