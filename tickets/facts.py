"""Everything about a ticket that a move may depend on, as one frozen value. Pure data.

``tickets.store`` reads it and writes the difference; ``tickets.decision`` makes the next one.
Texts that nothing depends on (content, replies' reasons) are in the ledger's bodies.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from base.ids import AssignmentId, RequestId, TicketId, UnitId, UserId
from tickets.assignment import Assignment, AssignmentState, Part
from tickets.ticket import Channel, Lane, Matter, TicketState, TicketType, Urgency, is_urgent

Record = TypeVar("Record")


class ActorRole(StrEnum):
    """In whose place somebody acts."""

    CALLER = "caller"
    """The person whose demand it is, by number and code or through an agent."""
    AGENT = "agent"
    """Answers the telephone; registers."""
    DISPATCHER = "dispatcher"
    """Checks, finds the unit, dispatches."""
    REVIEWER = "reviewer"
    """Decides on returns, extensions, terminations; reviews feedback."""
    FOLLOW_UP = "follow_up"
    """Calls back; belongs to the centre, never to a unit."""
    SUPERVISOR = "supervisor"
    """Supervises; alone sees locked lanes."""
    HEAD = "head"
    """Head of the centre: designates, escalates, verifies a final end."""
    UNIT = "unit"
    """Acts for the unit that ``Actor.unit`` names."""
    EVENT = "event"
    """A leader who answers the callers of an event together; given by the event's routes alone."""
    SYSTEM = "system"
    """A timer or an automatic decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts."""

    user: UserId
    roles: frozenset[ActorRole]
    unit: UnitId | None = None

    @property
    def is_of_unit(self) -> bool:
        return ActorRole.UNIT in self.roles


class RequestKind(StrEnum):
    """What a unit asks the centre for."""

    RETURN = "return"
    """It is not its duty, or not the hotline's."""
    EXTENSION = "extension"
    """It needs longer."""
    TERMINATION = "termination"
    """It cannot be handled through the caller, or is unlawful."""


class RequestState(StrEnum):
    """How far it is."""

    ASKED = "asked"
    """The centre has not decided."""
    GRANTED = "granted"
    """Consented; an extension is in force only when the caller has been told."""
    IN_FORCE = "in_force"
    """Consented, and the caller told where that is a duty."""
    REFUSED = "refused"
    """Not consented; the unit goes on."""
    LAPSED = "lapsed"
    """The unit answered, or had the ticket no more, before it was decided or in force."""


PENDING = frozenset({RequestState.ASKED, RequestState.GRANTED})
"""Somebody still has to do something about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRequest:
    """One such request and its decision."""

    id: RequestId
    assignment: AssignmentId
    kind: RequestKind
    state: RequestState = RequestState.ASKED
    ground: str = ""
    """Of a return or a termination."""
    reason: str
    basis: str = ""
    asked_at: datetime
    asked_by: UserId
    new_due_at: datetime | None = None
    """An extension's."""
    decided_at: datetime | None = None
    decided_by: UserId | None = None
    decision: str = ""
    told_at: datetime | None = None
    """When the caller was told of an extension, by whom it stands in the ledger."""


class FollowUpChannel(StrEnum):
    """How the caller is asked afterwards; never by the unit (R070)."""

    AGENT = "agent"
    """A call by the centre."""
    SMS = "sms"
    """A link with a code."""
    ROBOT = "robot"
    """An automatic call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """One attempt to ask the caller. Solved and satisfied are two answers (R067)."""

    number: int
    round: int
    channel: FollowUpChannel
    at: datetime
    by: UserId
    is_reached: bool
    is_solved: bool | None = None
    is_satisfied: bool | None = None
    reason: str = ""
    is_reasonable: bool | None = None
    """The centre's judgement of a dissatisfied caller's demand."""
    is_lawful: bool | None = None
    is_unhandled: bool | None = None
    """The unit did not do what it had to (Jinan 27)."""
    is_handling_faulty: bool | None = None
    """The handling was unlawful or unreasonable (Hangzhou 24)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The caller asks why (Jinan 16), and the answer."""

    number: int
    ground: str
    """``overdue`` or ``disputed``."""
    question: str
    asked_at: datetime
    answer: str = ""
    answered_at: datetime | None = None
    answered_by: UserId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consult:
    """A question to a unit before anything is dispatched to it (Hangzhou 18)."""

    number: int
    unit: UnitId
    question: str
    asked_at: datetime
    answer: str = ""
    answered_at: datetime | None = None


class DoubtGround(StrEnum):
    """Why a unit's reply may not be what happened (R069)."""

    FOLLOW_UP_DIFFERS = "follow_up_differs"
    """It says done; the caller says that nothing is solved."""
    CONTACT_UNPROVED = "contact_unproved"
    """It says that the caller was told; no attempt to reach them is on record."""
    COPIED = "copied"
    """The same words answer another demand."""
    EVIDENCE_DIFFERS = "evidence_differs"
    """Photographs or times do not fit."""
    OTHER = "other"
    """Something else, said in the note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A reply is looked into: whether it is what happened."""

    number: int
    assignment: AssignmentId
    ground: DoubtGround
    note: str
    raised_at: datetime
    raised_by: UserId
    is_false: bool | None = None
    """The finding; None: still looked into."""
    finding: str = ""
    settled_at: datetime | None = None
    settled_by: UserId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PackId:
    """Under which law a ticket lives, from its first day to its last (invariant 10)."""

    name: str
    version: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFacts:
    """A ticket as the life-cycle sees it."""

    id: TicketId
    number: str
    version: int
    state: TicketState
    pack: PackId
    lane: Lane = Lane.ORDINARY
    channel: Channel = Channel.PHONE
    type: TicketType
    domain: str = ""
    region: str = ""
    urgency: Urgency = Urgency.NORMAL
    matter: Matter = Matter.ORDINARY
    contact: str
    """Shared by all tickets of one contact (R022)."""
    former: TicketId | None = None
    """The ticket that this one repeats or continues."""
    is_former_same_caller: bool = False
    former_state: TicketState | None = None
    """As it was settled, also when it is archived: what ended for good stays so (R072)."""
    is_former_rejected: bool = False
    """A unit answered it as against law or policy."""
    is_confidential: bool = False
    is_withheld: bool = False
    """Its texts touched a secret and are not there (R034)."""
    wants_reply: bool = True
    is_reachable: bool = True
    """Name and a valid way to reach the caller are known (Hangzhou 17)."""
    created_at: datetime
    created_by: UserId
    dispatch_count: int = 0
    round: int = 1
    """Raised by each redo and each opening anew: what was said before is said of another round."""
    redo_count: int = 0
    escalation: int = 0
    """Rung of the ladder that was reached; 0: none."""
    decided_unit: UnitId | None = None
    """What a study or meeting decided."""
    reply_due_at: datetime | None = None
    """The citizen's clock: reply and feedback. Nothing stops it; an extension moves it."""
    completion_due_at: datetime | None = None
    """The latest statutory or promised date of any unit."""
    closed_at: datetime | None = None
    accused_units: frozenset[UnitId] = frozenset()
    accused_people: tuple[str, ...] = ()
    recused_units: frozenset[UnitId] = frozenset()
    recused_users: frozenset[UserId] = frozenset()
    urge_count: int = 0
    is_supervised: bool = False
    assignments: tuple[Assignment, ...] = ()
    requests: tuple[UnitRequest, ...] = ()
    follow_ups: tuple[FollowUp, ...] = ()
    explanations: tuple[Explanation, ...] = ()
    consults: tuple[Consult, ...] = ()
    doubts: tuple[Doubt, ...] = ()

    @property
    def is_urgent(self) -> bool:
        return is_urgent(self.matter, self.urgency)

    def assignment(self, wanted: AssignmentId) -> Assignment | None:
        return next((each for each in self.assignments if each.id == wanted), None)

    def of_unit(self, unit: UnitId) -> Assignment | None:
        """The unit's newest assignment that is not gone."""
        mine = [each for each in self.assignments if each.unit == unit and not each.is_gone]
        return mine[-1] if mine else None

    @property
    def lost_shares(self) -> list[Assignment]:
        """Of the last separate dispatch: shares that nobody has since a unit lost them.

        Empty where no unit has a share: the whole ticket is then dispatched anew.
        """
        shares = [
            each
            for each in self.assignments
            if each.part is Part.SEPARATE and each.state is not AssignmentState.PAST
        ]
        if all(each.is_gone for each in shares):
            return []
        last = max(each.dispatched_at for each in shares if each.parent is None)
        chain = {each.id for each in shares if each.parent is None and each.dispatched_at == last}
        for each in sorted(shares, key=lambda share: share.dispatched_at):
            if each.parent in chain:
                chain.add(each.id)
        replaced = {each.parent for each in shares}
        return [
            each for each in shares if each.id in chain and each.is_gone and each.id not in replaced
        ]

    def is_seen_by(self, unit: UnitId) -> bool:
        """It has the ticket, or is asked about it before a dispatch; and is neither accused nor has
        stepped back."""
        if unit in self.accused_units or unit in self.recused_units:
            return False
        is_sought = self.state in (TicketState.TO_DISPATCH, TicketState.UNDER_STUDY)
        is_asked = is_sought and any(each.unit == unit for each in self.consults)
        return is_asked or self.of_unit(unit) is not None

    def is_handed_down_by(self, unit: UnitId | None, child: Assignment) -> bool:
        """Whether ``unit`` gave ``child`` its task, and still owes the answer to its own."""
        parent = self.assignment(child.parent) if child.parent else None
        return (
            child.part is Part.CHILD
            and parent is not None
            and parent.is_open
            and parent.unit == unit
        )

    def with_assignment(self, changed: Assignment) -> "TicketFacts":
        """With ``changed`` in the place of the assignment of its id, or added."""
        return replace(self, assignments=_put(self.assignments, changed, lambda a: a.id))

    def with_request(self, changed: UnitRequest) -> "TicketFacts":
        return replace(self, requests=_put(self.requests, changed, lambda r: r.id))

    def with_explanation(self, changed: Explanation) -> "TicketFacts":
        return replace(self, explanations=_put(self.explanations, changed, lambda e: e.number))

    def with_consult(self, changed: Consult) -> "TicketFacts":
        return replace(self, consults=_put(self.consults, changed, lambda c: c.number))

    def with_doubt(self, changed: Doubt) -> "TicketFacts":
        return replace(self, doubts=_put(self.doubts, changed, lambda d: d.number))


def _put(
    records: tuple[Record, ...], changed: Record, key: Callable[[Record], object]
) -> tuple[Record, ...]:
    """The records with ``changed`` in the place of the one of the same key, or at the end."""
    if all(key(each) != key(changed) for each in records):
        return (*records, changed)
    return tuple(changed if key(each) == key(changed) else each for each in records)
