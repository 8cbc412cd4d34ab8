"""The plan of queues as Asterisk's templates want it."""

from collections.abc import Sequence

from base.ids import AgentId
from routing.hours import Hours
from routing.queues import DUTY, NEIGHBOUR, OVERFLOW_PENALTY, Plan, duty_name
from telephony.queue_config import LineOut, QueueConfig, QueueMember, as_time_spec


def queue_configs(plan: Plan, agents: Sequence[str]) -> tuple[QueueConfig, ...]:
    """Every queue with its members."""
    return tuple(
        _queue(plan, queue.name, [AgentId(agent) for agent in agents]) for queue in plan.queues
    )


def _queue(plan: Plan, name: str, agents: Sequence[AgentId]) -> QueueConfig:
    queue = plan.queue(name)
    members = plan.members(name, agents)
    outside = plan.outside(name)
    if not outside and all(penalty >= OVERFLOW_PENALTY for penalty in members.values()):
        # Each queue costs an event whenever a phone of its members changes: none for nobody.
        stand_in = next((each for each in queue.overflow if plan.has(each)), plan.queues[0].name)
        return QueueConfig(name=name, numbers=queue.numbers, code=queue.code, stand_in=stand_in)
    penalties = [*members.values(), *(penalty for _line, penalty in outside)]
    return QueueConfig(
        name=name,
        numbers=queue.numbers,
        code=queue.code,
        members=tuple(QueueMember(agent, penalty) for agent, penalty in members.items()),
        outside=tuple(QueueMember(line, penalty) for line, penalty in outside),
        steps=tuple((step.after_s, step.penalty) for step in plan.steps(penalties)),
        open_at=_times(queue.hours),
        otherwise=queue.otherwise,
        announce=queue.announce,
    )


def lines_out(plan: Plan) -> tuple[LineOut, ...]:
    """The neighbouring centre and the phones on duty, as far as a queue overflows there."""
    targets = {target for queue in plan.queues for target in queue.overflow}
    found = []
    if NEIGHBOUR in targets:
        found.append(LineOut(NEIGHBOUR, plan.neighbour, is_shared=True))
    if DUTY in targets:
        found += [
            LineOut(duty_name(place), phone.number, _times(phone.hours))
            for place, phone in enumerate(plan.duty)
        ]
    return tuple(found)


def _times(hours: Hours) -> tuple[str, ...]:
    if hours.is_always:
        return ()
    return tuple(as_time_spec(w.days, w.begin_min, w.end_min) for w in hours.windows)
