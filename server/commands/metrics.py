"""``hotline metrics``: write docs/METRICS.md from the definitions of the figures."""

import argparse
import sys
from pathlib import Path
from typing import Final

from insight.definitions import as_markdown

METRICS_FILE: Final = Path(__file__).resolve().parents[2] / "docs" / "METRICS.md"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the verb."""
    parser = subparsers.add_parser(
        "metrics", help="write docs/METRICS.md from the figures' definitions"
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if the file is stale"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the file, or compare it."""
    text = as_markdown()
    is_current = METRICS_FILE.exists() and METRICS_FILE.read_text("utf-8") == text
    if args.check:
        if not is_current:
            print("FAIL docs/METRICS.md is stale\nfix: ./hotline metrics", file=sys.stderr)
        return 0 if is_current else 1
    if not is_current:
        METRICS_FILE.write_text(text, "utf-8")
    print("docs/METRICS.md is current" if is_current else "docs/METRICS.md written")
    return 0
