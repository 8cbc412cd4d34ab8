"""The order and the lanes of a whole run: two processes side by side, the product's tests alone.

What shares an Asterisk or a browser stays in one lane, everything else goes by file to the lane
that is free. The whole product comes last, beside no more than the other lane's last file: its
tests decode speech in real time. In one process (``./hotline test PATH``) the order alone is taken.
"""

import os
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

LANE_VARIABLE = "PYTEST_XDIST_WORKER"
LANES = 2
TESTS = Path(__file__).parent
LONGEST_FIRST = ("asterisk", "integration", "contract", "faults", "browser", "unit", "system")
"""Folders of tests; a lane that begins with the longest does not end with it."""
TOGETHER = frozenset({"asterisk", "browser", "system"})
"""Each has something of its own for the whole run, which is slow to start twice."""


class Lanes(LoadScopeScheduling):  # type: ignore[misc]  # xdist is untyped
    """Hands each lane one group after the other, whole.

    Not by ``xdist_group``: xdist 3.8 writes the marks where pytest 9.2 no longer reads them, and
    without a word the tests of a group went to both lanes.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = Path(nodeid.partition("::")[0])
        folder = path.parts[1]
        return folder if folder in TOGETHER else path.as_posix()


def in_lanes(items: list[pytest.Item]) -> None:
    """Sort the tests, stably."""
    items.sort(key=lambda item: LONGEST_FIRST.index(_folder(item)))


def own_ports(ports: range) -> range:
    """Return this lane's share: two lanes that look for a free port must not find the same."""
    lane = int(os.environ.get(LANE_VARIABLE, "gw0").removeprefix("gw")) % LANES
    share = len(ports) // LANES
    return ports[lane * share : (lane + 1) * share]


def _folder(item: pytest.Item) -> str:
    found = item.path.relative_to(TESTS).parts[0]
    return found if found in LONGEST_FIRST else "unit"
