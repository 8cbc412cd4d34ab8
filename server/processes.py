"""Keeps our own roles running: starts, watches, restarts with growing pauses, stops.

Services (PostgreSQL, Valkey, Asterisk) are not its children and survive it; one that dies is
started again (``server.service_keeper``), one that somebody stopped is left alone. A role counts as
frozen when its heartbeat stops, as lost when it ends; both are started again.
"""

import asyncio
import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from base.backoff import backoff_s
from base.errors import SetupError
from server.installation import Installation
from server.role_process import ROLES, heartbeat_file
from server.service_keeper import keep_service
from server.services.asterisk import asterisk_of
from server.services.identity import ProcessId, read_pid_file, write_pid_file
from server.services.port_check import is_free
from server.settings import Settings

STOP_GRACE_S = 8.0
FROZEN_AFTER_S = 20.0
"""Without a heartbeat. Long: loading a speech model on a busy machine holds the loop up."""
WATCH_EVERY_S = 2.0
SILENT_AFTER_S = 5.0
"""Without a heartbeat a role is shown as unhealthy."""
STABLE_AFTER_S = 60.0
"""A role that lived this long begins again with the shortest pause."""
OUTPUT_BYTES = 1_000_000
LOOK_AT_LOGS_EVERY_S = 3600.0

Command = Callable[[str], list[str]]

log = structlog.get_logger(__name__)


def roles_of(settings: Settings) -> tuple[str, ...]:
    """Return the roles this installation runs, in the order of starting."""
    return tuple(r for r in ROLES if r != "speech" or settings.speech.engine != "off")


def pid_file(settings: Settings, process: str) -> Path:
    return settings.run_dir / f"{process}.pid"


def running(settings: Settings, process: str) -> ProcessId | None:
    """Return the living process of a role, or of the ``supervisor``."""
    return read_pid_file(pid_file(settings, process))


def output_file(settings: Settings, role: str) -> Path:
    """Where a role's raw output goes: tracebacks of a start that failed before its log."""
    return settings.logs_dir / f"{role}.out"


def is_healthy(settings: Settings, role: str) -> bool:
    """Return whether the role runs, its event loop turns, and its port is open."""
    if running(settings, role) is None or _heartbeat_age_s(settings, role) > SILENT_AFTER_S:
        return False
    match role:
        case "web":
            return not is_free(settings.bind, settings.ports.http)
        case "speech":
            return not is_free(settings.service_host, settings.ports.audio)
        case _:
            return True


def stop_roles(settings: Settings, roles: Sequence[str] = ROLES) -> list[str]:
    """Stop roles whose supervisor is gone or stopping; returns those that ran."""
    found = {role: identity for role in roles if (identity := running(settings, role))}
    for identity in found.values():
        identity.signal(signal.SIGTERM)
    until_mono = time.monotonic() + STOP_GRACE_S
    for identity in found.values():
        identity.stop(grace_s=max(0.1, until_mono - time.monotonic()))
    for role in roles:
        pid_file(settings, role).unlink(missing_ok=True)
    return list(found)


def _heartbeat_age_s(settings: Settings, role: str) -> float:
    return time.time() - _heartbeat(settings, role)


def _heartbeat(settings: Settings, role: str) -> float:
    """When the role's loop turned last; minus infinity where it never did."""
    try:
        return heartbeat_file(settings, role).stat().st_mtime
    except FileNotFoundError:
        return float("-inf")


def role_command(role: str) -> list[str]:
    """Return the command line of a role's process."""
    return [sys.executable, "-P", "-m", "server.cli", "role", role]


class Supervisor:
    """Runs the roles of one installation until cancelled."""

    def __init__(self, settings: Settings, command: Command = role_command) -> None:
        self._settings = settings
        self._command = command

    async def run(self) -> None:
        """Keep all roles running; on cancellation stop them. Ends at once if another does so."""
        with (self._settings.run_dir / "supervisor.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                log.warning("supervisor_is_running_already")
                return
            await self._run_alone()

    async def _run_alone(self) -> None:
        identity = ProcessId.of(os.getpid())
        assert identity is not None
        write_pid_file(pid_file(self._settings, "supervisor"), identity)
        try:
            async with asyncio.TaskGroup() as tasks:
                for role in roles_of(self._settings):
                    tasks.create_task(self._keep(role), name=f"keep-{role}")
                for service in Installation(self._settings).services:
                    tasks.create_task(keep_service(service), name=f"keep-{service.name}")
                if self._settings.asterisk_address is None:
                    tasks.create_task(self._keep_logs_short(), name="keep-logs-short")
        finally:
            pid_file(self._settings, "supervisor").unlink(missing_ok=True)

    async def _keep_logs_short(self) -> None:
        """Our own logs rotate by themselves; Asterisk's must be told to."""
        asterisk = asterisk_of(self._settings)
        while True:
            await asyncio.sleep(LOOK_AT_LOGS_EVERY_S)
            try:
                await asyncio.to_thread(asterisk.rotate_logs)
            except (SetupError, OSError) as error:
                log.warning("asterisk_logs_not_rotated", reason=str(error))

    async def _keep(self, role: str) -> None:
        pauses = backoff_s(first_s=0.5, most_s=20.0)
        while True:
            started_mono = time.monotonic()
            code = await self._run_once(role)
            if time.monotonic() - started_mono > STABLE_AFTER_S:
                pauses = backoff_s(first_s=0.5, most_s=20.0)
            pause_s = next(pauses)
            log.warning("role_lost", role=role, code=code, restart_in_s=round(pause_s, 1))
            await asyncio.sleep(pause_s)

    async def _run_once(self, role: str) -> int:
        process = await self._start(role)
        try:
            return await self._watch(role, process)
        finally:
            if process.returncode is None:
                await self._stop(process)
            pid_file(self._settings, role).unlink(missing_ok=True)

    async def _start(self, role: str) -> asyncio.subprocess.Process:
        heartbeat_file(self._settings, role).unlink(missing_ok=True)
        output = output_file(self._settings, role)
        output.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_long = output.exists() and output.stat().st_size > OUTPUT_BYTES
        with output.open("wb" if is_long else "ab") as sink:
            process = await asyncio.create_subprocess_exec(
                *self._command(role),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                # Ctrl-C is ours alone to pass on, in the right order.
                start_new_session=True,
            )
        if identity := ProcessId.of(process.pid):
            write_pid_file(pid_file(self._settings, role), identity)
        log.info("role_launched", role=role, pid=process.pid)
        return process

    async def _watch(self, role: str, process: asyncio.subprocess.Process) -> int:
        """Wait for its end, or end it when its heartbeat has stopped.

        Counted in looks, not by the clock: that may be set meanwhile, or we may have been frozen
        ourselves, together with a role that is about to beat again.
        """
        last_beat, silent_s = _heartbeat(self._settings, role), 0.0
        while True:
            try:
                async with asyncio.timeout(WATCH_EVERY_S):
                    return await process.wait()
            except TimeoutError:
                beat = _heartbeat(self._settings, role)
                silent_s = silent_s + WATCH_EVERY_S if beat == last_beat else 0.0
                last_beat = beat
                if silent_s > FROZEN_AFTER_S:
                    log.error("role_frozen", role=role, silent_s=round(silent_s))
                    process.kill()
                    return await process.wait()

    async def _stop(self, process: asyncio.subprocess.Process) -> None:
        process.terminate()
        try:
            async with asyncio.timeout(STOP_GRACE_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
