"""The life of a work order, decided in memory: what each state and each city lets happen."""

from datetime import timedelta

import msgspec
import pytest

from tests.fakes.city import (
    DONGGUAN,
    EMPTY,
    HOUSING,
    LIXIA,
    MARKET,
    TRAFFIC,
    WATER,
    centre,
    of_unit,
)
from tests.fakes.work_order import HEAD, SUPERVISOR, WorkOrders, in_days, in_memory
from tickets import moves as m
from tickets.assignment import AssignmentState, Outcome
from tickets.decision import ACTS
from tickets.facts import ActorRole, FollowUpChannel
from tickets.law import Law
from tickets.lifecycle import ROWS, TABLE, moves_open_to
from tickets.refusals import (
    IllegalMove,
    NotFitting,
    NotSaid,
    NotYours,
    RefusedByLaw,
    TicketUnseen,
)
from tickets.ticket import Lane, Matter, TicketState, TicketType, Urgency


def jinan() -> WorkOrders:
    return in_memory("jinan_2018")


async def test_a_work_order_goes_from_registration_to_its_close() -> None:
    order = await jinan().register()
    assert (await order.check()).state is TicketState.TO_DISPATCH
    assert (await order.dispatch(WATER)).state is TicketState.WITH_UNITS
    await order.sign(WATER)
    await order.contact(WATER)
    assert (await order.feedback(WATER)).state is TicketState.IN_REVIEW
    assert (await order.review(WATER)).state is TicketState.FOLLOWING_UP
    await order.follow_up()
    assert (await order.close()).state is TicketState.CLOSED


def test_every_move_has_an_act_and_every_act_a_row() -> None:
    assert {row.move for row in ROWS} == set(ACTS)


def test_every_state_but_the_first_can_be_reached_and_every_state_but_archived_can_be_left() -> (
    None
):
    reached = {state for edge in TABLE.values() for state in edge.to}
    left = {state for (state, _), edge in TABLE.items() if set(edge.to) - {state}}
    assert reached == set(TicketState) - {TicketState.REGISTERED}
    assert left == set(TicketState)  # archived: by new facts


async def test_a_move_that_the_state_does_not_allow_is_refused_by_a_stable_code() -> None:
    order = await jinan().register()
    with pytest.raises(IllegalMove) as refusal:
        await order.close()
    assert refusal.value.code == "ticket_move_illegal"
    assert refusal.value.params == {"state": "registered", "move": "close"}
    await order.to_units(WATER)
    await order.sign(WATER)
    with pytest.raises(IllegalMove) as refusal:
        await order.sign(WATER)
    assert refusal.value.params == {"state": "signed", "move": "sign"}


async def test_a_move_of_somebody_elses_is_refused() -> None:
    order = await jinan().register()
    await order.to_units(WATER)
    with pytest.raises(NotYours):
        await order.do(m.AddAssist(unit=HOUSING, basis="x"), of_unit(WATER))


async def test_a_unit_that_has_nothing_to_do_with_a_ticket_does_not_learn_of_it() -> None:
    order = await jinan().register()
    await order.to_units(WATER)
    with pytest.raises(TicketUnseen):
        await order.sign(HOUSING)


async def test_every_entry_says_move_states_and_the_cards_it_rests_on() -> None:
    orders = jinan()
    order = await orders.register()
    await order.to_units(WATER)
    entry = orders.backend.moved[-1].entry  # type: ignore[attr-defined]
    assert entry.action == "dispatch"
    assert (entry.body["from"], entry.body["to"]) == ("to_dispatch", "with_units")
    cards = {card["rule"]: card for card in entry.body["cards"]}
    assert cards["clock.base"]["articles"] == ("24.1",)
    assert "第二十四条" in entry.article


async def test_an_attempt_to_reach_the_caller_and_a_reminder_carry_their_cards() -> None:
    orders = in_memory("tongliao_2024")
    order = await orders.register()
    await order.to_units(WATER)
    await order.sign(WATER)
    await order.contact(WATER)
    remind = m.Remind(timer="feedback_due", assignment=order.at(WATER).id, due_at=orders.at)
    await order.do(remind, centre(ActorRole.SYSTEM))
    attempt, reminder = orders.backend.moved[-2:]  # type: ignore[attr-defined]
    assert [card["rule"] for card in attempt.entry.body["cards"]] == ["reply.contact"]
    assert [card["rule"] for card in reminder.entry.body["cards"]] == ["clock.base"]


async def test_jinan_refuses_a_plain_extension_and_names_the_rule() -> None:
    """Trap 1."""
    order = await jinan().register()
    await order.to_units(WATER)
    await order.sign(WATER)
    with pytest.raises(RefusedByLaw) as refusal:
        await order.do(m.AskExtension(reason="来不及", days=5), of_unit(WATER))
    assert refusal.value.params["rule"] == "reply.extension"
    assert "第二十四条" in str(refusal.value.params["summary"])


async def test_a_promised_date_stands_beside_the_five_days() -> None:
    """Trap 2."""
    orders = jinan()
    order = await orders.register()
    await order.to_units(WATER)
    first = order.facts.reply_due_at
    await order.sign(WATER)
    promise = m.Promise(
        measures="更换主管", progress="已立项", promised_on=in_days(orders, 60), told="已电话告知"
    )
    await order.do(promise, of_unit(WATER))
    assert order.facts.reply_due_at == first
    assert order.at(WATER).feedback_due_at == first
    assert order.facts.completion_due_at is not None
    assert first is not None
    assert order.facts.completion_due_at > first
    promised = order.facts.completion_due_at
    later = msgspec.structs.replace(promise, promised_on=in_days(orders, 90))
    with pytest.raises(RefusedByLaw) as refusal:  # the caller was told a date
        await order.do(later, of_unit(WATER))
    assert refusal.value.params["why"] == "later_than_told"
    route = m.StatutoryRoute(law="行政许可法", article="42", days=360, told="已告知")
    with pytest.raises(RefusedByLaw):
        await order.do(route, of_unit(WATER))
    earlier = msgspec.structs.replace(promise, promised_on=in_days(orders, 30))
    await order.do(earlier, of_unit(WATER))
    assert order.facts.completion_due_at < promised


async def test_a_laws_days_are_counted_as_that_law_counts_them() -> None:
    orders, dates = jinan(), {}
    for counted_in in m.DaysCounted:
        order = await orders.register()
        await order.to_units(WATER)
        await order.sign(WATER)
        route = m.StatutoryRoute(
            law="x", article="x", days=20, counted_in=counted_in, told="已告知"
        )
        await order.do(route, of_unit(WATER))
        assert order.facts.completion_due_at is not None
        dates[counted_in] = order.facts.completion_due_at.date()
    assert dates == {
        m.DaysCounted.WORKING_DAY: in_days(orders, 28),
        m.DaysCounted.CALENDAR_DAY: in_days(orders, 21),  # the twentieth is a Sunday
    }


async def test_a_share_that_a_unit_lost_goes_to_another_or_its_end_is_explained() -> None:
    order = await in_memory("hangzhou_2024").register()
    await order.to_units(WATER, HOUSING)
    dispatch = m.Dispatch(units=[m.Share(unit=TRAFFIC, part="separate")], basis="三定规定")
    with pytest.raises(IllegalMove):  # nothing is lost
        await order.do(dispatch, centre(ActorRole.DISPATCHER))
    await order.do(m.AskReturn(ground="not_our_duty", reason="x"), of_unit(HOUSING))
    [lost] = order.facts.lost_shares
    assert lost.unit == HOUSING
    await order.handle(WATER)
    with pytest.raises(NotFitting):
        await order.dispatch(TRAFFIC)
    assert (await order.do(dispatch, centre(ActorRole.DISPATCHER))).lost_shares == []
    assert order.facts.state is TicketState.WITH_UNITS
    withdraw = m.Withdraw(assignment=order.at(TRAFFIC).id, reason="派错")
    await order.do(withdraw, centre(ActorRole.DISPATCHER))
    assert [each.unit for each in order.facts.lost_shares] == [TRAFFIC]
    assert (await order.review(WATER)).state is TicketState.FOLLOWING_UP
    with pytest.raises(NotSaid) as lacking:
        await order.close()
    assert lacking.value.params["field"] == "left_out"
    closed = m.Close(summary="已办结", left_out="该项并入供水工程")
    assert (await order.do(closed, centre(ActorRole.REVIEWER))).state is TicketState.CLOSED


async def test_tongliao_judges_a_dissatisfied_callers_demand_before_it_can_close() -> None:
    """Trap 5: shall is not dodged by leaving the judgement out."""
    order = await in_memory("tongliao_2024").register()
    await order.to_follow_up(WATER)
    with pytest.raises(NotSaid) as lacking:
        await order.follow_up(is_solved=False, is_satisfied=False)
    assert lacking.value.params["rule"] == "follow_up.redo"
    by_link = m.TryFollowUp(
        channel=FollowUpChannel.SMS,
        is_reached=True,
        is_solved=False,
        is_satisfied=False,
        reason="仍然停水",
    )
    await order.do(by_link, centre(ActorRole.FOLLOW_UP))
    with pytest.raises(NotSaid) as lacking:
        await order.close()
    assert lacking.value.params["field"] == "is_reasonable"
    with pytest.raises(NotSaid) as lacking:
        await order.follow_up(is_solved=False, is_satisfied=False, is_reasonable=True)
    assert lacking.value.params["field"] == "is_lawful"
    await order.follow_up(is_solved=False, is_satisfied=False, is_reasonable=False)
    assert (await order.close()).state is TicketState.CLOSED


async def test_a_helpers_feedback_is_reviewed_with_the_leads() -> None:
    order = await jinan().register()
    await order.to_units(WATER, HOUSING, part="lead")
    await order.handle(HOUSING)
    await order.handle(WATER)
    with pytest.raises(NotFitting) as refusal:  # it would be alone with it
        await order.review(HOUSING, is_accepted=False)
    assert refusal.value.params["why"] == "lead_done"
    assert (await order.review(WATER)).state is TicketState.FOLLOWING_UP
    assert order.at(HOUSING).state is AssignmentState.ACCEPTED


async def test_supervision_rests_on_a_ground_that_the_citys_law_knows() -> None:
    order = await jinan().register()
    with pytest.raises(NotFitting):
        await order.do(m.Supervise(trigger="foo", opinion="x"), SUPERVISOR)
    with pytest.raises(RefusedByLaw) as refusal:
        await order.do(m.Supervise(trigger="leader", opinion="x"), SUPERVISOR)
    assert refusal.value.params["rule"] == "trigger.leader"


async def test_an_ordinary_demand_is_no_emergency_to_hand_over() -> None:
    orders = jinan()
    order = await orders.register()
    with pytest.raises(NotFitting) as refusal:
        await order.do(
            m.HandOver(line="110", means="transferred", handed_at=orders.at),
            centre(ActorRole.AGENT),
        )
    assert refusal.value.params["why"] == "no_emergency"


async def test_no_repeat_rests_on_a_former_ticket_that_was_never_handled() -> None:
    orders = jinan()
    former = await orders.register()
    again = await orders.register(former=former.facts.number)
    await again.to_units(WATER)
    await again.sign(WATER)
    for case, why in (("handled", "former_not_handled"), ("impossible", "former_not_rejected")):
        stop = m.StopRepeat(case=case, explanation="x", written_note="x")
        with pytest.raises(RefusedByLaw) as refusal:
            await again.do(stop, of_unit(WATER))
        assert refusal.value.params["why"] == why
    orders = in_memory("tongliao_2024")
    former = await orders.register()
    told = m.NotAccept(reason="outside_area", told="x", told_at=orders.at, refer_to="赤峰市12345")
    await former.do(told, centre(ActorRole.AGENT))
    again = await orders.register(former=former.facts.number)
    repeated = m.AnswerRepeat(said_then="x", said_now="x", why_not_new="x", told="x")
    with pytest.raises(RefusedByLaw) as refusal:
        await again.do(repeated, centre(ActorRole.AGENT))
    assert refusal.value.params["why"] == "former_not_taken"


async def test_what_is_promised_is_answered_in_time_and_stays_open() -> None:
    orders = jinan()
    order = await orders.register()
    await order.to_units(WATER)
    await order.sign(WATER)
    with pytest.raises(NotFitting):
        await order.do(m.InterimReply(reply="正在办理", told_at=orders.at), of_unit(WATER))
    promise = m.Promise(measures="x", progress="x", promised_on=in_days(orders, 60), told="x")
    await order.do(promise, of_unit(WATER))
    await order.do(m.InterimReply(reply="正在办理", told_at=orders.at), of_unit(WATER))
    assert order.facts.state is TicketState.WITH_UNITS
    assert order.at(WATER).interim_at == orders.at


async def test_nobody_dispatches_to_a_unit_without_a_responsible_person() -> None:
    order = await jinan().register()
    await order.check()
    with pytest.raises(RefusedByLaw) as refusal:
        await order.dispatch(EMPTY)
    assert refusal.value.params["why"] == "nobody_responsible"
    assert refusal.value.params["rule"] == "organisation.first_responsible"


async def test_a_child_is_never_due_after_its_parent_and_does_not_stop_the_parents_clock() -> None:
    orders = jinan()
    order = await orders.register()
    await order.to_units(LIXIA)
    await order.sign(LIXIA)
    parent_due = order.at(LIXIA).feedback_due_at
    await order.do(m.SubDispatch(units=[DONGGUAN]), of_unit(LIXIA))
    taken_back = m.Withdraw(assignment=order.at(DONGGUAN).id, reason="改派")
    with pytest.raises(NotFitting):
        await order.do(taken_back, of_unit(DONGGUAN))
    await order.do(taken_back, of_unit(LIXIA))
    await order.do(m.SubDispatch(units=[DONGGUAN]), of_unit(LIXIA))
    child = order.at(DONGGUAN)
    assert child.parent == order.at(LIXIA).id
    assert parent_due is not None
    assert child.feedback_due_at is not None
    assert child.feedback_due_at < parent_due
    assert order.at(LIXIA).feedback_due_at == parent_due
    with pytest.raises(NotFitting):
        await order.feedback(LIXIA)
    await order.sign(DONGGUAN)
    await order.feedback(DONGGUAN)
    await order.review(DONGGUAN, by=LIXIA)
    assert (await order.feedback(LIXIA)).state is TicketState.IN_REVIEW


async def test_several_units_get_a_lead_in_jinan_and_never_separate_shares() -> None:
    order = await jinan().register()
    await order.check()
    with pytest.raises(RefusedByLaw) as refusal:
        await order.dispatch(WATER, HOUSING)
    assert refusal.value.params["rule"] == "dispatch.separate"
    await order.dispatch(WATER, HOUSING, part="lead")
    assert order.at(HOUSING).parent == order.at(WATER).id


async def test_the_ladder_is_climbed_rung_by_rung_and_no_further() -> None:
    order = await jinan().register()
    await order.check()
    await order.do(m.Study(reason="职责交叉"), centre(ActorRole.DISPATCHER))
    for _ in range(3):
        await order.do(m.Escalate(report="专题报告"), HEAD)
    with pytest.raises(RefusedByLaw):
        await order.do(m.Escalate(report="专题报告"), HEAD)
    await order.do(m.EndStudy(unit=MARKET, reason="常务会议决定"), HEAD)
    with pytest.raises(NotFitting):
        await order.dispatch(TRAFFIC)
    await order.dispatch(MARKET)


async def test_the_accused_and_whoever_stands_below_it_get_nothing() -> None:
    order = await jinan().register(type=TicketType.REPORT, accused_units=[LIXIA])
    await order.check()
    for unit in (LIXIA, DONGGUAN):
        with pytest.raises(RefusedByLaw) as refusal:
            await order.dispatch(unit)
        assert refusal.value.params["rule"] == "secrecy.accused"
    await order.dispatch(MARKET)


async def test_a_recused_unit_loses_the_ticket_at_once() -> None:
    order = await jinan().register(type=TicketType.REPORT)
    await order.to_units(MARKET)
    recusal = m.Recuse(units=[MARKET], interest="负责人与被举报人系亲属", is_demanded=True)
    assert (await order.do(recusal, centre(ActorRole.AGENT))).state is TicketState.TO_DISPATCH
    assert order.at(MARKET).state is AssignmentState.WITHDRAWN
    with pytest.raises(RefusedByLaw):
        await order.dispatch(MARKET)


async def test_an_answered_ticket_cannot_come_back_to_a_recused_or_accused_unit_by_a_redo() -> None:
    order = await jinan().register(type=TicketType.REPORT)
    await order.to_follow_up(MARKET)
    with pytest.raises(NotFitting):
        await order.do(m.Amend(reason="补充", accused_units=[MARKET]), centre(ActorRole.AGENT))
    recusal = m.Recuse(units=[MARKET], interest="负责人与被举报人系亲属", is_demanded=True)
    assert (await order.do(recusal, centre(ActorRole.AGENT))).state is TicketState.TO_DISPATCH
    assert order.at(MARKET).state is AssignmentState.WITHDRAWN


async def test_five_days_bind_whatever_is_wanted_and_no_reply_wanted_still_feeds_back() -> None:
    """Trap 11."""
    order = await jinan().register(wants_reply=False)
    await order.to_units(WATER)
    await order.sign(WATER)
    assert (await order.feedback(WATER, is_caller_told=False)).state is TicketState.IN_REVIEW


async def test_a_wanted_reply_is_owed() -> None:
    order = await jinan().register()
    await order.to_units(WATER)
    await order.sign(WATER)
    with pytest.raises(NotSaid) as refusal:
        await order.feedback(WATER, is_caller_told=False)
    assert refusal.value.params["rule"] == "reply.caller"


async def test_buttons_are_those_of_the_table_that_the_law_gives() -> None:
    orders = jinan()
    order = await orders.register()
    await order.to_units(WATER)
    law = Law(orders.backend.pack, orders.at.date())  # type: ignore[attr-defined]
    assert [each.move for each in moves_open_to(order.facts, of_unit(WATER), law)] == [
        "recuse",
        "sign",
    ]
    await order.sign(WATER)
    names = {each.move for each in moves_open_to(order.facts, of_unit(WATER), law)}
    assert "ask_extension" not in names
    assert "ask_return" not in names
    assert {"promise", "statutory_route", "stop_repeat", "feedback"} <= names
    assert moves_open_to(order.facts, of_unit(HOUSING), law) == ()


async def test_what_would_always_be_refused_is_not_offered() -> None:
    for city, never in (
        ("jinan_2018", {"ask_termination"}),
        ("tongliao_2024", {"stop_repeat", "statutory_route", "promise", "interim_reply"}),
    ):
        orders = in_memory(city)
        order = await orders.register()
        law = Law(orders.backend.pack, orders.at.date())  # type: ignore[attr-defined]
        desk = centre(ActorRole.DISPATCHER)
        offered = {each.move for each in moves_open_to(order.facts, desk, law)}
        assert not offered & {"dispatch", "hand_over"}
        await order.do(m.Amend(reason="x", urgency=Urgency.EMERGENCY), desk)
        offered = {each.move for each in moves_open_to(order.facts, desk, law)}
        assert {"dispatch", "hand_over"} <= offered
        await order.to_units(WATER)
        await order.sign(WATER)
        offered = {each.move for each in moves_open_to(order.facts, of_unit(WATER), law)}
        assert not offered & never
        assert not offered & {"explain", "dispatch"}


async def test_what_the_check_asked_stays_so_and_only_something_new_opens_a_closed_ticket() -> None:
    order = await jinan().register()
    await order.to_follow_up(WATER)
    with pytest.raises(RefusedByLaw) as refusal:
        await order.do(m.Amend(reason="x", domain="foo"), centre(ActorRole.AGENT))
    assert refusal.value.params["rule"] == "scope.domains"
    await order.follow_up()
    await order.close()
    with pytest.raises(NotFitting) as same:
        await order.do(
            m.Reopen(said_then="停水", said_now="停水 ", why_new="x"), centre(ActorRole.AGENT)
        )
    assert same.value.params["why"] == "nothing_new"


async def test_an_extension_is_asked_before_the_due_time_has_passed() -> None:
    orders = in_memory("jinan_draft_2018")
    order = await orders.register()
    await order.to_units(WATER)
    await order.sign(WATER)
    orders.later(days=20)
    with pytest.raises(RefusedByLaw) as refusal:
        await order.do(m.AskExtension(reason="x"), of_unit(WATER))
    assert refusal.value.params["why"] == "too_late"


async def test_a_reply_in_doubt_is_not_doubted_again_by_each_attempt() -> None:
    order = await jinan().register()
    await order.to_follow_up(WATER)
    for _ in range(2):
        await order.follow_up(is_solved=False, is_satisfied=False)
    assert len(order.facts.doubts) == 1


async def test_a_locked_lane_is_seen_by_supervision_alone() -> None:
    order = await jinan().register(type=TicketType.COMPLAIN, lane=Lane.RETALIATION)
    conclude = m.Conclude(finding="属实", consequence="约谈", told="已告知")
    with pytest.raises(TicketUnseen):
        await order.do(conclude, HEAD)
    assert (await order.do(conclude, SUPERVISOR)).state is TicketState.CLOSED


@pytest.mark.parametrize("city", ["jinan_2018", "tongliao_2024"])
async def test_a_unit_need_not_reach_a_confidential_caller_the_centre_relays_its_reply(
    city: str,
) -> None:
    """It knows no number; without what the centre told there is no accepted reply."""
    order = await in_memory(city).register(is_confidential=True)
    await order.to_units(WATER)
    await order.sign(WATER)
    await order.feedback(WATER, is_caller_told=False)
    with pytest.raises(NotSaid) as untold:
        await order.review(WATER)
    assert untold.value.params["field"] == "relay_reply"
    order.orders.later(hours=1)
    relay = m.RelayReply(
        assignment=order.at(WATER).id, told="已修复供水管道。", told_at=order.orders.at
    )
    with pytest.raises(NotYours):
        await order.do(relay, of_unit(WATER))
    await order.do(relay, centre(ActorRole.FOLLOW_UP, 3))
    assert order.at(WATER).caller_told_at == order.orders.at
    assert (await order.review(WATER)).state is TicketState.FOLLOWING_UP


async def test_the_centre_relays_nothing_that_the_unit_can_tell() -> None:
    order = await jinan().register()
    await order.to_units(WATER)
    await order.handle(WATER)
    relay = m.RelayReply(assignment=order.at(WATER).id, told="已办", told_at=order.orders.at)
    with pytest.raises(NotFitting) as unfit:
        await order.do(relay, centre(ActorRole.AGENT))
    assert unfit.value.params["why"] == "the_unit_tells"


async def test_what_proves_something_was_neither_before_it_could_be_nor_is_it_to_come() -> None:
    order = await jinan().register()
    await order.check()
    order.orders.later(hours=1)
    await order.dispatch(LIXIA)
    await order.sign(LIXIA)
    early = order.orders.at - timedelta(minutes=1)
    for unproved in (
        m.Contact(is_reached=True, result="已联系", tried_at=early),
        m.Feedback(outcome=Outcome.DONE, reply="已办", told_at=early),
    ):
        if isinstance(unproved, m.Feedback):
            await order.contact(LIXIA)
        with pytest.raises(NotFitting) as refused:
            await order.do(unproved, of_unit(LIXIA))
        assert refused.value.params["why"] == "before_it_could_be"
    with pytest.raises(NotFitting) as refused:
        await order.do(m.SubDispatch(units=[DONGGUAN], due_at=early), of_unit(LIXIA))
    assert refused.value.params == {"field": "due_at", "why": "past"}
    fire = await jinan().register(matter=Matter.DANGER)
    long_ago = m.HandOver(line="119", means="transferred", handed_at=early - timedelta(days=30))
    with pytest.raises(NotFitting) as refused:
        await fire.do(long_ago, centre(ActorRole.AGENT))
    assert refused.value.params["field"] == "handed_at"


async def test_an_extension_is_told_after_it_was_granted() -> None:
    order = await in_memory("jinan_draft_2018").register()
    await order.to_units(WATER)
    await order.sign(WATER)
    await order.do(m.AskExtension(reason="材料未到"), of_unit(WATER))
    order.orders.later(hours=1)
    grant = m.DecideExtension(assignment=order.at(WATER).id, is_granted=True, decision="同意")
    await order.do(grant, centre(ActorRole.REVIEWER, 2))
    early = m.TellExtension(told="延期", told_at=order.orders.at - timedelta(minutes=1))
    with pytest.raises(NotFitting) as refused:
        await order.do(early, of_unit(WATER))
    assert refused.value.params["why"] == "before_it_could_be"
    await order.do(m.TellExtension(told="延期", told_at=order.orders.at), of_unit(WATER))
