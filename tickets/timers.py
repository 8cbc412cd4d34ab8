"""What of a ticket falls due and when: worked out anew from its facts after each move. Pure.

``tickets.sweeper`` fires what is due, once, as the move ``remind``. A timer changes nobody's rights
and decides nothing: it tells, and stands in the ledger.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rules import catalogue
from rules.catalogue import Rule
from rules.values import Term
from tickets.assignment import Assignment, AssignmentState
from tickets.due import DueTimes
from tickets.facts import RequestKind, RequestState, TicketFacts
from tickets.law import Law
from tickets.ticket import TicketState


class TimerKind(StrEnum):
    """What falls due."""

    DISPATCH_DUE = "dispatch_due"
    """An urgent ticket should have left the centre."""
    SIGN_DUE = "sign_due"
    """The unit should have signed."""
    CONTACT_DUE = "contact_due"
    """The unit should have reached the caller."""
    YELLOW_CARD = "yellow_card"
    """Reply and feedback are due soon."""
    FEEDBACK_DUE = "feedback_due"
    """They are overdue from now on."""
    RED_CARD = "red_card"
    """They have been overdue for long."""
    COMPLETION_DUE = "completion_due"
    """The statutory or promised date has come (R052)."""
    DECISION_DUE = "decision_due"
    """The centre should have judged a return."""
    FOLLOW_UP_DUE = "follow_up_due"
    """The centre should have reviewed and asked the caller."""
    EXPLANATION_DUE = "explanation_due"
    """The caller should have an explanation."""


RULES: Mapping[str, Rule[Term]] = {
    TimerKind.DISPATCH_DUE: catalogue.URGENT,
    TimerKind.SIGN_DUE: catalogue.SIGN,
    TimerKind.CONTACT_DUE: catalogue.CONTACT,
    TimerKind.YELLOW_CARD: catalogue.URGE_YELLOW,
    TimerKind.FEEDBACK_DUE: catalogue.BASE,
    TimerKind.RED_CARD: catalogue.URGE_RED,
    TimerKind.DECISION_DUE: catalogue.RETURN_REVIEW,
    TimerKind.FOLLOW_UP_DUE: catalogue.FOLLOW_UP_TERM,
    TimerKind.EXPLANATION_DUE: catalogue.EXPLANATION_TERM,
}
"""Whose card a reminder shows; a date of completion rests on what the unit said of it."""
UNDISPATCHED = (TicketState.REGISTERED, TicketState.TO_DISPATCH, TicketState.UNDER_STUDY)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Timer:
    """One thing that falls due."""

    due_at: datetime
    kind: TimerKind
    subject: str = ""
    """An assignment's id, a request's, or an explanation's number."""


def timers_of(facts: TicketFacts, law: Law, dues: DueTimes) -> frozenset[Timer]:
    """All that the ticket waits for."""
    return frozenset(_timers(facts, law, dues))


def _timers(facts: TicketFacts, law: Law, dues: DueTimes) -> Iterator[Timer]:
    def due_at(rule: Rule[Term], start_at: datetime) -> datetime | None:
        answer = dues.due(law, rule, start_at)
        return None if answer is None else answer.due.due_at

    if facts.is_urgent and facts.state in UNDISPATCHED:
        when = due_at(catalogue.URGENT, facts.created_at)
        if when is not None:
            yield Timer(kind=TimerKind.DISPATCH_DUE, due_at=when)
    for assignment in facts.assignments:
        if assignment.is_open:
            yield from _of_assignment(assignment, law, dues)
    for request in facts.requests:
        if request.kind is RequestKind.RETURN and request.state is RequestState.ASKED:
            when = due_at(catalogue.RETURN_REVIEW, request.asked_at)
            if when is not None:
                yield Timer(kind=TimerKind.DECISION_DUE, due_at=when, subject=request.id)
    if facts.state in (TicketState.IN_REVIEW, TicketState.FOLLOWING_UP):
        fed_back = [a.fed_back_at for a in facts.assignments if a.fed_back_at is not None]
        when = due_at(catalogue.FOLLOW_UP_TERM, max(fed_back)) if fed_back else None
        if when is not None:
            yield Timer(kind=TimerKind.FOLLOW_UP_DUE, due_at=when)
    for asked in facts.explanations:
        if asked.answered_at is None:
            when = due_at(catalogue.EXPLANATION_TERM, asked.asked_at)
            if when is not None:
                yield Timer(kind=TimerKind.EXPLANATION_DUE, due_at=when, subject=str(asked.number))


def _of_assignment(assignment: Assignment, law: Law, dues: DueTimes) -> Iterator[Timer]:
    def timer(kind: TimerKind, due_at: datetime) -> Timer:
        return Timer(kind=kind, due_at=due_at, subject=assignment.id)

    if assignment.state is AssignmentState.SENT and assignment.sign_due_at is not None:
        yield timer(TimerKind.SIGN_DUE, assignment.sign_due_at)
    if assignment.contact_due_at is not None and assignment.contacted_at is None:
        yield timer(TimerKind.CONTACT_DUE, assignment.contact_due_at)
    if assignment.completion_due_at is not None:
        yield timer(TimerKind.COMPLETION_DUE, assignment.completion_due_at)
    feedback_due_at = assignment.feedback_due_at
    if feedback_due_at is None or assignment.interim_at is not None:
        return
    yield timer(TimerKind.FEEDBACK_DUE, feedback_due_at)
    for kind, rule in (
        (TimerKind.YELLOW_CARD, catalogue.URGE_YELLOW),
        (TimerKind.RED_CARD, catalogue.URGE_RED),
    ):
        card = dues.due(law, rule, assignment.dispatched_at, refers_to=feedback_due_at)
        if card is not None and card.due.due_at > assignment.dispatched_at:
            yield timer(kind, card.due.due_at)
