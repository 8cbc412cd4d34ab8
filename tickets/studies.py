"""Special studies: what many tickets at one unit have in common, and what is done of it (R062).

A study is beside its tickets: each keeps its own clock and its own answer.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec

from base.database import Connection
from base.ids import UnitId, UserId
from base.sql_files import load_sql
from rules import catalogue as law
from tickets.law import Law
from tickets.refusals import NotFitting

SQL = load_sql(Path(__file__).parent / "sql" / "studies")
LEAST_OF_A_CLUSTER = 5
"""Own practice: fewer are proposed to nobody."""
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]
Line = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Opened(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A unit is to study these tickets together."""

    unit: UnitId
    topic: Line
    reason: Text
    numbers: Annotated[list[Line], msgspec.Meta(min_length=2, max_length=1000)]


class Measures(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the unit does about the cause, and so that it lasts."""

    measures: Text
    lasting: Text


class Report(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must be coordinated above the unit."""

    to: Line
    report: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Tickets that may be one matter."""

    topic: str
    unit: UnitId
    count: int
    numbers: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """One study, as far as it is."""

    id: int
    unit: UnitId
    topic: str
    reason: str
    article: str
    numbers: list[str]
    opened_at: datetime
    measures: str
    lasting: str
    measured_at: datetime | None
    report: str
    reported_to: str
    reported_at: datetime | None


async def clusters(
    connection: Connection, from_at: datetime, until_at: datetime, least: int
) -> list[Cluster]:
    rows = await connection.fetch(SQL["clusters"], from_at, until_at, least)
    return [Cluster(**row) for row in rows]


async def open_study(
    connection: Connection, opened: Opened, the_law: Law, by: UserId, at: datetime
) -> int:
    """Only of tickets that the unit has; refused where the law knows no such study."""
    given = the_law.ask(law.STUDY)
    study: int = await connection.fetchval(
        SQL["open_study"], opened.unit, opened.topic, opened.reason, given.card.place, at, by
    )
    numbers = sorted(set(opened.numbers))
    taken = await connection.fetch(SQL["study_tickets"], study, numbers, opened.unit)
    if len(taken) != len(numbers):
        raise NotFitting(field="numbers", why="not_the_units")
    return study


async def give_measures(
    connection: Connection, study: int, unit: UnitId, given: Measures, by: UserId, at: datetime
) -> None:
    done = await connection.fetchval(
        SQL["give_measures"], study, unit, given.measures, given.lasting, at, by
    )
    if done is None:
        raise NotFitting(field="study", why="no_such_study")


async def report_study(
    connection: Connection, study: int, report: Report, the_law: Law, by: UserId, at: datetime
) -> None:
    the_law.ask(law.STUDY_REPORT)
    done = await connection.fetchval(SQL["report_study"], study, report.report, report.to, at, by)
    if done is None:
        raise NotFitting(field="study", why="no_such_study")


async def studies(connection: Connection, unit: UnitId | None) -> list[Study]:
    """The newest first; a unit's own, or all."""
    rows = await connection.fetch(SQL["studies"], unit or "")
    return [Study(**row) for row in rows]
