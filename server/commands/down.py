"""``hotline down``: our roles, then our services; never anybody else's."""

import argparse
import sys

from server.installation import Installation
from server.processes import running, stop_roles
from server.settings_loader import load_settings

SUPERVISOR_GRACE_S = 15.0


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("down", help="stop everything that `up` started")
    parser.add_argument(
        "--keep-services",
        action="store_true",
        help="leave PostgreSQL, Valkey and Asterisk running: callers are still answered",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    settings = load_settings()
    if supervisor := running(settings, "supervisor"):
        supervisor.stop(grace_s=SUPERVISOR_GRACE_S)
        _print("supervisor: stopped")
    for role in stop_roles(settings):
        _print(f"{role}: stopped")
    if not args.keep_services:
        Installation(settings).stop(_print)
    return 0


def _print(line: str) -> None:
    print(line, file=sys.stderr)
