"""``hotline settings``: the effective settings; secrets are elsewhere and never shown."""

import argparse
import json
from pathlib import Path

from server.settings_loader import flatten, load_settings
from server.settings_options import BY_KEY


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("settings", help="print the effective settings")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    values = flatten(load_settings())
    if args.json:
        print(json.dumps(values, default=str, ensure_ascii=False))
        return 0
    for key, value in values.items():
        shown = str(value) if isinstance(value, Path) else value
        print(f"{key:<25} {shown if shown is not None else '–'!s:<30} # {BY_KEY[key].variable}")
    return 0
