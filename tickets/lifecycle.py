"""The life-cycle as one table: which move is possible in which state, for whom, by which rule.

The picture in docs/diagrams and the buttons of the consoles are made from it. It says what is
possible at all; what a move needs, and what it changes, stands in ``tickets.acts``, and
``tickets.decision`` puts both together. Pure data.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from rules import catalogue as law
from rules.catalogue import Rule
from tickets import moves as m
from tickets.assignment import Assignment, AssignmentState
from tickets.facts import Actor, ActorRole, TicketFacts
from tickets.law import Law
from tickets.refusals import IllegalMove, TicketUnseen
from tickets.ticket import Lane, TicketState

S, A, R = TicketState, AssignmentState, ActorRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """What the table says about one move in one state."""

    to: tuple[TicketState, ...]
    """Where it may lead; the move's act chooses. Empty: the ticket stays where it is."""
    who: frozenset[ActorRole]
    rule: Rule[Any] | None = None
    """The rule of the pack that must give it; without one it is the hotline's own practice."""
    at_unit: frozenset[AssignmentState] = frozenset()
    """In which state the assignment must be that it is about; empty: about none."""
    becomes: tuple[AssignmentState, ...] = ()
    """What that assignment may become. Empty: it stays as it is."""
    lanes: frozenset[Lane] = frozenset({Lane.ORDINARY})
    when: Callable[[TicketFacts], bool] | None = None
    """Of what else the ticket must be for it to be offered; the move's act says why not."""
    any_of: tuple[Rule[Any], ...] = ()
    """Rules of which one at least must give it for it to be offered; its act asks for the one."""


Table = Mapping[tuple[TicketState, str], Edge]

T = TypeVar("T")
STAYS: tuple[TicketState, ...] = ()
SAME: tuple[AssignmentState, ...] = ()
DESK = (R.AGENT, R.DISPATCHER)
CENTRE = (R.AGENT, R.DISPATCHER, R.REVIEWER, R.FOLLOW_UP, R.SUPERVISOR, R.HEAD)
DECIDERS = (R.REVIEWER, R.HEAD)
SEEKING = (S.TO_DISPATCH, S.UNDER_STUDY)
GOING_ON = (S.REGISTERED, *SEEKING, S.WITH_UNITS, S.IN_REVIEW, S.FOLLOWING_UP)
REFUSED = (S.ANSWERED, S.REPEAT_ANSWERED, S.NOT_ACCEPTED, S.NOT_REGISTERED)
SETTLED = (*REFUSED, S.HANDED_OVER, S.CLOSED, S.TERMINATED, S.STOPPED, S.ENDED)
ANSWERABLE = (S.WITH_UNITS, S.IN_REVIEW, S.FOLLOWING_UP, S.CLOSED, S.TERMINATED, S.STOPPED)
AFTER_UNITS = (S.WITH_UNITS, S.IN_REVIEW, S.FOLLOWING_UP, S.TO_DISPATCH, S.TERMINATED, S.STOPPED)
"""Where a ticket finds itself when a unit is done with it: ``tickets.acts.scene.state_of``."""
OPEN = (A.SENT, A.SIGNED, A.RETURN_ASKED, A.END_ASKED)
ANSWERED = (A.FED_BACK, A.ACCEPTED)
DOUBTED = (S.WITH_UNITS, S.IN_REVIEW, S.FOLLOWING_UP, S.CLOSED, S.ENDED)
"""Where a unit's reply may stand that is not what happened."""
TERMINATING = (law.TERMINATE_REFUSAL, law.TERMINATE_UNREACHABLE, law.TERMINATE_UNLAWFUL)
STOPPING = (law.STOP_HANDLED, law.STOP_IMPOSSIBLE)
DATING = (law.STATUTORY_PREVAILS, law.PROMISED)
"""What gives a date of completion beyond reply and feedback."""
HANDED_DOWN = frozenset({m.tag_of(m.Withdraw), m.tag_of(m.ReviewFeedback)})
"""What a unit does to the assignments of those who work for it, and never to its own."""
ORDINARY = frozenset({Lane.ORDINARY})
EVERY_LANE = frozenset(Lane)
LOCKED = frozenset({Lane.STAFF_COMPLAINT, Lane.RETALIATION})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One move, the states it is possible in, and its edge."""

    move: type[m.Move]
    from_: tuple[TicketState, ...]
    edge: Edge


def _row(
    move: type[m.Move],
    from_: TicketState | tuple[TicketState, ...],
    to: TicketState | tuple[TicketState, ...],
    who: ActorRole | tuple[ActorRole, ...],
    rule: Rule[Any] | None = None,
    *,
    lanes: frozenset[Lane] = ORDINARY,
    when: Callable[[TicketFacts], bool] | None = None,
) -> Row:
    edge = Edge(to=_all(to), who=frozenset(_all(who)), rule=rule, lanes=lanes, when=when)
    return Row(move=move, from_=_all(from_), edge=edge)


def _unit_row(
    move: type[m.Move],
    at_unit: AssignmentState | tuple[AssignmentState, ...],
    becomes: AssignmentState | tuple[AssignmentState, ...],
    who: ActorRole | tuple[ActorRole, ...] = R.UNIT,
    rule: Rule[Any] | None = None,
    *,
    from_: TicketState | tuple[TicketState, ...] = S.WITH_UNITS,
    to: tuple[TicketState, ...] = (),
    any_of: tuple[Rule[Any], ...] = (),
) -> Row:
    """A move about one assignment; ``to`` where the ticket follows it."""
    edge = Edge(
        to=to,
        who=frozenset(_all(who)),
        rule=rule,
        at_unit=frozenset(_all(at_unit)),
        becomes=_all(becomes),
        any_of=any_of,
    )
    return Row(move=move, from_=_all(from_), edge=edge)


def _has_lost_share(facts: TicketFacts) -> bool:
    return bool(facts.lost_shares)


def _is_urgent(facts: TicketFacts) -> bool:
    return facts.is_urgent


def _is_asked_why(facts: TicketFacts) -> bool:
    return any(each.answered_at is None for each in facts.explanations)


def _all(one_or_more: T | tuple[T, ...]) -> tuple[T, ...]:
    return one_or_more if isinstance(one_or_more, tuple) else (one_or_more,)


# fmt: off
ROWS: tuple[Row, ...] = (
    # Registration
    _row(m.Amend, GOING_ON, STAYS, CENTRE, lanes=EVERY_LANE),
    _row(m.Split, (S.REGISTERED, S.TO_DISPATCH), STAYS, DESK),
    _row(m.Answer, S.REGISTERED, S.ANSWERED, DESK, law.DIRECT_ANSWER),
    _row(m.AnswerRepeat, S.REGISTERED, (S.REPEAT_ANSWERED, S.NOT_ACCEPTED), DESK, law.REPEAT),
    _row(m.AnswerEvent, (S.REGISTERED, S.TO_DISPATCH), S.ANSWERED, R.EVENT, law.INCIDENT),
    _row(m.NotAccept, (S.REGISTERED, S.TO_DISPATCH), S.NOT_ACCEPTED, DESK),
    _row(m.NotRegister, S.REGISTERED, S.NOT_REGISTERED, DESK, law.UNCLEAR),
    _row(m.HandOver, (S.REGISTERED, S.TO_DISPATCH), (S.HANDED_OVER, S.WITH_UNITS), DESK,
         when=_is_urgent),
    _row(m.PassCheck, S.REGISTERED, S.TO_DISPATCH, (R.DISPATCHER, R.REVIEWER)),
    # Dispatch
    _row(m.ConsultUnit, SEEKING, STAYS, R.DISPATCHER, law.PRE_CONSULT),
    _row(m.AnswerConsult, SEEKING, STAYS, R.UNIT, law.PRE_CONSULT),
    _row(m.Study, S.TO_DISPATCH, S.UNDER_STUDY, (R.DISPATCHER, R.HEAD), law.UNCLEAR_UNIT),
    _row(m.Meet, S.UNDER_STUDY, STAYS, (R.DISPATCHER, R.HEAD), law.UNCLEAR_UNIT),
    _row(m.Escalate, S.UNDER_STUDY, STAYS, R.HEAD, law.LADDER),
    _row(m.EndStudy, S.UNDER_STUDY, S.TO_DISPATCH, (R.DISPATCHER, R.HEAD)),
    _row(m.Dispatch, S.REGISTERED, S.WITH_UNITS, DESK, law.DISPATCH_AT_ONCE, when=_is_urgent),
    _row(m.Dispatch, S.TO_DISPATCH, S.WITH_UNITS, DESK),
    _row(m.Dispatch, (S.WITH_UNITS, S.IN_REVIEW, S.FOLLOWING_UP), S.WITH_UNITS, R.DISPATCHER,
         when=_has_lost_share),
    _row(m.Designate, S.TO_DISPATCH, S.WITH_UNITS, R.HEAD, law.DESIGNATE),
    _row(m.AddAssist, S.WITH_UNITS, STAYS, R.DISPATCHER, law.LEAD_ASSIST),
    _unit_row(m.Withdraw, OPEN, A.WITHDRAWN, (R.DISPATCHER, *DECIDERS, R.UNIT), to=AFTER_UNITS),
    _row(m.Recuse, GOING_ON, AFTER_UNITS, (*CENTRE, R.UNIT, R.CALLER), law.RECUSAL,
         lanes=EVERY_LANE),
    # At the unit
    _unit_row(m.Sign, A.SENT, A.SIGNED),
    _unit_row(m.AskReturn, (A.SENT, A.SIGNED), (A.RETURN_ASKED, A.RETURNED), R.UNIT, law.RETURN,
              to=AFTER_UNITS),
    _unit_row(m.DecideReturn, A.RETURN_ASKED, (A.RETURNED, A.SENT, A.SIGNED), DECIDERS, law.RETURN,
              to=AFTER_UNITS),
    _unit_row(m.Contact, A.SIGNED, SAME),
    _unit_row(m.Progress, A.SIGNED, SAME),
    _unit_row(m.StatutoryRoute, A.SIGNED, SAME, R.UNIT, law.STATUTORY_PREVAILS),
    _unit_row(m.Promise, A.SIGNED, SAME, R.UNIT, law.PROMISED),
    _unit_row(m.AskExtension, A.SIGNED, SAME, R.UNIT, law.EXTENSION),
    _unit_row(m.DecideExtension, A.SIGNED, SAME, DECIDERS, law.EXTENSION),
    _unit_row(m.TellExtension, A.SIGNED, SAME, (R.UNIT, R.AGENT, R.FOLLOW_UP), law.EXTENSION),
    _unit_row(m.SubDispatch, A.SIGNED, SAME),
    _unit_row(m.Deliberate, A.SIGNED, SAME, R.UNIT, law.SOCIETY),
    _unit_row(m.AskTermination, A.SIGNED, A.END_ASKED, any_of=TERMINATING),
    _unit_row(m.DecideTermination, A.END_ASKED, (A.TERMINATED, A.SIGNED), DECIDERS, to=AFTER_UNITS),
    _unit_row(m.StopRepeat, A.SIGNED, A.STOPPED, to=AFTER_UNITS, any_of=STOPPING),
    _unit_row(m.InterimReply, A.SIGNED, SAME, any_of=DATING),
    _unit_row(m.RelayReply, (A.SIGNED, *ANSWERED), SAME, (R.AGENT, R.FOLLOW_UP, R.REVIEWER),
              from_=(S.WITH_UNITS, S.IN_REVIEW, S.FOLLOWING_UP)),
    _unit_row(m.Feedback, A.SIGNED, A.FED_BACK, to=(S.WITH_UNITS, S.IN_REVIEW)),
    _row(m.Urge, S.WITH_UNITS, STAYS, CENTRE),
    _row(m.Remind, (*GOING_ON, *SETTLED), STAYS, R.SYSTEM, lanes=EVERY_LANE),
    _row(m.Supervise, GOING_ON, STAYS, R.SUPERVISOR),
    # Review, follow-up, end
    _unit_row(m.ReviewFeedback, A.FED_BACK, (A.ACCEPTED, A.SIGNED), (*DECIDERS, R.UNIT),
              to=(S.WITH_UNITS, S.IN_REVIEW, S.FOLLOWING_UP, S.TO_DISPATCH)),
    _unit_row(m.ReviewFeedback, A.FED_BACK, (A.ACCEPTED, A.SIGNED), DECIDERS, from_=S.IN_REVIEW,
              to=(S.WITH_UNITS, S.IN_REVIEW, S.FOLLOWING_UP, S.TO_DISPATCH)),
    _unit_row(m.DoubtReply, ANSWERED, SAME, (*DECIDERS, R.SUPERVISOR), from_=DOUBTED),
    _row(m.SettleDoubt, (*GOING_ON, *SETTLED), STAYS, (R.SUPERVISOR, R.HEAD)),
    _row(m.TryFollowUp, S.FOLLOWING_UP, (S.FOLLOWING_UP, S.WITH_UNITS), R.FOLLOW_UP),
    _row(m.Redo, S.FOLLOWING_UP, S.WITH_UNITS, (R.FOLLOW_UP, *DECIDERS), law.REDO),
    _row(m.Close, S.FOLLOWING_UP, S.CLOSED, (R.FOLLOW_UP, *DECIDERS)),
    _row(m.End, S.CLOSED, S.ENDED, R.HEAD, law.FINAL),
    _row(m.Archive, SETTLED, S.ARCHIVED, (R.REVIEWER, R.HEAD, R.SUPERVISOR), lanes=EVERY_LANE),
    _row(m.Reopen, (*SETTLED, S.ARCHIVED), S.TO_DISPATCH, (*DESK, *DECIDERS)),
    # The caller's
    _row(m.AskExplanation, ANSWERABLE, STAYS, (R.CALLER, R.AGENT), law.EXPLANATION),
    _row(m.Explain, ANSWERABLE, STAYS, (R.UNIT, *DECIDERS), law.EXPLANATION,
         when=_is_asked_why),
    _row(m.Rate, (S.FOLLOWING_UP, *SETTLED, S.ARCHIVED), STAYS, (R.CALLER, R.AGENT, R.FOLLOW_UP)),
    # Locked lanes
    _row(m.Conclude, S.REGISTERED, S.CLOSED, (R.SUPERVISOR, R.HEAD), lanes=LOCKED),
    _row(m.Refer, S.REGISTERED, S.HANDED_OVER, R.SUPERVISOR, lanes=frozenset({Lane.RETALIATION})),
)
# fmt: on
"""In the order of a ticket's life."""


def _table() -> Table:
    table: dict[tuple[TicketState, str], Edge] = {}
    for row in ROWS:
        for state in row.from_:
            key = (state, m.tag_of(row.move))
            if key in table:
                raise ValueError(f"{key} stands in the table twice")
            table[key] = row.edge
    return table


TABLE: Table = _table()
"""(state, move) → what the table says; what is not in it is refused as ``ticket_move_illegal``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenMove:
    """A button: what somebody may do now, and about which assignment."""

    move: str
    assignment: Assignment | None = None


def moves_open_to(facts: TicketFacts, actor: Actor, the_law: Law) -> tuple[OpenMove, ...]:
    """What ``actor`` may do with the ticket now, in the order of a ticket's life.

    A power that the ticket's pack does not give is not offered (trap 9). A move may still be
    refused for what is said in it, or for what only its act looks at.
    """
    found: list[OpenMove] = []
    if actor.unit is not None and not facts.is_seen_by(actor.unit):
        return ()
    for (state, move), edge in TABLE.items():
        if state is not facts.state or not may_at_all(edge, facts, actor):
            continue
        if edge.rule is not None and not the_law.gives(edge.rule):
            continue
        if edge.when is not None and not edge.when(facts):
            continue
        if edge.any_of and not any(the_law.gives(rule) for rule in edge.any_of):
            continue
        if not edge.at_unit:
            found.append(OpenMove(move=move))
            continue
        found += [
            OpenMove(move=move, assignment=each)
            for each in facts.assignments
            if each.state in edge.at_unit and is_theirs(move, each, facts, actor)
        ]
    return tuple(found)


def is_theirs(move: str, each: Assignment, facts: TicketFacts, actor: Actor) -> bool:
    """A unit acts on its own assignment; it withdraws and reviews what it handed down."""
    if not actor.is_of_unit:
        return True
    if move in HANDED_DOWN:
        return facts.is_handed_down_by(actor.unit, each)
    return each.unit == actor.unit


def may_at_all(edge: Edge, facts: TicketFacts, actor: Actor) -> bool:
    """By role and lane; recusal is asked of the facts."""
    return (
        bool(edge.who & actor.roles)
        and facts.lane in edge.lanes
        and sees_lane(facts, actor)
        and actor.user not in facts.recused_users
    )


def sees_lane(facts: TicketFacts, actor: Actor) -> bool:
    """A locked ticket is supervision's, a complaint about staff also the head's (R017, R018).

    Never theirs whom it is about: they are among its recused.
    """
    if facts.lane is Lane.ORDINARY:
        return True
    who = {R.SUPERVISOR, R.SYSTEM, R.CALLER}
    if facts.lane is Lane.STAFF_COMPLAINT:
        who.add(R.HEAD)
    return bool(who & actor.roles) and actor.user not in facts.recused_users


def check_visible(facts: TicketFacts, actor: Actor) -> None:
    """``TicketUnseen`` where the ticket is locked away from them, or not their unit's to see."""
    if not sees_lane(facts, actor):
        raise TicketUnseen
    if actor.unit is not None and not facts.is_seen_by(actor.unit):
        raise TicketUnseen


def check_open(state: TicketState, act: str) -> None:
    """Of acts that are no moves: ``IllegalMove`` on an archived ticket, closed for good."""
    if state is TicketState.ARCHIVED:
        raise IllegalMove(state=state.value, move=act)
