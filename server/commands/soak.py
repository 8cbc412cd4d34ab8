"""``./hotline soak NAME``: long runs that hurt the product at random and count what was lost.

``bridge`` hurts a scratch installation at random under SIPp's calls; ``telephone`` takes one part
away after the other, with a stretch of calls for each; ``garbage`` feeds every open port with
nonsense; ``emergency`` reaches the emergency lines by three ways with every set of our parts dead;
``api`` asks whatever fits the API's own document, as each role.
All end by themselves and clean up. The soaks live in the source tree only.
"""

import argparse
import asyncio
import importlib.util
import secrets
import sys

import msgspec

from base.errors import SetupError
from server.logging_setup import configure_logging
from server.settings_loader import load_settings

NAMES = ("bridge", "telephone", "garbage", "emergency", "api")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "soak",
        help="hurt a scratch installation at random, and count what was lost",
        description=__doc__,
    )
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--minutes", type=float, default=10.0, help="of faults (bridge)")
    parser.add_argument("--stretch", type=float, default=120.0, help="seconds a fault (telephone)")
    parser.add_argument("--rate", type=float, default=5.0, help="calls a second")
    parser.add_argument("--seed", type=int, help="to meet the same chances again")
    parser.add_argument("--speech", choices=("vosk", "off"), default="off", help="with live words?")
    parser.add_argument("--inputs", type=int, help="of a port (garbage), operation and role (api)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run it; 1 where something was lost, doubled, stuck or left over."""
    if importlib.util.find_spec("bench") is None:
        raise SetupError("the soaks are in the source tree only", fix="run it in a clone")
    seed = args.seed if args.seed is not None else secrets.randbelow(2**31)
    say(f"seed {seed}")
    configure_logging("soak", "error")
    soaks = {
        "bridge": _bridge,
        "telephone": _telephone,
        "garbage": _garbage,
        "emergency": _emergency,
        "api": _api,
    }
    report, is_good = soaks[args.name](args, seed)
    text = msgspec.json.encode(report)
    print((text if args.json else msgspec.json.format(text, indent=2)).decode())
    return 0 if is_good else 1


def _bridge(args: argparse.Namespace, seed: int) -> tuple[dict[str, object], bool]:
    from bench.soak_bridge import soak_bridge

    report = asyncio.run(
        soak_bridge(
            load_settings().tools,
            seconds=args.minutes * 60,
            rate_per_s=args.rate,
            seed=seed,
            speech=args.speech,
            say=say,
        )
    )
    return report.as_json(), report.is_good


def _telephone(args: argparse.Namespace, seed: int) -> tuple[dict[str, object], bool]:
    from bench.soak_telephone import soak_telephone

    report = asyncio.run(
        soak_telephone(
            load_settings().tools,
            stretch_s=args.stretch,
            rate_per_s=args.rate,
            seed=seed,
            say=say,
        )
    )
    return report.as_json(), report.is_good


def _garbage(args: argparse.Namespace, seed: int) -> tuple[dict[str, object], bool]:
    from bench.soak_garbage import soak_garbage

    report = asyncio.run(soak_garbage(inputs=args.inputs or 100_000, seed=seed, say=say))
    return report.as_json(), report.is_good


def _emergency(_args: argparse.Namespace, _seed: int) -> tuple[dict[str, object], bool]:
    from bench.emergency_matrix import run_matrix

    report = asyncio.run(run_matrix(load_settings().tools, say=say))
    return report.as_json(), report.is_good


def _api(args: argparse.Namespace, seed: int) -> tuple[dict[str, object], bool]:
    from server.commands.test import run_pytest

    inputs = args.inputs or 100
    test = "tests/integration/tickets/test_api_fuzz.py"
    extra = {"API_EXAMPLES": str(inputs), "API_SEED": str(seed)}
    is_good = run_pytest(["-q", test], extra=extra, stdout=sys.stderr.fileno()) == 0
    return {"seed": seed, "inputs": inputs, "is_good": is_good}, is_good


def say(line: str) -> None:
    """Tell the person; stdout stays free for the result."""
    print(line, file=sys.stderr, flush=True)
