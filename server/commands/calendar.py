"""``hotline calendar``: the working days shown, compared with a notice, and a notice imported."""

import argparse
import csv
import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

from base.errors import HotlineError, SetupError
from rules.announcement import Announcement
from rules.calendar import Calendar, Day, DayKind, changed_days
from rules.moved import Moved, OpenClock, moved
from rules.worktime import LOCAL
from server.calendars import (
    current_calendar,
    keep_announcement,
    read_announcement,
    with_announcement,
)
from server.clock_facts import NAMES, asked_from, refusal
from server.packs import find_pack
from server.settings_loader import load_settings

_COLUMNS = ("id", "pack", *NAMES)


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("calendar", help="working days, holidays, make-up days")
    kinds = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    show = kinds.add_parser("show", help="a year's holidays and make-up days")
    show.add_argument("year", type=int, metavar="YEAR")
    show.set_defaults(run=_show)
    diff = kinds.add_parser("diff", help="what a notice would change; nothing is written")
    diff.set_defaults(run=_diff)
    bring = kinds.add_parser("import", help="take a notice into the calendar")
    bring.set_defaults(run=_import)
    for each in (diff, bring):
        each.add_argument("file", metavar="FILE", type=Path, help="a year's announcement, TOML")
        each.add_argument(
            "--clocks",
            metavar="FILE",
            type=Path,
            help=f"open clocks, .csv or .json, to say which due times move: {', '.join(_COLUMNS)}",
        )
    for each in (show, diff, bring):
        each.add_argument("--json", action="store_true")


def _show(args: argparse.Namespace) -> int:
    calendar = current_calendar(load_settings().home)
    if not calendar.first.year <= args.year <= calendar.last.year:
        raise SetupError(
            f"the calendar has no {args.year}",
            fix=f"a year from {calendar.first.year} to {calendar.last.year}, or calendar import",
        )
    announcement = calendar.announcement(args.year)
    days = calendar.days(date(args.year, 1, 1), date(args.year, 12, 31))
    named = [day for day in days if day.name]
    if args.json:
        _print_json(
            {
                "year": args.year,
                "status": announcement.status.value,
                "source": announcement.source,
                "calendar_version": calendar.version,
                "working_days": sum(day.is_working for day in days),
                "days": [_day_json(day) for day in named],
            }
        )
        return 0
    print(f"{args.year}: {announcement.status} ({announcement.source})")
    for day in named:
        print(f"  {_day_text(day)}")
    print(f"  {sum(day.is_working for day in days)} working days; calendar {calendar.version}")
    return 0


def _diff(args: argparse.Namespace) -> int:
    _compare(args, load_settings().home)
    return 0


def _import(args: argparse.Namespace) -> int:
    home = load_settings().home
    announcement = _compare(args, home)
    file = keep_announcement(home, announcement)
    if not args.json:
        print(f"imported: {file}")
    return 0


def _compare(args: argparse.Namespace, home: Path) -> Announcement:
    """Print what the announcement changes."""
    before = current_calendar(home)
    announcement = read_announcement(args.file)
    after = with_announcement(before, announcement)
    clocks = list(_read_clocks(args.clocks)) if args.clocks else []
    moves = list(_moves(before, after, clocks))
    changed = changed_days(before, after)
    if args.json:
        _print_json(
            {
                "year": announcement.year,
                "status": announcement.status.value,
                "before": before.version,
                "after": after.version,
                "days": [
                    {**_day_json(each.after), "was": each.before.kind.value} for each in changed
                ],
                "clocks": len(clocks),
                "moved": [_moved_json(each) for each in moves],
            }
        )
        return announcement
    print(f"{announcement.year}, {announcement.status}: {len(changed)} days change")
    for each in changed:
        print(f"  {_day_text(each.after)}, was {each.before.kind.replace('_', ' ')}")
    if args.clocks:
        print(f"{len(moves)} of {len(clocks)} clocks change")
    for move in moves:
        print(f"  {_moved_text(move)}")
    print(f"calendar {before.version} → {after.version}")
    return announcement


def _moves(before: Calendar, after: Calendar, clocks: list[OpenClock]) -> Iterator[Moved]:
    for clock in clocks:
        try:
            yield from moved(before, after, [clock])
        except HotlineError as error:
            refused = refusal(clock.pack, error)
            raise SetupError(f"clock {clock.id}: {refused.message}", fix=refused.fix) from error


def _read_clocks(file: Path) -> Iterator[OpenClock]:
    for number, row in enumerate(_rows(file), 1):
        name = row.get("id") or str(number)
        unknown = sorted(set(row) - set(_COLUMNS))
        if unknown:
            raise SetupError(
                f"{file.name}: unknown columns {', '.join(unknown)}",
                fix=f"columns are {', '.join(_COLUMNS)}",
            )
        try:
            yield OpenClock(name, find_pack(row.get("pack", "")), asked_from(row))
        except SetupError as error:
            raise SetupError(f"{file.name}, clock {name}: {error.message}", fix=error.fix) from None


def _rows(file: Path) -> list[Mapping[str, str]]:
    fix = "a .csv with a head line, or a .json list of objects"
    try:
        text = file.read_text("utf-8-sig")
        if file.suffix != ".json":
            return list(csv.DictReader(text.splitlines(), restkey="more than its columns"))
        rows = json.loads(text)
    except (OSError, ValueError, csv.Error) as error:
        raise SetupError(f"cannot read {file}: {error}", fix=fix) from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SetupError(f"{file.name} is no list of objects", fix=fix)
    return [
        {str(key): "" if value is None else str(value) for key, value in row.items()}
        for row in rows
    ]


def _day_text(day: Day) -> str:
    words = {
        DayKind.HOLIDAY: f"off, {day.name}",
        DayKind.MAKE_UP_DAY: f"worked for {day.name}",
        DayKind.WORKING_DAY: "working day",
        DayKind.WEEKEND: "weekend",
    }
    return f"{day.on:%a %Y-%m-%d} {words[day.kind]}"


def _day_json(day: Day) -> dict[str, object]:
    return {
        "date": day.on.isoformat(),
        "kind": day.kind.value,
        "name": day.name,
        "is_working": day.is_working,
    }


def _moved_text(move: Moved) -> str:
    old, new = (each.due.due_at.astimezone(LOCAL) for each in (move.before, move.after))
    if not move.is_due_changed:
        return f"{move.id} {move.after.kind}: stays at {new:%Y-%m-%d %H:%M}{_settled(move)}"
    return (
        f"{move.id} {move.after.kind}: {old:%Y-%m-%d %H:%M} → {new:%Y-%m-%d %H:%M}{_settled(move)}"
    )


def _settled(move: Moved) -> str:
    return " (still provisional)" if move.after.due.provisional else ", settled now"


def _moved_json(move: Moved) -> dict[str, object]:
    return {
        "id": move.id,
        "kind": move.after.kind,
        "before": move.before.due.due_at.astimezone(LOCAL).isoformat(),
        "after": move.after.due.due_at.astimezone(LOCAL).isoformat(),
        "moved": move.is_due_changed,
        "provisional": bool(move.after.due.provisional),
    }


def _print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))
