"""``hotline directory``: the units and expert seats that agents may reach by a click."""

import argparse
import json
import re
from dataclasses import asdict
from typing import TypeVar

from base.errors import SetupError
from server.owner_work import as_owner
from server.records.call_book import Entry, add_entry, all_entries, remove_entry
from server.settings_loader import load_settings

NUMBER = re.compile(r"[0-9]{2,20}")

T = TypeVar("T")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("directory", help="units and expert seats: add, remove, list")
    verbs = parser.add_subparsers(dest="directory_verb", metavar="ACTION", required=True)
    add = verbs.add_parser("add", help="enter a number, or change whose it is")
    add.add_argument("number")
    add.add_argument("--name", required=True)
    add.add_argument("--kind", choices=("unit", "expert"), default="unit")
    add.set_defaults(run=_run_add)
    remove = verbs.add_parser("remove", help="take a number out")
    remove.add_argument("number")
    remove.set_defaults(run=_run_remove)
    listing = verbs.add_parser("list", help="all entries")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(run=_run_list)


def _run_add(args: argparse.Namespace) -> int:
    if not NUMBER.fullmatch(args.number):
        raise SetupError(f"{args.number!r} is no telephone number", fix="2 to 20 figures")
    if not args.name.strip():
        raise SetupError("the name is empty", fix="--name says whose number it is")
    entry = Entry(number=args.number, name=args.name.strip(), kind=args.kind)
    as_owner(load_settings(), lambda owner: add_entry(owner, entry), name="hotline directory")
    return 0


def _run_remove(args: argparse.Namespace) -> int:
    if not as_owner(
        load_settings(), lambda owner: remove_entry(owner, args.number), name="hotline directory"
    ):
        raise SetupError(f"{args.number} is not in the directory", fix="./hotline directory list")
    return 0


def _run_list(args: argparse.Namespace) -> int:
    entries = as_owner(load_settings(), all_entries, name="hotline directory")
    if args.json:
        print(json.dumps([asdict(entry) for entry in entries], ensure_ascii=False))
        return 0
    for entry in entries:
        print(f"{entry.number:<16}{entry.kind:<8}{entry.name}")
    return 0
