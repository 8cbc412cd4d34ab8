"""The numbers that people have marked, warned or more lately, as leaders see them: masked.

Handled by a step's id, so that no number stands in an address. To see one in clear is a reveal,
with a reason that is kept beside who looked (``number_reveals``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import ClassVar, Final

import asyncpg

from base.database import Database, storable
from base.errors import HotlineError
from base.ids import CallId, UserId
from routing.nuisance import MARK_LIFE, Standing, Step
from routing.nuisance import read as read_steps
from server.nuisance import ReasonMissing, step_of
from server.suspensions import SQL
from tickets.masking import masked_number

SHOWN: Final = MARK_LIFE
MOST_SHOWN: Final = 200


class CallerUnknown(HotlineError):
    """Nothing was done with such a number."""

    code: ClassVar[str] = "nuisance_caller_unknown"
    http_status: ClassVar[int] = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Reveal:
    """Somebody saw the number."""

    at: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NuisanceCaller:
    """One number, and how far it has come with it."""

    id: int
    """Of the newest step with it."""
    caller_number: str
    """Masked."""
    call: CallId | None
    """The newest call in which something was done: the file for the police goes by it."""
    standing: Standing
    until: datetime | None
    marks: int
    warnings: int
    misuses: list[str]
    last_at: datetime
    reveals: list[Reveal]


class NuisanceCallers:
    """As ``hotline_web``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def lately(self, now: datetime, shown: timedelta = SHOWN) -> list[NuisanceCaller]:
        """The latest first."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(SQL["steps_of_latest_callers"], now - shown, MOST_SHOWN)
            numbers = list({row["caller_number"] for row in rows})
            seen = await connection.fetch(SQL["number_reveals"], numbers)
        reveals: dict[str, list[Reveal]] = {number: [] for number in numbers}
        for row in seen:
            told = Reveal(at=row["at"], by=row["by"], reason=row["reason"])
            reveals[row["caller_number"]].append(told)
        return [
            _caller(number, list(steps), reveals[number], now)
            for number, steps in groupby(rows, key=lambda row: str(row["caller_number"]))
        ]

    async def reveal(self, step: int, *, by: UserId, reason: str) -> str:
        """The whole number; kept before it is told."""
        if not reason.strip():
            raise ReasonMissing
        async with self._database.transaction() as connection:
            number: str | None = await connection.fetchval(SQL["number_of_step"], step)
            if number is None:
                raise CallerUnknown(step=step)
            await connection.execute(SQL["log_number_reveal"], by, step, storable(reason.strip()))
        return number


def _caller(
    number: str, rows: Sequence[asyncpg.Record], reveals: list[Reveal], now: datetime
) -> NuisanceCaller:
    steps = [step_of(row) for row in rows]
    case = read_steps(steps, now)
    return NuisanceCaller(
        id=rows[-1]["id"],
        caller_number=masked_number(number),
        call=next(_calls(steps), None),
        standing=case.standing,
        until=case.until,
        marks=len(case.marks),
        warnings=len(case.warnings),
        misuses=sorted({step.misuse.value for step in steps if step.misuse is not None}),
        last_at=steps[-1].at,
        reveals=reveals,
    )


def _calls(steps: Sequence[Step]) -> Iterator[CallId]:
    """The calls in which something was done, the newest first."""
    return (step.call for step in reversed(steps) if step.call is not None)
