"""The short form of ``./hotline bench memory``, which counts MB over 100,000 calls."""

import gc

from bench.memory import replay

CALLS = 1_000
WARM_CALLS = 400
"""More than any list of former calls holds."""


def objects() -> int:
    gc.collect()
    return len(gc.get_objects())


async def test_calls_that_are_over_leave_no_object_behind() -> None:
    warm, after = await replay(CALLS, WARM_CALLS, objects)
    assert after - warm < (CALLS - WARM_CALLS) / 4
