"""Acts before a unit is sought: corrected, split, answered, refused, handed over, checked. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rules import catalogue as law
from rules.catalogue import Rule
from rules.values import (
    DirectAnswer,
    Force,
    RefusalOutcome,
    RepeatOutcome,
    Route,
    RouteStage,
    Secret,
)
from tickets import moves as m
from tickets.acts.dispatching import Task, assign, check_not_ended
from tickets.acts.scene import BEFORE_REGISTERED, Made, Scene, happened, said, to_caller
from tickets.assignment import Part
from tickets.facts import ActorRole
from tickets.law import missing, refused
from tickets.records import Record, Refusal, RefusalKind
from tickets.refusals import NotFitting, NotSaid
from tickets.ticket import TicketState, TicketType

GROUNDS = {
    "route": law.REFUSE_ROUTE,
    "secret": law.REFUSE_SECRET,
    "public_order": law.REFUSE_PUBLIC_ORDER,
    "unlawful": law.REFUSE_UNLAWFUL,
    "outside_area": law.REFUSE_OUTSIDE,
    "not_public_service": law.REFUSE_NOT_SERVICE,
    "other": law.REFUSE_OTHER,
}
"""Reasons for not accepting (R033–R036) and the rule that each rests on."""
EMERGENCY_MEANS = {
    "transferred": law.EMERGENCY_TRANSFER,
    "guided": law.EMERGENCY_GUIDE,
    "notified": law.EMERGENCY_NOTIFY,
}
_OF_AMENDING = frozenset({"reason", "callers_word"})
_LIFT_ACCUSED = frozenset({ActorRole.REVIEWER, ActorRole.SUPERVISOR, ActorRole.HEAD})
"""None of them dispatches: it takes two to send a demand to whom it had accused."""
_WISHES: Mapping[Rule[Any], frozenset[str]] = {
    law.REPLY_RIGHT: frozenset({"wants_reply"}),
    law.CONFIDENTIAL: frozenset({"is_confidential"}),
    law.IDENTITY: frozenset({"caller_name", "contact_number"}),
}
"""What a caller may ask or give also later, and the rule that it rests on (R014, R016)."""
ELEMENTS = ("who", "what", "where", "when", "want")
NEEDED_ELEMENTS = ("what", "want")
"""Without these no unit can begin; that the others were asked for is noted."""
NOT_TAKEN = frozenset({TicketState.NOT_ACCEPTED, TicketState.NOT_REGISTERED})
"""A former ticket in these is neither in hand nor done: no repeat can rest on it (Tongliao 11)."""
UNCLEAR = frozenset({"facts_unclear", "demand_unclear", "hard_to_verify"})


def amend(scene: Scene, move: m.Amend) -> Made:
    given = {
        name: value
        for name in move.__struct_fields__
        if name not in _OF_AMENDING and (value := getattr(move, name)) is not None
    }
    texts = {name: given.pop(name) for name in m.AMENDED_TEXTS if name in given}
    for plural, kind in (("accused_units", frozenset), ("accused_people", tuple)):
        if plural in given:
            given[plural] = kind(given[plural])
    _check_lifting(scene, move, given)
    for rule, fields in _WISHES.items():
        if given.keys() & fields or texts.keys() & fields:
            scene.law.ask_if_given(rule)
    before = {name: _plain(getattr(scene.facts, name)) for name in given}
    facts = replace(scene.facts, **given)
    if "demand" in texts:
        facts = replace(facts, is_withheld=False)
    for unit in facts.accused_units - scene.facts.accused_units:
        scene.units.get(unit)
    if facts.state is not TicketState.REGISTERED and given.keys() & {"type", "domain"}:
        check_type(replace(scene, facts=facts))
    holders = {each.unit for each in facts.assignments if each.is_held}
    whom = facts.accused_units, facts.accused_people
    accused = {unit for unit in holders if scene.units.is_accused(unit, *whom)}
    if accused:
        raise NotFitting(why="accused_has_it", units=sorted(accused))
    return Made(facts=facts, body={"before": before}, texts=texts)


def _check_lifting(scene: Scene, move: m.Amend, given: dict[str, Any]) -> None:
    """What protects somebody is not taken away by one person's own will (Jinan 16, 32)."""
    facts = scene.facts
    if facts.is_confidential and given.get("is_confidential") is False:
        said(move.callers_word, "callers_word", scene.law.ask_if_given(law.CONFIDENTIAL))
    units = facts.accused_units - given.get("accused_units", facts.accused_units)
    people = set(facts.accused_people) - set(given.get("accused_people", facts.accused_people))
    if not units and not people:
        return
    if scene.actor.user == facts.created_by or not scene.actor.roles & _LIFT_ACCUSED:
        block = scene.law.ask_if_given(law.ACCUSED)
        why = "second_person_needed"
        raise NotFitting(field="accused", why=why) if block is None else refused(block, why)


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, frozenset) else value


def split(scene: Scene, move: m.Split) -> Made:
    scene.law.ask_if_given(law.SPLIT)
    return Made(facts=scene.facts, siblings=tuple(move.demands))


def answer(scene: Scene, move: m.Answer) -> Made:
    given = scene.law.ask(law.DIRECT_ANSWER)
    is_consult = scene.facts.type is TicketType.CONSULT
    if given.value is DirectAnswer.CONSULT_FROM_KNOWLEDGE and not is_consult:
        raise refused(given, "no_consultation")
    return _settled(scene, TicketState.ANSWERED)


def answer_repeat(scene: Scene, move: m.AnswerRepeat) -> Made:
    """Another citizen with the same problem is never a repeat (trap 4)."""
    facts = scene.facts
    has_ended = facts.former_state is TicketState.ENDED
    given = scene.law.ask(law.REPEAT, ended=has_ended)
    if facts.former is None:
        raise missing("former", given)
    if not facts.is_former_same_caller:
        raise refused(given, "other_caller")
    if facts.former_state in NOT_TAKEN:
        raise refused(given, "former_not_taken")
    is_refusal = given.value.outcome is RepeatOutcome.NOT_ACCEPTED
    state = TicketState.NOT_ACCEPTED if is_refusal else TicketState.REPEAT_ANSWERED
    refusal = _refusal(scene, RefusalKind.REPEAT, "repeat", move.told, given.card.place)
    return _settled(scene, state, refusal)


def answer_event(scene: Scene, move: m.AnswerEvent) -> Made:
    scene.law.ask(law.INCIDENT)
    made = _settled(scene, TicketState.ANSWERED)
    told = to_caller(scene.facts, "event_answered", number=scene.facts.number, text=move.text)
    return replace(made, messages=told)


def not_accept(scene: Scene, move: m.NotAccept) -> Made:
    rule = GROUNDS.get(move.reason)
    if rule is None:
        raise NotFitting(field="reason", known=sorted(GROUNDS))
    given = scene.law.ask(rule, **_about_route(move))
    if move.told_at > scene.at:
        raise missing("told_at", given)
    happened(scene, "told_at", move.told_at, since=scene.facts.created_at - BEFORE_REGISTERED)
    if given.value.outcome in (RefusalOutcome.SHOW_PLACE, RefusalOutcome.SHOW_ROUTE):
        said(move.refer_to, "refer_to", given)
    is_secret = move.reason == "secret"
    if is_secret:
        kinds = scene.law.ask(law.REFUSE_SECRETS)
        if _secret(move.secret) not in kinds.value:
            raise refused(kinds, "other_secret")
    refusal = _refusal(scene, RefusalKind.NOT_ACCEPTED, move.reason, move.told, given.card.place)
    made = _settled(
        scene,
        TicketState.NOT_ACCEPTED,
        replace(refusal, told_at=move.told_at, refer_to=move.refer_to),
    )
    told = to_caller(
        scene.facts,
        "not_accepted",
        reason=move.reason,
        article=given.card.place,
        refer_to=move.refer_to,
    )
    if is_secret:
        made = replace(made, facts=replace(made.facts, is_withheld=True), withholds_content=True)
    return replace(made, body={"script": given.script}, messages=told)


def _about_route(move: m.NotAccept) -> dict[str, object]:
    """Jinan speaks of what has entered another route, others also of what should (trap 3)."""
    if move.reason != "route":
        return {}
    try:
        return {"route": Route(move.route), "stage": RouteStage(move.stage)}
    except ValueError:
        raise NotFitting(
            field="route", routes=[*map(str, Route)], stages=[*map(str, RouteStage)]
        ) from None


def _secret(kind: str) -> Secret:
    try:
        return Secret(kind)
    except ValueError:
        raise NotFitting(field="secret", known=[*map(str, Secret)]) from None


def not_register(scene: Scene, move: m.NotRegister) -> Made:
    if move.reason not in UNCLEAR:
        raise NotFitting(field="reason", known=sorted(UNCLEAR))
    given = scene.law.ask(law.UNCLEAR)
    asked = "；".join(f"{each.question}：{each.answer}" for each in move.questions)
    refusal = _refusal(scene, RefusalKind.NOT_REGISTERED, move.reason, asked, given.card.place)
    return _settled(scene, TicketState.NOT_REGISTERED, refusal)


def _refusal(scene: Scene, kind: RefusalKind, reason: str, told: str, article: str) -> Refusal:
    return Refusal(
        kind=kind,
        reason=reason,
        told=told,
        told_at=scene.at,
        refer_to="",
        article=article,
        by=scene.actor.user,
    )


def hand_over(scene: Scene, move: m.HandOver) -> Made:
    """To the line; and where the law asks it, to a unit that signs: two acts (trap 7)."""
    if not scene.facts.is_urgent:
        raise NotFitting(why="no_emergency")
    _check_line(scene, move)
    happened(scene, "handed_at", move.handed_at, since=scene.facts.created_at - BEFORE_REGISTERED)
    signs = scene.law.demands(law.EMERGENCY_SIGN)
    if signs is None:
        if move.units:
            raise NotFitting(field="units", why="no_unit_signs_here")
        return _settled(scene, TicketState.HANDED_OVER)
    if not move.units:
        raise missing("units", signs)
    part = Part.SINGLE if len(move.units) == 1 else Part.SEPARATE
    tasks = [Task(unit=unit, part=part) for unit in move.units]
    return assign(scene, tasks, basis=signs.card.place)


def _check_line(scene: Scene, move: m.HandOver) -> None:
    """A city whose law is silent on emergencies still hands them over: our own practice."""
    rule = EMERGENCY_MEANS.get(move.means)
    if rule is None:
        raise NotFitting(field="means", known=sorted(EMERGENCY_MEANS))
    if not any(scene.law.gives(each) for each in EMERGENCY_MEANS.values()):
        return
    given = scene.law.ask(rule)
    if move.line not in given.value:
        raise refused(given, "other_line")


def pass_check(scene: Scene, move: m.PassCheck) -> Made:
    """Guided registration: type and domain of the city, and what a unit needs to begin."""
    lacking = [name for name in NEEDED_ELEMENTS if not move.elements.get(name)]
    unasked = [name for name in ELEMENTS if name not in move.elements]
    if lacking or unasked:
        raise NotSaid(field="elements", lacking=lacking, unasked=unasked)
    check_type(scene)
    check_not_ended(scene, move.why_new)
    return Made(facts=replace(scene.facts, state=TicketState.TO_DISPATCH))


def check_type(scene: Scene) -> None:
    """Refuse a demand type, or a domain, that the ticket's city does not have (R005, R006)."""
    types = scene.law.ask(law.DEMAND_TYPES)
    if scene.facts.type.value not in {kind.code.value for kind in types.value}:
        raise refused(types, "type")
    domains = scene.law.ask_if_given(law.DOMAINS)
    if domains is None or (domains.force is not Force.MUST and not scene.facts.domain):
        return
    if scene.facts.domain not in {each.code for each in domains.value}:
        raise refused(domains, "domain")


def _settled(scene: Scene, state: TicketState, *records: Record) -> Made:
    return Made(facts=replace(scene.facts, state=state, closed_at=scene.at), records=records)
