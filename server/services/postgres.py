"""The private PostgreSQL cluster: its own data folder, port and socket, never the host's.

Over TCP (loopback) come our three roles with their passwords; the superuser exists only on the
unix socket, with a secret of its own. Chinese sorts by pinyin (ICU), and pg_trgm sees Chinese
because the locale is never plain ``C``.
"""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from base.errors import SetupError
from server.services.identity import ProcessId, process_working_in
from server.services.port_check import require_free
from server.services.service import Begun
from server.services.unprivileged import Account, reachable_folder, unprivileged_account
from server.settings import Settings

SUPERUSER = "hotline_superuser"
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30
OLDEST_MAJOR = 15

ACCESS_RULES = f"""\
# Written by server/services/postgres.py at each start.
local all {SUPERUSER} scram-sha-256
local all all reject
host all {SUPERUSER} all reject
host all all samehost scram-sha-256
"""
CONFIGURATION: Mapping[str, str] = {
    "password_encryption": "scram-sha-256",
    "unix_socket_permissions": "0700",
    "cluster_name": "hotline",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "80",
    "jit": "off",
    # A week of logs, one file a weekday, each overwritten when its day returns.
    "logging_collector": "on",
    "log_directory": "../log",
    "log_filename": "postgres-%a.log",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
    # Details hold the values of a refused row, and those are citizens' words.
    "log_error_verbosity": "terse",
}
WITHOUT_DURABILITY: Mapping[str, str] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}
"""For tests only: a crash of the machine would lose the cluster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivatePostgres:
    root: Path
    """Holds ``data/``, ``log/`` and ``socket/``."""
    host: str
    port: int
    superuser_password: str
    account: Account | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    name: str = "postgres"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def socket_dir(self) -> Path:
        return self.root / "socket"

    def start(self) -> Begun:
        if self.identity() is not None:
            self._require_same_port()
            return Begun.ADOPTED
        require_free(self.host, self.port, "ports.postgres")
        self._make_folders()
        if not (self.data / "PG_VERSION").exists():
            self._create_cluster()
        self._write_configuration()
        self._forget_strangers_pid()
        self._control("start", "-w", "-t", str(START_TIMEOUT_S), "-l", str(self._start_log))
        return Begun.STARTED

    def stop(self) -> bool:
        if self.identity() is None:
            return False
        self._control("stop", "-m", "fast", "-w", "-t", str(STOP_TIMEOUT_S))
        return True

    def pid(self) -> int | None:
        identity = self.identity()
        return identity.pid if identity else None

    def has_died(self) -> bool:
        return self.identity() is None and bool(self._pid_lines())

    def identity(self) -> ProcessId | None:
        lines = self._pid_lines()
        if not lines or not lines[0].isdecimal():
            return None
        return process_working_in(self.data, int(lines[0]))

    @property
    def _start_log(self) -> Path:
        return self.root / "log" / "start.log"

    def _pid_lines(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _require_same_port(self) -> None:
        lines = self._pid_lines()
        if len(lines) > 3 and lines[3] != str(self.port):
            raise SetupError(
                f"our PostgreSQL still runs on port {lines[3]}, not {self.port}",
                fix="./hotline down with the former settings, or set ports.postgres back",
            )

    def _forget_strangers_pid(self) -> None:
        # After a reboot the number in an old pid file may be anybody's; PostgreSQL would then
        # refuse to start if that process is the same user's.
        if self._pid_lines() and not self._has_living_backends():
            (self.data / "postmaster.pid").unlink()

    def _has_living_backends(self) -> bool:
        numbers = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal())
        return any(process_working_in(self.data, number) for number in numbers)

    def _make_folders(self) -> None:
        self.root.mkdir(mode=0o755, parents=True, exist_ok=True)
        for folder in (self.root, self.data, self.socket_dir, self.root / "log"):
            folder.mkdir(mode=0o700, exist_ok=True)
            if self.account:
                self.account.own(folder)

    def _create_cluster(self) -> None:
        password_file = self.root / "superuser-password"
        password_file.touch(mode=0o600)
        password_file.write_text(self.superuser_password)
        if self.account:
            self.account.own(password_file)
        try:
            self._run(
                *("initdb", "-D", str(self.data), "-U", SUPERUSER, "-E", "UTF8"),
                *("--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=zh-Hans-CN"),
                *("-A", "scram-sha-256", f"--pwfile={password_file}", "--data-checksums"),
                *(["--no-sync"] if self.extra.get("fsync") == "off" else []),
            )
        except SetupError:
            # PG_VERSION is written early: half a cluster would be taken for a whole one.
            shutil.rmtree(self.data, ignore_errors=True)
            raise
        finally:
            password_file.unlink()
        with (self.data / "postgresql.conf").open("a") as file:
            file.write("include 'hotline.conf'\n")

    def _write_configuration(self) -> None:
        values = {
            "listen_addresses": self.host,
            "port": str(self.port),
            "unix_socket_directories": str(self.socket_dir),
            **CONFIGURATION,
            **self.extra,
        }
        lines = ["# Written by server/services/postgres.py at each start."]
        lines += [f"{name} = '{value}'" for name, value in values.items()]
        for name, text in (("hotline.conf", "\n".join(lines)), ("pg_hba.conf", ACCESS_RULES)):
            path = self.data / name
            path.write_text(text + "\n")
            if self.account:
                self.account.own(path)

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "-D", str(self.data), "-s", *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(binaries_dir() / program), *arguments]
        try:
            ended = subprocess.run(
                command,
                # A folder the account may stand in: these programs look up where they are.
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                timeout=START_TIMEOUT_S + 30,
                check=False,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
                **(self.account.credentials if self.account else {}),
            )
        except subprocess.TimeoutExpired as error:
            raise SetupError(f"{program} does not end", fix=f"see {self.root}/log") from error
        if ended.returncode != 0:
            reason = " ".join(ended.stderr.split())[-400:]
            raise SetupError(f"PostgreSQL: {program} failed: {reason}", fix=f"see {self.root}/log")


def binaries_dir() -> Path:
    """Return the folder of the newest server binaries on this machine."""
    found = [
        (int(folder.parent.name), folder)
        for folder in Path("/usr/lib/postgresql").glob("*/bin")
        if folder.parent.name.isdecimal() and (folder / "postgres").is_file()
    ]
    if found and max(found)[0] >= OLDEST_MAJOR:
        return max(found)[1]
    if postgres := shutil.which("postgres"):
        return Path(postgres).resolve().parent
    raise SetupError(
        f"there is no PostgreSQL {OLDEST_MAJOR} or newer on this machine",
        fix="./hotline up installs it, or: apt-get install -y postgresql",
    )


def postgres_of(settings: Settings, superuser_password: str) -> PrivatePostgres:
    account = unprivileged_account()
    return PrivatePostgres(
        root=reachable_folder(settings.home / "postgres", account),
        host=settings.service_host,
        port=settings.ports.postgres,
        superuser_password=superuser_password,
        account=account,
    )
