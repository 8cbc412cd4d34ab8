"""Reads the plan of queues from its file (``queues_file``; docs/OPERATIONS.md shows one).

Parsed once into ``routing.queues.Plan``; whatever is wrong with the file is a ``SetupError`` that
names it. Without a file the default plan stands.
"""

import tomllib
from pathlib import Path
from typing import Annotated

import msgspec

from base.errors import HotlineError, SetupError
from base.ids import AgentId
from routing.hours import parse_hours
from routing.queues import DutyPhone, Expert, Plan, Queue, Shift, default_plan
from server.settings import Settings

Number = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{2,15}$")]
Prompt = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{0,40}$")]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,30}$")]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    hours: str | tuple[str, ...] = "always"


class _Queue(_Part, frozen=True, kw_only=True):
    name: Name
    title: str
    numbers: tuple[Number, ...] = ()
    code: Number | None = None
    skill: Name | None = None
    otherwise: Name = "hotline"
    announce: Prompt = ""
    overflow: tuple[Name, ...] = ()
    takes_back: bool = False


class _Duty(_Part, frozen=True, kw_only=True):
    number: Number
    holder: str


class _Shift(_Part, frozen=True, kw_only=True):
    agents: tuple[Number, ...]
    name: str = ""


class _Expert(_Part, frozen=True, kw_only=True):
    name: str
    unit: str
    topics: tuple[str, ...]
    agent: Number | None = None
    number: Number | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    queue: tuple[_Queue, ...]
    skills: dict[Number, dict[Name, int]] = {}
    neighbour: Number | None = None
    duty: tuple[_Duty, ...] = ()
    shift: tuple[_Shift, ...] = ()
    expert: tuple[_Expert, ...] = ()
    widen_s: Annotated[int, msgspec.Meta(ge=1)] = 20
    overflow_after_s: Annotated[int, msgspec.Meta(ge=1)] = 120
    history_days: Annotated[int, msgspec.Meta(ge=0)] = 30
    return_hours: str | tuple[str, ...] = "08:00-21:00"


def plan_of(settings: Settings) -> Plan:
    """The installation's plan."""
    path = settings.queues_file
    if not path.is_file():
        return default_plan()
    plan = read_plan(path)
    _check_agents(plan, settings, path)
    return plan


def read_plan(path: Path) -> Plan:
    """Read one file. Raises ``SetupError``."""
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
        return _plan(msgspec.convert(tree, _File))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise SetupError(f"{path}: {error}", fix="docs/OPERATIONS.md shows the form") from error
    except HotlineError as error:
        raise SetupError(f"{path}: {error}", fix="docs/OPERATIONS.md shows the form") from error


def _plan(file: _File) -> Plan:
    return Plan(
        queues=tuple(
            Queue(
                name=each.name,
                title=each.title,
                numbers=each.numbers,
                code=each.code or "",
                skill=each.skill or "",
                hours=parse_hours(each.hours),
                otherwise=each.otherwise,
                announce=each.announce,
                overflow=each.overflow,
                takes_back=each.takes_back,
            )
            for each in file.queue
        ),
        skills={AgentId(agent): levels for agent, levels in file.skills.items()},
        neighbour=file.neighbour or "",
        duty=tuple(
            DutyPhone(each.number, each.holder, parse_hours(each.hours)) for each in file.duty
        ),
        shifts=tuple(
            Shift(parse_hours(each.hours), tuple(map(AgentId, each.agents)), each.name)
            for each in file.shift
        ),
        experts=tuple(
            Expert(
                each.name,
                each.unit,
                each.topics,
                AgentId(each.agent) if each.agent else None,
                each.number or "",
                parse_hours(each.hours),
            )
            for each in file.expert
        ),
        widen_s=file.widen_s,
        overflow_after_s=file.overflow_after_s,
        history_days=file.history_days,
        return_hours=parse_hours(file.return_hours),
    )


def _check_agents(plan: Plan, settings: Settings, path: Path) -> None:
    named = {*plan.skills, *(agent for shift in plan.shifts for agent in shift.agents)}
    named |= {expert.agent for expert in plan.experts if expert.agent}
    if unknown := sorted(named - set(settings.agents)):
        raise SetupError(
            f"{path} names agents that are not there: {', '.join(unknown)}",
            fix="add them to the setting `agents`, or take them out",
        )
    leads_out = any(plan.outside(queue.name) for queue in plan.queues)
    if leads_out and settings.outbound_trunk is None:
        raise SetupError(
            f"{path} sends callers out of the house, but no line leads out",
            fix="set outbound_trunk (host:port of the carrier)",
        )
