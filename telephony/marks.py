"""What our dialplan notes of a call in Asterisk's own book ([mark]): told there and nowhere else.

queue_log is written whether we run or not, so a mark made while we were dead is the same mark.
``marks_of`` is pure; ``read_marks`` reads files and belongs in a thread.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from base.ids import CallId
from telephony.books import QUEUE_LOG, Row, read_book
from telephony.naming import instant

_VALUE: Final = re.compile(r"[A-Za-z0-9_-]{0,32}")


class MarkKind(StrEnum):
    """What was noted."""

    RETURN_ASKED = "return_asked"
    """The caller asked to be called back, and hung up."""
    VOICEMAIL = "voicemail"
    """The caller began to leave a message; it is in the call's recording."""
    SATISFACTION = "satisfaction"
    """Pressed after the agent had gone: 1 (very satisfied) to 5."""
    RETURN_DIALLED = "return_dialled"
    """An agent took a return call, and the citizen's telephone is dialled."""
    RETURN_ANSWERED = "return_answered"
    """The citizen picked up."""
    RETURN_FAILED = "return_failed"
    """The citizen was not reached; the value is Asterisk's DIALSTATUS."""


_KINDS: Final = frozenset(kind.value for kind in MarkKind)


@dataclass(frozen=True, slots=True)
class Mark:
    """One note: at most one of each kind for a call."""

    call: CallId
    kind: MarkKind
    value: str
    at: datetime


def read_marks(log_dir: Path, since: datetime) -> list[Mark]:
    """The marks since then, in the order of the book. ``log_dir`` is Asterisk's own."""
    return marks_of(read_book(log_dir, QUEUE_LOG, since=since))


def marks_of(rows: Iterable[Row]) -> list[Mark]:
    """The marks among the rows of queue_log; what is none, or damaged, is passed over."""
    found = []
    for row in rows:
        if len(row) < 6 or row[4] != "MARK" or row[5] not in _KINDS:
            continue
        at = instant(row[0])
        value = row[6] if len(row) > 6 else ""
        if at is not None and row[1] and _VALUE.fullmatch(value):
            found.append(Mark(CallId(row[1]), MarkKind(row[5]), value, at))
    return found
