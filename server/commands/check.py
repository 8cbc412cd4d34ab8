"""``hotline check``: format, lint, types and import directions, side by side, within a minute."""

import argparse
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from server.settings_loader import REPOSITORY

TIMEOUT_S = 300


@dataclass(frozen=True, slots=True)
class Part:
    """One tool; ``fix`` is what mends most of its complaints."""

    name: str
    command: tuple[str, ...]
    fix: str


PARTS = (
    Part("format", ("ruff", "format", "--check", "--quiet", "."), "./hotline check --fix"),
    Part("lint", ("ruff", "check", "--quiet", "."), "./hotline check --fix, then by hand"),
    Part("types", ("mypy",), "see mypy's lines above"),
    Part(
        "import directions",
        ("pytest", "-q", "--durations=0", "--no-header", "tests/unit/test_import_directions.py"),
        "docs/ARCHITECTURE.md says who may import whom",
    ),
)


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("check", help="format, lint, types, import directions")
    parser.add_argument("--fix", action="store_true", help="let ruff mend what it can, first")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.fix:
        for command in (("ruff", "format", "--quiet", "."), ("ruff", "check", "--fix", "-q", ".")):
            subprocess.run(_python(command), cwd=REPOSITORY, check=False, timeout=TIMEOUT_S)
    with ThreadPoolExecutor(len(PARTS)) as pool:
        results = list(pool.map(_run_part, PARTS))
    return 0 if all(results) else 1


def _run_part(part: Part) -> bool:
    begun_mono = time.monotonic()
    ended = subprocess.run(
        _python(part.command),
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    took = f"{part.name:<18} {time.monotonic() - begun_mono:5.1f} s"
    if ended.returncode == 0:
        print(f"ok   {took}", flush=True)
        return True
    report = (ended.stdout + ended.stderr).strip()
    print(f"{report}\nFAIL {took}\nfix: {part.fix}", flush=True)
    return False


def _python(command: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-P", "-m", *command]
