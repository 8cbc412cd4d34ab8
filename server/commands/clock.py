"""``hotline clock``: when something is due under a pack, worked out line by line."""

import argparse
import json

import msgspec

from base.errors import HotlineError, SetupError
from rules.deadlines import KINDS, Answer, ask
from rules.values import Unit
from rules.working import text
from rules.worktime import LOCAL
from server.calendars import current_calendar
from server.clock_facts import NAMES, asked_from, refusal
from server.packs import find_pack
from server.settings_loader import load_settings


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "clock",
        help="when something is due under a pack, line by line",
        description="Work out a due time by a city's pack and the calendar, line by line.",
    )
    parser.add_argument("--pack", required=True, help="a pack's id, or a file")
    parser.add_argument("--kind", required=True, metavar="KIND", help=", ".join(KINDS))
    parser.add_argument(
        "--from", required=True, metavar="INSTANT", help="e.g. 2026-09-28T10:00:00+08:00"
    )
    parser.add_argument("--days", metavar="N", help="of this clock, where the centre sets it")
    parser.add_argument("--base-days", metavar="N", help="of the base clock, likewise")
    parser.add_argument("--law-days", metavar="N", help="a law's own period")
    parser.add_argument("--law-unit", metavar="UNIT", help=f"of it: {', '.join(Unit)}")
    parser.add_argument("--law", metavar="TEXT", help="which law and article")
    parser.add_argument("--promised", metavar="DATE", help="the date promised to the caller")
    parser.add_argument(
        "--extend",
        nargs="?",
        const="pack",
        metavar="N",
        help="extend the base clock; N where the pack gives no number",
    )
    parser.add_argument("--extended", metavar="N", help="how often it was extended before")
    parser.add_argument(
        "--due", metavar="INSTANT", help="due time that an extension or a card refers to"
    )
    parser.add_argument("--hours", metavar="HOURS", help="of a unit's own shift")
    parser.add_argument(
        "--paused",
        action="append",
        default=[],
        metavar="REASON=FROM/TO",
        help="when it stood still, where the pack allows it; may be repeated",
    )
    parser.add_argument(
        "--fact",
        action="append",
        dest="fact",
        default=[],
        metavar="NAME=VALUE",
        help="what a rule of the pack depends on (VALUE may be none); may be repeated",
    )
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the due time and its working."""
    given = {**vars(args), "facts": ",".join(args.fact), "paused": ",".join(args.paused)}
    asked = asked_from({name: given.get(name) for name in NAMES})
    pack = find_pack(args.pack)
    calendar = current_calendar(load_settings().home)
    try:
        answer = ask(pack, calendar, asked)
    except SetupError:
        raise
    except HotlineError as error:
        raise refusal(pack, error) from error
    if args.json:
        print(json.dumps(as_json(answer), ensure_ascii=False, indent=2))
    else:
        print(as_text(answer))
    return 0


def as_json(answer: Answer) -> dict[str, object]:
    """The answer as plain values; ``working`` for people, ``lines`` for programs."""
    due = answer.due
    return {
        "pack": answer.pack,
        "pack_version": answer.pack_version,
        "calendar_version": answer.calendar_version,
        "kind": answer.kind,
        "rule": due.rule,
        "due_at": due.due_at.astimezone(LOCAL).isoformat(),
        "provisional": bool(due.provisional),
        "provisional_years": list(due.provisional),
        "article": ", ".join(answer.card.articles) or answer.card.place,
        "in_force": answer.is_in_force,
        "law": answer.law or None,
        "card": msgspec.to_builtins(answer.card),
        "working": [text(line) for line in due.working],
        "lines": [{"code": line.code.value, **dict(line.params)} for line in due.working],
        "tell_caller": [told.value for told in answer.tell_caller],
        "beside": [as_json(each) for each in answer.beside],
    }


def as_text(answer: Answer) -> str:
    """The answer for people's eyes, what stands beside it last."""
    due = answer.due
    lines = [
        f"{answer.kind}: due {due.due_at.astimezone(LOCAL):%a %Y-%m-%d %H:%M}"
        + (" (provisional)" if due.provisional else ""),
        f"  {answer.card.title}, {answer.card.place}: {answer.card.summary}",
        *(f"  {text(line)}" for line in due.working),
    ]
    if not answer.is_in_force:
        lines.append("  simulated: the pack is not in force on the day it begins")
    if answer.law:
        lines.append(f"  by {answer.law}")
    if answer.tell_caller:
        lines.append(f"  the caller is told: {', '.join(answer.tell_caller)}")
    lines.append(f"  pack {answer.pack} {answer.pack_version}, calendar {answer.calendar_version}")
    for each in answer.beside:
        lines += ["beside it, and not replaced:", as_text(each)]
    return "\n".join(lines)
