"""``hotline set-up``: installs and unpacks what is missing, and starts nothing."""

import argparse

from server.commands.up import say
from server.settings_loader import load_settings
from server.setup.steps import prepare, prepare_for_tests


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("set-up", help="install and unpack what is missing")
    parser.add_argument("--for-tests", action="store_true", help="what the tests need, too")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    settings = load_settings()
    (prepare_for_tests if args.for_tests else prepare)(settings, say)
    say(f"set up in {settings.home}, tools in {settings.tools}")
    return 0
