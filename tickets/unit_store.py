"""The organisation tree in PostgreSQL with its history: a unit is what it was on the day asked for.

Reading is the web role's; changing is the owner's (``hotline units``), as with accounts: whoever
takes over the web role's login can make no unit and move none.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from base.database import Connection
from base.ids import UnitId
from base.sql_files import load_sql
from tickets.store import SQL
from tickets.units import NO_ACCOUNTS, Organisation, OrganisationUnit, Shift

OWNER_SQL = load_sql(Path(__file__).parent / "sql" / "organisation")


async def organisation_around(
    connection: Connection, units: Iterable[UnitId], at: datetime
) -> Organisation:
    """The named units, what stands above them, who is on duty and who signs in for them."""
    rows = await connection.fetch(SQL["units_around"], list(units), at)
    found = [row["unit"] for row in rows]
    signing = await connection.fetch(SQL["account_names"], [each["id"] for each in found])
    accounts = {UnitId(row["unit"]): frozenset(row["names"]) for row in signing}
    return await _organisation(connection, found, at, accounts)


async def organisation_at(connection: Connection, at: datetime) -> Organisation:
    """The whole tree as it was at an instant."""
    rows = await connection.fetch(SQL["units_at"], at)
    return await _organisation(connection, [row["unit"] for row in rows], at)


async def _organisation(
    connection: Connection,
    units: list[object],
    at: datetime,
    accounts: Mapping[UnitId, frozenset[str]] = NO_ACCOUNTS,
) -> Organisation:
    known = msgspec.convert(units, list[OrganisationUnit])
    if not known:
        return Organisation(())
    rows = await connection.fetch(SQL["shifts_at"], [unit.id for unit in known], at)
    shifts = msgspec.convert([row["shift"] for row in rows], list[Shift])
    return Organisation(known, shifts, accounts)


async def put_unit(owner: Connection, unit: OrganisationUnit, from_at: datetime) -> None:
    """From then on it is like this; before, as it was."""
    async with owner.transaction():
        await owner.execute(OWNER_SQL["end_unit"], unit.id, from_at)
        await owner.execute(OWNER_SQL["begin_unit"], msgspec.to_builtins(unit), from_at)


async def end_unit(owner: Connection, unit: UnitId, at: datetime) -> None:
    """It exists no more; its tickets keep its name."""
    await owner.execute(OWNER_SQL["end_unit"], unit, at)


async def add_shift(owner: Connection, shift: Shift) -> None:
    await owner.execute(
        OWNER_SQL["add_shift"],
        shift.unit,
        shift.begins_at,
        shift.ends_at,
        shift.person,
        shift.phone,
    )
