"""Measures two ways of doing the same thing beside one another, and says on what machine.

The machine is shared and its load changes by the minute: only ratios of runs that took turns mean
anything. So every bench gives its contestants to ``interleave``, and reports medians.

A bench is a module of this package with ``run(runs: int) -> BenchResult``; ``./hotline bench NAME``
finds it by its name in ``bench.BENCHES``.
"""

import asyncio
import gc
import os
import platform
import statistics
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import msgspec

MIN_RUNS = 5

Figures = float | dict[str, float]
"""One number, or one by case."""


class Machine(msgspec.Struct, frozen=True):
    """Where it was measured."""

    cpu: str
    cores: int
    memory_mb: int
    python: str
    system: str


class Load(msgspec.Struct, frozen=True):
    """What else the machine did: its load average before and after, over one minute."""

    before: float
    after: float


class BenchResult(msgspec.Struct, frozen=True, kw_only=True):
    """What ``./hotline bench NAME --json`` prints."""

    name: str
    unit: str
    """Of ``ours`` and ``reference``, e.g. ``events/s``."""
    ours: Figures
    reference: Figures
    ratio: Figures
    """Ours to the reference, the greater the better: above 1 we are better."""
    aim: Figures
    """The least ratio we want."""
    runs: int
    machine: Machine
    load: Load
    notes: tuple[str, ...] = ()
    """What a reader must know to trust the figures."""

    @property
    def missed(self) -> list[str]:
        """The cases that fall short of their aim."""
        ratios, aims = _by_case(self.ratio), _by_case(self.aim)
        return [case for case, aim in aims.items() if ratios.get(case, 0.0) < aim]


def _by_case(figures: Figures) -> dict[str, float]:
    return figures if isinstance(figures, dict) else {"": figures}


Measured = dict[str, list[float]]
"""Contestant → what each of its runs gave."""


def interleave(contestants: Mapping[str, Callable[[], float]], *, runs: int) -> Measured:
    """Run each contestant in turn, ``runs`` times; who begins changes from round to round.

    A first round, not counted, warms caches and imports.
    """
    found: Measured = {name: [] for name in contestants}
    for turn in range(max(runs, MIN_RUNS) + 1):
        for name in turns(list(contestants), turn):
            value = _undisturbed(contestants[name])
            if turn:
                found[name].append(value)
    return found


async def interleave_async(
    contestants: Mapping[str, Callable[[], Awaitable[float]]], *, runs: int, is_warm: bool = False
) -> Measured:
    """As ``interleave``, for contestants that need the event loop."""
    found: Measured = {name: [] for name in contestants}
    first = 1 if is_warm else 0
    for turn in range(first, max(runs, MIN_RUNS) + 1):
        for name in turns(list(contestants), turn):
            gc.collect()
            await asyncio.sleep(0)
            value = await contestants[name]()
            if turn:
                found[name].append(value)
    return found


def turns(names: Sequence[str], turn: int) -> list[str]:
    """The order of one round."""
    start = turn % len(names)
    return [*names[start:], *names[:start]]


def _undisturbed(contestant: Callable[[], float]) -> float:
    """One run after a collection, so that none pays for the garbage of the one before."""
    gc.collect()
    return contestant()


def medians(measured: Measured) -> dict[str, float]:
    return {name: statistics.median(values) for name, values in measured.items()}


def machine() -> Machine:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Machine(
        cpu=_cpu_name(),
        cores=len(os.sched_getaffinity(0)),
        memory_mb=pages // 2**20,
        python=platform.python_version(),
        system=f"{platform.system()} {platform.release()}",
    )


def _cpu_name() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        text = ""
    lines = (line.partition(":") for line in text.splitlines())
    names = (value.strip() for key, _, value in lines if key.strip() == "model name")
    return next(names, platform.machine())


class LoadWatch:
    """Notes the load at its making and at ``done``."""

    def __init__(self) -> None:
        self._before = os.getloadavg()[0]

    def done(self) -> Load:
        return Load(before=round(self._before, 2), after=round(os.getloadavg()[0], 2))
