"""``hotline test``: makes the machine ready, then runs pytest with the given arguments."""

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping

from server.commands.up import say
from server.settings_loader import REPOSITORY, load_settings
from server.settings_options import REPOSITORY_VARIABLES
from server.setup.node import node_folder
from server.setup.steps import prepare_for_tests

LANES = ("-n", "2", "--dist", "loadscope", "--no-loadscope-reorder")
"""Most tests wait for telephones, so that two cores carry two lanes (``tests/lanes.py``)."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "test", help="run the tests; everything after `test` goes to pytest"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    settings = load_settings()
    prepare_for_tests(settings, say)
    return run_pytest(args.passed_on or list(LANES))


def run_pytest(
    arguments: list[str],
    *,
    extra: Mapping[str, str] | None = None,
    stdout: int | None = None,
) -> int:
    """Run pytest in the repository, with ``extra`` in its environment; returns its exit code.

    The tests make settings of their own; of this installation's they share only the unpacked
    tools.
    """
    kept = REPOSITORY_VARIABLES - {"HOTLINE_CONFIG"}
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("HOTLINE_") or name in kept
    }
    tools = load_settings().tools
    path = os.pathsep.join([str(node_folder(tools)), os.environ.get("PATH", os.defpath)])
    environment |= {"HOTLINE_TOOLS": str(tools), "PATH": path, **(extra or {})}
    command = [sys.executable, "-P", "-m", "pytest", *arguments]
    process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=stdout)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            # pytest got it too and is cleaning up: its services must not be left behind.
            continue
