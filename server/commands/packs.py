"""``hotline packs``: the cities' rules: listed, shown with their articles, checked, compared."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from base.errors import SetupError
from rules.catalogue import FACTS, RULES
from rules.difference import Answer, differences
from rules.library import OURS, load_packs, read_current, read_pack
from rules.pack import Entry, Pack
from rules.pack_file import Fault, PackInvalidError
from rules.shape import shape
from rules.values import Force
from server.commands import packs_try
from server.packs import find_pack, pack_folders, print_json, short


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("packs", help="the cities' rules")
    kinds = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    listing = kinds.add_parser("list", help="which packs there are")
    listing.set_defaults(run=_list)
    show = kinds.add_parser("show", help="a pack's rules with their article cards")
    show.add_argument("pack", metavar="PACK", help="a pack's id, or a file")
    show.add_argument("rule", metavar="RULE", nargs="?", help="one rule, or a group")
    show.set_defaults(run=_show)
    check = kinds.add_parser("check", help="each fault with its line and what to do")
    check.add_argument("files", metavar="FILE", nargs="*", type=Path, help="default: all packs")
    check.set_defaults(run=_check)
    diff = kinds.add_parser("diff", help="what two packs decide differently")
    diff.add_argument("left", metavar="A")
    diff.add_argument("right", metavar="B")
    diff.set_defaults(run=_diff)
    rules = kinds.add_parser("rules", help="every rule a pack may hold, and its value's shape")
    rules.add_argument("rule", metavar="RULE", nargs="?", help="one rule, or a group")
    rules.set_defaults(run=_rules)
    facts = kinds.add_parser("facts", help="what a rule's `when` may ask")
    facts.set_defaults(run=_facts)
    for each in (listing, show, check, diff, rules, facts):
        each.add_argument("--json", action="store_true")
    packs_try.add_parsers(kinds)


def _list(args: argparse.Namespace) -> int:
    try:
        packs = load_packs(pack_folders()).values()
    except PackInvalidError as error:
        raise SetupError(str(error), fix="./hotline packs check") from error
    if args.json:
        print_json([_head(pack) for pack in packs])
        return 0
    for pack in packs:
        days = f"{pack.since or '–'} … {pack.until or ''}"
        print(f"{pack.id:<18} {pack.version:<24} {pack.status:<6} {days:<16} {pack.title}")
    return 0


def _head(pack: Pack) -> dict[str, object]:
    return {
        "id": pack.id,
        "title": pack.title,
        "city": pack.city,
        "status": pack.status,
        "version": pack.version,
        "from": pack.since,
        "until": pack.until,
        "rules": len(pack.entries),
    }


def _show(args: argparse.Namespace) -> int:
    pack = find_pack(args.pack)
    names = _matching(pack.entries, args.rule)
    if args.json:
        print_json({**_head(pack), "entries": {name: _shown(pack, name) for name in names}})
        return 0
    print(f"{pack.title}  {pack.version}")
    for name in names:
        print(f"\n{name}: {RULES[name].means}")
        for entry, card in zip(pack.entries[name], pack.cards(name), strict=True):
            print(f"  {_answer(entry)}")
            print(f"    {card.place}  {card.summary}")
            for label in ("reading", "reason", "script"):
                if text := getattr(entry, label):
                    print(f"    {label}: {text}")
    return 0


def _shown(pack: Pack, name: str) -> list[dict[str, object]]:
    return [
        {
            "value": entry.value,
            "when": entry.when,
            "script": entry.script,
            "from": entry.since,
            "until": entry.until,
            "card": card,
        }
        for entry, card in zip(pack.entries[name], pack.cards(name), strict=True)
    ]


def _answer(answer: Entry | Answer) -> str:
    conditions = " and ".join(
        f"{fact} is {' or '.join(map(str, values))}" for fact, values in answer.when.items()
    )
    value = "" if answer.force is Force.NOT_GIVEN else f": {short(answer.value)}"
    return f"{answer.force}{value}{f'  if {conditions}' if conditions else ''}"


def _check(args: argparse.Namespace) -> int:
    files: Sequence[Path] = args.files or [
        file for folder in (OURS, *pack_folders()) for file in sorted(folder.glob("*.toml"))
    ]
    reports = [_check_file(file, is_given=bool(args.files)) for file in files]
    if args.json:
        print_json(reports)
    else:
        for report in reports:
            _print_report(report)
    return 1 if any(report.faults for report in reports) else 0


class Report(msgspec.Struct, frozen=True):
    """What a check of one file found."""

    file: str
    faults: tuple[Fault, ...]
    version: str = ""
    rules: int = 0
    silent: tuple[str, ...] = ()
    """Rules it does not hold, and would refuse to answer."""


def _check_file(file: Path, *, is_given: bool) -> Report:
    try:
        pack = read_pack(file) if is_given else read_current(file)
    except PackInvalidError as error:
        return Report(str(file), error.faults)
    except (OSError, UnicodeDecodeError) as error:
        return Report(str(file), (Fault(1, f"cannot be read: {error}", "give a TOML file"),))
    silent = tuple(rule for rule in RULES if rule not in pack.entries)
    return Report(str(file), (), pack.version, len(pack.entries), silent)


def _print_report(report: Report) -> None:
    for fault in report.faults:
        print(f"{report.file}:{fault.line}: {fault.what}\n  fix: {fault.fix}")
    if not report.faults:
        silent = f"; silent on {', '.join(report.silent)}" if report.silent else ""
        print(f"ok   {report.file}: {report.rules} rules, version {report.version}{silent}")


def _diff(args: argparse.Namespace) -> int:
    left, right = find_pack(args.left), find_pack(args.right)
    found = differences(left, right)
    if args.json:
        print_json({"left": _head(left), "right": _head(right), "differences": found})
        return 0
    for each in found:
        print(f"{each.rule}  ({', '.join(each.aspects)})")
        for pack, answers in ((left, each.left), (right, each.right)):
            shown = " | ".join(f"{_answer(answer)} [{answer.place}]" for answer in answers)
            print(f"  {pack.id:<18} {shown or '–'}")
    return 0


def _rules(args: argparse.Namespace) -> int:
    names = _matching(RULES, args.rule)
    shapes = {name: shape(RULES[name]) for name in names}
    if args.json:
        print_json({name: {"means": RULES[name].means, "value": shapes[name]} for name in names})
        return 0
    for name in names:
        print(f"{name:<32} {RULES[name].means}")
        if args.rule:
            print(f"    value = {shapes[name]}")
    return 0


def _facts(args: argparse.Namespace) -> int:
    words = {
        name: "true | false" if fact.kind is bool else " | ".join(map(str, fact.kind))
        for name, fact in FACTS.items()
    }
    if args.json:
        print_json({n: {"means": FACTS[n].means, "value": words[n]} for n in words})
        return 0
    for name, values in words.items():
        print(f"{name:<20} {FACTS[name].means}\n    {values}")
    return 0


def _matching(names: Mapping[str, object], wanted: str | None) -> list[str]:
    found = [n for n in names if wanted is None or n == wanted or n.startswith(f"{wanted}.")]
    if not found:
        raise SetupError(f"nothing is called {wanted}", fix="./hotline packs rules")
    return found
