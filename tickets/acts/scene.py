"""What an act is given, and what it gives back. Pure."""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from base.ids import AssignmentId, UnitId
from rules import catalogue as law
from rules.catalogue import Rule
from rules.pack import Decision
from rules.values import Term
from tickets.assignment import Assignment, AssignmentState
from tickets.due import DueTimes
from tickets.facts import PENDING, Actor, RequestState, TicketFacts, UnitRequest
from tickets.law import Law, missing
from tickets.moves import SplitDemand
from tickets.records import Record
from tickets.refusals import NotFitting
from tickets.ticket import TicketState
from tickets.units import Organisation

CALLER = "caller"
BEFORE_REGISTERED = timedelta(days=1)
"""A call, or another channel's message, comes so long before its ticket at the most."""
_IDS = uuid.UUID("6f0c5a52-6d0e-4c55-9d5b-5b1d9f1c1234")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something to be sent once the move is written; numbers are looked up at delivery."""

    to: str
    """``caller``, or a unit's code."""
    template: str
    params: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a move leads to."""

    facts: TicketFacts
    body: Mapping[str, object] = field(default_factory=dict)
    """What the ledger keeps beside the move itself."""
    messages: tuple[Message, ...] = ()
    siblings: tuple[SplitDemand, ...] = ()
    """Demands that become tickets of their own."""
    records: tuple[Record, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    """Texts of the ticket that change; what they were is kept beside it."""
    withholds_content: bool = False
    """The texts hold a secret: they are removed (R034)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A ticket at the moment of a move."""

    facts: TicketFacts
    actor: Actor
    law: Law
    dues: DueTimes
    units: Organisation
    at: datetime
    assignment: Assignment | None = None
    """The one that the move is about, where the table asks for one."""

    @property
    def mine(self) -> Assignment:
        """The assignment that the move is about."""
        assert self.assignment is not None, "the table gives this move an assignment"
        return self.assignment

    def new_id(self, number: int) -> str:
        """The same move of the same version gives the same id: no randomness in a decision."""
        return str(uuid.uuid5(_IDS, f"{self.facts.id}:{self.facts.version}:{number}"))

    def due(
        self,
        rule: Rule[Term],
        start_at: datetime | None = None,
        *,
        amount: int | None = None,
        refers_to: datetime | None = None,
    ) -> datetime | None:
        """When a period of the ticket's pack ends; None where the pack has no such period."""
        answer = self.dues.due(
            self.law, rule, start_at or self.at, amount=amount, refers_to=refers_to
        )
        return None if answer is None else answer.due.due_at

    def changed(self, assignment: Assignment) -> TicketFacts:
        """The facts with this assignment, the ticket being where its units now put it."""
        facts = self.facts.with_assignment(assignment)
        return settled(facts)


def settled(facts: TicketFacts) -> TicketFacts:
    """The facts in the state, and with the dates and open requests, that their assignments make."""
    dates = [a.completion_due_at for a in facts.assignments if a.completion_due_at and a.is_open]
    return replace(
        facts,
        state=state_of(facts.assignments),
        completion_due_at=max(dates, default=None),
        requests=tuple(_lapsed_or_kept(facts)),
    )


def _lapsed_or_kept(facts: TicketFacts) -> Iterator[UnitRequest]:
    """A unit that has answered, or has the ticket no more, waits for no consent."""
    open_ = {each.id for each in facts.assignments if each.is_open}
    for each in facts.requests:
        lapses = each.state in PENDING and each.assignment not in open_
        yield replace(each, state=RequestState.LAPSED) if lapses else each


def state_of(assignments: Iterable[Assignment]) -> TicketState:
    """Where a ticket is when these are its assignments."""
    answering = [each for each in assignments if each.must_answer]
    states = {each.state for each in answering}
    if any(each.is_open for each in answering):
        return TicketState.WITH_UNITS
    if AssignmentState.FED_BACK in states:
        return TicketState.IN_REVIEW
    if AssignmentState.ACCEPTED in states:
        return TicketState.FOLLOWING_UP
    if AssignmentState.TERMINATED in states:
        return TicketState.TERMINATED
    if AssignmentState.STOPPED in states:
        return TicketState.STOPPED
    return TicketState.TO_DISPATCH


def helpers_of(facts: TicketFacts, lead: Assignment) -> list[Assignment]:
    """Who works for ``lead``: its children, and for a lead unit the assisting ones."""
    return [each for each in facts.assignments if each.parent == lead.id and not each.is_gone]


def leader_of(facts: TicketFacts, helper: Assignment) -> Assignment | None:
    """For whom it works; nobody, where the centre itself waits for its answer."""
    if helper.must_answer or helper.parent is None:
        return None
    return facts.assignment(helper.parent)


def happened(scene: Scene, field: str, at: datetime, *, since: datetime) -> datetime:
    """An instant that may prove something: neither to come, nor before it could be."""
    if at > scene.at:
        raise NotFitting(field=field, why="in_the_future")
    if at < since:
        raise NotFitting(field=field, why="before_it_could_be", since=since.isoformat())
    return at


def said(text: str, name: str, asked_by: Decision[Any] | None = None) -> str:
    """The text; nothing said is refused, in the name of the rule that asks for it."""
    if not text.strip():
        raise missing(name, asked_by)
    return text


def duty_note(the_law: Law) -> str:
    """The hotline replaces no department's duty: the city's own words for it (R029), or nothing."""
    given = the_law.ask_if_given(law.NO_SUBSTITUTE)
    return "" if given is None else given.card.summary


def to_unit(unit: UnitId, template: str, **params: str | int) -> Message:
    return Message(to=unit, template=template, params=params)


def to_caller(facts: TicketFacts, template: str, **params: str | int) -> tuple[Message, ...]:
    """A message to the caller, where there is a way to reach them."""
    if not facts.is_reachable:
        return ()
    return (Message(to=CALLER, template=template, params=params),)


def assignment_id(scene: Scene, number: int) -> AssignmentId:
    return AssignmentId(scene.new_id(number))
