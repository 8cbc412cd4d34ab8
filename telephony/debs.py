"""Asterisk's Debian packages: fetched with a private apt state, kept, checked, unpacked.

The mirror is the one this machine's own apt uses and is written down nowhere. apt verifies the
signatures; the sha256 of each package is recorded and checked again before every unpacking. The
machine's own apt state is only read: its update hooks (they may empty caches) are not run.

Must never run a package's maintainer scripts.
"""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog

from base.errors import SetupError

log = structlog.get_logger(__name__)

SUITE = "forky"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
INDEX_NAME = "packages.json"
INDEX_SCHEMA = 2
"""Raised when SKIPPED changes: a folder kept before is fetched anew."""
APT_TIMEOUT_S = 600.0
TOOLS = ("apt-get", "apt-config", "dpkg", "dpkg-deb", "tar")
MOST_MIRRORS = 3

# The closure of "asterisk" minus what a switch of ours never loads: fax, databases, desktop audio,
# mail, maintainer-script tools: half of 160 packages, half of 241 MB. libnss3 and libnspr4 stay:
# libsrtp2 links them, and a machine without a desktop has them nowhere.
SKIPPED = re.compile(
    r"^(perl|libperl|gnupg|gpg|gpgsm|gpgconf|dirmngr|pinentry|libksba|libassuan|libnpth|libgpgme"
    r"|libntlm|adduser|passwd|login|debconf|libdebconf|libpam|libsemanage|libsepol|libaudit"
    r"|libcap-ng|libsnmp|libsensors|libcodec2|libsybdb|freetds|libodbc|libpq5"
    r"|libjack|libportaudio|libasound2|libical|libneon|libradcli|libspandsp|libtiff|libjpeg"
    r"|libwebp|libsharpyuv|libdeflate|libjbig|liblerc|tzdata|asterisk-core-sounds|asterisk-config"
    r"|libgmime|libiksemel|libpci3|pci.ids|libsasl2-modules|libgsm_|libdb5|libgdbm|libwrap"
    r"|base-passwd|libmount|libblkid|libbluetooth|libglib2|libvo-amr|libopencore|gcc-\d+-base)"
)
LEFT_OUT = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/lintian")


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """One package file as fetched."""

    name: str
    file: str
    sha256: str


class _Index(msgspec.Struct, frozen=True, kw_only=True):
    schema: int = 1
    architecture: str
    packages: tuple[Package, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSet:
    """A complete set of packages in a folder."""

    folder: Path
    architecture: str
    packages: tuple[Package, ...]


def ensure_packages(folder: Path, *, mirror: str | None = None) -> PackageSet:
    """Return the kept packages of ``folder`` where they are whole, else fetch them anew."""
    if (kept := open_packages(folder)) is not None:
        return kept
    _check_tools()
    mirrors = [mirror] if mirror is not None else machine_mirrors()
    if not mirrors:
        raise SetupError(
            "this machine's apt knows no Debian mirror to fetch Asterisk from",
            fix="add a Debian mirror to apt's sources, install Asterisk 20 or later, "
            "or copy an asterisk-debs folder from another machine",
        )
    failures: list[str] = []
    for candidate in mirrors[:MOST_MIRRORS]:
        try:
            return _fetch(folder, candidate)
        except _AptError as error:
            failures.append(str(error))
    raise SetupError(
        f"apt could not fetch Asterisk 22 from Debian {SUITE}: {failures[0]}",
        fix="check the network and apt's mirror, then run set-up again; offline, copy an "
        "asterisk-debs folder from another machine or install Asterisk 20 or later",
    )


def open_packages(folder: Path) -> PackageSet | None:
    """The packages kept in ``folder`` if every one is there with the recorded sum."""
    try:
        index = msgspec.json.decode((folder / INDEX_NAME).read_bytes(), type=_Index)
        whole = all(sha256_of(folder / each.file) == each.sha256 for each in index.packages)
    except (OSError, msgspec.MsgspecError):
        return None
    if index.schema != INDEX_SCHEMA:
        return None
    if not whole:
        log.warning("kept_packages_damaged", folder=folder.name)
        return None
    return PackageSet(folder=folder, architecture=index.architecture, packages=index.packages)


def unpack(packages: PackageSet, target: Path) -> None:
    """Unpack the files of every package below ``target``; runs none of their scripts."""
    exclude = [f"--exclude=./{path}" for path in LEFT_OUT]
    for package in packages.packages:
        with subprocess.Popen(
            ["dpkg-deb", "--fsys-tarfile", str(packages.folder / package.file)],
            stdout=subprocess.PIPE,
        ) as opened:
            done = subprocess.run(
                ["tar", "-x", "-C", str(target), "--no-same-owner", *exclude],
                stdin=opened.stdout,
                capture_output=True,
                text=True,
                check=False,
            )
        if opened.returncode != 0 or done.returncode != 0:
            raise SetupError(
                f"{package.file} cannot be unpacked: {done.stderr.strip()[-200:]}",
                fix="check the free space, remove the asterisk-debs folder, run set-up again",
            )


def sha256_of(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def machine_mirrors() -> list[str]:
    """The Debian mirrors in the machine's own apt configuration, likeliest first."""
    _check_tools()
    done = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)|$(ORIGIN)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        timeout=APT_TIMEOUT_S,
        check=False,
    )
    return _likely_mirrors(done.stdout)


def _likely_mirrors(listing: str) -> list[str]:
    """``listing``: one ``uri|origin`` a line; the origin is unknown before the first update."""
    ranked: dict[str, int] = {}
    for line in listing.splitlines():
        uri, _, origin = line.partition("|")
        if uri and "security" not in uri:
            rank = 0 if origin == "Debian" else 1 if "debian" in uri.lower() else 2
            ranked[uri] = min(rank, ranked.get(uri, rank))
    return sorted((uri for uri, rank in ranked.items() if rank < 2), key=lambda uri: ranked[uri])


class _AptError(Exception):
    """apt did not do what was asked; its last words are the message."""


def _fetch(folder: Path, mirror: str) -> PackageSet:
    folder.parent.mkdir(parents=True, exist_ok=True)
    room = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        architecture = _output(["dpkg", "--print-architecture"], os.environ).strip()
        env = _private_state(room / "apt", mirror, architecture)
        _output(["apt-get", "-qq", "update"], env)
        names = _closure(env)
        kept = room / "debs"
        kept.mkdir()
        _output(["apt-get", "-qq", "download", *names], env, cwd=kept)
        packages = tuple(
            Package(name=path.name.partition("_")[0], file=path.name, sha256=sha256_of(path))
            for path in sorted(kept.glob("*.deb"))
        )
        if len(packages) != len(names):
            raise _AptError(f"{len(names)} packages were asked for, {len(packages)} came")
        index = _Index(schema=INDEX_SCHEMA, architecture=architecture, packages=packages)
        (kept / INDEX_NAME).write_bytes(msgspec.json.format(msgspec.json.encode(index), indent=1))
        shutil.rmtree(folder, ignore_errors=True)
        kept.rename(folder)
    finally:
        shutil.rmtree(room, ignore_errors=True)
    log.info("asterisk_packages_fetched", packages=len(packages), suite=SUITE)
    return PackageSet(folder=folder, architecture=architecture, packages=packages)


def _closure(env: Mapping[str, str]) -> list[str]:
    """Names of all packages that "asterisk" needs on an empty system, less the skipped."""
    wanted = ["apt-get", "-qq", "-y", "--print-uris", "install", "asterisk"]
    listing = _output(wanted, env)
    files = re.findall(r"^'[^']*/([^/_']+)_[^']*' ", listing, flags=re.MULTILINE)
    names = sorted({name.replace("%2b", "+") for name in files})
    if "asterisk" not in names:
        raise _AptError(f"Debian {SUITE} offers no asterisk package there")
    return [name for name in names if not SKIPPED.match(name)]


def _private_state(state: Path, mirror: str, architecture: str) -> dict[str, str]:
    """An apt of its own below ``state``: empty status, one source, the machine's proxies."""
    if not KEYRING.is_file():
        raise SetupError(
            f"{KEYRING} is missing, so Debian's signatures cannot be checked",
            fix="install the package debian-archive-keyring",
        )
    for part in ("lists/partial", "archives/partial"):
        (state / part).mkdir(parents=True)
    (state / "status").touch()
    (state / "sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror} {SUITE} main\n")
    (state / "apt.conf").write_text(_apt_conf(state, architecture))
    return {**os.environ, "APT_CONFIG": str(state / "apt.conf"), "LC_ALL": "C"}


def _apt_conf(state: Path, architecture: str) -> str:
    settings = [
        ("Dir::State", str(state)),
        ("Dir::State::status", str(state / "status")),
        ("Dir::State::Lists", str(state / "lists")),
        ("Dir::Cache", str(state)),
        ("Dir::Cache::archives", str(state / "archives")),
        ("Dir::Etc::sourcelist", str(state / "sources.list")),
        ("Dir::Etc::sourceparts", "/dev/null"),
        ("Dir::Etc::preferences", "/dev/null"),
        ("Dir::Etc::preferencesparts", "/dev/null"),
        # Update hooks of the machine (caches emptied after every update) must not run.
        ("Dir::Etc::parts", "/dev/null"),
        ("Dir::Etc::main", "/dev/null"),
        ("APT::Architecture", architecture),
        ("APT::Install-Recommends", "false"),
        ("APT::Sandbox::User", _own_name()),
        ("Acquire::Languages", "none"),
        # A frozen mirror's Release has run out; its signature is still checked.
        ("Acquire::Check-Valid-Until", "false"),
        ("Acquire::Check-Date", "false"),
        ("Debug::NoLocking", "true"),
    ]
    lines = [f'{name} "{value}";' for name, value in settings]
    lines.append(f'APT::Architectures {{ "{architecture}"; }};')
    return "\n".join([*_machine_network_settings(), *lines]) + "\n"


def _machine_network_settings() -> list[str]:
    """The machine's proxies and time-outs (apt's ``Acquire::<method>::…``)."""
    dump = _output(["apt-config", "dump"], os.environ)
    wanted = re.compile(r"^Acquire::(http|https|ftp|tor|Retries|ForceIPv[46])\b", re.IGNORECASE)
    return [line for line in dump.splitlines() if wanted.match(line)]


def _own_name() -> str:
    """apt drops to this user while fetching: ourselves, as no other may enter our folder."""
    return _output(["id", "-un"], os.environ).strip()


def _check_tools() -> None:
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        raise SetupError(
            f"{', '.join(missing)} not found: Asterisk cannot be unpacked on this machine",
            fix="use Debian 12 or later, or install Asterisk 20 or later yourself",
        )


def _output(argv: Sequence[str], env: Mapping[str, str], *, cwd: Path | None = None) -> str:
    try:
        done = subprocess.run(
            argv,
            env=dict(env),
            cwd=cwd,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=APT_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _AptError(f"{argv[0]} did not end within {APT_TIMEOUT_S:.0f} s") from error
    if done.returncode != 0:
        raise _AptError(f"{argv[0]}: {done.stderr.strip()[-300:]}")
    return done.stdout
