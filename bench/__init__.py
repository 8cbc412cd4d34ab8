"""Measurements of ours beside references, run by ``./hotline bench NAME``. Never shipped."""

BENCHES: dict[str, str] = {
    "ami": "bench.ami",
    "speech": "bench.speech",
    "memory": "bench.memory",
    "calls": "bench.calls",
    "push": "bench.push",
    "pop": "bench.pop",
    "clocks": "bench.clocks",
    "throttle": "bench.throttle",
    "admission": "bench.admission",
    "emergency": "bench.emergency",
    "day": "bench.day",
    "tickets": "bench.tickets",
    "sweep": "bench.sweep",
}
"""Name → module with ``run(runs: int) -> BenchResult`` (see ``bench.harness``).

One that makes much data takes ``scale`` (1: as much as is asked for) and ``data`` too: the folder
in which the data stay for the next run; None: removed at the end."""
