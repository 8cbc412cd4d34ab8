"""Python packages that stand apart from the product's environment: voices and models.

Installed by hash into a folder of their own under ``tools``; a stamp with the lock's checksum
makes the second run a look at one file.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from base.errors import SetupError

INSTALL_TIMEOUT_S = 900
STAMP = ".hotline-lock"


def is_installed(lock: Path, target: Path) -> bool:
    """Return whether ``target`` holds exactly what ``lock`` names."""
    try:
        return (target / STAMP).read_text() == _mark(lock)
    except FileNotFoundError:
        return False


def install(lock: Path, target: Path) -> None:
    """Install ``lock`` into ``target``, whole or not at all."""
    fresh = target.with_name(f".{target.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    command = [sys.executable, "-P", "-m", "pip", "install", "--quiet", "--no-input"]
    command += ["--disable-pip-version-check", "--no-deps", "--require-hashes"]
    command += ["--target", str(fresh), "--requirement", str(lock)]
    try:
        ended = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT_S,
            check=False,
        )
        if ended.returncode != 0:
            reason = (ended.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise SetupError(
                f"pip could not install {lock.name}: {reason}",
                fix="is the package index reachable? then run it again",
            )
        (fresh / STAMP).write_text(_mark(lock))
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)
    except subprocess.TimeoutExpired as error:
        raise SetupError(f"pip does not end installing {lock.name}", fix="try again") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _mark(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()
