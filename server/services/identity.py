"""Which process is ours: never signal a stranger who inherited a process number."""

import contextlib
import json
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process number with the moment it was given away (ticks since that boot)."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> "ProcessId | None":
        """Return the identity of a living process; a zombie counts as dead."""
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return None
        # The command's name may hold spaces and brackets; the fields begin after the last one.
        fields = stat.rpartition(")")[2].split()
        if fields[0] in ("Z", "X"):
            return None
        return cls(pid, f"{BOOT_ID.read_text().strip()}:{fields[19]}")

    @property
    def is_alive(self) -> bool:
        return ProcessId.of(self.pid) == self

    def signal(self, number: signal.Signals) -> None:
        """Send a signal if the process is still the same one."""
        if self.is_alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def stop(self, *, grace_s: float) -> bool:
        """Ask it to end, then kill it. Returns whether it ended by itself."""
        self.signal(signal.SIGTERM)
        if self.wait(timeout_s=grace_s):
            return True
        self.signal(signal.SIGKILL)
        self.wait(timeout_s=5)
        return False

    def wait(self, *, timeout_s: float) -> bool:
        """Wait until it is gone."""
        until_mono = time.monotonic() + timeout_s
        while self.is_alive:
            if time.monotonic() > until_mono:
                return False
            time.sleep(0.02)
        return True


def write_pid_file(path: Path, identity: ProcessId) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({"pid": identity.pid, "started": identity.started}))
    fresh.replace(path)


def read_pid_file(path: Path) -> ProcessId | None:
    """Return the living process that the file names; None when it is gone or another's."""
    try:
        content = json.loads(path.read_text())
        identity = ProcessId(int(content["pid"]), str(content["started"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    return identity if identity.is_alive else None


def process_working_in(folder: Path, pid: int) -> ProcessId | None:
    """Return ``pid``'s identity if its working directory is ``folder``.

    PostgreSQL and Valkey both move into their data folder, so that this tells ours from a
    stranger that was given the number in an old pid file.
    """
    try:
        cwd = Path(os.readlink(f"/proc/{pid}/cwd"))
    except OSError:
        return None
    return ProcessId.of(pid) if cwd == folder.resolve() else None


def listener_on(port: int) -> str:
    """Describe who listens on a TCP or UDP port, for an error message."""
    try:
        for connection in psutil.net_connections(kind="inet"):
            is_server = connection.status in (psutil.CONN_LISTEN, psutil.CONN_NONE)
            if is_server and connection.laddr and connection.laddr.port == port:
                if connection.pid is None:
                    break
                return f"process {connection.pid} ({psutil.Process(connection.pid).name()})"
    except psutil.Error:
        pass
    return "another program"
