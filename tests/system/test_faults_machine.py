"""The machine itself goes wrong: its clock jumps, its disk is full. Calls must go on."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bench.soak_desks import SoakDesks, soak_desks
from bench.soak_machine import FAKETIME, SteppedClock, fill, may_mount, small_disk
from bench.soak_product import Soaked, soaked
from bench.soak_records import stored
from server.processes import roles_of, running
from tests.conftest import TOOLS
from tests.system.product import until

AGENTS = 8
DISK_MB = 260
pytestmark = pytest.mark.timeout(150)


@asynccontextmanager
async def under_calls(
    *, home: Path | None = None, role_environment: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[Soaked, SoakDesks]]:
    """An installation with a caller a second."""
    async with soaked(TOOLS, agents=AGENTS, home=home, role_environment=role_environment) as it:
        agents = await asyncio.to_thread(it.agents, talk_ms=800)
        citizens = it.citizens(rate=1)
        try:
            async with soak_desks(it.product, it.settings.agents) as desks:
                citizens.start()
                await until(lambda: len(desks.pops) > 1, what="calls", timeout_s=20)
                yield it, desks
                citizens.begin_no_more()
                await until(lambda: not citizens.is_running, what="the last callers", timeout_s=30)
                calls = citizens.figures().created
                await until(lambda: agents.figures().served >= calls, what="everybody served")
                assert citizens.figures().failed == 0
        finally:
            await asyncio.to_thread(citizens.stop)
            await asyncio.to_thread(agents.stop)


async def more_pops(desks: SoakDesks, *, what: str) -> None:
    """Three new calls on desks."""
    before = len(desks.pops)
    await until(lambda: len(desks.pops) >= before + 3, what=what, timeout_s=15)


async def test_a_stepped_clock_disturbs_no_call(tmp_path: Path) -> None:
    if not FAKETIME:
        pytest.skip("libfaketime is not here: apt-get install -y libfaketime")
    clock = SteppedClock(tmp_path)
    async with under_calls(role_environment=clock.environment) as (it, desks):
        before = {role: running(it.settings, role) for role in roles_of(it.settings)}
        for step in ("+3600", "-3600", "+0"):
            clock.step(step)
            await more_pops(desks, what=f"calls with the clock at {step} s")
            assert desks.pops_doubled == 0
        assert {role: running(it.settings, role) for role in roles_of(it.settings)} == before


@pytest.fixture
def disk(memory_folder: Path) -> Iterator[Path]:
    if not may_mount():
        pytest.skip("a full disk needs a tmpfs of its own, and mounting needs root")
    try:
        with small_disk(memory_folder, DISK_MB) as found:
            yield found
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no tmpfs may be mounted here: {error.stderr.decode().strip()}")


async def test_a_full_disk_stops_no_call_and_what_waited_is_written_later(disk: Path) -> None:
    async with under_calls(home=disk) as (it, desks):
        ballast = await asyncio.to_thread(fill, disk)
        await more_pops(desks, what="calls with a full disk")
        await asyncio.to_thread(ballast.unlink)
        await more_pops(desks, what="calls with room again")

        async def is_complete() -> bool:
            found = await stored(it.settings)
            return found.rings >= len(desks.pops)

        async with asyncio.timeout(30):
            while not await is_complete():  # noqa: ASYNC110 - a database tells nothing by itself
                await asyncio.sleep(0.2)
