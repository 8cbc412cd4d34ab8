"""The queues of a centre as a plan: which there are, who is able, where a caller goes on.

Pure values and rules; ``server.queue_file`` reads them from a file, ``asterisk-conf`` carries them
out, so that all of it works with the product dead. Asterisk knows one number for all of this, the
penalty: members of a lower one are rung first, and a waiting caller's limit rises with time
(``steps``): the best skilled, the less skilled, the agents of the queues it overflows into, the
neighbouring centre, the phones on duty. Nobody leaves the queue for that, so no place is lost and
no circle can come about.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from base.errors import HotlineError
from base.ids import AgentId
from routing.hours import ALWAYS, Hours, gaps
from routing.return_call import CALLING_HOURS

DEFAULT_QUEUE: Final = "hotline"
TITLES: Final = {
    DEFAULT_QUEUE: "综合受理",
    "law": "法律服务专席",
    "enterprise": "企业服务专席",
    "language": "方言与外语专席",
    "utilities": "水电气热专席",
    "night": "夜间值守",
    "experts": "专家座席",
}
"""Of the queues that stand without a file."""
LEVEL_STEP: Final = 10
MOST_LEVELS: Final = 5
OVERFLOW_PENALTY: Final = 100
"""Agents of the queues into which this one overflows, 10 more for each further queue."""
OURS_PENALTY: Final = 199
"""Up to here people of this centre."""
NEIGHBOUR_PENALTY: Final = 200
DUTY_PENALTY: Final = 300
NEIGHBOUR: Final = "neighbour"
"""The neighbouring centre among a queue's overflow targets."""
DUTY: Final = "duty"
"""The phones on duty among them."""


class PlanInvalid(HotlineError):
    """The plan of queues does not hold together."""

    code = "queue_plan_invalid"
    http_status = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """One queue (专席)."""

    name: str
    title: str
    """What people call it."""
    numbers: tuple[str, ...] = ()
    """Who dials one of these comes here."""
    code: str = ""
    """What an agent dials to send a caller here."""
    skill: str = ""
    """Whom it rings; empty: every agent."""
    hours: Hours = ALWAYS
    otherwise: str = DEFAULT_QUEUE
    """Where its callers go outside its hours."""
    announce: str = ""
    """A prompt played before the waiting."""
    overflow: tuple[str, ...] = ()
    """Where to in turn: names of queues, ``neighbour``, ``duty``."""
    takes_back: bool = False
    """Whether a caller it served lately comes back here by the general number."""


@dataclass(frozen=True, slots=True)
class DutyPhone:
    """A telephone outside that is rung when nobody of ours is free."""

    number: str
    holder: str
    hours: Hours = ALWAYS


@dataclass(frozen=True, slots=True)
class Shift:
    """Who is planned to be there, and when."""

    hours: Hours
    agents: tuple[AgentId, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Expert:
    """Somebody of a unit who knows a topic (专家座席), by an agent's seat or a telephone."""

    name: str
    unit: str
    topics: tuple[str, ...]
    agent: AgentId | None = None
    number: str = ""
    hours: Hours = ALWAYS


@dataclass(frozen=True, slots=True)
class Step:
    """After so many seconds of waiting, members up to this penalty are rung."""

    after_s: int
    penalty: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All queues and everybody behind them."""

    queues: tuple[Queue, ...]
    skills: Mapping[AgentId, Mapping[str, int]] = field(default_factory=dict)
    """Agent → skill → level; 1 is best."""
    neighbour: str = ""
    """The neighbouring centre's number."""
    duty: tuple[DutyPhone, ...] = ()
    shifts: tuple[Shift, ...] = ()
    experts: tuple[Expert, ...] = ()
    widen_s: int = 20
    """A waiting caller's circle grows by one level each so often."""
    overflow_after_s: int = 120
    """From then on the first overflow target is rung too."""
    history_days: int = 30
    """How long a queue that takes back remembers a caller."""
    return_hours: Hours = CALLING_HOURS
    """When who hung up, or left a message, is called back."""

    def __post_init__(self) -> None:
        _check(self)

    def queue(self, name: str) -> Queue:
        """KeyError for an unknown one."""
        for queue in self.queues:
            if queue.name == name:
                return queue
        raise KeyError(name)

    def has(self, name: str) -> bool:
        """Whether there is such a queue."""
        return any(queue.name == name for queue in self.queues)

    @property
    def numbers(self) -> dict[str, str]:
        """Number dialled → queue."""
        return {number: queue.name for queue in self.queues for number in queue.numbers}

    def open_queue(self, name: str, at: datetime) -> Queue:
        """The queue, or the one that stands in for it at this hour."""
        queue = self.queue(name)
        while not queue.hours.is_open(at):
            queue = self.queue(queue.otherwise)
        return queue

    def members(self, name: str, agents: Iterable[AgentId]) -> dict[AgentId, int]:
        """Who may be rung for the queue → penalty; own people first, then the overflow's."""
        agents = list(agents)
        queue = self.queue(name)
        found = self._able(queue, agents)
        targets = [target for target in queue.overflow if target not in (NEIGHBOUR, DUTY)]
        for place, target in enumerate(targets):
            for agent in self._able(self.queue(target), agents):
                found.setdefault(agent, OVERFLOW_PENALTY + place * LEVEL_STEP)
        return found

    def _able(self, queue: Queue, agents: Iterable[AgentId]) -> dict[AgentId, int]:
        wanted = queue.skill or queue.name
        found = {}
        for agent in agents:
            level = self.skills.get(agent, {}).get(wanted, 0 if queue.skill else 1)
            if level:
                found[agent] = (level - 1) * LEVEL_STEP
        return found

    def steps(self, penalties: Iterable[int]) -> tuple[Step, ...]:
        """How the circle grows, over the penalties there are among the queue's members."""
        tiers = sorted(set(penalties))
        own = [tier for tier in tiers if tier < OVERFLOW_PENALTY]
        beyond = [tier for tier in tiers if tier >= OVERFLOW_PENALTY]
        found = [Step(n * self.widen_s, tier) for n, tier in enumerate(own) if n]
        begin_s = max(self.overflow_after_s, len(own) * self.widen_s)
        return (*found, *(Step(begin_s + n * self.widen_s, tier) for n, tier in enumerate(beyond)))

    def outside(self, name: str) -> list[tuple[str, int]]:
        """The lines that lead out of the house for this queue → penalty."""
        queue = self.queue(name)
        found = []
        if NEIGHBOUR in queue.overflow and self.neighbour:
            found.append((NEIGHBOUR, NEIGHBOUR_PENALTY))
        if DUTY in queue.overflow:
            found += [(duty_name(n), DUTY_PENALTY) for n in range(len(self.duty))]
        return found

    def coverage_gaps(self) -> list[tuple[int, int]]:
        """The minutes of the week for which nobody is planned (``routing.hours.gaps``)."""
        return gaps(shift.hours for shift in self.shifts if shift.agents)

    def experts_on(self, topic: str, at: datetime | None = None) -> list[Expert]:
        """Who knows it; with ``at`` only who is there then. An empty topic means all."""
        return [
            expert
            for expert in self.experts
            if (not topic or topic in expert.topics) and (at is None or expert.hours.is_open(at))
        ]


def duty_name(place: int) -> str:
    """A phone on duty as a queue's member: its number is nobody's business in a log."""
    return f"duty{place + 1}"


def _queue(name: str, code: str, **more: object) -> Queue:
    return Queue(
        name=name,
        title=TITLES[name],
        code=code,
        skill=name,
        overflow=(DEFAULT_QUEUE,),
        **more,  # type: ignore[arg-type]
    )


def default_plan(numbers: Sequence[str] = ("12345",)) -> Plan:
    """What stands without a file: the special seats are there, and until somebody has a skill
    their callers are answered by everybody."""
    return Plan(
        queues=(
            Queue(
                name=DEFAULT_QUEUE, title=TITLES[DEFAULT_QUEUE], numbers=tuple(numbers), code="800"
            ),
            _queue("law", "801"),
            _queue("enterprise", "802"),
            _queue("language", "803", takes_back=True),
            _queue("utilities", "804"),
            _queue("night", "805"),
            _queue("experts", "806"),
        )
    )


def _check(plan: Plan) -> None:
    names = [queue.name for queue in plan.queues]
    if not names or len(set(names)) < len(names):
        raise PlanInvalid("There is no queue, or two have one name.", queues=names)
    first = plan.queues[0]
    if not first.hours.is_always or first.skill:
        raise PlanInvalid("The first queue must be open always and for every agent.")
    numbers = [number for queue in plan.queues for number in (*queue.numbers, queue.code) if number]
    if len(set(numbers)) < len(numbers):
        raise PlanInvalid("Two queues have one number or code.")
    for queue in plan.queues:
        _check_queue(plan, queue, set(names))
    for skills in plan.skills.values():
        if not all(1 <= level <= MOST_LEVELS for level in skills.values()):
            raise PlanInvalid(f"A skill's level is from 1 (best) to {MOST_LEVELS}.")


def _check_queue(plan: Plan, queue: Queue, names: set[str]) -> None:
    for target in (queue.otherwise, *queue.overflow):
        if target not in names | {NEIGHBOUR, DUTY}:
            raise PlanInvalid("A queue leads to one that is not there.", queue=queue.name)
    if NEIGHBOUR in queue.overflow and not plan.neighbour:
        raise PlanInvalid("No number of the neighbouring centre is given.", queue=queue.name)
    seen = {queue.name}
    while not queue.hours.is_always:
        queue = plan.queue(queue.otherwise)
        if queue.name in seen:
            raise PlanInvalid("Queues stand in for one another in a circle.", queue=queue.name)
        seen.add(queue.name)
