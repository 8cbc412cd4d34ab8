"""Acts of a unit with its assignment, and what the centre does to hurry units. Pure.

The citizen is told first, or there is a reason why not; a later date of completion stands beside
the due time of reply and feedback and never instead of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from rules import catalogue as law
from rules.catalogue import Rule
from rules.deadlines import Answer
from rules.pack import Decision
from rules.values import ReplyWish, Start, Told, Unit
from tickets import moves as m
from tickets.acts.dispatching import started
from tickets.acts.scene import (
    Made,
    Message,
    Scene,
    happened,
    helpers_of,
    leader_of,
    said,
    to_caller,
    to_unit,
)
from tickets.assignment import Assignment, AssignmentState, CompletionBasis, Outcome, Part
from tickets.facts import TicketFacts
from tickets.law import missing, refused
from tickets.records import ContactAttempt
from tickets.refusals import NotFitting
from tickets.timers import RULES

A = AssignmentState


def sign(scene: Scene, move: m.Sign) -> Made:
    signed = replace(scene.mine, state=A.SIGNED, signed_at=scene.at)
    signed = started(scene, signed, {Start.SIGN: scene.at}, days=None)
    facts = scene.facts.with_assignment(signed)
    if signed.must_answer and facts.reply_due_at is None:
        facts = replace(facts, reply_due_at=signed.feedback_due_at)
    return Made(facts=facts)


# ---- handling ------------------------------------------------------------------------------------


def contact(scene: Scene, move: m.Contact) -> Made:
    happened(scene, "tried_at", move.tried_at, since=scene.mine.dispatched_at)
    scene.law.ask_if_given(law.REPLY_CONTACT)
    tried = replace(
        scene.mine,
        contact_tries=scene.mine.contact_tries + 1,
        contacted_at=scene.mine.contacted_at or (scene.at if move.is_reached else None),
    )
    attempt = ContactAttempt(
        assignment=tried.id,
        tried_at=move.tried_at,
        by=scene.actor.user,
        is_reached=move.is_reached,
        result=move.result,
        call=move.call or None,
    )
    return Made(facts=scene.facts.with_assignment(tried), records=(attempt,))


def progress(scene: Scene, move: m.Progress) -> Made:
    """Where the law asks for progress or result before the due time, this is it (Hangzhou 17)."""
    if not scene.law.gives(law.PROGRESS_BEFORE_DUE) or scene.mine.interim_at is not None:
        return Made(facts=scene.facts)
    if must_tell_caller(scene) and not move.is_caller_told:
        return Made(facts=scene.facts)
    scene.law.ask(law.PROGRESS_BEFORE_DUE)
    return Made(facts=scene.facts.with_assignment(replace(scene.mine, interim_at=scene.at)))


def deliberate(scene: Scene, move: m.Deliberate) -> Made:
    """It is on record; it binds nobody, and stops no clock."""
    scene.law.ask(law.SOCIETY)
    return Made(facts=scene.facts)


def statutory_route(scene: Scene, move: m.StatutoryRoute) -> Made:
    """A law's own period: a date of completion beside the due time of reply and feedback."""
    given = scene.law.ask(law.STATUTORY_PREVAILS)
    answer = scene.dues.due(
        scene.law,
        law.STATUTORY,
        scene.mine.dispatched_at,
        law_days=move.days,
        law_unit=None if move.counted_in is None else Unit(move.counted_in),
    )
    return _completion(scene, answer, CompletionBasis.STATUTORY, given)


def promise(scene: Scene, move: m.Promise) -> Made:
    given = scene.law.ask(law.OBJECTIVE_LIMITS)
    if move.promised_on is None:
        if given.value.date_needed:
            raise missing("promised_on", given)
        return Made(facts=scene.facts, body=_to_tell(given.value.tell_caller))
    answer = scene.dues.due(
        scene.law, law.PROMISED, scene.mine.dispatched_at, promised_on=move.promised_on
    )
    return _completion(scene, answer, CompletionBasis.PROMISED, given)


def _completion(
    scene: Scene, answer: Answer | None, basis: CompletionBasis, given: Decision[Any]
) -> Made:
    """It stands beside the due time of reply and feedback, and must lie beyond it.

    The caller was told it. A unit may bring it forward, and never alone put it off (Jinan 24).
    """
    first = scene.mine.feedback_due_at
    if answer is None:
        raise NotFitting(why="no_such_clock")
    scene.law.ask_if_given(law.TRACKED)
    due_at = answer.due.due_at
    if due_at <= scene.at or (first is not None and due_at <= first):
        raise NotFitting(field="due_at", why="not_beyond_the_first_due_time")
    told = scene.mine.completion_due_at
    if told is not None and due_at > told:
        raise refused(given, "later_than_told", told=told.isoformat())
    return Made(
        facts=scene.changed(replace(scene.mine, completion_due_at=due_at, completion_basis=basis)),
        body=_to_tell(answer.tell_caller),
        messages=to_caller(scene.facts, "completion_dated", basis=basis.value),
    )


def _to_tell(what: Iterable[Told]) -> Mapping[str, object]:
    """What the law has the caller told of it: kept beside what the unit says it told."""
    return {"tell_caller": [each.value for each in what]}


def interim_reply(scene: Scene, move: m.InterimReply) -> Made:
    """Jinan's five days bind also what takes longer: reply and feedback now, completion later."""
    if scene.mine.completion_due_at is None:
        if not scene.law.gives(law.PROMISED):
            scene.law.ask(law.STATUTORY_PREVAILS)  # raises where nothing gives a later date
        raise NotFitting(why="no_later_date_given")
    told_at = _told(scene, move.told_at)
    done = replace(scene.mine, interim_at=scene.at, caller_told_at=told_at, reply=move.reply)
    return Made(facts=scene.facts.with_assignment(done))


def relay_reply(scene: Scene, move: m.RelayReply) -> Made:
    """The caller asked the unit not to know them (Jinan 16): the centre tells them for it."""
    mine = scene.mine
    replied_at = mine.fed_back_at or mine.interim_at
    if not scene.facts.is_confidential:
        raise NotFitting(why="the_unit_tells")
    if replied_at is None or mine.caller_told_at is not None:
        raise NotFitting(why="nothing_to_relay")
    happened(scene, "told_at", move.told_at, since=replied_at)
    return Made(facts=scene.facts.with_assignment(replace(mine, caller_told_at=move.told_at)))


def feedback(scene: Scene, move: m.Feedback) -> Made:
    helpers = helpers_of(scene.facts, scene.mine)
    if any(each.is_open for each in helpers):
        raise NotFitting(why="helpers_open")
    _check_reviewed(scene, helpers)
    to_tell = _check_outcome(scene, move)
    _check_contact(scene, move)
    answers_caller = scene.mine.must_answer
    told_at = _told(scene, move.told_at) if answers_caller else move.told_at
    if answers_caller and told_at is not None:
        asks = scene.law.demands(law.UNIT_ASKS)
        if asks is not None and move.asked_satisfied is None:
            raise missing("asked_satisfied", asks)
    scene.law.ask_if_given(law.REPLY_CENTRE)
    done = replace(
        scene.mine,
        state=A.FED_BACK,
        fed_back_at=scene.at,
        caller_told_at=told_at,
        outcome=move.outcome,
        reply=move.reply,
    )
    return Made(facts=scene.changed(done), body=to_tell, messages=_tell_parent(scene))


def _tell_parent(scene: Scene) -> tuple[Message, ...]:
    """Who handed the task on has its feedback to review, or waits for it with its own."""
    parent = leader_of(scene.facts, scene.mine)
    if parent is None or not scene.facts.is_handed_down_by(parent.unit, scene.mine):
        return ()
    return (to_unit(parent.unit, "child_fed_back"),)


def _check_reviewed(scene: Scene, helpers: Iterable[Assignment]) -> None:
    """Where each feedback is to be reviewed, a child's is before its parent reports upward (R065).

    What helps a lead is none of its own people's: the centre reviews it.
    """
    if not any(each.part is Part.CHILD and each.state is A.FED_BACK for each in helpers):
        return
    must = scene.law.demands(law.REVIEW)
    if must is not None:
        raise missing("review_feedback", must)


def _check_outcome(scene: Scene, move: m.Feedback) -> Mapping[str, object]:
    """What of the outcome the law has the caller told."""
    if move.outcome is Outcome.REJECTED:
        said(move.basis, "basis", scene.law.ask_if_given(law.REJECT))
    elif move.outcome is Outcome.EXPLAINED:
        given = scene.law.ask(law.OBJECTIVE_LIMITS)
        if given.value.date_needed:
            # Explaining is not enough where the law wants measures and a date (Jinan 24(3)).
            raise refused(given, "date_needed")
        return _to_tell(given.value.tell_caller)
    return {}


def _check_contact(scene: Scene, move: m.Feedback) -> None:
    first = scene.law.demands(law.REPLY_CONTACT)
    if first is None or scene.mine.contacted_at is not None or not scene.facts.is_reachable:
        return
    if not scene.mine.must_answer or scene.facts.is_confidential:
        return
    if scene.mine.contact_tries == 0 or not move.no_contact_reason.strip():
        raise missing("contact", first)


def _told(scene: Scene, told_at: datetime | None) -> datetime | None:
    """When the caller was told, where there is a duty to tell them (R048, R058, trap 11).

    Of a confidential caller the unit has no number: the centre relays what it replied.
    """
    if must_tell_caller(scene) and told_at is None and not scene.facts.is_confidential:
        given = scene.law.ask(law.REPLY_CALLER, **_reply_facts(scene.facts))
        raise missing("told_at", given)
    if told_at is not None:
        happened(scene, "told_at", told_at, since=scene.mine.dispatched_at)
    return told_at


def must_tell_caller(scene: Scene) -> bool:
    if not scene.facts.is_reachable:
        return False
    return scene.law.demands(law.REPLY_CALLER, **_reply_facts(scene.facts)) is not None


def _reply_facts(facts: TicketFacts) -> dict[str, object]:
    wish = ReplyWish.ASKED if facts.wants_reply else ReplyWish.DECLINED
    return {"reply": wish, "contact_given": facts.is_reachable}


# ---- the centre on units -------------------------------------------------------------------------


def urge(scene: Scene, move: m.Urge) -> Made:
    late = [each for each in scene.facts.assignments if each.is_open]
    facts = replace(scene.facts, urge_count=scene.facts.urge_count + 1)
    return Made(facts=facts, messages=tuple(to_unit(each.unit, "urged") for each in late))


def remind(scene: Scene, move: m.Remind) -> Made:
    """A timer that fell due: told to whom it concerns; it changes no right."""
    rule = RULES.get(move.timer)
    if rule is not None:
        scene.law.ask_if_given(rule)
    units = [
        each
        for each in scene.facts.assignments
        if each.is_open and move.assignment in (None, each.id)
    ]
    messages = tuple(to_unit(each.unit, "reminded", timer=move.timer) for each in units)
    return Made(facts=scene.facts, messages=messages)


TRIGGERS: Mapping[str, Rule[Any]] = {
    name.removeprefix("trigger."): rule
    for name, rule in law.RULES.items()
    if name.startswith("trigger.")
}
"""Grounds of a supervision and the rule that each rests on (R077)."""


def supervise(scene: Scene, move: m.Supervise) -> Made:
    ground = TRIGGERS.get(move.trigger)
    if ground is None:
        raise NotFitting(field="trigger", known=sorted(TRIGGERS))
    scene.law.ask(ground)
    units = [each.unit for each in scene.facts.assignments if each.is_open]
    return Made(
        facts=replace(scene.facts, is_supervised=True),
        messages=tuple(to_unit(unit, "supervised") for unit in units),
    )
