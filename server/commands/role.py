"""``hotline role NAME``: the inside of one supervised process; started by the supervisor."""

import argparse

from server.role_process import ROLES, run_role
from server.settings_loader import load_settings


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("role", help="run one role in the foreground (internal)")
    parser.add_argument("name", choices=ROLES)
    parser.set_defaults(run=lambda args: run_role(load_settings(), args.name))
