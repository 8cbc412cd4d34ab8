"""What a quiet leg means: hold, a pause too short to count, or a fault. Pure.

A phone that holds the other side may send nothing, and neither may the one that is held. Without a
hold a phone sends sound all the time, also of silence.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final

FAULT_AFTER_S: Final = 6.0


class Quiet(StrEnum):
    """What a leg without sound is."""

    HOLD = "hold"
    """Somebody holds: nothing is wrong."""
    BRIEF = "brief"
    """Not long enough to say."""
    FAULT = "fault"
    """Its sound is lost: to be forked once more."""
    STILL_FAULT = "still_fault"
    """It was forked once more in vain, or too often: the recording will tell."""


def judge(
    quiet_s: float,
    at: datetime,
    *,
    is_held: bool,
    resumed_at: datetime | None,
    was_forked_again: bool,
) -> Quiet:
    """Judge a leg that has been without sound for ``quiet_s`` at ``at``.

    The time of a hold does not count: after ``resumed_at`` the phones may take a while to send.
    """
    if is_held:
        return Quiet.HOLD
    if resumed_at is not None:
        quiet_s = min(quiet_s, (at - resumed_at).total_seconds())
    if quiet_s < FAULT_AFTER_S:
        return Quiet.BRIEF
    return Quiet.STILL_FAULT if was_forked_again else Quiet.FAULT
