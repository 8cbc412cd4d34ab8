"""``hotline shots DIR``: a screenshot of every page and state, to be looked at.

The scenes live with the browser tests, which a packaged installation does not have; this verb
starts them and says so where they are missing.
"""

import argparse
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from base.errors import SetupError

ROOT = Path(__file__).resolve().parents[2]
SCENES = "tests.browser.shots"
TIMEOUT_S = 600


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the verb."""
    parser = subparsers.add_parser("shots", help="take a screenshot of every page and state")
    parser.add_argument("folder", metavar="DIR", type=Path, help="where the pictures go")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the scenes in a process of their own."""
    if not (ROOT / "tests" / "browser" / "shots.py").exists():
        raise SetupError("the scenes are not installed", fix="run it from a clone of the source")
    if find_spec("playwright") is None:
        raise SetupError(
            "playwright is not installed", fix="pip install -r requirements-dev.lock in the venv"
        )
    command = [sys.executable, "-m", SCENES, str(args.folder.resolve())]
    return subprocess.run(command, cwd=ROOT, timeout=TIMEOUT_S, check=False).returncode
