"""Acts about replies that may not be what happened: doubted, looked into, settled (R069). Pure.

A doubt stops no clock and takes nothing from anybody; a ticket is put away only when it is settled.
"""

from dataclasses import replace

from rules import catalogue as law
from rules.values import Fault
from tickets import moves as m
from tickets.acts.scene import Made, Scene
from tickets.assignment import Assignment, AssignmentState, Outcome
from tickets.facts import Doubt, DoubtGround, FollowUp, TicketFacts
from tickets.refusals import NotFitting

ANSWERED = frozenset({AssignmentState.FED_BACK, AssignmentState.ACCEPTED})


def doubt_reply(scene: Scene, move: m.DoubtReply) -> Made:
    scene.law.ask_if_given(law.FAULTS)
    return Made(facts=_doubted(scene, scene.facts, scene.mine, move.ground, move.note))


def settle_doubt(scene: Scene, move: m.SettleDoubt) -> Made:
    raised = next((each for each in scene.facts.doubts if each.number == move.number), None)
    if raised is None or raised.settled_at is not None:
        raise NotFitting(field="number", why="not_in_doubt")
    scene.law.ask_if_given(law.FAULTS)
    settled = replace(
        raised,
        is_false=move.is_false,
        finding=move.finding,
        settled_at=scene.at,
        settled_by=scene.actor.user,
    )
    return Made(facts=scene.facts.with_doubt(settled))


def doubted_by_follow_up(scene: Scene, said: FollowUp) -> TicketFacts:
    """A false reply is a fault in this city, the unit says done, the caller says unsolved."""
    facts = scene.facts
    if said.is_solved is not False:
        return facts
    faults = scene.law.ask_if_given(law.FAULTS)
    if faults is None or Fault.FALSE_REPLY not in faults.value:
        return facts
    for each in facts.assignments:
        is_doubted = any(
            doubt.assignment == each.id and doubt.settled_at is None for doubt in facts.doubts
        )
        if is_doubted:
            continue
        if each.must_answer and each.state in ANSWERED and each.outcome is Outcome.DONE:
            note = said.reason or each.reply
            facts = _doubted(scene, facts, each, DoubtGround.FOLLOW_UP_DIFFERS, note)
    return facts


def _doubted(
    scene: Scene, facts: TicketFacts, about: Assignment, ground: DoubtGround, note: str
) -> TicketFacts:
    return facts.with_doubt(
        Doubt(
            number=len(facts.doubts) + 1,
            assignment=about.id,
            ground=ground,
            note=note,
            raised_at=scene.at,
            raised_by=scene.actor.user,
        )
    )
