"""Debian packages: looks for what they bring, installs what is missing, starts no service."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from base.errors import SetupError
from server.services.postgres import binaries_dir

INSTALL_TIMEOUT_S = 900
TOLD_LINES = 15
"""Of what a failed apt said; a successful one's chatter is nobody's business."""
CLUSTER_SETTINGS = Path("/etc/postgresql-common/createcluster.conf")


@dataclass(frozen=True, slots=True)
class Need:
    """Something this machine must have, and the packages that bring it."""

    what: str
    is_there: Callable[[], bool]
    packages: tuple[str, ...]


def _has_postgres() -> bool:
    try:
        return (binaries_dir() / "initdb").is_file()
    except SetupError:
        return False


def _has_program(*names: str) -> Callable[[], bool]:
    return lambda: any(shutil.which(name) for name in names)


def _has_file(pattern: str) -> Callable[[], bool]:
    return lambda: any(Path("/").glob(pattern))


POSTGRES = Need("PostgreSQL", _has_postgres, ("postgresql",))
"""Debian's current major, 15 in Debian 12; its server package brings the contrib modules."""
OPENSSL = Need("OpenSSL", _has_program("openssl"), ("openssl",))
"""Signs the ledger's seals; PostgreSQL's packages bring it, a server of your own does not."""
SIPP = Need("SIPp", _has_program("sipp"), ("sip-tester",))
CHROMIUM = Need("Chromium", _has_program("chromium", "google-chrome"), ("chromium",))
FAKETIME = Need("libfaketime", _has_file("usr/lib/*/faketime/libfaketime.so.1"), ("libfaketime",))
"""The tests step our processes' clock with it."""
LIBATOMIC = Need("libatomic", _has_file("usr/lib/*/libatomic.so.1"), ("libatomic1",))
"""Linked by the Node inside playwright's wheel, which drives Chromium."""
ESPEAK = Need("espeak-ng", _has_program("espeak-ng"), ("espeak-ng",))
CHINESE_FONT = Need(
    "a Chinese font",
    _has_file("usr/share/fonts/**/*CJK*"),
    ("fonts-noto-cjk",),
)


def ensure_packages(needs: Iterable[Need], say: Callable[[str], None]) -> None:
    """Install what is missing by apt, as root or through sudo."""
    missing = [need for need in needs if not need.is_there()]
    if not missing:
        return
    packages = [package for need in missing for package in need.packages]
    say(f"installing {', '.join(need.what for need in missing)} by apt (once) …")
    command = _as_root(packages)
    if POSTGRES in missing:
        _forbid_default_cluster(command)
    _apt(command, "update", "-qq")
    _apt(command, "install", "-y", "-qq", "--no-install-recommends", *packages)
    for need in missing:
        if not need.is_there():
            raise SetupError(
                f"{need.what} is still missing after installing {' '.join(need.packages)}",
                fix="see apt's messages above",
            )


def _as_root(packages: list[str]) -> list[str]:
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        return ["sudo"]
    raise SetupError(
        f"packages are missing ({' '.join(packages)}), and this is neither root nor has it sudo",
        fix=f"as root: apt-get install -y {' '.join(packages)}",
    )


def _forbid_default_cluster(as_root: list[str]) -> None:
    """Keep Debian's package from making and starting a cluster on port 5432."""
    if CLUSTER_SETTINGS.exists():
        text = CLUSTER_SETTINGS.read_text()
        if "\ncreate_main_cluster = false" in text:
            return
    script = 'mkdir -p "$(dirname "$1")" && printf "\\ncreate_main_cluster = false\\n" >>"$1"'
    _run([*as_root, "sh", "-c", script, "sh", str(CLUSTER_SETTINGS)])


def _apt(as_root: list[str], *arguments: str) -> None:
    environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
    options = ["-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Options::=--force-confold"]
    _run([*as_root, *environment, "apt-get", *options, *arguments])


def _run(command: list[str]) -> None:
    try:
        ended = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=INSTALL_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SetupError(
            f"`{' '.join(command)}` does not end", fix="run it by hand, then ./hotline again"
        ) from error
    if ended.returncode != 0:
        last_lines = "\n".join(ended.stdout.splitlines()[-TOLD_LINES:])
        raise SetupError(
            f"{last_lines}\n`{' '.join(command)}` failed",
            fix="see apt's messages above; then ./hotline again",
        )
