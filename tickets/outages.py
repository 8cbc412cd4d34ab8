"""What utilities tell the centre of: where something is off, until when it is thought to be (R061).

Agents answer callers from it and need register no hundredth ticket; it settles none by itself.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import msgspec

from base.database import Connection
from base.ids import UnitId, UserId
from base.sql_files import load_sql
from tickets.refusals import NotFitting

SQL = load_sql(Path(__file__).parent / "sql" / "outages")
ANNOUNCED_BEFORE: Final = timedelta(hours=48)
Code = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_.]{0,63}$")]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class Notice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something will be, or is, off."""

    topic: Code
    regions: Annotated[list[Code], msgspec.Meta(max_length=200)] = []
    """None: wherever the unit serves."""
    what: Text
    begins_at: Instant
    ends_at: Instant


class Ended(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """It ends otherwise than was said: sooner, later."""

    ends_at: Instant
    what: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    """In the place of what was said; empty: as it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A notice as it stands."""

    id: int
    unit: UnitId
    topic: str
    regions: list[str]
    what: str
    begins_at: datetime
    ends_at: datetime
    entered_at: datetime


async def tell(
    connection: Connection, unit: UnitId, notice: Notice, by: UserId, at: datetime
) -> int:
    if notice.ends_at <= max(at, notice.begins_at):
        raise NotFitting(field="ends_at", why="over_already")
    told: int = await connection.fetchval(
        SQL["add_outage"],
        unit,
        notice.topic,
        notice.regions,
        notice.what,
        notice.begins_at,
        notice.ends_at,
        at,
        by,
    )
    return told


async def end(connection: Connection, outage: int, unit: UnitId, ended: Ended) -> None:
    changed = await connection.fetchval(SQL["end_outage"], outage, unit, ended.ends_at, ended.what)
    if changed is None:
        raise NotFitting(field="outage", why="no_such_outage")


async def outages(connection: Connection, region: str, at: datetime) -> list[Outage]:
    """What is off now, or will be within two days; of a region, or all."""
    rows = await connection.fetch(SQL["outages_now"], at, at + ANNOUNCED_BEFORE, region)
    return [Outage(**row) for row in rows]
