"""``./hotline VERB``: finds the verb's module, runs it, turns failures into two clear lines.

Only the module of the verb asked for is imported, so that ``status`` does not load what
``transcribe`` needs.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence

from base.errors import HotlineError, SetupError
from server.logging_setup import configure_logging

VERBS: dict[str, str] = {
    "demo": "demo",
    "set-up": "set_up",
    "up": "up",
    "down": "down",
    "status": "status",
    "logs": "logs",
    "doctor": "doctor",
    "settings": "settings",
    "transcribe": "speech",
    "model": "speech",
    "draft": "draft",
    "user": "user",
    "roster": "roster",
    "directory": "directory",
    "recordings": "recordings",
    "outbox": "outbox",
    "packs": "packs",
    "clock": "clock",
    "calendar": "calendar",
    "ledger": "ledger",
    "units": "units",
    "test": "test",
    "check": "check",
    "coverage": "coverage",
    "shots": "shots",
    "contract": "contract",
    "diagrams": "diagrams",
    "metrics": "metrics",
    "bench": "bench",
    "replay": "replay",
    "record": "record",
    "soak": "soak",
    "role": "role",
    "supervise": "up",
}
"""Verb → module of ``server.commands``. Each has ``add_parser(subparsers)``, which sets
``run=`` a function of the parsed arguments that returns the exit code."""

PASSES_ON = ("test",)
"""Verbs whose further arguments belong to another program; they find them in ``passed_on``."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    # Until a long-running verb sets up its own log: only trouble, and never on stdout.
    configure_logging("hotline", "warning")
    try:
        own, passed_on = _split(arguments)
        args = _parser(own).parse_args(own, argparse.Namespace(passed_on=passed_on))
        code: int = args.run(args)
        return code
    except SetupError as error:
        return _fail(error.message, error.fix)
    except HotlineError as error:
        return _fail(str(error), "./hotline doctor")
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # `./hotline logs | head`: the reader has enough. Nothing may be flushed at exit.
        sys.stdout = None
        return 0


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Part what is ours from what a verb hands to another program, options included."""
    if arguments[:1] in ([verb] for verb in PASSES_ON):
        return arguments[:1], arguments[1:]
    return arguments, []


def _fail(what: str, fix: str) -> int:
    print(f"FAIL {what}\nfix: {fix}", file=sys.stderr)
    return 1


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./hotline", description="The 12345 hotline: contact centre on one machine."
    )
    subparsers = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    verb = next((word for word in arguments if not word.startswith("-")), None)
    wanted = [VERBS[verb]] if verb in VERBS else dict.fromkeys(VERBS.values())
    for name in wanted:
        module = importlib.import_module(f"server.commands.{name}")
        module.add_parser(subparsers)
    return parser


if __name__ == "__main__":
    sys.exit(main())
