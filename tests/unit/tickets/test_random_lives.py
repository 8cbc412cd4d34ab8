"""Random moves, legal and not, of random people on tickets of every city: what always holds.

Invariants 7 to 11 as far as they are decided purely: a refusal changes nothing, a move is one
version, the citizen's clock never goes back or stops, the pack never changes, and neither the
accused nor the recused ever hold the ticket.
"""

from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from base.ids import AssignmentId, UnitId
from tests.fakes.city import (
    DONGGUAN,
    HOUSING,
    LIXIA,
    MARKET,
    RESIDENTS,
    WATER,
    centre,
    of_unit,
    person,
)
from tests.fakes.work_order import CALLER, WorkOrder, WorkOrders, in_days, in_memory
from tickets import moves as m
from tickets.assignment import CompletionBasis, Outcome, Part
from tickets.decision import ACTS
from tickets.facts import Actor, ActorRole, DoubtGround, FollowUpChannel, RequestState, TicketFacts
from tickets.law import Law
from tickets.lifecycle import ROWS, TABLE, moves_open_to
from tickets.refusals import MoveRefused
from tickets.ticket import TicketState, TicketType

CITIES = ("jinan_2018", "jinan_draft_2018", "taian_draft", "hangzhou_2024", "tongliao_2024")
UNITS = (WATER, HOUSING, MARKET, LIXIA, DONGGUAN, RESIDENTS)
KINDS: list[type[m.Move]] = sorted(ACTS, key=m.tag_of)
ONWARD = {m.tag_of(row.move) for row in ROWS if row.edge.to or row.edge.at_unit} - {
    "archive",
    "study",
    "reopen",
    "recuse",
    "withdraw",
    "not_accept",
    "answer",
    "answer_repeat",
    "answer_event",
    "hand_over",
}
"""Moves of a ticket that is really handled."""
STARTS = ("registered", "checked", "dispatched", "signed", "followed_up")
T = TypeVar("T")
units = st.sampled_from(UNITS)
yes_no = st.booleans()
actors = st.one_of(
    st.sampled_from([role for role in ActorRole if role is not ActorRole.UNIT]).map(centre),
    units.map(of_unit),
    st.just(CALLER),
)


def a_move(draw: Any, kind: type[m.Move], facts: TicketFacts, orders: WorkOrders) -> m.Move:
    """Such a move, with what must be said mostly said."""
    assignment = draw(st.sampled_from([a.id for a in facts.assignments] or [AssignmentId("x")]))
    texts = st.sampled_from(["", "三定规定第三条"])
    match kind:
        case m.Amend:
            return m.Amend(reason="x", accused_units=draw(st.just([]) | units.map(lambda u: [u])))
        case m.Split:
            return m.Split(demands=[m.SplitDemand(type=TicketType.OTHER, demand="x")])
        case m.Answer:
            return m.Answer(article="k1", article_version="1", text="x")
        case m.AnswerEvent:
            return m.AnswerEvent(event=1, facts_at=facts.created_at, text="x")
        case m.AnswerRepeat:
            return m.AnswerRepeat(said_then="x", said_now="x", why_not_new="x", told="x")
        case m.NotAccept:
            reason = draw(st.sampled_from(["route", "secret", "outside_area", "other"]))
            return m.NotAccept(
                reason=reason,
                told="x",
                told_at=orders.at,
                refer_to=draw(texts),
                route="litigation",
                stage=draw(st.sampled_from(["entered", "should_enter"])),
                secret="state",
            )
        case m.NotRegister:
            asked = [m.Question(question="x", answer="")]
            return m.NotRegister(reason="facts_unclear", questions=asked)
        case m.HandOver:
            return m.HandOver(
                line="110",
                means=draw(st.sampled_from(["transferred", "guided", "notified"])),
                handed_at=orders.at,
                units=draw(st.lists(units, max_size=2, unique=True)),
            )
        case m.PassCheck:
            return m.PassCheck(
                elements=dict.fromkeys(["who", "what", "where", "when", "want"], True)
            )
        case m.ConsultUnit:
            return m.ConsultUnit(unit=draw(units), question="x")
        case m.AnswerConsult:
            return m.AnswerConsult(number=1, answer="x")
        case m.Study:
            return m.Study(reason="x")
        case m.Meet:
            return m.Meet(participants=["x"], minutes="x", decided_unit=draw(st.none() | units))
        case m.Escalate:
            return m.Escalate(report="x")
        case m.EndStudy:
            return m.EndStudy(unit=draw(units), reason="x")
        case m.Dispatch:
            return m.Dispatch(units=_shares(draw), basis="x")
        case m.Designate:
            return m.Designate(unit=draw(units), order="x")
        case m.AddAssist:
            return m.AddAssist(unit=draw(units), basis="x")
        case m.Withdraw:
            return m.Withdraw(assignment=assignment, reason="x")
        case m.Recuse:
            return m.Recuse(
                users=[person(7)], units=draw(st.lists(units, max_size=1)), interest="x"
            )
        case m.RelayReply:
            return m.RelayReply(assignment=assignment, told="x", told_at=orders.at)
        case m.Sign:
            return m.Sign()
        case m.AskReturn:
            return m.AskReturn(ground="not_our_duty", reason="x", basis=draw(texts))
        case m.DecideReturn:
            return m.DecideReturn(assignment=assignment, is_granted=draw(yes_no), decision="x")
        case m.Contact:
            return m.Contact(is_reached=draw(yes_no), result="x", tried_at=orders.at)
        case m.Progress:
            return m.Progress(note="x", is_caller_told=draw(yes_no))
        case m.StatutoryRoute:
            return m.StatutoryRoute(law="x", article="x", days=draw(st.integers(1, 60)), told="x")
        case m.Promise:
            on = in_days(orders, draw(st.integers(1, 90)))
            return m.Promise(measures="x", progress="x", promised_on=on, told="x")
        case m.AskExtension:
            days = draw(st.none() | st.just(5) | st.integers(1, 20))
            return m.AskExtension(reason="x", basis=draw(texts), days=days)
        case m.DecideExtension:
            return m.DecideExtension(assignment=assignment, is_granted=draw(yes_no), decision="x")
        case m.TellExtension:
            return m.TellExtension(told="x", told_at=orders.at)
        case m.SubDispatch:
            return m.SubDispatch(units=[draw(units)])
        case m.AskTermination:
            ground = draw(st.sampled_from(["uncooperative", "unreachable", "unlawful"]))
            return m.AskTermination(ground=ground, evidence=["a1"], explanation=draw(texts))
        case m.DecideTermination:
            return m.DecideTermination(assignment=assignment, is_granted=draw(yes_no), decision="x")
        case m.StopRepeat:
            return m.StopRepeat(case="handled", explanation="x", written_note="x")
        case m.InterimReply:
            return m.InterimReply(reply="x", told_at=orders.at)
        case m.Feedback:
            return m.Feedback(
                outcome=draw(st.sampled_from(Outcome)),
                reply="x",
                basis=draw(texts),
                told_at=draw(st.none() | st.just(orders.at)),
                asked_satisfied=draw(st.none() | yes_no),
                no_contact_reason=draw(texts),
            )
        case m.Urge:
            return m.Urge(reason="x")
        case m.Remind:
            return m.Remind(timer="yellow_card", due_at=orders.at)
        case m.Supervise:
            return m.Supervise(trigger="overdue", opinion="x")
        case m.ReviewFeedback:
            is_good = draw(yes_no)
            return m.ReviewFeedback(
                assignment=assignment,
                answers_all_demands=is_good,
                has_basis=True,
                is_contact_proved=True,
                is_accepted=is_good,
                verdict="x",
            )
        case m.Deliberate:
            return m.Deliberate(participants=["x"], minutes="x")
        case m.DoubtReply:
            return m.DoubtReply(assignment=assignment, ground=DoubtGround.OTHER, note="x")
        case m.SettleDoubt:
            return m.SettleDoubt(number=1, is_false=draw(yes_no), finding="x")
        case m.TryFollowUp:
            return m.TryFollowUp(
                channel=FollowUpChannel.AGENT,
                is_reached=draw(yes_no),
                is_solved=draw(yes_no),
                is_satisfied=draw(yes_no),
                reason="x",
                is_reasonable=draw(yes_no),
                is_lawful=draw(yes_no),
                is_unhandled=draw(yes_no),
                is_handling_faulty=draw(yes_no),
            )
        case m.Redo:
            return m.Redo(reason="x", is_verified=draw(yes_no))
        case m.Close:
            return m.Close(summary="x")
        case m.End:
            return m.End(verification="x")
        case m.Archive:
            return m.Archive()
        case m.Reopen:
            return m.Reopen(said_then="x", said_now="y", why_new="x")
        case m.AskExplanation:
            return m.AskExplanation(
                ground=draw(st.sampled_from(["overdue", "disputed"])), question="x"
            )
        case m.Explain:
            return m.Explain(number=1, answer="x")
        case m.Rate:
            return m.Rate(stars=draw(st.integers(1, 5)))
        case m.Conclude:
            return m.Conclude(finding="x", consequence="x", told="x")
        case m.Refer:
            return m.Refer(authority="x", record="x")
        case _:
            raise AssertionError(f"{kind} is not drawn here")


def _shares(draw: Any) -> list[m.Share]:
    chosen = draw(st.lists(units, min_size=1, max_size=3, unique=True))
    if len(chosen) == 1:
        return [m.Share(unit=chosen[0], part="single")]
    if draw(yes_no):
        return [m.Share(unit=unit, part="separate") for unit in chosen]
    return [m.Share(unit=u, part="assist" if n else "lead") for n, u in enumerate(chosen)]


class Life(RuleBasedStateMachine):
    """One ticket of one city."""

    city: str

    def __init__(self) -> None:
        super().__init__()
        self.orders: WorkOrders
        self.order: WorkOrder
        self.before: TicketFacts
        self.is_begun = False

    @initialize(wants=yes_no, accused=st.just([]) | st.just([LIXIA]), start=st.sampled_from(STARTS))
    def begin(self, wants: bool, accused: list[UnitId], start: str) -> None:
        self.orders = in_memory(self.city)
        self.order = at_once(self.orders.register(wants_reply=wants, accused_units=accused))
        if start == "checked":
            at_once(self.order.check())
        elif start in ("dispatched", "signed"):
            at_once(self.order.to_units(MARKET))
            if start == "signed":
                at_once(self.order.sign(MARKET))
        elif start == "followed_up":
            at_once(self.order.to_follow_up(MARKET))
        self.before = self.order.facts
        self.is_begun = True

    @rule(hours=st.sampled_from([1, 9, 30, 100]))
    def wait(self, hours: int) -> None:
        self.orders.later(hours=hours)

    @precondition(lambda self: self.is_begun)
    @rule(data=st.data(), actor=actors)
    def anything(self, data: Any, actor: Actor) -> None:
        """Somebody tries something."""
        kind = data.draw(st.sampled_from(KINDS))
        self._try(a_move(data.draw, kind, self.order.facts, self.orders), actor)

    @precondition(lambda self: self.is_begun)
    @rule(data=st.data())
    def a_button(self, data: Any) -> None:
        """Somebody presses one of the buttons."""
        self._press(data, self._buttons())

    @precondition(lambda self: self.is_begun)
    @rule(data=st.data())
    def onward(self, data: Any) -> None:
        """Somebody gets the ticket on, so that lives reach their end."""
        buttons = [each for each in self._buttons() if each[0] in ONWARD]
        self._press(data, buttons or self._buttons())

    onward_again = onward
    onward_once_more = onward

    def _buttons(self) -> list[tuple[str, Actor]]:
        facts = self.order.facts
        law = Law(self.orders.backend.pack, facts.created_at.date())  # type: ignore[attr-defined]
        people = [centre(role) for role in ActorRole if role is not ActorRole.UNIT]
        people += [of_unit(each.unit) for each in facts.assignments]
        return [(open_.move, who) for who in people for open_ in moves_open_to(facts, who, law)]

    def _press(self, data: Any, buttons: list[tuple[str, Actor]]) -> None:
        name, actor = data.draw(st.sampled_from(buttons))
        kind = next(kind for kind in KINDS if m.tag_of(kind) == name)
        self._try(a_move(data.draw, kind, self.order.facts, self.orders), actor)

    def _try(self, move: m.Move, actor: Actor) -> None:
        self.before = self.order.facts
        tag = m.tag_of(type(move))
        try:
            at_once(self.order.do(move, actor))
        except MoveRefused:  # any other error is a fault
            assert self.order.facts == self.before
            return
        after = self.order.facts
        edge = TABLE[self.before.state, tag]
        assert after.version == self.before.version + 1
        assert after.state is self.before.state or after.state in edge.to
        assert actor.roles & edge.who
        self._check_clock(move)

    def _check_clock(self, move: m.Move) -> None:
        before, after = self.before.reply_due_at, self.order.facts.reply_due_at
        if before is None or isinstance(move, m.Reopen):
            return
        assert after is not None
        assert after >= before
        if after > before:
            assert isinstance(move, m.TellExtension | m.DecideExtension)

    @precondition(lambda self: self.is_begun)
    @invariant()
    def what_always_holds(self) -> None:
        facts = self.order.facts
        assert facts.pack == self.before.pack
        holders = {each.unit for each in facts.assignments if each.is_open}
        assert not holders & (facts.accused_units | facts.recused_units)
        if facts.state is TicketState.WITH_UNITS:
            assert any(each.is_open and each.must_answer for each in facts.assignments)
        else:
            assert not any(each.is_open and each.must_answer for each in facts.assignments)
        by_id = {each.id: each for each in facts.assignments}
        for each in facts.assignments:
            parent = by_id.get(each.parent) if each.parent else None
            if each.is_open and parent is not None and each.part is not Part.SEPARATE:
                assert parent.is_open, "a helper outlived its lead"
            if each.completion_due_at is not None and each.feedback_due_at is not None:
                assert each.completion_basis is not CompletionBasis.NONE
        for request in facts.requests:
            if request.state is RequestState.IN_FORCE and request.new_due_at is not None:
                assert request.told_at is not None or not facts.is_reachable


@pytest.mark.parametrize("city", CITIES)
def test_whatever_people_try_what_must_hold_holds(city: str) -> None:
    run_state_machine_as_test(
        type("LifeOf", (Life,), {"city": city}),
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """What never waits needs no loop."""
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("it waited")
