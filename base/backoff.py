"""How long to wait before trying again."""

import random
from collections.abc import Iterator


def backoff_s(*, first_s: float, most_s: float, jitter: float = 0.2) -> Iterator[float]:
    """Yield endless waits in seconds, doubling from ``first_s`` up to ``most_s``.

    Each is varied by ± ``jitter`` (a share), so that many clients of one lost server do not
    return in step.
    """
    wait_s = first_s
    while True:
        yield wait_s * random.uniform(1 - jitter, 1 + jitter)
        wait_s = min(wait_s * 2, most_s)
