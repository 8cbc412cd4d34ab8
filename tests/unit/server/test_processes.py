"""The supervisor on real processes: restarts the lost and the frozen, harms no stranger."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from server import processes
from server.processes import Supervisor, pid_file, roles_of, running, stop_roles
from server.role_process import heartbeat_file
from server.services.identity import ProcessId, write_pid_file
from server.settings import Settings

ALIVE = "import pathlib, sys, time\nwhile True: pathlib.Path(sys.argv[1]).touch(); time.sleep(0.1)"
SILENT = "import time; time.sleep(600)"


@pytest.fixture
def settings_of_roles(make_settings: Callable[..., Settings]) -> Settings:
    settings = make_settings()
    settings.run_dir.mkdir(mode=0o700)
    return settings


def _supervisor(settings: Settings, script: str = ALIVE) -> Supervisor:
    def command(role: str) -> list[str]:
        return [sys.executable, "-c", script, str(heartbeat_file(settings, role))]

    return Supervisor(settings, command)


async def _until(condition: Callable[[], object], timeout_s: float = 15) -> None:
    async with asyncio.timeout(timeout_s):
        while True:
            if condition():
                return
            await asyncio.sleep(0.02)


async def _stop(work: "asyncio.Task[None]") -> None:
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def test_killed_role_is_started_again_and_the_others_are_left_alone(
    settings_of_roles: Settings,
) -> None:
    settings = settings_of_roles
    work = asyncio.create_task(_supervisor(settings).run())
    try:
        await _until(lambda: all(running(settings, role) for role in roles_of(settings)))
        before = {role: running(settings, role) for role in roles_of(settings)}
        killed = before["web"]
        assert killed is not None
        os.kill(killed.pid, signal.SIGKILL)
        await _until(lambda: running(settings, "web") not in (None, killed))
        for role in ("bridge", "speech"):
            assert running(settings, role) == before[role]
    finally:
        await _stop(work)
    assert not any(running(settings, role) for role in roles_of(settings))
    assert running(settings, "supervisor") is None


async def test_roles_live_on_when_the_clock_is_set(
    settings_of_roles: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of_roles
    monkeypatch.setattr(processes, "WATCH_EVERY_S", 0.3)
    work = asyncio.create_task(_supervisor(settings).run())
    try:
        await _until(lambda: all(heartbeat_file(settings, r).exists() for r in roles_of(settings)))
        before = {role: running(settings, role) for role in roles_of(settings)}
        real = time.time
        for step_s in (3600, -3600):
            monkeypatch.setattr(time, "time", lambda step_s=step_s: real() + step_s)
            beats = 0
            async for _ in _beats(heartbeat_file(settings, "web")):
                beats += 1
                if beats == 10:
                    break
        assert {role: running(settings, role) for role in roles_of(settings)} == before
    finally:
        await _stop(work)


async def _beats(path: Path) -> AsyncIterator[int]:
    """Each beat as it is seen."""
    last = 0
    while True:
        now = path.stat().st_mtime_ns  # noqa: ASYNC240 - a file in memory
        if now != last:
            last = now
            yield now
        await asyncio.sleep(0.02)


async def test_role_without_heartbeat_is_killed_and_started_again(
    settings_of_roles: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of_roles
    monkeypatch.setattr(processes, "FROZEN_AFTER_S", 0.5)
    monkeypatch.setattr(processes, "WATCH_EVERY_S", 0.3)
    work = asyncio.create_task(_supervisor(settings, SILENT).run())
    try:
        await _until(lambda: running(settings, "web"))
        first = running(settings, "web")
        await _until(lambda: running(settings, "web") not in (None, first))
    finally:
        await _stop(work)


async def test_speech_is_not_run_when_it_is_off(make_settings: Callable[..., Settings]) -> None:
    assert roles_of(make_settings(**{"speech.engine": "off"})) == ("bridge", "web")


async def test_roles_of_a_killed_supervisor_are_found_and_stopped(
    settings_of_roles: Settings,
) -> None:
    settings = settings_of_roles
    orphan = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SILENT, start_new_session=True
    )
    identity = ProcessId.of(orphan.pid)
    assert identity is not None
    write_pid_file(pid_file(settings, "bridge"), identity)
    assert stop_roles(settings) == ["bridge"]
    assert await asyncio.wait_for(orphan.wait(), 5) == -signal.SIGTERM
    assert not pid_file(settings, "bridge").exists()


async def test_stranger_with_a_role_s_old_number_is_left_alone(settings_of_roles: Settings) -> None:
    settings = settings_of_roles
    stranger = await asyncio.create_subprocess_exec(sys.executable, "-c", SILENT)
    try:
        write_pid_file(pid_file(settings, "web"), ProcessId(stranger.pid, "another boot:1"))
        begun_mono = time.monotonic()
        assert stop_roles(settings) == []
        assert time.monotonic() - begun_mono < 1
        assert stranger.returncode is None
    finally:
        stranger.kill()
        await stranger.wait()


async def test_second_supervisor_leaves_everything_to_the_first(
    settings_of_roles: Settings,
) -> None:
    settings = settings_of_roles
    work = asyncio.create_task(_supervisor(settings).run())
    try:
        await _until(lambda: running(settings, "web"))
        first = running(settings, "web")
        await asyncio.wait_for(_supervisor(settings).run(), 5)
        assert running(settings, "web") == first
        assert running(settings, "supervisor")
    finally:
        await _stop(work)
