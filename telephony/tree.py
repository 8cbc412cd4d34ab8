"""Where an Asterisk comes from: unpacked beside the product, or one installed on the machine.

Debian 12 and 13 ship no Asterisk, so the packages of a later suite are fetched with a private apt
state, unpacked into a plain directory and run with their own loader and libraries: no root, and
the machine's package state and C library stay as they are (``telephony.debs`` fetches).

Must never start anything but ``asterisk -V``, and never leave a half-unpacked tree behind.
"""

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import msgspec
import structlog

from base.errors import SetupError
from telephony import debs
from telephony.linkage import foreign_libraries

log = structlog.get_logger(__name__)

LEAST_MAJOR = 20
UNPACKED_MAJOR = 22
VERSION_TIMEOUT_S = 20.0
LOCK_NAME = ".asterisk.lock"
MANIFEST_NAME = "manifest.json"
MANIFEST_SCHEMA = 2

# What the configuration under asterisk-conf/ cannot do without.
NEEDED_MODULES = (
    "app_audiosocket.so",
    "app_bridgeaddchan.so",
    "app_celgenuserevent.so",
    "app_chanspy.so",
    "app_dtmfstore.so",
    "app_mixmonitor.so",
    "app_originate.so",
    "app_queue.so",
    "app_senddtmf.so",
    "chan_audiosocket.so",
    "chan_pjsip.so",
    "func_curl.so",
    "res_pjsip_transport_websocket.so",
    "res_srtp.so",
)

# (version prefix, why). 22.11 breaks bridging while a spy hook listens: asterisk#2134.
KNOWN_BAD = (("22.11.", "its bridges fail while a live stream listens (asterisk#2134)"),)


class AsteriskSource(StrEnum):
    """Which Asterisk to use."""

    AUTO = "auto"
    """The unpacked one if it is there, else a fit installed one, else unpack."""
    UNPACKED = "unpacked"
    """Only the one we unpack."""
    INSTALLED = "installed"
    """Only the machine's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AsteriskTree:
    """An Asterisk that can be run: program, modules, data."""

    version: str
    source: AsteriskSource
    root: Path
    binary: Path
    modules_dir: Path
    data_dir: Path
    env: dict[str, str] = field(default_factory=dict)
    """Added to the environment of every run."""
    loader: Path | None = None
    library_dir: Path | None = None

    def command(self, argv: Sequence[str]) -> list[str]:
        """The command line that runs Asterisk with the arguments ``argv``."""
        if self.loader is None:
            return [str(self.binary), *argv]
        loader = [str(self.loader), "--argv0", "asterisk", "--library-path", str(self.library_dir)]
        return [*loader, str(self.binary), *argv]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What was unpacked: written last, so a tree without it does not count."""

    schema: int
    version: str
    architecture: str
    packages: tuple[debs.Package, ...]


def ensure_tree(
    target: Path, *, source: AsteriskSource = AsteriskSource.AUTO, mirror: str | None = None
) -> AsteriskTree:
    """Return an Asterisk that fits, unpacking one into ``target`` when needed.

    Idempotent; safe against a second set-up running at the same time. The packages are kept in
    ``<target>-debs`` so that a later unpacking needs no network.
    """
    if source is not AsteriskSource.INSTALLED and (tree := open_tree(target)) is not None:
        return tree
    if source is not AsteriskSource.UNPACKED and (tree := find_installed()) is not None:
        return tree
    if source is AsteriskSource.INSTALLED:
        raise SetupError(
            f"no Asterisk of version {LEAST_MAJOR} or later is installed on this machine",
            fix="install one, or let the product unpack its own (asterisk source: auto)",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with _locked(target.parent / LOCK_NAME):
        return open_tree(target) or _unpack(target, mirror)


def open_tree(target: Path) -> AsteriskTree | None:
    """The tree already unpacked in ``target``; None where there is none of use."""
    try:
        manifest = msgspec.json.decode((target / MANIFEST_NAME).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError):
        return None
    if manifest.schema != MANIFEST_SCHEMA:
        return None
    check_version(manifest.version, least_major=UNPACKED_MAJOR, most_major=UNPACKED_MAJOR)
    try:
        tree = _describe(target, manifest.version)
    except SetupError as damage:
        log.warning("asterisk_tree_damaged", reason=damage.message)
        return None
    return None if _missing_modules(tree) else tree


def find_installed() -> AsteriskTree | None:
    """The machine's own Asterisk where it is new enough and has every module we load."""
    path = shutil.which("asterisk", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if path is None:
        return None
    modules_dir = _first_dir("/usr/lib/*/asterisk/modules", "/usr/lib*/asterisk/modules")
    data_dir = _first_dir("/usr/share/asterisk", "/var/lib/asterisk")
    if modules_dir is None or data_dir is None:
        return None
    tree = AsteriskTree(
        version="",
        source=AsteriskSource.INSTALLED,
        root=Path("/"),
        binary=Path(path),
        modules_dir=modules_dir,
        data_dir=data_dir,
    )
    try:
        version = check_version(_ask_version(tree), least_major=LEAST_MAJOR)
    except SetupError as refusal:
        log.warning("installed_asterisk_refused", reason=refusal.message)
        return None
    if missing := _missing_modules(tree):
        log.warning("installed_asterisk_refused", reason="modules missing", modules=missing)
        return None
    return AsteriskTree(
        version=version,
        source=AsteriskSource.INSTALLED,
        root=tree.root,
        binary=tree.binary,
        modules_dir=modules_dir,
        data_dir=data_dir,
    )


def check_version(text: str, *, least_major: int, most_major: int | None = None) -> str:
    """Return the bare version within ``text`` (``Asterisk 22.10.1+dfsg…``) or refuse it."""
    match = re.search(r"(\d+)\.\d+(\.\d+)?", text)
    if match is None:
        raise SetupError(
            f"Asterisk does not tell its version: {text.strip()[:80]!r}",
            fix="remove the folder it was unpacked into and run set-up again",
        )
    version, major = match[0], int(match[1])
    if major < least_major or (most_major is not None and major > most_major):
        wanted = str(least_major) if most_major == least_major else f"{least_major} or later"
        raise SetupError(
            f"Asterisk {version} was found; {wanted} is needed",
            fix=f"provide Asterisk {wanted}; {UNPACKED_MAJOR} is the tested one",
        )
    for prefix, why in KNOWN_BAD:
        if f"{version}.".startswith(prefix):
            raise SetupError(
                f"Asterisk {version} is known to fail: {why}",
                fix="use 22.10, or a later release than the refused one, from a saved package "
                "folder (asterisk-debs) or installed on the machine",
            )
    return version


def _unpack(target: Path, mirror: str | None) -> AsteriskTree:
    packages = debs.ensure_packages(target.with_name(target.name + "-debs"), mirror=mirror)
    room = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        debs.unpack(packages, room)
        tree = _describe(room, "")
        if missing := _missing_modules(tree):
            raise SetupError(
                f"the unpacked Asterisk lacks {', '.join(missing)}",
                fix="remove the asterisk-debs folder and run set-up again",
            )
        if foreign := _foreign_libraries(tree):
            raise SetupError(
                f"the unpacked Asterisk needs {', '.join(foreign)}, which no package of it brings",
                fix="remove the asterisk-debs folder and run set-up again",
            )
        version = check_version(
            _ask_version(tree), least_major=UNPACKED_MAJOR, most_major=UNPACKED_MAJOR
        )
        manifest = Manifest(
            schema=MANIFEST_SCHEMA,
            version=version,
            architecture=packages.architecture,
            packages=packages.packages,
        )
        encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
        (room / MANIFEST_NAME).write_bytes(encoded)
        room.chmod(0o755)
        if target.exists():
            shutil.rmtree(target)
        room.rename(target)
    except BaseException:
        shutil.rmtree(room, ignore_errors=True)
        raise
    log.info("asterisk_unpacked", version=version, packages=len(packages.packages))
    return _describe(target, version)


def _describe(root: Path, version: str) -> AsteriskTree:
    """Find the parts of an unpacked tree; the multi-arch folder depends on the machine."""
    modules = sorted(root.glob("usr/lib/*/asterisk/modules"))
    if not modules:
        raise SetupError(
            f"{root} holds no Asterisk modules",
            fix="remove that folder and run set-up again",
        )
    library_dir = modules[0].parent.parent
    loaders = sorted(library_dir.glob("ld-linux-*.so.*")) or sorted(root.glob("usr/lib*/ld-*.so.*"))
    if not loaders:
        raise SetupError(
            f"{root} holds no dynamic loader", fix="remove that folder and run set-up again"
        )
    return AsteriskTree(
        version=version,
        source=AsteriskSource.UNPACKED,
        root=root,
        binary=root / "usr/sbin/asterisk",
        modules_dir=modules[0],
        data_dir=root / "usr/share/asterisk",
        env={
            "GCONV_PATH": str(library_dir / "gconv"),
            "OPENSSL_MODULES": str(library_dir / "ossl-modules"),
        },
        loader=loaders[0],
        library_dir=library_dir,
    )


def _missing_modules(tree: AsteriskTree) -> list[str]:
    return [name for name in NEEDED_MODULES if not (tree.modules_dir / name).is_file()]


def _foreign_libraries(tree: AsteriskTree) -> list[str]:
    assert tree.loader is not None
    assert tree.library_dir is not None
    files = [tree.binary, *(tree.modules_dir / name for name in NEEDED_MODULES)]
    return foreign_libraries(tree.root, tree.loader, tree.library_dir, files)


def _ask_version(tree: AsteriskTree) -> str:
    try:
        done = subprocess.run(
            tree.command(["-V"]),
            env={**os.environ, **tree.env},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=VERSION_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(
            f"Asterisk at {tree.binary} cannot be run: {error}",
            fix="remove the folder it was unpacked into and run set-up again",
        ) from error
    if done.returncode != 0:
        raise SetupError(
            f"Asterisk at {tree.binary} cannot be run: {done.stderr.strip()[-300:]}",
            fix="remove the folder it was unpacked into and run set-up again",
        )
    return done.stdout


def _first_dir(*patterns: str) -> Path | None:
    for pattern in patterns:
        for found in sorted(Path("/").glob(pattern.lstrip("/"))):
            if found.is_dir():
                return found
    return None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold an advisory lock, so that two set-ups do not unpack at once."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
