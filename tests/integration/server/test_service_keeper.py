"""A service that dies comes back by itself; one that was stopped stays down."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from server.service_keeper import keep_service
from server.services.valkey import PrivateValkey
from tests.conftest import HOST, free_port


@pytest.fixture
def own_valkey(tmp_path: Path) -> PrivateValkey:
    return PrivateValkey(
        folder=tmp_path / "valkey",
        host=HOST,
        port=free_port(),
        password="made-for-this-test",
        log=tmp_path / "valkey.log",
    )


async def until_running(service: PrivateValkey, not_pid: int) -> int:
    async with asyncio.timeout(10):
        while (pid := await asyncio.to_thread(service.pid)) in (None, not_pid):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert pid is not None
    return pid


async def test_a_killed_service_is_started_again(own_valkey: PrivateValkey) -> None:
    own_valkey.start()
    first = own_valkey.pid()
    assert first is not None
    keeper = asyncio.create_task(keep_service(own_valkey, look_every_s=0.05))
    try:
        os.kill(first, signal.SIGKILL)
        assert await until_running(own_valkey, first) != first
    finally:
        keeper.cancel()
        with suppress(asyncio.CancelledError):
            await keeper
        own_valkey.stop()


async def test_a_stopped_service_is_left_alone(own_valkey: PrivateValkey) -> None:
    own_valkey.start()
    own_valkey.stop()
    assert not own_valkey.has_died()
    keeper = asyncio.create_task(keep_service(own_valkey, look_every_s=0.02))
    await asyncio.sleep(0.3)
    keeper.cancel()
    with suppress(asyncio.CancelledError):
        await keeper
    assert own_valkey.pid() is None
