"""Sums that can be added and taken back: what lets the live wall follow without counting anew.

Whole numbers only (events, microseconds), so that any order of adding gives the same figures.
"""

from datetime import datetime, timedelta
from typing import Final

Key = tuple[str, int]
"""What is counted, and where it is a distribution: which class of it (else 0)."""
Sums = dict[Key, int]

MICROSECOND: Final = timedelta(microseconds=1)


def add(sums: Sums, more: Sums, *, sign: int = 1) -> None:
    """Add ``more``, or take it back; what is zero is not kept."""
    for key, value in more.items():
        total = sums.get(key, 0) + sign * value
        if total:
            sums[key] = total
        else:
            sums.pop(key, None)


def one(sums: Sums, name: str, value: int = 1) -> None:
    """Count ``value`` of ``name``."""
    if value:
        add(sums, {(name, 0): value})


def micros(start_at: datetime, end_at: datetime) -> int:
    """The time between, never below zero: clocks of books and links may differ a little."""
    return max(0, (end_at - start_at) // MICROSECOND)
