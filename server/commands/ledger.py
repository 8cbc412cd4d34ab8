"""``hotline ledger``: seals ledger and access log outside the database, and finds tampering.

``verify`` compares every ticket with its chains, and every span of time with its seal. It
needs the public key and the seals alone; a copy of both, kept elsewhere, is the better witness.
"""

import argparse
import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from base.database import Connection, Patience
from base.errors import SetupError
from server.ledger_seals import ledger_folder, signer_of
from server.owner_work import as_owner
from server.settings_loader import load_settings
from server.signing import PUBLIC, Checker
from tickets.seal_store import MARGIN, Book, SealFile, Verdict, seal, verify
from tickets.seals import Seal

T = TypeVar("T")
PATIENCE = Patience(statement_s=600.0, command_s=610.0)


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("ledger", help="seal the tickets' ledger; find tampering")
    kinds = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    sealing = kinds.add_parser(
        "seal", help="seal what came in until now since the last seal; takes ten seconds"
    )
    sealing.set_defaults(run=_run_seal)
    verifying = kinds.add_parser("verify", help="compare tickets, chains and seals")
    verifying.add_argument(
        "--seals", type=Path, metavar="FOLDER", help="seals and public key kept elsewhere"
    )
    verifying.set_defaults(run=_run_verify)
    for each in (sealing, verifying):
        each.add_argument("--json", action="store_true")


def _run_seal(args: argparse.Namespace) -> int:
    settings = load_settings()
    signer = signer_of(settings)
    signer.ensure_key()
    files = [SealFile(ledger_folder(settings), book) for book in Book]

    async def after_what_is_under_way(owner: Connection) -> dict[Book, Seal]:
        await asyncio.sleep(MARGIN.total_seconds())
        now = datetime.now(UTC)
        made = {file.book: await seal(owner, file, signer.sign, now) for file in files}
        return {book: each for book, each in made.items() if each is not None}

    made = as_owner(
        load_settings(), after_what_is_under_way, name="hotline ledger", patience=PATIENCE
    )
    if args.json:
        print(json.dumps(msgspec.to_builtins(made)))
    elif not made:
        print("nothing new to seal")
    else:
        for book, each in made.items():
            until = f"{each.until_at:%F %T} UTC"
            print(f"{book.seal} {each.number}: {each.entries} entries until {until}")
    return 0


def _run_verify(args: argparse.Namespace) -> int:
    folder = args.seals or ledger_folder(load_settings())
    if args.seals is not None and not (folder / PUBLIC).is_file():
        raise SetupError(f"{folder} holds no {PUBLIC}", fix="copy it there with the seals")
    checker = Checker(folder / PUBLIC)
    verdict = as_owner(
        load_settings(),
        lambda owner: verify(owner, folder, checker.is_signed),
        name="hotline ledger",
        patience=PATIENCE,
    )
    print(json.dumps(msgspec.to_builtins(verdict)) if args.json else _told(verdict))
    return 1 if verdict.faults else 0


def _told(verdict: Verdict) -> str:
    lines = [
        f"FAIL {fault.where}: {fault.what}" + (f" (entry {fault.seq})" if fault.seq else "")
        for fault in verdict.faults
    ]
    until = "never" if verdict.sealed_until is None else f"{verdict.sealed_until:%F %T} UTC"
    lines.append(
        f"{verdict.tickets} tickets, {verdict.entries} entries, {verdict.seals} seals,"
        f" sealed until {until}; {verdict.accesses} looks"
        f" ({verdict.accesses_before_chain} from before their chain), {verdict.access_seals} seals:"
        f" {len(verdict.faults) or 'no'} faults"
    )
    return "\n".join(lines)
