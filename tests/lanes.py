"""The order and the lanes of a whole run: two processes side by side, the product's tests alone.

What shares an Asterisk or a browser stays in one lane, everything else goes by file to the lane
that is free. The whole product comes last, beside no more than the other lane's last file: its
tests decode speech in real time. In one process (``./hotline test PATH``) the order alone is taken.
"""

import os
from pathlib import Path

import pytest

LANE_VARIABLE = "PYTEST_XDIST_WORKER"
LANES = 2
TESTS = Path(__file__).parent
LONGEST_FIRST = ("asterisk", "integration", "contract", "faults", "browser", "unit", "system")
"""Folders of tests; a lane that begins with the longest does not end with it."""
TOGETHER = frozenset({"asterisk", "browser", "system"})
"""Each has something of its own for the whole run, which is slow to start twice."""


def in_lanes(items: list[pytest.Item]) -> None:
    """Sort the tests, stably, and name the group that each must stay with."""
    items.sort(key=lambda item: LONGEST_FIRST.index(_folder(item)))
    for item in items:
        folder = _folder(item)
        group = folder if folder in TOGETHER else item.path.relative_to(TESTS).as_posix()
        item.add_marker(pytest.mark.xdist_group(group))


def own_ports(ports: range) -> range:
    """Return this lane's share: two lanes that look for a free port must not find the same."""
    lane = int(os.environ.get(LANE_VARIABLE, "gw0").removeprefix("gw")) % LANES
    share = len(ports) // LANES
    return ports[lane * share : (lane + 1) * share]


def _folder(item: pytest.Item) -> str:
    found = item.path.relative_to(TESTS).parts[0]
    return found if found in LONGEST_FIRST else "unit"
