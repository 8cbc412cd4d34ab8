"""What one call gives to the sums of its queue. Pure.

A call counts in the interval in which it entered the queue, with what had become of it before the
interval's end. Who left within ``SHORT_S`` had hardly begun to wait (a wrong number, a change of
mind) and is told apart.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from insight.facts import CallFact
from insight.sums import Sums, micros, one
from insight.timeline import HANDLING

IN_TIME_S: Final = 15
"""GB/T 33358: a call is answered within 15 seconds."""
SHORT_S: Final = 5
_SECOND: Final = 1_000_000
_TENTH: Final = _SECOND // 10


@dataclass(slots=True)
class Handling:
    """The agents' work on one call so far."""

    micros: dict[str, int]
    """By state."""
    open: int = 0
    """Agents who are at it still."""

    @classmethod
    def none(cls) -> "Handling":
        return cls(dict.fromkeys(sorted(HANDLING), 0))


def visit_sums(call: CallFact, handling: Handling | None, end_at: datetime) -> Sums:
    """The call's part, as known at ``end_at``; empty for one that never asked for an agent."""
    sums: Sums = {}
    if call.queued_at is None or call.queue is None or call.queued_at >= end_at:
        return sums
    one(sums, "offered")
    if call.answered_at is not None and call.answered_at < end_at:
        _answered(sums, micros(call.queued_at, call.answered_at))
        if handling is not None and not handling.open and any(handling.micros.values()):
            one(sums, "handled")
            for state, value in handling.micros.items():
                one(sums, f"handling_{state}", value)
    elif call.ended_at is not None and call.ended_at < end_at:
        _unanswered(sums, call, micros(call.queued_at, call.ended_at))
    else:
        one(sums, "waiting")
    return sums


def _answered(sums: Sums, wait: int) -> None:
    one(sums, "answered")
    one(sums, "wait", wait)
    sums["waits", -(-wait // _TENTH)] = 1
    if wait <= IN_TIME_S * _SECOND:
        one(sums, "in_time")


def _unanswered(sums: Sums, call: CallFact, wait: int) -> None:
    if call.outcome == "emergency":
        one(sums, "to_emergency")
    elif call.outcome == "failed":
        one(sums, "failed")
    else:
        one(sums, "abandoned")
        one(sums, "abandoned_wait", wait)
        if wait <= SHORT_S * _SECOND:
            one(sums, "abandoned_short")
