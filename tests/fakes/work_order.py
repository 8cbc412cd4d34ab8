"""Drives one work order through its life, whatever carries the moves out.

A test says what people do; ``Backend`` does it: in memory here, on PostgreSQL in the integration
tests, over HTTP one day, without a change to the tests.
"""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Protocol

from base.ids import TicketId, UnitId
from rules.calendar import Calendar, shipped
from rules.library import load_pack
from rules.pack import Pack
from tests.fakes.city import centre, of_unit, organisation, person
from tests.fakes.first_facts import Former, first_facts
from tickets import moves as m
from tickets.assignment import Assignment, Outcome
from tickets.decision import Moved, Setting, decide_move
from tickets.due import DueTimes
from tickets.facts import Actor, ActorRole, FollowUpChannel, TicketFacts
from tickets.intake import Demand
from tickets.ticket import Channel, TicketType

R = ActorRole
MONDAY_10 = datetime(2026, 10, 19, 2, 0, tzinfo=UTC)
"""Ten in the morning of a Monday with two plain working weeks after it."""


@cache
def calendar() -> Calendar:
    """Made once: reading all years costs a tenth of a second."""
    return shipped()


class Backend(Protocol):
    """Carries out what a driver asks."""

    async def register(self, demand: Demand, by: Actor, at: datetime) -> TicketFacts: ...

    async def move(
        self, ticket: TicketId, move: m.Move, by: Actor, at: datetime
    ) -> TicketFacts: ...

    async def facts(self, ticket: TicketId) -> TicketFacts: ...


@dataclass
class MemoryBackend:
    """Decides and remembers; nothing else."""

    pack: Pack
    tickets: dict[TicketId, TicketFacts] = field(default_factory=dict)
    callers: dict[TicketId, str] = field(default_factory=dict)
    moved: list[Moved] = field(default_factory=list)

    async def register(self, demand: Demand, by: Actor, at: datetime) -> TicketFacts:
        ticket = TicketId(str(uuid.uuid4()))
        number = f"{at:%Y%m%d}-{len(self.tickets) + 1:06}"
        facts = first_facts(
            demand,
            id=ticket,
            number=number,
            contact=ticket,
            pack=self.pack,
            at=at,
            by=by.user,
            former=self._former(demand),
        )
        self.tickets[ticket] = facts
        self.callers[ticket] = demand.caller_number
        return facts

    def _former(self, demand: Demand) -> Former | None:
        for ticket in self.tickets.values():
            if ticket.number == demand.former:
                is_same = self.callers[ticket.id] == demand.caller_number
                return Former(id=ticket.id, state=ticket.state, is_same_caller=is_same)
        return None

    async def move(self, ticket: TicketId, move: m.Move, by: Actor, at: datetime) -> TicketFacts:
        setting = Setting(pack=self.pack, dues=DueTimes(calendar()), units=organisation(), at=at)
        moved = decide_move(self.tickets[ticket], move, by, setting)
        self.moved.append(moved)
        self.tickets[ticket] = moved.facts
        return moved.facts

    async def facts(self, ticket: TicketId) -> TicketFacts:
        return self.tickets[ticket]


def in_memory(city: str, at: datetime = MONDAY_10) -> "WorkOrders":
    return WorkOrders(MemoryBackend(load_pack(city)), city, at)


class WorkOrders:
    """The hotline of one city, and the time of day in it."""

    def __init__(self, backend: Backend, city: str, at: datetime = MONDAY_10) -> None:
        self.backend = backend
        self.city = city
        self.at = at

    def later(self, **by: float) -> None:
        """Let time pass."""
        self.at += timedelta(**by)

    async def register(
        self,
        *,
        type: TicketType | None = None,
        domain: str | None = None,
        by: Actor | None = None,
        **more: object,
    ) -> "WorkOrder":
        values: dict[str, object] = {
            "channel": Channel.PHONE,
            "demand": "家里停水，请尽快恢复。",
            "caller_name": "王小明",
            "caller_number": "13800001234",
            "domain": DOMAINS.get(self.city, "") if domain is None else domain,
            **more,
        }
        kind = type or TYPES.get(self.city, TicketType.HELP)
        demand = Demand(type=kind, **values)  # type: ignore[arg-type]
        facts = await self.backend.register(demand, by or centre(R.AGENT), self.at)
        return WorkOrder(self, facts)


DOMAINS = {"tongliao_2024": "public_service"}
"""Of each city that demands one."""
TYPES = {"hangzhou_2024": TicketType.OTHER}
"""Where the city knows no call for help."""


class WorkOrder:
    """One ticket, as people handle it. What a method does not say is what most tickets are like."""

    def __init__(self, orders: WorkOrders, facts: TicketFacts) -> None:
        self.orders = orders
        self.facts = facts

    async def do(self, move: m.Move, by: Actor) -> TicketFacts:
        self.facts = await self.orders.backend.move(self.facts.id, move, by, self.orders.at)
        return self.facts

    def at(self, unit: UnitId) -> Assignment:
        """The assignment that the unit has, else its last; several made at one instant are in no
        order."""
        theirs = [each for each in self.facts.assignments if each.unit == unit]
        return next((each for each in theirs if not each.is_gone), theirs[-1])

    async def check(self) -> TicketFacts:
        elements = {"who": True, "what": True, "where": True, "when": True, "want": True}
        return await self.do(m.PassCheck(elements=elements), centre(R.DISPATCHER))

    async def dispatch(
        self, *units: UnitId, part: str | None = None, **more: object
    ) -> TicketFacts:
        """To one; to a lead and its helpers (``part="lead"``); or to each its own."""
        match part:
            case "lead":
                parts = ["lead", *("assist" for _ in units[1:])]
            case None:
                parts = ["single"] if len(units) == 1 else ["separate"] * len(units)
            case _:
                parts = [part] * len(units)
        shares = [m.Share(unit=u, part=p) for u, p in zip(units, parts, strict=True)]
        move = m.Dispatch(units=shares, basis="三定规定", **more)  # type: ignore[arg-type]
        return await self.do(move, centre(R.DISPATCHER))

    async def sign(self, unit: UnitId) -> TicketFacts:
        return await self.do(m.Sign(), of_unit(unit))

    async def contact(self, unit: UnitId, *, is_reached: bool = True) -> TicketFacts:
        result = "已说明情况" if is_reached else "无人接听"
        move = m.Contact(is_reached=is_reached, result=result, tried_at=self.orders.at)
        return await self.do(move, of_unit(unit))

    async def feedback(
        self,
        unit: UnitId,
        *,
        outcome: Outcome = Outcome.DONE,
        is_caller_told: bool = True,
        asked_satisfied: bool | None = True,
        reply: str = "已修复供水管道。",
        **more: object,
    ) -> TicketFacts:
        move = m.Feedback(
            outcome=outcome,
            reply=reply,
            told_at=self.orders.at if is_caller_told else None,
            asked_satisfied=asked_satisfied,
            **more,  # type: ignore[arg-type]
        )
        return await self.do(move, of_unit(unit))

    async def handle(self, unit: UnitId) -> TicketFacts:
        """Sign, contact, feed back."""
        await self.sign(unit)
        await self.contact(unit)
        return await self.feedback(unit)

    async def review(
        self, unit: UnitId, *, is_accepted: bool = True, by: UnitId | None = None
    ) -> TicketFacts:
        """By the centre, or by the unit that it works for."""
        move = m.ReviewFeedback(
            assignment=self.at(unit).id,
            answers_all_demands=is_accepted,
            has_basis=True,
            is_contact_proved=True,
            is_accepted=is_accepted,
            verdict="逐项核对",
        )
        return await self.do(move, centre(R.REVIEWER, 2) if by is None else of_unit(by))

    async def follow_up(
        self,
        *,
        is_reached: bool = True,
        is_solved: bool | None = True,
        is_satisfied: bool | None = True,
        **more: object,
    ) -> TicketFacts:
        move = m.TryFollowUp(
            channel=FollowUpChannel.AGENT,
            is_reached=is_reached,
            is_solved=is_solved if is_reached else None,
            is_satisfied=is_satisfied if is_reached else None,
            reason="" if is_satisfied else "仍然停水",
            **more,  # type: ignore[arg-type]
        )
        return await self.do(move, centre(R.FOLLOW_UP, 3))

    async def close(self) -> TicketFacts:
        return await self.do(m.Close(summary="已恢复供水"), centre(R.REVIEWER, 2))

    async def to_units(self, *units: UnitId, part: str | None = None) -> TicketFacts:
        await self.check()
        return await self.dispatch(*units, part=part)

    async def to_follow_up(self, unit: UnitId) -> TicketFacts:
        await self.to_units(unit)
        await self.handle(unit)
        return await self.review(unit)


HEAD = centre(R.HEAD, 4)
SUPERVISOR = centre(R.SUPERVISOR, 5)
CALLER = Actor(user=person(6), roles=frozenset({R.CALLER}))


def in_days(orders: WorkOrders, days: int) -> date:
    return (orders.at + timedelta(days=days)).date()
