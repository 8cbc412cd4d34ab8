"""Emergencies with every set of {backend, AMI, Redis, PostgreSQL, speech} dead, by real calls."""

from itertools import pairwise

import pytest

from bench.emergency_matrix import KINDS, PARTS, WAYS, Kind, Part, run_matrix, states
from tests.asterisk.conftest import TOOLS


def test_states_are_all_subsets_and_change_by_one_part_at_a_time() -> None:
    walk = list(states())
    assert len(set(walk)) == 2 ** len(PARTS) == 32
    assert walk[0] == frozenset()
    assert all(len(one ^ next_) == 1 for one, next_ in pairwise(walk))


@pytest.mark.timeout(420)
async def test_every_caller_reaches_the_line_whatever_is_dead() -> None:
    report = await run_matrix(TOOLS, say=print)
    assert report.faults == []
    assert len(report.passages) == 32 * len(WAYS)
    assert report.handovers_kept == len(report.passages)
    # Suspended and throttled callers were such, as far as the product lived to say so.
    assert report.treated[Kind.SUSPENDED] >= 3
    assert report.treated[Kind.THROTTLED] >= 1
    # Every kind pressed the key with the product alive and with it dead.
    keys = {(p.kind, Part.BACKEND in p.state) for p in report.passages if p.way == "key"}
    assert len(keys) == 2 * len(KINDS)
