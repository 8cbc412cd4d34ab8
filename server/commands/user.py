"""``hotline user``: who may sign in to the consoles.

A password is typed (or piped in), or made and printed once; it is never an argument, where other
users of the machine could read it.
"""

import argparse
import getpass
import json
import secrets
import string
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TypeVar

from base.database import Connection
from base.errors import SetupError
from base.ids import AgentId, UnitId
from server.accounts import (
    AccountRefused,
    NewUser,
    UserUnknown,
    add_user,
    list_users,
    set_active,
    set_password,
    set_phone,
)
from server.auth import Role
from server.owner_work import as_owner
from server.passwords import LEAST_CHARACTERS, MOST_CHARACTERS, PasswordUnfit
from server.settings_loader import load_settings

MADE_LENGTH = 14

T = TypeVar("T")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("user", help="who may sign in: add, phone, passwd, on, off")
    verbs = parser.add_subparsers(dest="user_verb", metavar="ACTION", required=True)

    add = verbs.add_parser("add", help="make an account")
    add.add_argument("username")
    add.add_argument("--role", type=Role, choices=list(Role), default=Role.AGENT)
    add.add_argument("--agent", help="an agent's number, which is also the phone's extension")
    add.add_argument("--unit", help="the unit that somebody of role unit works for")
    add.add_argument("--name", help="shown in the console; the username unless given")
    add.add_argument("--phone", help="a leader's own phone, one of leader_phones")
    _add_password_option(add)
    add.set_defaults(run=_run_add)

    passwd = verbs.add_parser("passwd", help="change a password; ends that user's sessions")
    passwd.add_argument("username")
    _add_password_option(passwd)
    passwd.set_defaults(run=_run_passwd)

    phone = verbs.add_parser("phone", help="give a leader the phone that rings when they listen in")
    phone.add_argument("username")
    phone.add_argument("extension", nargs="?", help="one of leader_phones; without it, none")
    phone.set_defaults(run=_run_phone)

    for verb, help_text in (("on", "let a user in again"), ("off", "put a user out at once")):
        switch = verbs.add_parser(verb, help=help_text)
        switch.add_argument("username")
        switch.set_defaults(run=_run_switch, is_active=verb == "on")

    listed = verbs.add_parser("list", help="all accounts")
    listed.add_argument("--json", action="store_true")
    listed.set_defaults(run=_run_list)


def _add_password_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--made", action="store_true", help="make a password and print it, instead of asking"
    )


def _run_add(args: argparse.Namespace) -> int:
    _check_phone(args.phone)
    password = _password(args)
    user = NewUser(
        username=args.username,
        display_name=args.name or args.username,
        role=args.role,
        agent=None if args.agent is None else AgentId(args.agent),
        unit=None if args.unit is None else UnitId(args.unit),
        phone=args.phone,
    )
    _as_owner(lambda owner: add_user(owner, user, password))
    _tell(args, f"{user.username}: added", password)
    return 0


def _run_passwd(args: argparse.Namespace) -> int:
    password = _password(args)
    _as_owner(lambda owner: set_password(owner, args.username, password))
    _tell(args, f"{args.username}: password changed", password)
    return 0


def _run_phone(args: argparse.Namespace) -> int:
    _check_phone(args.extension)
    _as_owner(lambda owner: set_phone(owner, args.username, args.extension))
    print(f"{args.username}: {args.extension or 'no phone'}")
    return 0


def _check_phone(phone: str | None) -> None:
    known = load_settings().leader_phones
    if phone is not None and phone not in known:
        raise SetupError(
            f"{phone} is none of the leaders' phones", fix=f"leader_phones: {', '.join(known)}"
        )


def _run_switch(args: argparse.Namespace) -> int:
    _as_owner(lambda owner: set_active(owner, args.username, is_active=args.is_active))
    print(f"{args.username}: {'may sign in' if args.is_active else 'put out'}")
    return 0


def _run_list(args: argparse.Namespace) -> int:
    accounts = _as_owner(list_users)
    if args.json:
        print(json.dumps([asdict(account) for account in accounts], ensure_ascii=False))
        return 0
    for account in accounts:
        state = "" if account.is_active else "put out"
        print(
            f"{account.username:<20} {account.role:<8} {account.agent or account.phone or '–':<8}"
            f" {account.display_name} {state}".rstrip()
        )
    return 0


def _password(args: argparse.Namespace) -> str:
    if args.made:
        return "".join(
            secrets.choice(string.ascii_letters + string.digits) for _ in range(MADE_LENGTH)
        )
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("password: ")
    if getpass.getpass("again: ") != password:
        raise SetupError("the two passwords differ", fix="type the same password twice")
    return password


def _tell(args: argparse.Namespace, done: str, password: str) -> None:
    print(f"{done}; password: {password}" if args.made else done)


def _as_owner(work: Callable[[Connection], Awaitable[T]]) -> T:
    """Run ``work`` as the schema's owner; refusals become what a person can act on."""
    try:
        return as_owner(load_settings(), work, name="hotline user")
    except PasswordUnfit as error:
        raise SetupError(
            "the password is too short or too long",
            fix=f"{LEAST_CHARACTERS} to {MOST_CHARACTERS} characters, or --made",
        ) from error
    except UserUnknown as error:
        raise SetupError("there is no such user", fix="./hotline user list") from error
    except AccountRefused as error:
        raise SetupError(str(error), fix="./hotline user add --help") from error
