"""``hotline up``: services first, then our own roles, until they all answer."""

import argparse
import asyncio
import contextlib
import re
import signal
import subprocess
import sys
import time

from base.errors import SetupError
from server.installation import Installation, Say
from server.logging_setup import configure_logging
from server.processes import (
    Supervisor,
    is_healthy,
    output_file,
    roles_of,
    running,
    stop_roles,
)
from server.services.port_check import require_free
from server.settings import Settings
from server.settings_loader import load_settings
from server.setup.steps import prepare

HEALTHY_TIMEOUT_S = 90.0
ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("up", help="start everything; Ctrl-C ends it")
    parser.add_argument("--detach", "-d", action="store_true", help="return when all answers")
    parser.set_defaults(run=run)
    # Internal: what `up --detach` leaves running.
    supervise = subparsers.add_parser("supervise")
    supervise.set_defaults(run=run_supervisor)


def run(args: argparse.Namespace) -> int:
    settings = load_settings()
    if running(settings, "supervisor"):
        wait_until_healthy(settings)
        say(f"already up: {console_address(settings)}")
        return 0
    installation = bring_up_services(settings, say)
    if args.detach:
        start_detached(settings)
        try:
            wait_until_healthy(settings)
        except SetupError:
            # Calls are answered by Asterisk alone; a mended cause needs no new `up`.
            say("the services run, and what failed is tried again; ./hotline down ends it")
            raise
        say(f"up: {console_address(settings)}")
        return 0
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run_in_foreground(settings))
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)  # an impatient second Ctrl-C would leave a half
    if running(settings, "supervisor") is None:
        installation.stop(say)
    return 0


def bring_up_services(settings: Settings, say: Say) -> Installation:
    """Set up what is missing, start or adopt the services, clear what a killed `up` left.

    Fails before anything is started where a port of a role is taken.
    """
    prepare(settings, say)
    for role in stop_roles(settings):
        say(f"{role}: left by a supervisor that is gone, stopped")
    require_free(settings.bind, settings.ports.http, "ports.http")
    require_free(settings.service_host, settings.ports.audio, "ports.audio")
    installation = Installation(settings)
    installation.start(say)
    return installation


def start_detached(settings: Settings) -> None:
    """Leave a supervisor running in a session of its own."""
    settings.logs_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with output_file(settings, "supervisor").open("ab") as sink:
        # setsid forks: the supervisor is nobody's child and no terminal's.
        subprocess.run(
            ["setsid", "--fork", sys.executable, "-P", "-m", "server.cli", "supervise"],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            check=True,
        )


def wait_until_healthy(settings: Settings) -> None:
    """Return when every role answers; raise with the reason of one that does not."""
    until_mono = time.monotonic() + HEALTHY_TIMEOUT_S
    roles = roles_of(settings)
    before = {role: _output_size(settings, role) for role in roles}
    while waiting := [role for role in roles if not is_healthy(settings, role)]:
        for role in waiting:
            failures = _failures(settings, role, before[role])
            # Once may be bad luck; a second try that fails too will not be helped by waiting.
            if len(failures) > 1:
                what, fix = failures[-1]
                raise SetupError(what, fix=fix)
        if time.monotonic() > until_mono:
            raise SetupError(
                f"{', '.join(waiting)} did not come up in {HEALTHY_TIMEOUT_S:.0f} s",
                fix=f"./hotline logs {waiting[0]}",
            )
        time.sleep(0.1)


def _output_size(settings: Settings, role: str) -> int:
    path = output_file(settings, role)
    return path.stat().st_size if path.exists() else 0


def _failures(settings: Settings, role: str, since: int) -> list[tuple[str, str]]:
    """Return what and how to mend, for each failed start since the output had ``since`` bytes."""
    path = output_file(settings, role)
    if not path.exists():
        return []
    text = path.read_bytes()[since:].decode(errors="replace")
    return re.findall(r"^FAIL (.*)\nfix: (.*)$", text, re.MULTILINE)


def console_address(settings: Settings) -> str:
    host = "127.0.0.1" if settings.bind in ("0.0.0.0", "::") else settings.bind
    return f"http://{host}:{settings.ports.http}/"


def run_supervisor(args: argparse.Namespace) -> int:
    settings = load_settings()
    configure_logging("supervisor", settings.log_level, settings.logs_dir)
    asyncio.run(_supervise(settings))
    return 0


async def _run_in_foreground(settings: Settings) -> None:
    configure_logging("supervisor", settings.log_level, settings.logs_dir)
    async with asyncio.TaskGroup() as tasks:
        supervision = tasks.create_task(_supervise(settings), name="supervise")
        try:
            await asyncio.to_thread(wait_until_healthy, settings)
            say(f"up: {console_address(settings)} (Ctrl-C ends it)")
        except SetupError as error:
            # The supervisor goes on trying: a mended cause needs no new `up`.
            say(f"FAIL {error.message}\nfix: {error.fix}")
        await supervision


async def _supervise(settings: Settings) -> None:
    """Run the roles until SIGTERM, Ctrl-C or the end of the terminal."""
    work = asyncio.create_task(Supervisor(settings).run(), name="supervisor")

    def end() -> None:
        if not work.cancelling():  # once: a second signal would cut short the stopping
            work.cancel()

    for number in ENDING:
        asyncio.get_running_loop().add_signal_handler(number, end)
    with contextlib.suppress(asyncio.CancelledError):
        await work


def say(line: str) -> None:
    """Tell the person; stdout stays free for results."""
    with contextlib.suppress(OSError):  # the reader or the terminal may be gone
        print(line, file=sys.stderr, flush=True)
