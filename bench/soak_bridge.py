"""``./hotline soak bridge``: the whole product under calls while parts of it die at random.

Prints the callers who were lost by SIPp's own count, how soon each fault was noticed and things
were right again, what the logs complained of, and what was left over. Ends by itself.
"""

import asyncio
import random
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench.soak_desks import SoakDesks, soak_desks
from bench.soak_faults import ASTERISK_RESTARTED, FAULTS, SPEECH_FAULTS, Fault
from bench.soak_leaks import Held, held
from bench.soak_log import RoleLogs
from bench.soak_product import Soaked, soaked
from bench.soak_records import Stored, stored
from bench.soak_sipp import Figures, Sipp
from server.processes import is_healthy, roles_of

TALK_MS = 2000
WARM_UP_S = 8.0
RIGHT_WITHIN_S = 75.0
NOTICED_WITHIN_S = 30.0
CRASHES = (" role_failed", " task_failed", " ami_message_failed", " record_refused")
"""Log actions that no fault of the soak's may lead to."""
POLL_S = 0.05
REST_WITHIN_S = 120.0
SETTLE_S = 20.0
CALM_CALLS = 100
STATISTICS_S = 1.5
"""SIPp writes its figures once a second."""
SPARE_AGENTS_S = 12.0
"""Of calls: how many agents a rate needs, with wrap-up and the backlog after a fault."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class FaultReport:
    """One fault; None: not within the time allowed."""

    fault: str
    cause_lasted_s: float
    noticed_s: float | None
    """From its beginning; None also where nobody need notice."""
    right_s: float | None
    """From the cause's end until a new call popped up on a desk and every link was up."""


@dataclass(slots=True)
class SoakReport:
    """What ``soak bridge --json`` prints."""

    seed: int
    rate_per_s: float
    seconds: float = 0.0
    calls: int = 0
    served: int = 0
    callers_lost: int = 0
    calls_in_asterisk_restart: int = 0
    lost_with_asterisk: int = 0
    pops: int = 0
    pops_doubled: int = 0
    drift: dict[str, object] = field(default_factory=dict)
    records: dict[str, int] = field(default_factory=dict)
    faults: list[FaultReport] = field(default_factory=list)
    not_right: list[str] = field(default_factory=list)
    logged: dict[str, int] = field(default_factory=dict)
    before: dict[str, object] = field(default_factory=dict)
    after: dict[str, object] = field(default_factory=dict)
    descriptors_grown: dict[str, int] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        """Nothing lost, doubled, stuck or left over."""
        return not (
            self.callers_lost
            or self.pops_doubled
            or self.not_right
            or self.after.get("channels")
            or self.after.get("keys_without_expiry")
            or max(self.descriptors_grown.values(), default=0) > 2
            or any(line.endswith(CRASHES) for line in self.logged)
        )

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "is_good": self.is_good}


class BridgeSoak:
    """One soak on one installation."""

    def __init__(
        self, it: Soaked, desks: SoakDesks, agents: Sipp, report: SoakReport, say: Say
    ) -> None:
        self._it, self._desks, self._agents, self._report, self._say = (
            it,
            desks,
            agents,
            report,
            say,
        )
        self._logs = RoleLogs(it.settings.logs_dir)
        self._chance = random.Random(report.seed)

    async def run(self, seconds: float) -> None:
        """Faults for that long, then rest, a calm stretch, and Asterisk's own restart."""
        began_mono = time.monotonic()
        citizens = self._it.citizens(rate=self._report.rate_per_s)
        citizens.start()
        try:
            await asyncio.sleep(WARM_UP_S)
            while time.monotonic() - began_mono < seconds:
                self._report.faults.append(await self.suffer(self._next_fault()))
                await asyncio.sleep(self._chance.uniform(1, 4))
            await self._drain(citizens)
        finally:
            await asyncio.to_thread(citizens.stop)
        await asyncio.sleep(STATISTICS_S)
        self._count(citizens.figures())
        await self._calm()
        await self._restart_asterisk()
        self._report.seconds = round(time.monotonic() - began_mono, 1)
        self._logs.read()
        self._report.logged = dict(sorted(self._logs.loud.items()))
        self._report.pops = len(self._desks.pops)
        self._report.pops_doubled = self._desks.pops_doubled

    def _next_fault(self) -> Fault:
        has_speech = "speech" in roles_of(self._it.settings)
        known = FAULTS + (SPEECH_FAULTS if has_speech else ())
        done = [report.fault for report in self._report.faults]
        # Each once before any comes again: a short soak sees as many as it can.
        least = min(done.count(fault.name) for fault in known)
        return self._chance.choice([f for f in known if done.count(f.name) == least])

    async def suffer(self, fault: Fault) -> FaultReport:
        """Let one fault happen and measure it."""
        self._say(f"{fault.name} …")
        self._logs.forget()
        began_at = datetime.now(UTC)
        await fault.act(self._it, self._chance)
        ended_at = datetime.now(UTC)
        # First this: calls may go on as if nothing were, while a loss is still to be noticed.
        await self._until(lambda: self._is_noticed(fault), NOTICED_WITHIN_S)
        right_at = await self._until(lambda: self._is_right_since(ended_at), RIGHT_WITHIN_S)
        sign = self._logs.first(fault.signs)
        report = FaultReport(
            fault=fault.name,
            cause_lasted_s=_s(ended_at, began_at),
            noticed_s=_s(sign.at, began_at) if sign else None,
            right_s=_s(right_at, ended_at) if right_at else None,
        )
        if report.right_s is None or (fault.signs and report.noticed_s is None):
            self._report.not_right.append(fault.name)
        self._say(f"  noticed {report.noticed_s} s, right again {report.right_s} s")
        return report

    def _is_noticed(self, fault: Fault) -> bool:
        self._logs.read()
        return not fault.signs or self._logs.first(fault.signs) is not None

    def _is_right_since(self, instant: datetime) -> bool:
        if self._desks.last_pop_at < instant:
            return False
        settings = self._it.settings
        links = self._desks.links()
        return (
            len(links) == len(self._desks.desks)
            and all(link.telephony == "up" and link.database == "up" for link in links)
            and ("speech" not in roles_of(settings) or all(x.speech == "up" for x in links))
            and all(is_healthy(settings, role) for role in roles_of(settings))
        )

    async def _until(self, condition: Callable[[], bool], timeout_s: float) -> datetime | None:
        until_mono = time.monotonic() + timeout_s
        while True:
            if condition():
                return datetime.now(UTC)
            if time.monotonic() > until_mono:
                return None
            await asyncio.sleep(POLL_S)

    async def _drain(self, citizens: Sipp) -> None:
        """No new callers; those who are there are served."""
        citizens.begin_no_more()
        await self._until(lambda: not citizens.is_running, REST_WITHIN_S)

    async def _rest(self) -> Held:
        until_mono = time.monotonic() + SETTLE_S
        # ASYNC110: what Asterisk holds is asked, it tells nothing by itself.
        while await self._is_busy() and time.monotonic() < until_mono:  # noqa: ASYNC110
            await asyncio.sleep(POLL_S)
        if self._desks.busy():
            self._report.not_right.append("desks at rest")
        return await held(self._it)

    async def _is_busy(self) -> bool:
        return self._desks.busy() > 0 or bool(await asyncio.to_thread(self._it.product.channels))

    def _count(self, figures: Figures) -> None:
        agents = self._agents.figures()
        self._report.calls = figures.created
        self._report.served = agents.served
        # A caller whose call ended without an agent's farewell was lost, whatever their SIPp says.
        self._report.callers_lost = max(figures.failed, figures.created - agents.served)

    async def _calm(self) -> None:
        """What a hundred calls without any fault leave behind."""
        before = await self._rest()
        served = self._agents.figures().served
        citizens = self._it.citizens(rate=self._report.rate_per_s * 2, calls=CALM_CALLS)
        citizens.start()
        try:
            await self._until(lambda: not citizens.is_running, REST_WITHIN_S)
        finally:
            await asyncio.to_thread(citizens.stop)
        await asyncio.sleep(STATISTICS_S)
        lost = CALM_CALLS - (self._agents.figures().served - served)
        if lost:
            self._report.not_right.append(f"{lost} calm calls lost")
        after = await self._rest()
        self._report.before, self._report.after = before.as_json(), after.as_json()
        self._report.descriptors_grown = before.growth_to(after)
        found = await self._records(self._report.calls + CALM_CALLS, self._report.served - lost)
        self._report.records = asdict(found)

    async def _records(self, calls: int, served: int) -> Stored:
        """What the records hold once they are whole; a gap's answers are read from Asterisk's
        books after the calls' ends."""
        until_mono = time.monotonic() + SETTLE_S
        while True:
            found = await stored(self._it.settings)
            is_whole = found.calls == calls and found.answered >= served + CALM_CALLS
            if is_whole and not (found.not_ended or found.rings_not_ended):
                return found
            if time.monotonic() > until_mono:
                self._report.not_right.append("call records")
                return found
            await asyncio.sleep(1)

    async def _restart_asterisk(self) -> None:
        served = self._agents.figures().served
        citizens = self._it.citizens(rate=self._report.rate_per_s)
        citizens.start()
        try:
            await asyncio.sleep(5)
            self._report.faults.append(await self.suffer(ASTERISK_RESTARTED))
            await asyncio.sleep(2)
        finally:
            await asyncio.to_thread(citizens.stop)
        await asyncio.sleep(STATISTICS_S)
        figures = citizens.figures()
        self._report.calls_in_asterisk_restart = figures.created
        self._report.lost_with_asterisk = figures.created - (self._agents.figures().served - served)


async def soak_bridge(
    tools: Path,
    *,
    seconds: float,
    rate_per_s: float,
    seed: int,
    speech: str,
    say: Say,
    work: Callable[[BridgeSoak], Awaitable[None]] | None = None,
) -> SoakReport:
    """Make an installation, hurt it for ``seconds``, take it down."""
    report = SoakReport(seed=seed, rate_per_s=rate_per_s)
    count = max(10, round(rate_per_s * SPARE_AGENTS_S))
    say(f"bringing up a scratch installation with {count} agents …")
    async with soaked(tools, agents=count, speech=speech) as it:
        agents = await asyncio.to_thread(it.agents, talk_ms=TALK_MS)
        try:
            async with soak_desks(it.product, it.settings.agents) as desks:
                soak = BridgeSoak(it, desks, agents, report, say)
                await (work(soak) if work else soak.run(seconds))
            if not report.is_good:
                say(f"the logs: {await asyncio.to_thread(_keep_logs, it.settings.logs_dir)}")
        finally:
            await asyncio.to_thread(agents.stop)
    return report


def _keep_logs(logs: Path) -> Path:
    """Where the logs of a bad run can be read after the installation has gone."""
    kept = Path(tempfile.mkdtemp(prefix="hotline-soak-logs-"))
    shutil.copytree(logs, kept, dirs_exist_ok=True)
    return kept


def _s(later: datetime, earlier: datetime) -> float:
    return round((later - earlier).total_seconds(), 2)
