"""Acts by which a unit asks the centre: to give a ticket back, for time, to end it. Pure.

A unit alone neither gives a ticket back, nor gains time, nor ends one: it asks, and the centre
decides, as far as the city's law gives it at all. Jinan's stop on a repeat is the exception: no
approval, but a written note.
"""

from dataclasses import replace
from datetime import datetime

from base.ids import RequestId
from rules import catalogue as law
from rules.catalogue import Rule
from rules.values import Origin, Stop, Termination
from tickets import moves as m
from tickets.acts.dispatching import withdrawn_helpers
from tickets.acts.scene import Made, Scene, happened, leader_of, settled, to_caller, to_unit
from tickets.assignment import Assignment, AssignmentState
from tickets.facts import PENDING, RequestKind, RequestState, TicketFacts, UnitRequest
from tickets.law import missing, refused
from tickets.refusals import NotFitting
from tickets.ticket import TicketState

A = AssignmentState
TERMINATIONS: dict[str, Rule[Termination]] = {
    "uncooperative": law.TERMINATE_REFUSAL,
    "unreachable": law.TERMINATE_UNREACHABLE,
    "unlawful": law.TERMINATE_UNLAWFUL,
}
HANDLED = frozenset(
    {
        TicketState.FOLLOWING_UP,
        TicketState.CLOSED,
        TicketState.STOPPED,
        TicketState.ENDED,
        TicketState.ARCHIVED,
    }
)
"""How a former ticket stands whose handling was reviewed, or which was stopped as one such."""
CAME_TO_NOTHING = frozenset({RequestState.REFUSED, RequestState.LAPSED})
STOPS: dict[str, Rule[Stop]] = {"handled": law.STOP_HANDLED, "impossible": law.STOP_IMPOSSIBLE}


# ---- return --------------------------------------------------------------------------------------


def ask_return(scene: Scene, move: m.AskReturn) -> Made:
    """Where the law has the centre judge it, it is asked; else it is back at once."""
    given = scene.law.ask(law.RETURN)
    if move.ground not in {each.value for each in given.value.grounds}:
        raise refused(given, "other_ground")
    if scene.mine.is_designated:
        stays = scene.law.ask(law.DESIGNATED_STAYS)
        raise refused(stays, "designated")
    if given.value.basis_needed and not move.basis.strip():
        raise missing("basis", given)
    until = scene.due(law.RETURN_TERM, scene.mine.dispatched_at)
    if until is not None and scene.at > until:
        raise refused(given, "too_late")
    asked = replace(
        _request(scene, RequestKind.RETURN, reason=move.reason, basis=move.basis),
        ground=move.ground,
    )
    if given.value.reviewed:
        facts = scene.facts.with_request(asked)
        return Made(facts=facts.with_assignment(replace(scene.mine, state=A.RETURN_ASKED)))
    facts = scene.facts.with_request(replace(asked, state=RequestState.IN_FORCE))
    return Made(facts=_given_back(scene, facts))


def decide_return(scene: Scene, move: m.DecideReturn) -> Made:
    """Granted: dispatched anew; refused: back to the unit, whose clock went on."""
    facts = _decided(scene, RequestKind.RETURN, move.is_granted, move.decision)
    if not move.is_granted:
        back = replace(scene.mine, state=_where_it_was(scene.mine))
        message = to_unit(back.unit, "return_refused")
        return Made(facts=facts.with_assignment(back), messages=(message,))
    message = to_unit(scene.mine.unit, "return_granted")
    return Made(facts=_given_back(scene, facts), messages=(message,))


def _given_back(scene: Scene, facts: TicketFacts) -> TicketFacts:
    returned = replace(scene.mine, state=A.RETURNED)
    return settled(withdrawn_helpers(facts.with_assignment(returned), returned))


def _where_it_was(assignment: Assignment) -> AssignmentState:
    return A.SENT if assignment.signed_at is None else A.SIGNED


# ---- extension -----------------------------------------------------------------------------------


def ask_extension(scene: Scene, move: m.AskExtension) -> Made:
    given = scene.law.ask(law.EXTENSION)
    rule = given.value
    if rule.basis_needed and not move.basis.strip():
        raise missing("basis", given)
    due_at = scene.mine.feedback_due_at
    if due_at is not None and scene.at > due_at:
        raise refused(given, "too_late")
    mine = [r for r in _extensions(scene) if r.state not in CAME_TO_NOTHING]
    if any(r.state in PENDING for r in mine):
        raise NotFitting(why="extension_pending")
    if rule.most is not None and len(mine) >= rule.most:
        raise refused(given, "no_more")
    request = replace(
        _request(scene, RequestKind.EXTENSION, reason=move.reason, basis=move.basis),
        new_due_at=_extended(scene, move.days),
    )
    return Made(facts=scene.facts.with_request(request))


def _extended(scene: Scene, days: int | None) -> datetime:
    """The law's own length where it has one; else the centre's, or another that the unit names."""
    term = scene.law.ask(law.EXTENSION_TERM)
    if term.value.amount is None and days is None:
        raise missing("days", term)
    if term.card.origin is Origin.LAW and days not in (None, term.value.amount):
        raise refused(term, "other_length")
    due_at = scene.due(
        law.EXTENSION_TERM,
        scene.mine.dispatched_at,
        amount=days,
        refers_to=scene.mine.feedback_due_at,
    )
    assert due_at is not None, "an amount was given"
    leader = leader_of(scene.facts, scene.mine)
    latest = None if leader is None else leader.answers_by
    if latest is not None and due_at > latest:
        raise NotFitting(field="days", why="after_parent")
    return due_at


def decide_extension(scene: Scene, move: m.DecideExtension) -> Made:
    """Granted, it moves no due time before the caller has been told of it (R053).

    A helper's moves nothing that the caller waits for.
    """
    facts = _decided(scene, RequestKind.EXTENSION, move.is_granted, move.decision)
    if not move.is_granted:
        return Made(facts=facts, messages=(to_unit(scene.mine.unit, "extension_refused"),))
    rule = scene.law.ask(law.EXTENSION).value
    to_tell = [each.value for each in rule.tell_caller] if scene.mine.must_answer else []
    if not to_tell or not scene.facts.is_reachable:
        facts = _in_force(facts, scene, None)
    return Made(
        facts=facts,
        body={"tell_caller": to_tell},
        messages=(to_unit(scene.mine.unit, "extension_granted"),),
    )


def tell_extension(scene: Scene, move: m.TellExtension) -> Made:
    granted = [r for r in _extensions(scene) if r.state is RequestState.GRANTED]
    if not granted:
        raise NotFitting(why="no_extension_granted")
    if not scene.actor.is_of_unit and not scene.facts.is_confidential:
        raise NotFitting(why="the_unit_tells")
    happened(scene, "told_at", move.told_at, since=granted[-1].decided_at or scene.at)
    facts = _in_force(scene.facts, scene, move.told_at)
    return Made(facts=facts, messages=to_caller(facts, "extended", number=facts.number))


def _in_force(facts: TicketFacts, scene: Scene, told_at: datetime | None) -> TicketFacts:
    """Only now does the due time move: the unit's, and with it the citizen's."""
    request = next(
        r
        for r in facts.requests
        if r.assignment == scene.mine.id
        and r.kind is RequestKind.EXTENSION
        and r.state is RequestState.GRANTED
    )
    facts = facts.with_request(replace(request, state=RequestState.IN_FORCE, told_at=told_at))
    facts = facts.with_assignment(replace(scene.mine, feedback_due_at=request.new_due_at))
    if not scene.mine.must_answer or facts.reply_due_at is None or request.new_due_at is None:
        return facts
    return replace(facts, reply_due_at=max(facts.reply_due_at, request.new_due_at))


def _extensions(scene: Scene) -> list[UnitRequest]:
    return [
        each
        for each in scene.facts.requests
        if each.assignment == scene.mine.id and each.kind is RequestKind.EXTENSION
    ]


# ---- termination, stop ---------------------------------------------------------------------------


def ask_termination(scene: Scene, move: m.AskTermination) -> Made:
    """Never by the unit alone: evidence, and the centre's review (trap 10)."""
    rule = TERMINATIONS.get(move.ground)
    if rule is None:
        raise NotFitting(field="ground", known=sorted(TERMINATIONS))
    given = scene.law.ask(rule, dissatisfied=True)
    if move.ground == "unreachable" and (
        scene.mine.contacted_at is not None or scene.mine.contact_tries == 0
    ):
        raise missing("contact", given)
    if move.ground == "unlawful" and not move.explanation.strip():
        raise missing("explanation", given)
    request = replace(
        _request(scene, RequestKind.TERMINATION, reason=move.explanation or move.ground),
        ground=move.ground,
    )
    facts = scene.facts.with_request(request)
    return Made(facts=facts.with_assignment(replace(scene.mine, state=A.END_ASKED)))


def decide_termination(scene: Scene, move: m.DecideTermination) -> Made:
    facts = _decided(scene, RequestKind.TERMINATION, move.is_granted, move.decision)
    if not move.is_granted:
        back = replace(scene.mine, state=A.SIGNED)
        message = to_unit(back.unit, "termination_refused")
        return Made(facts=facts.with_assignment(back), messages=(message,))
    ended = replace(scene.mine, state=A.TERMINATED)
    return Made(facts=_ended(scene, facts.with_assignment(ended), ended))


def stop_repeat(scene: Scene, move: m.StopRepeat) -> Made:
    """Explained, written to the centre, and stopped without its approval (Jinan 25)."""
    rule = STOPS.get(move.case)
    if rule is None:
        raise NotFitting(field="case", known=sorted(STOPS))
    given = scene.law.ask(rule)
    if scene.facts.former is None or not scene.facts.is_former_same_caller:
        raise refused(given, "no_repeat")
    if move.case == "impossible" and not scene.facts.is_former_rejected:
        raise refused(given, "former_not_rejected")
    if scene.facts.former_state not in HANDLED:
        raise refused(given, "former_not_handled")
    stopped = replace(scene.mine, state=A.STOPPED, reply=move.explanation)
    return Made(facts=_ended(scene, scene.facts.with_assignment(stopped), stopped))


def _ended(scene: Scene, facts: TicketFacts, assignment: Assignment) -> TicketFacts:
    facts = settled(withdrawn_helpers(facts, assignment))
    is_over = facts.state.value in (A.TERMINATED.value, A.STOPPED.value)
    return replace(facts, closed_at=scene.at) if is_over else facts


# ---- asked and decided ---------------------------------------------------------------------------


def _request(scene: Scene, kind: RequestKind, *, reason: str, basis: str = "") -> UnitRequest:
    return UnitRequest(
        id=RequestId(scene.new_id(0)),
        assignment=scene.mine.id,
        kind=kind,
        reason=reason,
        basis=basis,
        asked_at=scene.at,
        asked_by=scene.actor.user,
    )


def _decided(scene: Scene, kind: RequestKind, is_granted: bool, decision: str) -> TicketFacts:
    asked = next(
        (
            each
            for each in scene.facts.requests
            if each.assignment == scene.mine.id
            and each.kind is kind
            and each.state is RequestState.ASKED
        ),
        None,
    )
    if asked is None:
        raise NotFitting(why="nothing_asked", kind=kind.value)
    waits_for_telling = kind is RequestKind.EXTENSION
    granted = RequestState.GRANTED if waits_for_telling else RequestState.IN_FORCE
    return scene.facts.with_request(
        replace(
            asked,
            state=granted if is_granted else RequestState.REFUSED,
            decided_at=scene.at,
            decided_by=scene.actor.user,
            decision=decision,
        )
    )
