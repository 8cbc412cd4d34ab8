"""Acts that find the unit and give it the ticket: consult, study, dispatch, recuse. Pure.

A dispatch never goes to whom the demand accuses or who has stepped back, nor to a unit that nobody
answers for. The citizen's clock begins with the first dispatch and is not begun anew by later ones.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from base.ids import AssignmentId, UnitId
from rules import catalogue as law
from rules.catalogue import Rule
from rules.values import Start, Term, UnclearStep, Urgent
from tickets import moves as m
from tickets.acts.scene import Made, Message, Scene, assignment_id, duty_note, settled, to_unit
from tickets.assignment import Assignment, AssignmentState, Part
from tickets.facts import Consult, TicketFacts
from tickets.law import missing, refused
from tickets.refusals import IllegalMove, MoveRefused, NotFitting, NotSaid, UnitUnfit
from tickets.ticket import Matter, TicketState, Urgency
from tickets.units import OrganisationUnit, UnitKind

URGENT: dict[Matter, Urgent | None] = {
    Matter.ORDINARY: None,
    Matter.UTILITY: Urgent.UTILITIES,
    Matter.DISASTER: Urgent.DISASTER,
    Matter.DANGER: Urgent.LIFE_OR_PROPERTY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One unit's part of a dispatch."""

    unit: UnitId
    part: Part
    is_designated: bool = False
    instead_of: AssignmentId | None = None
    """The share that another unit lost."""


# ---- before --------------------------------------------------------------------------------------


def consult_unit(scene: Scene, move: m.ConsultUnit) -> Made:
    check_unit(scene, move.unit)
    scene.law.ask(law.PRE_CONSULT)
    consult = Consult(
        number=len(scene.facts.consults) + 1,
        unit=move.unit,
        question=move.question,
        asked_at=scene.at,
    )
    return Made(
        facts=scene.facts.with_consult(consult), messages=(to_unit(move.unit, "consulted"),)
    )


def answer_consult(scene: Scene, move: m.AnswerConsult) -> Made:
    asked = next((each for each in scene.facts.consults if each.number == move.number), None)
    if asked is None or asked.unit != scene.actor.unit or asked.answered_at is not None:
        raise NotFitting(field="number", why="not_asked")
    scene.law.ask(law.PRE_CONSULT)
    answered = replace(asked, answer=move.answer, answered_at=scene.at)
    return Made(facts=scene.facts.with_consult(answered))


def study(scene: Scene, move: m.Study) -> Made:
    """What the city's law has done about it stands with it: a study, a meeting, a report."""
    given = scene.law.ask(law.UNCLEAR_UNIT)
    return Made(
        facts=replace(scene.facts, state=TicketState.UNDER_STUDY),
        body={"steps": [each.value for each in given.value]},
    )


def meet(scene: Scene, move: m.Meet) -> Made:
    """The bodies that the city's law names come to it, or it is no meeting of that kind."""
    steps = scene.law.ask(law.UNCLEAR_UNIT)
    if move.decided_unit is not None:
        check_unit(scene, move.decided_unit)
    facts = replace(scene.facts, decided_unit=move.decided_unit or scene.facts.decided_unit)
    needs_bodies = UnclearStep.EXPERT_BODIES_MEETING in steps.value
    return Made(facts=facts, body={"with_expert_bodies": needs_bodies})


def escalate(scene: Scene, move: m.Escalate) -> Made:
    ladder = scene.law.ask(law.LADDER)
    if scene.facts.escalation >= len(ladder.value.steps):
        raise refused(ladder, "top_of_ladder")
    rung = ladder.value.steps[scene.facts.escalation]
    facts = replace(scene.facts, escalation=scene.facts.escalation + 1)
    return Made(facts=facts, body={"decider": rung.value})


def end_study(scene: Scene, move: m.EndStudy) -> Made:
    check_unit(scene, move.unit)
    return Made(facts=replace(scene.facts, state=TicketState.TO_DISPATCH, decided_unit=move.unit))


# ---- dispatch ------------------------------------------------------------------------------------


def dispatch(scene: Scene, move: m.Dispatch) -> Made:
    if scene.facts.state is TicketState.REGISTERED:
        _check_at_once(scene)
    tasks = [Task(unit=share.unit, part=_part(share.part)) for share in move.units]
    if scene.facts.state not in (TicketState.REGISTERED, TicketState.TO_DISPATCH):
        tasks = _in_place_of_lost(scene, tasks)
    else:
        _check_form(scene, tasks)
    decided = scene.facts.decided_unit
    if decided is not None and decided not in {task.unit for task in tasks}:
        raise NotFitting(field="units", why="other_unit_decided", decided=decided)
    scene.law.ask_if_given(law.DISPATCH_BASIS)
    return assign(scene, tasks, basis=move.basis, days=_days(scene, move))


def _part(text: str) -> Part:
    try:
        return Part(text)
    except ValueError:
        raise NotFitting(field="part", known=[*map(str, Part)]) from None


def check_not_ended(scene: Scene, why_new: str = "") -> None:
    """What was ended for good is told to its caller and not dispatched, but on new facts (R072)."""
    facts = scene.facts
    if facts.former_state is not TicketState.ENDED or not facts.is_former_same_caller:
        return
    final = scene.law.ask_if_given(law.FINAL)
    if final is not None and not why_new.strip():
        raise missing("why_new", final)


def _check_at_once(scene: Scene) -> None:
    """Only what must not wait for the check leaves before it (R032)."""
    check_not_ended(scene)  # new facts are said in the check
    urgent = URGENT[scene.facts.matter]
    if urgent is None and scene.facts.urgency is Urgency.EMERGENCY:
        urgent = Urgent.LIFE_OR_PROPERTY
    if urgent is None:
        raise NotFitting(why="not_checked")
    given = scene.law.ask(law.DISPATCH_AT_ONCE)
    if urgent not in given.value:
        raise refused(given, "not_at_once")


def _in_place_of_lost(scene: Scene, tasks: Sequence[Task]) -> list[Task]:
    """A share that a unit gave back, or that was taken from it, goes to another (R040, R043)."""
    lost = scene.facts.lost_shares
    if not lost:
        raise IllegalMove(state=scene.facts.state.value, move="dispatch")
    scene.law.ask(law.SEPARATE)
    if len(tasks) > len(lost) or {task.part for task in tasks} != {Part.SEPARATE}:
        raise NotFitting(field="units", why="only_lost_shares", lost=len(lost))
    taken = [task.unit for task in tasks if scene.facts.of_unit(task.unit) is not None]
    if taken or len({task.unit for task in tasks}) != len(tasks):
        raise NotFitting(field="units", why="unit_twice")
    return [replace(task, instead_of=each.id) for task, each in zip(tasks, lost, strict=False)]


def _check_form(scene: Scene, tasks: Sequence[Task]) -> None:
    """One alone; one lead with assisting ones; or each its own share: as the pack gives it."""
    if len({task.unit for task in tasks}) != len(tasks):
        raise NotFitting(field="units", why="unit_twice")
    parts = sorted(task.part.value for task in tasks)
    if parts == [Part.SINGLE.value]:
        return
    if set(parts) == {Part.SEPARATE.value} and len(parts) > 1:
        scene.law.ask(law.SEPARATE)
    elif parts.count(Part.LEAD.value) == 1 and set(parts) == {Part.LEAD.value, Part.ASSIST.value}:
        scene.law.ask(law.LEAD_ASSIST)
    else:
        raise NotFitting(field="units", why="no_such_form", parts=parts)


def _days(scene: Scene, move: m.Dispatch) -> int | None:
    """The centre's own period for this ticket, where its law lets it set one (R041)."""
    if move.feedback_days is None:
        return None
    given = scene.law.ask(law.FEEDBACK_PERIOD)
    if not move.days_reason.strip():
        raise missing("days_reason", given)
    return move.feedback_days


def designate(scene: Scene, move: m.Designate) -> Made:
    """After so many dispatches that did not settle whose it is, the centre may order (R044)."""
    given = scene.law.ask(law.DESIGNATE)
    if scene.facts.dispatch_count < given.value.after_dispatches:
        raise refused(
            given,
            "too_early",
            dispatches=scene.facts.dispatch_count,
            needed=given.value.after_dispatches,
        )
    task = Task(unit=move.unit, part=Part.SINGLE, is_designated=True)
    return assign(scene, [task], basis=given.card.place)


def add_assist(scene: Scene, move: m.AddAssist) -> Made:
    scene.law.ask(law.LEAD_ASSIST)
    lead = next(
        (
            each
            for each in scene.facts.assignments
            if each.is_open and each.part in (Part.LEAD, Part.SINGLE)
        ),
        None,
    )
    if lead is None:
        raise NotFitting(why="nobody_leads")
    check_unit(scene, move.unit, leads=False)
    freed = _freed(scene.facts, move.unit, "unit")
    leading = replace(lead, part=Part.LEAD)
    helper = replace(
        new_assignment(scene, Task(unit=move.unit, part=Part.ASSIST), number=0),
        parent=lead.id,
        feedback_due_at=lead.feedback_due_at,
        round=lead.round,
    )
    facts = freed.with_assignment(leading).with_assignment(helper)
    return Made(facts=facts, messages=(_dispatched(scene, helper),))


def assign(scene: Scene, tasks: Sequence[Task], *, basis: str, days: int | None = None) -> Made:
    """Give the ticket to these units, each under a clock of its own."""
    if scene.facts.is_withheld:
        raise NotFitting(why="texts_withheld")
    for task in tasks:
        check_unit(scene, task.unit, leads=task.part is not Part.ASSIST)
    made = [
        new_assignment(scene, task, number=number, days=days) for number, task in enumerate(tasks)
    ]
    lead = next((each for each in made if each.part is Part.LEAD), None)
    if lead is not None:
        made = [each if each is lead else replace(each, parent=lead.id) for each in made]
    facts = scene.facts
    for each in made:
        facts = facts.with_assignment(each)
    dues = [each.feedback_due_at for each in made if each.must_answer and each.feedback_due_at]
    facts = replace(
        facts,
        state=TicketState.WITH_UNITS,
        dispatch_count=facts.dispatch_count + 1,
        decided_unit=None,
        reply_due_at=facts.reply_due_at or max(dues, default=None),
    )
    return Made(
        facts=facts,
        body={"assignments": [each.id for each in made], "basis_kept": basis},
        messages=tuple(_dispatched(scene, each) for each in made),
    )


def _dispatched(scene: Scene, assignment: Assignment) -> Message:
    return to_unit(
        assignment.unit,
        "dispatched",
        part=assignment.part.value,
        duty_note=duty_note(scene.law),
    )


def new_assignment(scene: Scene, task: Task, *, number: int, days: int | None = None) -> Assignment:
    sent = Assignment(
        id=assignment_id(scene, number),
        unit=task.unit,
        part=task.part,
        round=scene.facts.round,
        parent=task.instead_of,
        is_designated=task.is_designated,
        dispatched_at=scene.at,
        dispatched_by=scene.actor.user,
    )
    return started(
        scene,
        sent,
        {
            Start.REGISTRATION: scene.facts.created_at,
            Start.DISPATCH: scene.at,
            Start.ARRIVAL_AT_UNIT: scene.at,  # it is in the unit's inbox with the commit
        },
        days=days,
    )


def started(
    scene: Scene, assignment: Assignment, events: Mapping[Start, datetime], *, days: int | None
) -> Assignment:
    """With the due times of those clocks that begin with one of these events, as the pack says."""

    def due(rule: Rule[Term], amount: int | None = None) -> datetime | None:
        begins = scene.law.ask_if_given(rule)
        if begins is None or begins.value.starts not in events:
            return None
        return scene.due(rule, events[begins.value.starts], amount=amount)

    urgent_due_at = due(law.URGENT) if scene.facts.is_urgent else None
    return replace(
        assignment,
        sign_due_at=urgent_due_at or due(law.SIGN) or assignment.sign_due_at,
        contact_due_at=due(law.CONTACT) or assignment.contact_due_at,
        feedback_due_at=due(law.BASE, days) or assignment.feedback_due_at,
    )


def check_unit(scene: Scene, unit: UnitId, *, leads: bool = True) -> None:
    """Refuse whom the demand accuses, who has an interest, and who cannot act."""
    facts = scene.facts
    if scene.units.is_accused(unit, facts.accused_units, ()):
        raise _blocked(scene, law.ACCUSED, unit, "accused")
    if scene.units.is_accused(unit, (), facts.accused_people):
        raise _blocked(scene, law.ACCUSED, unit, "accused_person")
    if unit in facts.recused_units:
        raise _blocked(scene, law.RECUSAL, unit, "recused")
    try:
        scene.units.check_fit(unit, facts.matter, scene.at, leads=leads)
    except UnitUnfit as error:
        raise _in_the_laws_name(scene, error) from None
    if scene.units.get(unit).kind is UnitKind.BODY:
        scene.law.ask(law.SOCIETY)


def _in_the_laws_name(scene: Scene, error: UnitUnfit) -> MoveRefused:
    """Where the law itself asks of units what this one lacks, it is what refuses (R009, R061)."""
    unit, why = UnitId(str(error.params["unit"])), str(error.params["why"])
    if why == "nobody_on_duty" and scene.units.get(unit).kind is not UnitKind.UTILITY:
        return error
    for rule in _lacked(scene.units.get(unit), why):
        given = scene.law.ask_if_given(rule)
        if given is not None:
            return refused(given, why, unit=unit)
    return error


def _lacked(unit: OrganisationUnit, why: str) -> Iterator[Rule[bool]]:
    if why == "nobody_responsible" and not unit.first_responsible:
        yield law.RESPONSIBLE
    if why == "nobody_responsible" and not unit.handlers:
        yield law.HANDLERS
    if why == "nobody_on_duty":
        yield law.ROUND_THE_CLOCK


def _blocked(scene: Scene, rule: Rule[bool], unit: UnitId, why: str) -> MoveRefused:
    """By the law where it says so; by our own practice everywhere else."""
    given = scene.law.ask_if_given(rule)
    return UnitUnfit(unit=unit, why=why) if given is None else refused(given, why, unit=unit)


# ---- taken away ----------------------------------------------------------------------------------


def withdraw(scene: Scene, move: m.Withdraw) -> Made:
    taken = replace(scene.mine, state=AssignmentState.WITHDRAWN)
    facts = withdrawn_helpers(scene.changed(taken), taken)
    return Made(facts=settled(facts), messages=(to_unit(taken.unit, "withdrawn"),))


def withdrawn_helpers(facts: TicketFacts, lead: Assignment) -> TicketFacts:
    """Whoever works for an assignment that ends without an answer is released with it."""
    for each in facts.assignments:
        if each.parent == lead.id and each.is_open:
            facts = facts.with_assignment(replace(each, state=AssignmentState.WITHDRAWN))
            facts = withdrawn_helpers(facts, each)
    return facts


def recuse(scene: Scene, move: m.Recuse) -> Made:
    """Who has a direct interest is out: before touching it, or by the reporter's demand.

    A unit steps back for itself alone: nobody is kept from a ticket by whom it is handled by.
    """
    scene.law.ask(law.RECUSAL)
    if not move.users and not move.units:
        raise NotSaid(field="users")
    actor = scene.actor
    if actor.is_of_unit and {*move.users, *move.units} - {actor.user, actor.unit}:
        raise NotFitting(field="users", why="only_for_oneself")
    for unit in move.units:
        scene.units.get(unit)
    facts = replace(
        scene.facts,
        recused_users=scene.facts.recused_users | frozenset(move.users),
        recused_units=scene.facts.recused_units | frozenset(move.units),
    )
    lost = [each for each in facts.assignments if each.is_held and each.unit in move.units]
    for each in lost:
        facts = facts.with_assignment(replace(each, state=AssignmentState.WITHDRAWN))
        facts = withdrawn_helpers(facts, each)
    if lost:
        facts = settled(facts)
    return Made(facts=facts, messages=tuple(to_unit(each.unit, "withdrawn") for each in lost))


def _freed(facts: TicketFacts, unit: UnitId, field: str) -> TicketFacts:
    """So that the unit may be given a task: it has none, or it helped before a redo and is done."""
    had = facts.of_unit(unit)
    if had is None:
        return facts
    if had.must_answer or had.is_open or had.round == facts.round:
        raise NotFitting(field=field, why="unit_twice")
    return facts.with_assignment(replace(had, state=AssignmentState.PAST))


def sub_dispatch(scene: Scene, move: m.SubDispatch) -> Made:
    """Down the tree, under the parent's clock: never due later, and that clock goes on whole."""
    parent = scene.mine
    facts = scene.facts
    latest = parent.answers_by
    if move.due_at is not None and latest is not None and move.due_at > latest:
        raise NotFitting(field="due_at", why="after_parent")
    if move.due_at is not None and move.due_at <= scene.at:
        raise NotFitting(field="due_at", why="past")
    scene.law.ask_if_given(law.HAND_ON)
    children = []
    for number, unit in enumerate(move.units):
        if not scene.units.is_below(unit, parent.unit):
            raise UnitUnfit(unit=unit, why="not_below")
        check_unit(scene, unit)
        facts = _freed(facts, unit, "units")
        child = new_assignment(scene, Task(unit=unit, part=Part.CHILD), number=number)
        own = move.due_at or scene.due(law.CHILD, refers_to=latest)
        due_at = min(filter(None, [own, latest]), default=None)
        children.append(replace(child, parent=parent.id, feedback_due_at=due_at))
        facts = facts.with_assignment(children[-1])
    return Made(facts=facts, messages=tuple(_dispatched(scene, each) for each in children))
