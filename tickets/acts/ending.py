"""Acts after the units: review, follow-up, redo, end; and what the caller may ask. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rules import catalogue as law
from rules import values as law_values
from rules.catalogue import Rule
from rules.values import EndedBy, ExplanationGround
from tickets import moves as m
from tickets.acts.at_unit import must_tell_caller
from tickets.acts.doubting import doubted_by_follow_up
from tickets.acts.scene import (
    Made,
    Scene,
    duty_note,
    helpers_of,
    said,
    settled,
    to_caller,
    to_unit,
)
from tickets.assignment import Assignment, AssignmentState
from tickets.facts import Explanation, FollowUp, FollowUpChannel, TicketFacts
from tickets.law import Law, missing, refused
from tickets.records import Rating
from tickets.refusals import NotFitting
from tickets.ticket import TicketState

A = AssignmentState
TRIES_TO_REACH = 3
"""Where a follow-up is a duty and nobody is reached: own practice, three attempts end it."""
LAW_CHANNELS = {
    FollowUpChannel.AGENT: law_values.FollowUpChannel.AGENT,
    FollowUpChannel.SMS: law_values.FollowUpChannel.SMS_LINK,
    FollowUpChannel.ROBOT: law_values.FollowUpChannel.ROBOT,
}
REFUSED = frozenset(
    {
        TicketState.ANSWERED,
        TicketState.REPEAT_ANSWERED,
        TicketState.NOT_ACCEPTED,
        TicketState.NOT_REGISTERED,
        TicketState.ARCHIVED,
    }
)
"""What may be opened again because it was wrong, and not for new facts."""
ASKED: Mapping[str, law_values.Question] = {
    "is_solved": law_values.Question.RESOLVED,
    "is_satisfied": law_values.Question.SATISFIED,
}
"""What a follow-up asks, of each city's questions and of a city that names none."""
JUDGED = ("is_reasonable", "is_lawful")
"""What the centre judges of a dissatisfied caller's demand."""
GROUNDS = {
    "overdue": ExplanationGround.REPLY_OVERDUE,
    "disputed": ExplanationGround.RESULT_DISPUTED,
}


def review_feedback(scene: Scene, move: m.ReviewFeedback) -> Made:
    """One by one; what should have been handled and was not goes back (Jinan 27)."""
    scene.law.ask_if_given(law.REVIEW)
    has_failed = not (move.answers_all_demands and move.has_basis and move.is_contact_proved)
    if move.is_accepted and has_failed:
        raise NotFitting(field="is_accepted", why="a_check_failed")
    if move.is_accepted:
        is_untold = scene.mine.must_answer and scene.mine.caller_told_at is None
        if is_untold and scene.facts.is_confidential and must_tell_caller(scene):
            raise missing("relay_reply", scene.law.ask_if_given(law.CONFIDENTIAL))
        facts = _with_helpers_accepted(scene.facts, scene.mine)
        accepted = facts.with_assignment(replace(scene.mine, state=A.ACCEPTED))
        return Made(facts=settled(accepted))
    if not scene.mine.must_answer and not _is_led(scene):
        # A helper works for its lead: once that is done, it is the lead's answer that goes back.
        raise NotFitting(field="is_accepted", why="lead_done")
    back = replace(scene.mine, state=A.SIGNED, fed_back_at=None, outcome=None)
    return Made(facts=scene.changed(back), messages=(to_unit(back.unit, "feedback_refused"),))


def _is_led(scene: Scene) -> bool:
    lead = scene.mine.parent and scene.facts.assignment(scene.mine.parent)
    return bool(lead and lead.is_open)


def _with_helpers_accepted(facts: TicketFacts, lead: Assignment) -> TicketFacts:
    """What went into the lead's answer is reviewed with it, unless it was reviewed before."""
    for each in helpers_of(facts, lead):
        facts = _with_helpers_accepted(facts, each)
        if each.state is A.FED_BACK:
            facts = facts.with_assignment(replace(each, state=A.ACCEPTED))
    return facts


def follow_up(scene: Scene, move: m.TryFollowUp) -> Made:
    """Solved and satisfied are two answers. Where the law says shall, the redo follows at once."""
    if scene.actor.is_of_unit:
        raise NotFitting(why="never_by_the_unit")
    channels = scene.law.ask_if_given(law.FOLLOW_UP_CHANNELS)
    if channels is not None and LAW_CHANNELS[move.channel] not in channels.value:
        raise refused(channels, "other_channel")
    questions = scene.law.ask_if_given(law.QUESTIONS)
    scene.law.ask_if_given(law.FOLLOW_UP)
    for answer, question in ASKED.items():
        is_asked = questions is None or question in questions.value
        if move.is_reached and is_asked and getattr(move, answer) is None:
            raise missing(answer, questions)
    if move.is_satisfied is False:
        said(move.reason, "reason")
    done = FollowUp(
        number=len(scene.facts.follow_ups) + 1,
        round=scene.facts.round,
        at=scene.at,
        by=scene.actor.user,
        channel=move.channel,
        is_reached=move.is_reached,
        is_solved=move.is_solved,
        is_satisfied=move.is_satisfied,
        reason=move.reason,
        is_reasonable=move.is_reasonable,
        is_lawful=move.is_lawful,
        is_unhandled=move.is_unhandled,
        is_handling_faulty=move.is_handling_faulty,
    )
    if move.is_reached and move.channel is FollowUpChannel.AGENT:
        _check_judged(scene, done)
    facts = replace(scene.facts, follow_ups=(*scene.facts.follow_ups, done))
    if not move.is_reached:
        return Made(facts=facts)
    facts = doubted_by_follow_up(replace(scene, facts=facts), done)
    if scene.law.demands(law.REDO, **_redo_facts(done)) is None:
        return Made(facts=facts)
    return _handled_again(replace(scene, facts=facts), {"redo": "shall"})


def _redo_facts(last: FollowUp, *, is_verified: bool = False) -> dict[str, object]:
    """What the grounds of a redo may hang on; what nobody judged speaks against one."""
    return {
        "dissatisfied": last.is_satisfied is False,
        "reasonable": last.is_reasonable is True,
        "lawful": last.is_lawful is True,
        "unhandled": last.is_unhandled is True,
        "handled_lawfully": last.is_handling_faulty is not True,
        "handled_reasonably": last.is_handling_faulty is not True,
        "verified": is_verified,
    }


def _check_judged(scene: Scene, said_last: FollowUp) -> None:
    """Where the law says shall, what it hangs on is judged and never left out (trap 5).

    A link or a robot cannot judge: the centre does before it closes.
    """
    unsaid = [each for each in JUDGED if getattr(said_last, each) is None]
    for name in unsaid:
        granted: dict[str, Any] = dict.fromkeys(unsaid, True)
        shall = scene.law.demands(law.REDO, **_redo_facts(replace(said_last, **granted)))
        denied = _redo_facts(replace(said_last, **{**granted, name: False}))
        if shall is not None and scene.law.demands(law.REDO, **denied) is None:
            raise missing(name, shall)


def redo(scene: Scene, move: m.Redo) -> Made:
    last = _answer_of(scene.facts)
    if last is None:
        raise NotFitting(why="nobody_asked_yet")
    scene.law.ask(law.REDO, **_redo_facts(last, is_verified=move.is_verified))
    return _handled_again(scene, {"redo": "ordered"})


def _handled_again(scene: Scene, body: Mapping[str, object]) -> Made:
    """The answering units have it again, in a new round under a new clock; helpers are done."""
    round_ = scene.facts.round + 1
    facts = replace(scene.facts, round=round_, redo_count=scene.facts.redo_count + 1)
    due_at = scene.due(law.REDO_TERM)
    units = []
    for each in scene.facts.assignments:
        if not each.must_answer or each.state is not A.ACCEPTED:
            continue
        again = replace(
            each,
            state=A.SIGNED,
            round=round_,
            fed_back_at=None,
            interim_at=None,
            caller_told_at=None,
            outcome=None,
            feedback_due_at=due_at,
            completion_due_at=None,
        )
        facts = facts.with_assignment(again)
        units.append(each.unit)
    return Made(
        facts=settled(facts),
        body=body,
        messages=tuple(to_unit(unit, "redo", round=round_) for unit in units),
    )


def _answer_of(facts: TicketFacts) -> FollowUp | None:
    """What the caller last said in this round."""
    outcomesnow = [f for f in facts.follow_ups if f.is_reached and f.round == facts.round]
    return outcomesnow[-1] if outcomesnow else None


def close(scene: Scene, move: m.Close) -> Made:
    facts = scene.facts
    must = scene.law.demands(law.FOLLOW_UP)
    tries = [f for f in facts.follow_ups if f.round == facts.round]
    is_asked = _answer_of(facts) is not None or len(tries) >= TRIES_TO_REACH
    if must is not None and facts.is_reachable and not is_asked:
        raise missing("follow_up", must)
    last = _answer_of(facts)
    if last is not None:
        _check_judged(scene, last)
    if facts.lost_shares and not move.left_out.strip():
        raise missing("left_out")
    return Made(
        facts=replace(facts, state=TicketState.CLOSED, closed_at=scene.at),
        messages=to_caller(
            facts,
            "closed",
            number=facts.number,
            result=_result(facts),
            objection="explanation" if scene.law.gives(law.EXPLANATION) else "call",
            duty_note=duty_note(scene.law),
        ),
    )


def _result(facts: TicketFacts) -> str:
    """What the units said, as a code: a message tells nothing of a demand."""
    outcomes = {each.outcome for each in facts.assignments if each.must_answer and each.outcome}
    return "mixed" if len(outcomes) > 1 else next((each.value for each in outcomes), "done")


OBJECTIONS: Mapping[str, Rule[Any]] = {
    "explanation": law.EXPLANATION,
    "rating": law.RATING,
    "staff_complaint": law.STAFF_COMPLAINT,
}


def objections(the_law: Law) -> list[str]:
    """How a caller may object to a result here (R071); new facts open any ticket anew."""
    return ["new_facts", *(name for name, rule in OBJECTIONS.items() if the_law.gives(rule))]


def end(scene: Scene, move: m.End) -> Made:
    """Closed by redo or supervision, and verified by the centre (R072)."""
    given = scene.law.ask(law.FINAL)
    by = set()
    if scene.facts.redo_count:
        by.add(EndedBy.REDO)
    if scene.facts.is_supervised:
        by.add(EndedBy.SUPERVISION)
    if not by & set(given.value.after):
        raise refused(given, "neither_redone_nor_supervised")
    return Made(facts=replace(scene.facts, state=TicketState.ENDED))


def archive(scene: Scene, move: m.Archive) -> Made:
    if any(each.answered_at is None for each in scene.facts.explanations):
        raise NotFitting(why="explanation_owed")
    if any(each.settled_at is None for each in scene.facts.doubts):
        raise NotFitting(why="reply_in_doubt")
    return Made(facts=replace(scene.facts, state=TicketState.ARCHIVED))


def reopen(scene: Scene, move: m.Reopen) -> Made:
    """New facts, or a refusal that was wrong: back to dispatch, the citizen's clock begins anew."""
    was_wrong = scene.facts.state in REFUSED
    if not was_wrong and move.said_now.strip() == move.said_then.strip():
        raise NotFitting(field="said_now", why="nothing_new")
    gone = tuple(
        each if each.is_gone else replace(each, state=A.PAST) for each in scene.facts.assignments
    )
    facts = replace(
        scene.facts,
        state=TicketState.TO_DISPATCH,
        assignments=gone,
        round=scene.facts.round + 1,
        reply_due_at=None,
        completion_due_at=None,
        closed_at=None,
        decided_unit=None,
    )
    return Made(facts=facts, messages=to_caller(facts, "reopened", number=facts.number))


# ---- the caller's --------------------------------------------------------------------------------


def ask_explanation(scene: Scene, move: m.AskExplanation) -> Made:
    given = scene.law.ask(law.EXPLANATION)
    ground = GROUNDS.get(move.ground)
    if ground is None:
        raise NotFitting(field="ground", known=sorted(GROUNDS))
    if ground not in given.value:
        raise refused(given, "other_ground")
    facts = scene.facts
    if ground is ExplanationGround.REPLY_OVERDUE:
        is_owed = facts.reply_due_at is not None and scene.at >= facts.reply_due_at
        if not is_owed or not facts.wants_reply or _is_replied(facts):
            raise refused(given, "no_reply_overdue")
    elif not _is_replied(facts):
        raise refused(given, "no_result_yet")
    asked = Explanation(
        number=len(facts.explanations) + 1,
        ground=move.ground,
        question=move.question,
        asked_at=scene.at,
    )
    units = {a.unit for a in facts.assignments if a.must_answer}
    return Made(
        facts=facts.with_explanation(asked),
        messages=tuple(to_unit(unit, "explanation_asked") for unit in sorted(units)),
    )


def _is_replied(facts: TicketFacts) -> bool:
    return any(each.caller_told_at is not None for each in facts.assignments)


def explain(scene: Scene, move: m.Explain) -> Made:
    asked = next((each for each in scene.facts.explanations if each.number == move.number), None)
    if asked is None or asked.answered_at is not None:
        raise NotFitting(field="number", why="not_asked")
    answered = replace(
        asked, answer=move.answer, answered_at=scene.at, answered_by=scene.actor.user
    )
    return Made(
        facts=scene.facts.with_explanation(answered),
        messages=to_caller(scene.facts, "explained", number=scene.facts.number),
    )


def rate(scene: Scene, move: m.Rate) -> Made:
    scene.law.ask_if_given(law.RATING)
    rating = Rating(
        at=scene.at,
        by=scene.actor.user,
        stars=move.stars,
        reasons=tuple(move.reasons),
        text=move.text,
    )
    return Made(facts=scene.facts, records=(rating,))


# ---- locked lanes --------------------------------------------------------------------------------


def conclude(scene: Scene, move: m.Conclude) -> Made:
    return Made(facts=replace(scene.facts, state=TicketState.CLOSED, closed_at=scene.at))


def refer(scene: Scene, move: m.Refer) -> Made:
    scene.law.ask_if_given(law.RETALIATION)
    return Made(facts=replace(scene.facts, state=TicketState.HANDED_OVER, closed_at=scene.at))
