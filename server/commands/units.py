"""``hotline units``: the organisation tree and the duty roster, from a file; listed as of any day.

A file says how the tree is from an instant on: what is as it was is left alone, what differs begins
then, and the old keeps its history. Units that the file does not name stay.
"""

import argparse
import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from base.database import Connection
from base.errors import SetupError
from server.owner_work import as_owner
from server.settings_loader import load_settings
from tickets.unit_store import add_shift, end_unit, organisation_at, put_unit
from tickets.units import Organisation, OrganisationUnit, Shift

T = TypeVar("T")


class UnitsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[[unit]]`` and ``[[shift]]`` tables, by the names of ``tickets.units``."""

    unit: list[OrganisationUnit] = []
    shift: list[Shift] = []


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("units", help="the organisation tree and the duty roster")
    kinds = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    put = kinds.add_parser("put", help="take units and shifts from a file")
    put.add_argument("file", metavar="FILE", type=Path, help="TOML: [[unit]] and [[shift]] tables")
    put.add_argument("--from", dest="from_at", type=_instant, help="since when (now)")
    put.set_defaults(run=_run_put)
    end = kinds.add_parser("end", help="a unit exists no more; its tickets keep its name")
    end.add_argument("unit", metavar="UNIT")
    end.add_argument("--from", dest="from_at", type=_instant, help="since when (now)")
    end.set_defaults(run=_run_end)
    listing = kinds.add_parser("list", help="the tree, and who of it cannot be given a ticket")
    listing.add_argument("--at", type=_instant, help="as it was then (now)")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(run=_run_list)


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise argparse.ArgumentTypeError("say the offset, too: 2026-11-01T00:00:00+08:00")
    return instant


def _run_put(args: argparse.Namespace) -> int:
    wanted = read_units(args.file)
    from_at = args.from_at or datetime.now(UTC)
    changed = as_owner(
        load_settings(), lambda owner: put_units(owner, wanted, from_at), name="hotline units"
    )
    print(f"{changed} units changed, {len(wanted.shift)} shifts kept")
    return 0


def _run_end(args: argparse.Namespace) -> int:
    from_at = args.from_at or datetime.now(UTC)
    as_owner(
        load_settings(), lambda owner: end_unit(owner, args.unit, from_at), name="hotline units"
    )
    print(f"{args.unit}: ended {from_at:%F %T} UTC")
    return 0


def _run_list(args: argparse.Namespace) -> int:
    at = args.at or datetime.now(UTC)
    tree = as_owner(load_settings(), lambda owner: organisation_at(owner, at), name="hotline units")
    if args.json:
        print(json.dumps(msgspec.to_builtins(tree.units()), ensure_ascii=False))
        return 0
    for unit in tree.units():
        lack = "" if unit.is_answered_for else "  nobody responsible: gets no ticket"
        print(f"{unit.id:<32} {unit.level:<9} {unit.kind:<11} {unit.name}{lack}")
    return 0


def read_units(file: Path) -> UnitsFile:
    """The file's wish, checked in itself."""
    try:
        return msgspec.convert(tomllib.loads(file.read_text("utf-8")), UnitsFile)
    except OSError as error:
        raise SetupError(f"cannot read {file}", fix="give a TOML file") from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise SetupError(f"{file}: {error}", fix="see docs/WORK_ORDER.md") from error


async def put_units(owner: Connection, wanted: UnitsFile, from_at: datetime) -> int:
    """Make it so, wholly or not at all; returns how many units changed."""
    async with owner.transaction():
        known = await organisation_at(owner, from_at)
        changed = [unit for unit in wanted.unit if unit not in known.units()]
        for unit in changed:
            await put_unit(owner, unit, from_at)
        for shift in wanted.shift:
            await add_shift(owner, shift)
        _check_tree(await organisation_at(owner, from_at))
    return len(changed)


def _check_tree(tree: Organisation) -> None:
    ids = {unit.id for unit in tree.units()}
    for unit in tree.units():
        if unit.parent is not None and unit.parent not in ids:
            raise SetupError(f"{unit.id} stands below {unit.parent}, which is not", fix="name it")
        if tree.is_below(unit.id, unit.id):
            raise SetupError(f"{unit.id} stands below itself", fix="mend its parent")
