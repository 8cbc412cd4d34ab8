"""Starts, adopts, asks and stops the Asterisk of one installation.

It runs in a session of its own: a killed product leaves it and its calls alive, and the next
start adopts it. Blocking functions with time-outs, for set-up and supervision; never on a loop.

Must never touch an Asterisk other than the one whose ``asterisk.conf`` is ours.
"""

import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import structlog

from base.errors import SetupError
from telephony.config import AsteriskConfig

log = structlog.get_logger(__name__)

BOOT_TIMEOUT_S = 30.0
CLI_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 10.0
POLL_S = 0.05
OUTPUT_NAME = "asterisk.out"
# Kept from our own environment; a proxy variable would send admission's CURL astray.
KEPT_VARIABLES = ("PATH", "HOME", "LANG", "TZ", "USER", "TMPDIR")

# Children of this process, kept so that one that ends is reaped and leaves no zombie.
_started: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True, slots=True)
class RunningAsterisk:
    """A running Asterisk of ours."""

    pid: int
    adopted: bool
    """True where it ran before we came."""


def ensure_running(config: AsteriskConfig) -> RunningAsterisk:
    """Adopt the installation's Asterisk, or start it (its configuration must be rendered)."""
    return adopt(config) or start(config)


def adopt(config: AsteriskConfig) -> RunningAsterisk | None:
    """Find our Asterisk if it runs and answers on its control socket."""
    pid = _own_pid(config)
    if pid is None:
        return None
    if not _is_booted(config):
        raise SetupError(
            f"an Asterisk of this installation runs (process {pid}) and does not answer",
            fix="wait a little; if it stays so, end that process and start again",
        )
    log.info("asterisk_adopted", pid=pid)
    return RunningAsterisk(pid=pid, adopted=True)


def start(config: AsteriskConfig) -> RunningAsterisk:
    """Start Asterisk and wait until it has booted fully."""
    check_ports(config)
    config.control_socket.unlink(missing_ok=True)
    output = config.log_dir / OUTPUT_NAME
    argv = config.tree.command(["-C", str(config.conf_file), "-f"])
    with output.open("wb") as out:
        process = subprocess.Popen(
            argv,
            env=_environment(config),
            cwd=config.folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=0o077,
        )
    try:
        _await_boot(config, process, output)
    except BaseException:
        process.kill()
        process.wait()
        raise
    _started[process.pid] = process
    log.info("asterisk_started", pid=process.pid, version=config.tree.version)
    return RunningAsterisk(pid=process.pid, adopted=False)


def stop(config: AsteriskConfig, *, timeout_s: float = STOP_TIMEOUT_S) -> bool:
    """Stop our Asterisk with its calls; True where one ran."""
    pid = _own_pid(config)
    if pid is None:
        return False
    try:
        cli(config, "core stop now")
    except SetupError as error:
        log.warning("asterisk_stop_unanswered", pid=pid, reason=error.message)
        os.kill(pid, signal.SIGTERM)
    if not _await_end(pid, timeout_s):
        os.kill(pid, signal.SIGKILL)
        _await_end(pid, timeout_s)
    log.info("asterisk_stopped", pid=pid)
    return True


def cli(config: AsteriskConfig, command: str, *, timeout_s: float = CLI_TIMEOUT_S) -> str:
    """Run one console command and return what it prints."""
    try:
        done = subprocess.run(
            config.tree.command(["-C", str(config.conf_file), "-rx", command]),
            env=_environment(config),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SetupError(
            f"Asterisk does not answer on its control socket within {timeout_s:g} s",
            fix="look into the Asterisk log; restart it",
        ) from error
    if done.returncode != 0 or "Unable to connect to remote asterisk" in done.stdout:
        raise SetupError(
            "Asterisk does not answer on its control socket", fix="start it: hotline up"
        )
    return done.stdout


def check_ports(config: AsteriskConfig) -> None:
    """Refuse to start where a port is taken: Asterisk itself would boot without it."""
    wanted = (
        ("SIP (UDP)", socket.SOCK_DGRAM, config.sip_port),
        ("SIP (TCP)", socket.SOCK_STREAM, config.sip_port),
        ("manager", socket.SOCK_STREAM, config.ami_port),
        ("websocket", socket.SOCK_STREAM, config.http_port),
    )
    for what, kind, port in wanted:
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((config.bind, port))
            except OSError as error:
                raise SetupError(
                    f"Asterisk's {what} port {config.bind}:{port} cannot be used: {error.strerror}",
                    fix="stop the program that holds it, or set other ports in the settings",
                ) from error


def _environment(config: AsteriskConfig) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return {**kept, "NO_PROXY": "*", "TERM": "dumb", **config.tree.env}


def _own_pid(config: AsteriskConfig) -> int | None:
    """The pid in our pid file, if that process really is an Asterisk with our configuration."""
    try:
        pid = int(config.pid_file.read_text())
        arguments = psutil.Process(pid).cmdline()
    except (OSError, ValueError, psutil.Error):
        return None
    return pid if str(config.conf_file) in arguments else None


def _is_booted(config: AsteriskConfig) -> bool:
    try:
        return "fully booted" in cli(config, "core waitfullybooted")
    except SetupError:
        return False


def _await_boot(config: AsteriskConfig, process: subprocess.Popen[bytes], output: Path) -> None:
    deadline_mono = time.monotonic() + BOOT_TIMEOUT_S
    while time.monotonic() < deadline_mono:
        if process.poll() is not None:
            raise SetupError(
                f"Asterisk ended while starting: {_last_errors(config, output)}",
                fix="correct what it names, then start again",
            )
        if config.control_socket.exists() and _is_booted(config):
            return
        time.sleep(POLL_S)
    raise SetupError(
        f"Asterisk did not boot within {BOOT_TIMEOUT_S:.0f} s: {_last_errors(config, output)}",
        fix="look into the Asterisk log",
    )


def _last_errors(config: AsteriskConfig, output: Path) -> str:
    lines: list[str] = []
    for path in (output, config.log_dir / "messages.log"):
        try:
            lines += path.read_text(errors="replace").splitlines()[-200:]
        except OSError:
            continue
    errors = [line for line in lines if "ERROR" in line or "rror" in line] or lines
    return " / ".join(line.strip() for line in errors[-3:])[:600] or "it says nothing"


def _await_end(pid: int, timeout_s: float) -> bool:
    """Wait for the end, also of a process that another start of ours left behind."""
    if (child := _started.get(pid)) is not None:
        try:
            child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        del _started[pid]
        return True
    try:
        psutil.Process(pid).wait(timeout_s)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True
