"""``hotline contract``: write the browser's types from the server's own.

`web/src/contract.ts` is made from ``server.push.protocol`` (through msgspec's JSON schema) and the
enumerations a desk shows, `web/src/order_contract.ts` from the work order's interface
(``server.order_contract``). Nobody edits them; a test fails when one is stale.
"""

import argparse
import sys
from pathlib import Path
from typing import get_args

import msgspec

from server import order_contract
from server.push import protocol
from server.typescript import choice, interface
from transcription.draft_ticket import FieldName
from transcription.topics import TOPIC_NAMES

CONTRACT_FILE = Path(__file__).resolve().parents[2] / "web" / "src" / "contract.ts"

_HEAD = """\
// Made by `hotline contract` from server/push/protocol.py. Do not edit: a test compares the two.
// Instants (`…_at`, `at`) are ISO 8601 with an offset.
"""

_NAMED_CHOICES = (
    "AgentStateName",
    "PauseReason",
    "DialledState",
    "PartyState",
    "PartyKind",
    "ConsentState",
    "OutsideKind",
    "SpeakerName",
    "LinkState",
    "SpeechState",
    "WallFlag",
    "WallWindow",
)
_UNIONS = ("DeskEvent", "ServerFrame", "WallFrame", "ClientFrame")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the verb."""
    parser = subparsers.add_parser(
        "contract", help="write the page's types from the server's push protocol and interface"
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if the file is stale"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the files, or compare them."""
    texts = {CONTRACT_FILE: contract_text(), order_contract.FILE: order_contract.text()}
    stale = [
        file
        for file, text in texts.items()
        if not (file.exists() and file.read_text("utf-8") == text)
    ]
    if args.check:
        for file in stale:
            print(
                f"FAIL {_shown(file)} is stale\nfix: ./hotline contract, then build web/",
                file=sys.stderr,
            )
        return 1 if stale else 0
    for file, text in texts.items():
        if file in stale:
            file.write_text(text, "utf-8")
        print(f"{_shown(file)} {'written' if file in stale else 'is current'}")
    return 0


def _shown(file: Path) -> str:
    return f"web/src/{file.name}"


def contract_text() -> str:
    """Return the whole TypeScript file."""
    roots = [protocol.ServerFrame, protocol.WallFrame, protocol.ClientFrame]
    _, components = msgspec.json.schema_components(roots, ref_template="{name}")
    choices = {name: get_args(getattr(protocol, name)) for name in _NAMED_CHOICES}
    parts = [_HEAD]
    parts += [choice(name, values) for name, values in choices.items()]
    parts.append(choice("FieldName", [field.value for field in FieldName]))
    parts.append(_topics())
    names = {frozenset(values): name for name, values in choices.items()}
    parts += [interface(name, components[name], names) for name in sorted(components)]
    parts += [_union(name) for name in _UNIONS]
    return "\n".join(parts)


def _topics() -> str:
    """The classifier's codes with their Chinese terms, so that the page needs no second list."""
    listed = "".join(f"  {topic.value}: '{name}',\n" for topic, name in TOPIC_NAMES.items())
    return f"export const TOPIC_WORDS: Record<string, string> = {{\n{listed}}}\n"


def _union(name: str) -> str:
    members = get_args(getattr(protocol, name)) or (getattr(protocol, name),)
    return f"export type {name} = {' | '.join(member.__name__ for member in members)}\n"
