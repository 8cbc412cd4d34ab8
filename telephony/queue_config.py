"""What the templates need of the queues: names, members with penalties, hours, lines out.

Values only; the plan behind them is ``routing.queues``. Each value is checked here before it is
written into a configuration.
"""

import re
from dataclasses import dataclass
from typing import Final

from base.errors import SetupError

OURS_PENALTY: Final = 199
"""People of this centre have at most this penalty; beyond are lines out of the house."""
EVERYBODY_PENALTY: Final = 999

_NUMBER: Final = re.compile(r"[0-9]{2,15}")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,30}")
_PROMPT: Final = re.compile(r"[a-z0-9-]{0,40}")
_TIME: Final = re.compile(r"\d\d:\d\d-\d\d:\d\d,[a-z]{3}(&[a-z]{3})*")


@dataclass(frozen=True, slots=True)
class QueueMember:
    """Somebody to be rung: an agent's extension, or a line out by its name."""

    name: str
    penalty: int = 0


@dataclass(frozen=True, slots=True)
class LineOut:
    """A telephone outside that stands in queues as a member."""

    name: str
    number: str
    open_at: tuple[str, ...] = ()
    """Times as ``as_time_spec`` makes them; none: always."""
    is_shared: bool = False
    """Takes several calls at once and is answered by a centre; else one person's telephone, who
    must press a key, since a machine may have answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueConfig:
    """One queue. Without ``members`` every agent is one."""

    name: str
    numbers: tuple[str, ...] = ()
    code: str = ""
    members: tuple[QueueMember, ...] = ()
    outside: tuple[QueueMember, ...] = ()
    """Names of ``LineOut`` with their penalties."""
    steps: tuple[tuple[int, int], ...] = ()
    """(seconds of waiting, penalty up to which members are rung)."""
    open_at: tuple[str, ...] = ()
    otherwise: str = ""
    announce: str = ""
    stand_in: str = ""
    """Nobody here has its skill: it is no queue of Asterisk's, and its callers go to this one."""

    def rules(self) -> list[tuple[str, list[tuple[int, int]]]]:
        """Every rule of this queue by name: how the circle grows, for each limit a caller may begin
        with, and the same for callers who may not be sent out of the house (``-stay``)."""
        limits = {0, OURS_PENALTY, *(member.penalty for member in self.members)}
        found = []
        for limit in sorted(limits):
            later = [(after_s, penalty) for after_s, penalty in self.steps if penalty > limit]
            stay = [step for step in later if step[1] <= OURS_PENALTY]
            found += [(f"{self.name}-{limit}", later), (f"{self.name}-{limit}-stay", stay)]
        return found


def as_time_spec(days: frozenset[int], begin_min: int, end_min: int) -> str:
    """``09:00-16:59,mon&tue`` for Asterisk, whose last minute counts too."""
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    last = end_min - 1
    times = f"{begin_min // 60:02}:{begin_min % 60:02}-{last // 60:02}:{last % 60:02}"
    return f"{times},{'&'.join(names[day] for day in sorted(days))}"


def check_queues(queues: tuple[QueueConfig, ...], lines_out: tuple[LineOut, ...]) -> None:
    """Refuse every value that could not stand in the templates as it is."""
    names = {queue.name for queue in queues}
    outside = {line.name for line in lines_out}
    for queue in queues:
        _demand(_NAME, queue.name, "a queue's name", "use small letters and digits")
        for number in (*queue.numbers, *([queue.code] if queue.code else [])):
            _demand(_NUMBER, number, "a queue's number", "use digits only")
        for member in queue.members:
            _demand(_NUMBER, member.name, "a queue's member", "use an agent's extension")
        _demand(_PROMPT, queue.announce, "a queue's announcement", "use small letters and -")
        if (
            not {queue.otherwise, queue.stand_in} <= names | {""}
            or {m.name for m in queue.outside} - outside
        ):
            raise SetupError(
                f"the queue {queue.name} leads to something that is not there",
                fix="correct the plan of queues",
            )
        _check_times(queue.open_at)
    for line in lines_out:
        _demand(_NAME, line.name, "a line out", "use small letters and digits")
        _demand(_NUMBER, line.number, "a number outside", "use digits only")
        _check_times(line.open_at)


def _check_times(specs: tuple[str, ...]) -> None:
    for spec in specs:
        _demand(_TIME, spec, "opening hours", "make them with as_time_spec")


def _demand(form: re.Pattern[str], value: str, what: str, fix: str) -> None:
    if not form.fullmatch(value):
        raise SetupError(f"{what} has a form that cannot be used: {value!r}", fix=fix)
