"""``./hotline soak telephone``: steady calls through one loss after the other.

Each fault has a stretch of its own: our processes, Redis, PostgreSQL and speech killed, the manager
link cut and frozen, Asterisk restarted, the clock stepped, the disk full. For each: callers lost by
SIPp's own count, seconds until it was noticed and until all was right again, and the drift: what
the live picture of a bridge that lived on had to be mended by. Nobody may be lost but those on the
Asterisk that died.
"""

import asyncio
import random
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.soak_bridge import (
    REST_WITHIN_S,
    SPARE_AGENTS_S,
    STATISTICS_S,
    TALK_MS,
    WARM_UP_S,
    BridgeSoak,
    FaultReport,
    Say,
    SoakReport,
)
from bench.soak_desks import soak_desks
from bench.soak_faults import (
    ASTERISK_RESTARTED,
    DATABASE,
    FAULTS,
    Fault,
    kill,
    pids_of_postgres,
    send,
)
from bench.soak_log import RoleLogs
from bench.soak_machine import FAKETIME, SteppedClock, fill, may_mount, small_disk
from bench.soak_product import Soaked, soaked
from bench.soak_sipp import Sipp

DISK_MB = 900
CLOCK_STEPS = ("+3600", "-3600", "+0")
MACHINE_FAULT_S = 8.0
MENDED = ("drift_mended", "resync_done")
FROM_BRIDGE = ("bridge killed", "web killed", "valkey killed", "ami cut", "ami half-open")


async def _kill_postgres(it: Soaked, chance: random.Random) -> None:
    for pid in pids_of_postgres(it):
        send(pid, signal.SIGKILL)
    await asyncio.sleep(chance.uniform(1, 4))
    postgres = it.product.installation.postgres
    assert postgres is not None
    await asyncio.to_thread(postgres.start)


PLAIN: tuple[Fault, ...] = (
    *(fault for fault in FAULTS if fault.name in FROM_BRIDGE),
    Fault("postgres killed", _kill_postgres, DATABASE),
    kill("speech"),
)


def full_disk(disk: Path) -> Fault:
    """Every byte is taken for a while."""

    async def act(_it: Soaked, _chance: random.Random) -> None:
        ballast = await asyncio.to_thread(fill, disk)
        await asyncio.sleep(MACHINE_FAULT_S)
        await asyncio.to_thread(ballast.unlink)

    return Fault("disk full", act)


def stepped_clock(clock: SteppedClock) -> Fault:
    """An hour on, two back, and right again."""

    async def act(_it: Soaked, _chance: random.Random) -> None:
        for step in CLOCK_STEPS:
            clock.step(step)
            await asyncio.sleep(MACHINE_FAULT_S / len(CLOCK_STEPS))

    return Fault("clock stepped", act)


@dataclass(frozen=True, slots=True)
class Stretch:
    """One fault with the calls around it."""

    fault: FaultReport
    calls: int
    callers_lost: int
    drift: Mapping[str, int]
    """What the live picture had lost, by event, and learnt as the link came back or by an audit."""


@dataclass(slots=True)
class TelephoneReport:
    """What ``soak telephone --json`` prints."""

    seed: int
    rate_per_s: float
    stretch_s: float
    seconds: float = 0.0
    stretches: list[Stretch] = field(default_factory=list)
    lost_with_asterisk: int = 0
    left_out: list[str] = field(default_factory=list)
    not_right: list[str] = field(default_factory=list)

    @property
    def callers_lost(self) -> int:
        """But for those on the Asterisk that died."""
        names = (ASTERISK_RESTARTED.name,)
        return sum(s.callers_lost for s in self.stretches if s.fault.fault not in names)

    @property
    def is_good(self) -> bool:
        return not (self.callers_lost or self.not_right)

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "callers_lost": self.callers_lost, "is_good": self.is_good}


async def soak_telephone(
    tools: Path,
    *,
    stretch_s: float,
    rate_per_s: float,
    seed: int,
    say: Say,
    plain: Sequence[Fault] = PLAIN,
    with_machine: bool = True,
) -> TelephoneReport:
    """One installation for most faults, one for the disk, one for the clock."""
    report = TelephoneReport(seed=seed, rate_per_s=rate_per_s, stretch_s=stretch_s)
    began_mono = time.monotonic()
    speech = "vosk" if any(fault.name.startswith("speech") for fault in plain) else "off"
    async with _stage(tools, report, say, speech=speech) as stage:
        for fault in (*plain, ASTERISK_RESTARTED):
            await stage.run(fault)
    if with_machine:
        folder = await asyncio.to_thread(_make_folder)
        try:
            await _machine(tools, report, folder, say)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    report.seconds = round(time.monotonic() - began_mono, 1)
    return report


def _make_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="hotline-soak-machine-"))
    folder.chmod(0o711)  # PostgreSQL's user must be able to pass
    return folder


async def _machine(tools: Path, report: TelephoneReport, folder: Path, say: Say) -> None:
    if FAKETIME:
        clock = SteppedClock(folder)
        async with _stage(tools, report, say, role_environment=clock.environment) as stage:
            await stage.run(stepped_clock(clock))
    else:
        report.left_out.append("clock stepped: libfaketime is not here")
    if may_mount():
        with small_disk(folder, DISK_MB) as disk:
            async with _stage(tools, report, say, home=disk) as stage:
                await stage.run(full_disk(disk))
    else:
        report.left_out.append("disk full: mounting needs root")


class _Stage:
    """One installation with its agents."""

    def __init__(
        self, it: Soaked, soak: BridgeSoak, agents: Sipp, report: TelephoneReport, say: Say
    ) -> None:
        self._it, self._soak, self._agents = it, soak, agents
        self._report, self._say = report, say
        self._logs = RoleLogs(it.settings.logs_dir)

    async def run(self, fault: Fault) -> None:
        """Calls before, through and after one fault; then everybody is served, or was lost."""
        began_mono = time.monotonic()
        served = self._agents.figures().served
        self._logs.forget()
        citizens = self._it.citizens(rate=self._report.rate_per_s)
        citizens.start()
        try:
            await asyncio.sleep(min(WARM_UP_S, self._report.stretch_s / 4))
            suffered = await self._soak.suffer(fault)
            await asyncio.sleep(max(0, self._report.stretch_s - (time.monotonic() - began_mono)))
            citizens.begin_no_more()
            await _until(lambda: not citizens.is_running, REST_WITHIN_S)
        finally:
            await asyncio.to_thread(citizens.stop)
        await asyncio.sleep(STATISTICS_S)
        figures = citizens.figures()
        lost = max(figures.failed, figures.created - (self._agents.figures().served - served))
        self._logs.read()
        stretch = Stretch(suffered, figures.created, lost, self._drift())
        self._report.stretches.append(stretch)
        if fault.name == ASTERISK_RESTARTED.name:
            self._report.lost_with_asterisk += lost
        self._say(f"  {figures.created} calls, {lost} lost, drift {dict(stretch.drift)}")

    def _drift(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for line in self._logs.lines:
            if line.action in MENDED:
                for kind, number in line.fields.items():
                    if isinstance(number, int) and kind[:1].isupper():
                        found[kind] = found.get(kind, 0) + number
        return found


@asynccontextmanager
async def _stage(
    tools: Path,
    report: TelephoneReport,
    say: Say,
    *,
    speech: str = "off",
    home: Path | None = None,
    role_environment: Mapping[str, str] | None = None,
) -> AsyncIterator[_Stage]:
    count = max(10, round(report.rate_per_s * SPARE_AGENTS_S))
    say(f"bringing up a scratch installation with {count} agents …")
    inner = SoakReport(seed=report.seed, rate_per_s=report.rate_per_s)
    async with AsyncExitStack() as stack:
        it = await stack.enter_async_context(
            soaked(tools, agents=count, speech=speech, home=home, role_environment=role_environment)
        )
        agents = await asyncio.to_thread(it.agents, talk_ms=TALK_MS)
        stack.push_async_callback(asyncio.to_thread, agents.stop)
        desks = await stack.enter_async_context(soak_desks(it.product, it.settings.agents))
        yield _Stage(it, BridgeSoak(it, desks, agents, inner, say), agents, report, say)
    report.not_right += inner.not_right


async def _until(condition: Callable[[], bool], timeout_s: float) -> None:
    until_mono = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < until_mono:  # noqa: ASYNC110 - a process is asked
        await asyncio.sleep(0.1)
