"""One move of one ticket, decided: new facts, a ledger entry and what follows; or a refusal.

Pure: ticket, move, person, pack, calendar, organisation and time go in. Order of refusals: what is
not yours to see, what the state forbids, who may, what the law does not give, what is left out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from base.ids import AssignmentId
from rules import catalogue as law
from rules.article import ArticleCard
from rules.pack import Pack
from rules.worktime import local_date
from tickets import moves as m
from tickets.acts import at_unit, dispatching, doubting, ending, registration, requests
from tickets.acts.scene import Made, Message, Scene
from tickets.assignment import Assignment
from tickets.due import DueTimes
from tickets.facts import Actor, TicketFacts
from tickets.law import Law, places_of, refused
from tickets.lifecycle import TABLE, Edge, check_visible, is_theirs
from tickets.moves import Move, SplitDemand
from tickets.records import Record
from tickets.refusals import IllegalMove, NotFitting, NotYours
from tickets.timers import Timer, timers_of
from tickets.units import Organisation

ACTS: Mapping[type[Move], Callable[[Scene, Any], Made]] = {
    m.Amend: registration.amend,
    m.Split: registration.split,
    m.Answer: registration.answer,
    m.AnswerRepeat: registration.answer_repeat,
    m.AnswerEvent: registration.answer_event,
    m.NotAccept: registration.not_accept,
    m.NotRegister: registration.not_register,
    m.HandOver: registration.hand_over,
    m.PassCheck: registration.pass_check,
    m.ConsultUnit: dispatching.consult_unit,
    m.AnswerConsult: dispatching.answer_consult,
    m.Study: dispatching.study,
    m.Meet: dispatching.meet,
    m.Escalate: dispatching.escalate,
    m.EndStudy: dispatching.end_study,
    m.Dispatch: dispatching.dispatch,
    m.Designate: dispatching.designate,
    m.AddAssist: dispatching.add_assist,
    m.Withdraw: dispatching.withdraw,
    m.Recuse: dispatching.recuse,
    m.SubDispatch: dispatching.sub_dispatch,
    m.Deliberate: at_unit.deliberate,
    m.Sign: at_unit.sign,
    m.AskReturn: requests.ask_return,
    m.DecideReturn: requests.decide_return,
    m.Contact: at_unit.contact,
    m.Progress: at_unit.progress,
    m.StatutoryRoute: at_unit.statutory_route,
    m.Promise: at_unit.promise,
    m.AskExtension: requests.ask_extension,
    m.DecideExtension: requests.decide_extension,
    m.TellExtension: requests.tell_extension,
    m.AskTermination: requests.ask_termination,
    m.DecideTermination: requests.decide_termination,
    m.StopRepeat: requests.stop_repeat,
    m.InterimReply: at_unit.interim_reply,
    m.RelayReply: at_unit.relay_reply,
    m.Feedback: at_unit.feedback,
    m.Urge: at_unit.urge,
    m.Remind: at_unit.remind,
    m.Supervise: at_unit.supervise,
    m.ReviewFeedback: ending.review_feedback,
    m.DoubtReply: doubting.doubt_reply,
    m.SettleDoubt: doubting.settle_doubt,
    m.TryFollowUp: ending.follow_up,
    m.Redo: ending.redo,
    m.Close: ending.close,
    m.End: ending.end,
    m.Archive: ending.archive,
    m.Reopen: ending.reopen,
    m.AskExplanation: ending.ask_explanation,
    m.Explain: ending.explain,
    m.Rate: ending.rate,
    m.Conclude: ending.conclude,
    m.Refer: ending.refer,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a move is decided in, beside the ticket itself."""

    pack: Pack
    dues: DueTimes
    units: Organisation
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the ledger gets for a move: exactly one."""

    action: str
    reason: str
    article: str
    body: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A move that was allowed."""

    facts: TicketFacts
    entry: Entry
    messages: tuple[Message, ...]
    siblings: tuple[SplitDemand, ...]
    records: tuple[Record, ...]
    timers: frozenset[Timer]
    """All that the ticket now waits for."""
    texts: Mapping[str, str]
    """Texts of the ticket that change."""
    withholds_content: bool


def decide_move(facts: TicketFacts, move: Move, actor: Actor, setting: Setting) -> Moved:
    """Decide one move; every refusal is a ``MoveRefused``."""
    the_law = law_of(facts, setting.pack)
    edge = _edge(facts, move, actor, the_law)
    scene = Scene(
        facts=facts,
        actor=actor,
        law=the_law,
        dues=setting.dues,
        units=setting.units,
        at=setting.at,
        assignment=_assignment(facts, move, actor, edge),
    )
    if edge.rule is not None and not the_law.gives(edge.rule):
        the_law.ask(edge.rule)  # raises, in the rule's name
    made = ACTS[type(move)](scene, move)
    after = replace(made.facts, version=facts.version + 1)
    if after.state is not facts.state and after.state not in edge.to:
        raise AssertionError(f"{m.tag_of(type(move))} led to {after.state}, not in the table")
    _check_assignment(scene, after, edge)
    return Moved(
        facts=after,
        entry=_entry(facts, after, move, actor, made.body, the_law.relied),
        messages=made.messages,
        siblings=made.siblings,
        records=made.records,
        timers=timers_of(after, law_of(after, setting.pack), setting.dues),
        texts=made.texts,
        withholds_content=made.withholds_content,
    )


def _check_assignment(scene: Scene, after: TicketFacts, edge: Edge) -> None:
    if scene.assignment is None:
        return
    now = after.assignment(scene.mine.id)
    if now is None or (now.state is not scene.mine.state and now.state not in edge.becomes):
        raise AssertionError(f"assignment {scene.mine.id} went where the table does not lead")


def law_of(facts: TicketFacts, pack: Pack) -> Law:
    """The ticket's own law: the pack it began with, on the day it began (invariant 10)."""
    if (pack.id, pack.version) != (facts.pack.name, facts.pack.version):
        raise AssertionError(f"{facts.number} lives under {facts.pack}, not {pack.version}")
    return Law(pack, local_date(facts.created_at))


def _edge(facts: TicketFacts, move: Move, actor: Actor, the_law: Law) -> Edge:
    check_visible(facts, actor)
    tag = m.tag_of(type(move))
    edge = TABLE.get((facts.state, tag))
    if edge is None or facts.lane not in edge.lanes:
        raise IllegalMove(state=facts.state.value, move=tag)
    if not edge.who & actor.roles:
        raise NotYours(move=tag, who=sorted(edge.who))
    if actor.user in facts.recused_users:
        given = the_law.ask(law.RECUSAL)
        raise refused(given, "recused")
    return edge


def _assignment(facts: TicketFacts, move: Move, actor: Actor, edge: Edge) -> Assignment | None:
    """The one the move is about: named in it, or the acting unit's own."""
    if not edge.at_unit:
        return None
    wanted: AssignmentId | None = getattr(move, "assignment", None)
    if wanted is not None:
        found = facts.assignment(wanted)
    else:
        found = None if actor.unit is None else facts.of_unit(actor.unit)
    if found is None or not is_theirs(m.tag_of(type(move)), found, facts, actor):
        raise NotFitting(field="assignment", why="no_such_assignment")
    if found.state not in edge.at_unit:
        raise IllegalMove(state=found.state.value, move=m.tag_of(type(move)))
    return found


def _entry(
    before: TicketFacts,
    after: TicketFacts,
    move: Move,
    actor: Actor,
    more: Mapping[str, object],
    cards: list[ArticleCard],
) -> Entry:
    said = dict(msgspec.to_builtins(move))
    action = str(said.pop("move"))
    if isinstance(move, m.Amend):  # texts can be erased, the ledger cannot
        said["texts"] = [name for name in m.AMENDED_TEXTS if said.pop(name) is not None]
    body: dict[str, object] = {
        "said": said,
        "from": before.state.value,
        "to": after.state.value,
        "version": after.version,
        "cards": [msgspec.to_builtins(card) for card in cards],
        **more,
    }
    if actor.unit is not None:
        body["unit"] = actor.unit
    return Entry(
        action=action,
        reason=str(said.get("reason", "")),
        article=places_of(cards),
        body=body,
    )
