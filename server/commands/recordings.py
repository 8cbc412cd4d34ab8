"""``hotline recordings``: how long recordings are kept, and which are held back from deletion."""

import argparse
import json
from dataclasses import asdict
from typing import TypeVar

from base.errors import SetupError
from server.owner_work import as_owner
from server.records.retention import hold, release, terms
from server.settings_loader import load_settings

T = TypeVar("T")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("recordings", help="terms of recordings: list, hold, release")
    verbs = parser.add_subparsers(dest="recordings_verb", metavar="ACTION", required=True)
    listing = verbs.add_parser("list", help="what is kept until when, the first to go first")
    listing.add_argument("--held", action="store_true", help="only what is held")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(run=_run_list)
    held = verbs.add_parser("hold", help="keep a recording whatever its term says")
    held.add_argument("path", help="as listed, e.g. hotline-1795315851.12.wav")
    held.add_argument("--reason", required=True)
    held.set_defaults(run=_run_hold)
    let_go = verbs.add_parser("release", help="its term counts again")
    let_go.add_argument("path")
    let_go.set_defaults(run=_run_release)


def _run_list(args: argparse.Namespace) -> int:
    found = as_owner(
        load_settings(), lambda owner: terms(owner, only_held=args.held), name="hotline recordings"
    )
    if args.json:
        print(json.dumps([asdict(term) for term in found], ensure_ascii=False, default=str))
        return 0
    for term in found:
        until = f"held: {term.held_reason}" if term.held_reason else f"{term.delete_after:%F}"
        print(f"{term.path:<44}{until:<24}{term.rule}")
    return 0


def _run_hold(args: argparse.Namespace) -> int:
    if not args.reason.strip():
        raise SetupError("the reason is empty", fix="--reason says why it is kept")
    if not as_owner(
        load_settings(),
        lambda owner: hold(owner, args.path, args.reason.strip()),
        name="hotline recordings",
    ):
        raise SetupError(f"there is no recording {args.path}", fix="./hotline recordings list")
    return 0


def _run_release(args: argparse.Namespace) -> int:
    if not as_owner(
        load_settings(), lambda owner: release(owner, args.path), name="hotline recordings"
    ):
        raise SetupError(f"{args.path} is not held", fix="./hotline recordings list --held")
    return 0
