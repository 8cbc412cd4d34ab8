"""The bare SQL of what we do: statements are heard in a rehearsal, then said alone.

A rehearsal runs our code in a transaction that is taken back, and notes every statement with what
it was given. The same statements, in a transaction of their own on a bare connection, are the
reference: all that PostgreSQL does for it, and nothing of what we think beside it.
"""

import contextlib
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from base.database import Connection, Database

Statement = tuple[str, str, tuple[object, ...]]
"""How it was asked for (``fetch``, …), its text, its values."""
Work = Callable[[Any], Awaitable[object]]
"""Something of ours, on a ``Database`` or on what stands in for one."""


class _TakenBack(Exception):
    """Ends a rehearsal's transaction."""


class Rehearsal:
    """A ``Database`` whose transactions are heard and taken back."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.heard: list[Statement] = []

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        with contextlib.suppress(_TakenBack):
            async with self._database.transaction() as connection:
                yield _Listener(connection, self.heard)
                raise _TakenBack


class _Listener:
    """A connection that notes what is asked of it."""

    def __init__(self, connection: Connection, heard: list[Statement]) -> None:
        self._connection = connection
        self._heard = heard

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._connection, name)
        if name not in ("execute", "fetch", "fetchrow", "fetchval"):
            return found

        def ask(sql: str, *values: object) -> Any:
            self._heard.append((name, sql, values))
            return found(sql, *values)

        return ask


async def rehearse(database: Database, work: Work) -> list[Statement]:
    rehearsal = Rehearsal(database)
    await work(rehearsal)
    return rehearsal.heard


async def say(bare: Connection, statements: Iterable[Statement]) -> None:
    """The reference: these statements, in one transaction."""
    async with bare.transaction():
        for method, sql, values in statements:
            await getattr(bare, method)(sql, *values)


@dataclass
class Times:
    """How long each took, in seconds."""

    ours: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)


def per_second(times_s: list[float]) -> float:
    """One after the other."""
    return len(times_s) / sum(times_s)


def percentile_ms(times_s: list[float], percent: int) -> float:
    return statistics.quantiles(times_s, n=100, method="inclusive")[percent - 1] * 1000


async def take_turns(
    database: Database,
    bare: Connection,
    works: Iterable[tuple[Work, Work]],
    times: Times,
) -> None:
    """Each pair: one said barely and one carried out, both rehearsed; who begins changes."""
    for turn, (one, other) in enumerate(works):
        if turn % 2:
            await _bare(database, bare, one, times)
            await _ours(database, other, times)
        else:
            await _ours(database, other, times)
            await _bare(database, bare, one, times)


async def _bare(database: Database, bare: Connection, work: Work, times: Times) -> None:
    statements = await rehearse(database, work)
    begun = time.perf_counter()
    await say(bare, statements)
    times.bare.append(time.perf_counter() - begun)


async def _ours(database: Database, work: Work, times: Times) -> None:
    await rehearse(database, work)  # as warm as the reference finds it
    begun = time.perf_counter()
    await work(database)
    times.ours.append(time.perf_counter() - begun)
