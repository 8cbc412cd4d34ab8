"""``./hotline soak garbage``: nonsense on every port, while somebody else is served beside it.

For each port: no crash, nothing left over, and the honest connection beside the hostile ones is
served all the time. HTTP and websocket are judged by ``bench.fuzz_http`` and ``bench.fuzz_ws``.
"""

import importlib
import importlib.util
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field

from bench.garbage_ami import garbage_on_ami
from bench.garbage_audio import garbage_on_audio

Say = Callable[[str], None]


@dataclass(slots=True)
class PortReport:
    """What one port took."""

    inputs: int
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)
    """Empty is good."""
    figures: dict[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class GarbageReport:
    """What ``soak garbage --json`` prints."""

    seed: int
    ports: dict[str, PortReport] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        return not any(port.faults for port in self.ports.values())

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "is_good": self.is_good}


Fuzz = Callable[[int, int], Awaitable[tuple[list[str], dict[str, object]]]]
"""(inputs, seed) → (faults, figures)."""


async def soak_garbage(*, inputs: int, seed: int, say: Say) -> GarbageReport:
    """Feed each port ``inputs`` inputs."""
    report = GarbageReport(seed)
    for name, fuzz in _ports().items():
        say(f"{name}: {inputs} inputs …")
        began_mono = time.monotonic()
        faults, figures = await fuzz(inputs, seed)
        seconds = round(time.monotonic() - began_mono, 1)
        report.ports[name] = PortReport(inputs, seconds, faults, figures)
        say(f"  {seconds} s, {faults or 'no fault'}")
    return report


def _ports() -> dict[str, Fuzz]:
    known: dict[str, Fuzz] = {"ami": garbage_on_ami, "audiosocket": garbage_on_audio}
    for name in ("http", "ws"):
        if importlib.util.find_spec(f"bench.fuzz_{name}") is not None:
            known[name] = importlib.import_module(f"bench.fuzz_{name}").fuzz
    return known
