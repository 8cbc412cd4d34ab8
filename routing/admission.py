"""The decision at call entry: which queue, what priority, which prompt.

Asked by the dialplan over loopback with one second to answer, so it is memory only: what must be
looked up is in the ``Book``, kept by whoever asks. It never decides about an emergency: that stands
in the dialplan before it is asked (invariants 1–3). The dialplan knows the queue by number and hour
itself; this adds the caller's history and events.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from routing.queues import Plan, default_plan


@dataclass(frozen=True, slots=True)
class Admission:
    """Where a call goes: the queue, its priority (higher is sooner), a prompt or none."""

    queue: str
    priority: int = 0
    prompt: str = ""

    def as_line(self) -> str:
        """The one line the dialplan reads."""
        return f"queue={self.queue}&priority={self.priority}&prompt={self.prompt}"


@dataclass(frozen=True, slots=True)
class Notice:
    """What callers are told during an event (突发事件), and whom it concerns."""

    prompt: str
    queues: frozenset[str] = frozenset()
    """Empty: callers of every queue."""
    priority: int = 0
    """How much sooner than others those callers are answered; 0: not."""


@dataclass(frozen=True, slots=True)
class Book:
    """What admission knows; replaced as a whole."""

    plan: Plan = field(default_factory=default_plan)
    former: Mapping[str, str] = field(default_factory=dict)
    """Caller's number → the queue that served it lately, of those that take callers back."""
    notices: tuple[Notice, ...] = ()
    """Newest first; one is played."""


def admit(*, caller_number: str, called_number: str, at: datetime, book: Book) -> Admission:
    """Decide for one arriving call. Nobody is refused."""
    plan = book.plan
    default = plan.queues[0].name
    asked = plan.numbers.get(called_number, default)
    former = book.former.get(caller_number) if caller_number else None
    if asked == default and former is not None and plan.has(former):
        asked = former
    queue = plan.open_queue(asked, at).name
    for notice in book.notices:
        if not notice.queues or queue in notice.queues:
            return Admission(queue, notice.priority, notice.prompt)
    return Admission(queue)
