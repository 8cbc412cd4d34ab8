"""The inside of one supervised process: ``python -m server.cli role NAME``.

A role is a module ``server.roles.<name>`` with ``async def run(settings: Settings) -> None`` that
runs until cancelled and cleans up in ``finally``. Here it gets its logs, its signals and its
heartbeat: a file touched from the event loop, so that a blocked loop looks as dead as it is.
"""

import asyncio
import gc
import importlib
import signal
from pathlib import Path

import structlog
import uvloop

from base.errors import SetupError
from base.task_set import TaskSet
from server.logging_setup import configure_logging
from server.settings import Settings

ROLES = ("bridge", "speech", "web")
"""In the order of starting; stopped in the reverse order."""
HEARTBEAT_S = 1.0
CANNOT_START = 2
"""Exit code of a role that only a person can help."""

log = structlog.get_logger(__name__)


def heartbeat_file(settings: Settings, role: str) -> Path:
    return settings.run_dir / f"{role}.alive"


def run_role(settings: Settings, role: str) -> int:
    """Run one role until SIGTERM; returns the process's exit code."""
    configure_logging(role, settings.log_level, settings.logs_dir)
    try:
        uvloop.run(_run(settings, role))
    except Exception as error:
        if setup_error := _setup_error(error):
            log.error("role_cannot_start", what=setup_error.message, fix=setup_error.fix)
            print(f"FAIL {role}: {setup_error.message}\nfix: {setup_error.fix}", flush=True)
            return CANNOT_START
        log.exception("role_failed", role=role)
        print(f"FAIL {role}: {error!r}\nfix: ./hotline logs {role}", flush=True)
        return 1
    return 0


async def _run(settings: Settings, role: str) -> None:
    module = importlib.import_module(f"server.roles.{role}")
    gc.freeze()  # modules stay: no collection need look at them again
    work = asyncio.current_task()
    assert work is not None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, work.cancel)
    log.info("role_started", role=role)
    background = TaskSet(role)
    background.spawn(_beat(heartbeat_file(settings, role)), name="heartbeat")
    try:
        await module.run(settings)
    except asyncio.CancelledError:
        # SIGTERM: the role has cleaned up in its own `finally`.
        pass
    finally:
        await background.close()
    log.info("role_ended", role=role)


def _setup_error(error: BaseException) -> SetupError | None:
    """Return the first thing a person can mend, out of a possibly nested group."""
    if isinstance(error, BaseExceptionGroup):
        return next(filter(None, map(_setup_error, error.exceptions)), None)
    return error if isinstance(error, SetupError) else None


async def _beat(path: Path) -> None:
    while True:
        _touch(path)
        await asyncio.sleep(HEARTBEAT_S)


def _touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
