"""The whole product under calls while its parts die, freeze, or talk through a bad network.

Twelve agents and SIPp's citizens on an installation of its own; the measuring is the soak's. After
all of it, a count: no caller lost, no pop doubled, every call in the records, nothing left over.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from bench.soak_bridge import BridgeSoak, FaultReport, SoakReport
from bench.soak_desks import SoakDesks, soak_desks
from bench.soak_faults import ASTERISK_RESTARTED, FAULTS, SPEECH_FAULTS, Fault, freeze
from bench.soak_leaks import held
from bench.soak_product import Soaked, soaked
from bench.soak_records import stored
from bench.soak_sipp import Sipp
from tests.conftest import TOOLS
from tests.system.product import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

AGENTS = 24
RATE_PER_S = 2.0
TALK_MS = 800
QUICK_CALLS = 200
FAULT = {fault.name: fault for fault in (*FAULTS, *SPEECH_FAULTS)}


@dataclass(slots=True)
class Stage:
    """An installation under calls."""

    it: Soaked
    desks: SoakDesks
    agents: Sipp
    citizens: Sipp
    soak: BridgeSoak

    async def suffer(self, fault: Fault) -> FaultReport:
        report = await self.soak.suffer(fault)
        print(report)
        assert report.right_s is not None, fault.name
        return report


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with soaked(TOOLS, agents=AGENTS, speech="vosk") as it:
        agents = await asyncio.to_thread(it.agents, talk_ms=TALK_MS)
        citizens = it.citizens(rate=RATE_PER_S)
        try:
            async with soak_desks(it.product, it.settings.agents) as desks:
                citizens.start()
                report = SoakReport(seed=1, rate_per_s=RATE_PER_S)
                soak = BridgeSoak(it, desks, agents, report, lambda _line: None)
                await until(lambda: len(desks.pops) > 3, what="calls", timeout_s=20)
                yield Stage(it, desks, agents, citizens, soak)
        finally:
            await asyncio.to_thread(citizens.stop)
            await asyncio.to_thread(agents.stop)


@pytest.mark.parametrize(
    ("name", "noticed_within_s", "right_within_s"),
    [
        ("speech worker killed", 2.0, 15.0),
        ("bridge killed", 2.0, 15.0),
        ("web killed", 2.0, 15.0),
        ("speech killed", 2.0, 20.0),
        ("ami cut", 0.2, 5.0),
        ("ami half-open", 10.0, 8.0),
        ("ami delayed", None, 5.0),
        ("valkey killed", 3.0, 8.0),
        ("valkey frozen", 8.0, 8.0),
        ("postgres stopped", 5.0, 10.0),
        ("postgres frozen", 5.0, 10.0),
    ],
)
async def test_a_loss_is_noticed_and_comes_right(
    stage: Stage, name: str, noticed_within_s: float | None, right_within_s: float
) -> None:
    report = await stage.suffer(FAULT[name])
    assert report.right_s is not None
    assert report.right_s <= right_within_s
    if noticed_within_s is not None:
        assert report.noticed_s is not None
        assert report.noticed_s <= noticed_within_s


async def test_frozen_roles_are_replaced(stage: Stage) -> None:
    async def freeze_all(it: Soaked, chance: object) -> None:
        for role in ("bridge", "web", "speech"):
            await freeze(role).act(it, chance)  # type: ignore[arg-type]

    report = await stage.suffer(Fault("all frozen", freeze_all, frozenset({"role_frozen"})))
    assert report.right_s is not None
    assert report.right_s < 40


async def test_a_chinese_name_comes_whole_through_a_link_that_gives_single_bytes(
    stage: Stage,
) -> None:
    stage.desks.names.clear()
    report = await stage.suffer(FAULT["ami byte by byte"])
    assert report.right_s is not None
    assert set(stage.desks.names) == {"欧阳小明"}


async def test_nothing_was_lost_doubled_or_forgotten(stage: Stage) -> None:
    """By SIPp's count: everybody who called was talked with to the end."""
    stage.citizens.begin_no_more()
    await until(lambda: not stage.citizens.is_running, what="the last callers", timeout_s=40)
    calls = stage.citizens.figures().created
    await until(lambda: stage.agents.figures().served >= calls, what=f"{calls} served")
    assert stage.citizens.figures().failed == 0
    assert stage.desks.pops_doubled == 0
    await until(lambda: not stage.desks.busy(), what="desks at rest", timeout_s=20)
    found = await stored(stage.it.settings)
    for _ in range(150):  # an answer in a gap is in Asterisk's books alone, which are read later
        if found.answered == calls and not found.not_ended:
            break
        await asyncio.sleep(0.1)
        found = await stored(stage.it.settings)
    assert (found.calls, found.answered) == (calls, calls)
    assert (found.not_ended, found.rings_not_ended) == (0, 0)


@pytest.mark.timeout(200)
async def test_two_hundred_calls_leave_nothing_behind(stage: Stage) -> None:
    before = await held(stage.it)
    served = stage.agents.figures().served
    citizens = stage.it.citizens(rate=6, calls=QUICK_CALLS)
    citizens.start()
    try:
        await until(lambda: not citizens.is_running, what="200 calls", timeout_s=90)
    finally:
        await asyncio.to_thread(citizens.stop)
    assert citizens.figures().created == QUICK_CALLS, citizens.said()
    for _ in range(50):  # SIPp's statistics are a second old
        if stage.agents.figures().served - served >= QUICK_CALLS:
            break
        await asyncio.sleep(0.1)
    assert stage.agents.figures().served - served == QUICK_CALLS, citizens.figures()
    await until(lambda: not stage.desks.busy(), what="desks at rest", timeout_s=20)
    left = stage.it.product.channels()
    for _ in range(15):
        if not left:
            break
        await asyncio.sleep(1)
        left = stage.it.product.channels()
    assert not left
    after = await held(stage.it)
    print(before, after)
    assert after.keys_without_expiry == ()
    assert max(before.growth_to(after).values()) <= 2
    for role, memory_mb in after.memory_mb.items():
        assert memory_mb - before.memory_mb[role] < 10, role


async def test_after_asterisks_restart_the_phones_are_back_and_calls_go_on(stage: Stage) -> None:
    citizens = stage.it.citizens(rate=RATE_PER_S)
    citizens.start()
    try:
        report = await stage.suffer(ASTERISK_RESTARTED)
    finally:
        await asyncio.to_thread(citizens.stop)
    assert report.noticed_s is not None
    assert report.noticed_s < 3
    assert report.right_s is not None
    assert report.right_s < 15
