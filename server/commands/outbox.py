"""``hotline outbox``: what waits to leave the house, what was given up, and another try for it."""

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TypeVar

from base.database import Database, DatabaseUnavailable
from base.errors import SetupError
from base.outbox import DeadMessage, Standing, dead_messages, resend_dead, standing
from server.connections import database_url
from server.outside.endpoints import read_outside
from server.outside.short_messages import allow_again
from server.outside.webhooks import secret_for_receiver
from server.secrets_store import secrets_of
from server.settings_loader import load_settings
from tickets.messages import TO_CALLER, TO_SUBSCRIBER, TO_UNIT

CHANNELS = (TO_CALLER, TO_UNIT, TO_SUBSCRIBER)
MAY_HAVE_ARRIVED = "sms_outcome_unknown"

T = TypeVar("T")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("outbox", help="messages to the outside: waiting, given up")
    verbs = parser.add_subparsers(dest="outbox_verb", metavar="ACTION", required=True)
    listing = verbs.add_parser("list", help="what waits and what was given up; exit code 1 if any")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(run=_run_list)
    resend = verbs.add_parser("resend", help="try again what was given up")
    resend.add_argument("channel", choices=CHANNELS)
    which = resend.add_mutually_exclusive_group(required=True)
    which.add_argument("--key", help="this one, although it may have arrived")
    which.add_argument("--error", help="all that failed with this code")
    resend.set_defaults(run=_run_resend)
    secret = verbs.add_parser("secret", help="what the receiver NAME checks signatures with")
    secret.add_argument("name", metavar="NAME", help="a unit or subscriber of the outside file")
    secret.set_defaults(run=_run_secret)


def _run_list(args: argparse.Namespace) -> int:
    async def read(database: Database) -> tuple[list[Standing], list[DeadMessage]]:
        return await standing(database), await dead_messages(database)

    channels, dead = _with_database(read)
    if args.json:
        report = {"channels": [asdict(e) for e in channels], "dead": [asdict(e) for e in dead]}
        print(json.dumps(report, ensure_ascii=False, default=str))
        return 1 if dead else 0
    for each in channels:
        oldest = "" if each.oldest_at is None else f", the oldest since {each.oldest_at:%F %R} UTC"
        waits = each.pending + each.sending
        print(f"{each.channel:<8} {waits} wait{oldest}; {each.dead} given up")
    for message in dead:
        at = f"{message.settled_at:%F %R} UTC"
        print(f"  {message.channel:<8} {at}  {message.last_error:<22} {message.key}")
    return 1 if dead else 0


def _run_resend(args: argparse.Namespace) -> int:
    if args.error == MAY_HAVE_ARRIVED:
        raise SetupError(
            "these messages may have arrived", fix="look at each, and name it with --key"
        )

    async def again(database: Database) -> list[str]:
        keys = await resend_dead(
            database, channel=args.channel, key=args.key or "", error=args.error or ""
        )
        if args.key:
            await allow_again(database, keys)
        return keys

    keys = _with_database(again)
    print(f"{len(keys)} will be tried again")
    return 0


def _run_secret(args: argparse.Namespace) -> int:
    settings = load_settings()
    named = {each.name: each for each in read_outside(settings.outside_file).everybody()}
    if args.name not in named:
        raise SetupError(
            f"{args.name} does not stand in {settings.outside_file}",
            fix=f"one of {', '.join(sorted(named)) or 'nobody yet'}",
        )
    print(secret_for_receiver(secrets_of(settings).ensure(named[args.name].secret_name)))
    return 0


def _with_database(work: Callable[[Database], Awaitable[T]]) -> T:
    async def run() -> T:
        database = await Database.open(
            database_url(load_settings(), "web"), name="hotline-outbox", size=1
        )
        try:
            return await work(database)
        finally:
            await database.close()

    try:
        return asyncio.run(run())
    except DatabaseUnavailable as error:
        raise SetupError("the database is not running", fix="./hotline up") from error
