"""Rows of dispatch, handling and time at the units, city by city."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from base.database import Database
from base.ids import UnitId
from rules import catalogue as law
from rules.library import load_pack
from tests.fakes.by_city import by_city
from tests.fakes.city import (
    DONGGUAN,
    HOUSING,
    LIXIA,
    MARKET,
    RESIDENTS,
    TRAFFIC,
    WATER,
    centre,
    of_unit,
)
from tests.fakes.work_order import HEAD, MONDAY_10, SUPERVISOR, WorkOrder, WorkOrders, in_days
from tests.fakes.work_order_http import Asking
from tickets import moves as m
from tickets.assignment import AssignmentState, Outcome
from tickets.facts import ActorRole, RequestState
from tickets.ledger import LedgerEntry
from tickets.refusals import NotFitting, NotSaid, RefusedByLaw, UnitUnfit
from tickets.store import TicketStore
from tickets.ticket import TicketState, TicketType

Hotline = Callable[[str], WorkOrders]
JINAN, DRAFT, TAIAN = "jinan_2018", "jinan_draft_2018", "taian_draft"
HANGZHOU, TONGLIAO = "hangzhou_2024", "tongliao_2024"
ALL = (JINAN, DRAFT, TAIAN, HANGZHOU, TONGLIAO)
DISPATCHER = centre(ActorRole.DISPATCHER)
REVIEWER = centre(ActorRole.REVIEWER, 2)
BACK = m.AskReturn(ground="not_our_duty", reason="属交通部门", basis="三定规定第五条")


async def signed(hotline: Hotline, city: str, **more: bool) -> WorkOrder:
    """At the water board, signed.

    Dispatched on the Tuesday after it was registered: from a Monday five calendar days end as five
    working days do, and a clock that began with the registration would not show.
    """
    order = await hotline(city).register(**more)  # type: ignore[arg-type]
    order.orders.later(days=1)
    await order.to_units(WATER)
    await order.sign(WATER)
    return order


async def entry_of(web: Database, order: WorkOrder) -> LedgerEntry:
    """What the ledger keeps of the ticket's last move."""
    *_, entry = await TicketStore(web).ledger(order.facts.id)
    return entry


# ---- to whom -------------------------------------------------------------------------------------


@by_city("R038", JINAN, TAIAN, HANGZHOU, TONGLIAO)
async def test_a_dispatch_keeps_its_basis_in_the_ledger(
    city: str, hotline: Hotline, web: Database
) -> None:
    order = await hotline(city).register()
    await order.to_units(WATER)
    *_, entry = await TicketStore(web).ledger(order.facts.id)
    assert entry.body["basis_kept"] == "三定规定"
    assert "条" in entry.article


@pytest.mark.requirement("R038")
@pytest.mark.parametrize("city", ALL)
async def test_units_are_proposed_by_type_duty_and_place_and_what_speaks_against_them(
    city: str, asking: Callable[[str], Awaitable[Asking]]
) -> None:
    """A proposal is no dispatch: the basis is the duty's, who confirms is the dispatcher.

    Hangzhou dispatches by duty alone.
    """
    http = await asking(city)
    http.clock.at = MONDAY_10
    demand = {
        "channel": "phone",
        "type": "report",
        "demand": "东关街道大明湖边有人占道",
        "topic": "urban_construction",
        "region": "lixia.dongguan",
        "accused_units": [LIXIA],
    }
    made = await http.must(centre(ActorRole.AGENT), "POST", "/api/work-orders", demand)
    path = f"/api/work-orders/{made['number']}"
    told = await http.must(DISPATCHER, "GET", f"{path}/proposals")
    assert [(each["unit"], each["by"], each["basis"], each["why_not"]) for each in told] == [
        (HOUSING, "duty", "三定规定", ""),
        *([] if city == HANGZHOU else [(LIXIA, "place", "属地管理", "accused")]),
    ]
    assert (await http.must(DISPATCHER, "GET", path))["facts"]["dispatch_count"] == 0
    status, _ = await http.ask(of_unit(HOUSING), "GET", f"{path}/proposals")
    assert status == 403


@by_city("R029", TAIAN, HANGZHOU)
async def test_unit_and_caller_are_told_that_the_hotline_replaces_no_departments_duty(
    city: str, hotline: Hotline, web: Database, asking: Callable[[str], Awaitable[Asking]]
) -> None:
    words = load_pack(city).decide(law.NO_SUBSTITUTE, on=MONDAY_10.date()).card
    order = await hotline(city).register()
    await order.to_follow_up(WATER)
    await order.follow_up()
    await order.close()
    sent = await web.fetch(
        "SELECT channel, payload FROM outbox"
        " WHERE payload ->> 'template' IN ('dispatched', 'closed') ORDER BY channel"
    )
    assert [row["channel"] for row in sent] == ["sms", "unit"]
    for row in sent:
        assert row["payload"]["params"]["duty_note"] == words.summary
    entries = await TicketStore(web).ledger(order.facts.id)
    [dispatched] = [each for each in entries if each.action == "dispatch"]
    assert words.place in dispatched.article
    http = await asking(city)
    shown = await http.must(of_unit(WATER), "GET", f"/api/work-orders/{order.facts.number}")
    assert shown["duty_note"] == words.summary


@by_city("R064", JINAN, TAIAN, TONGLIAO)
async def test_a_residents_committee_assists_with_a_limited_view_and_records_what_was_talked_over(
    city: str, hotline: Hotline, web: Database, asking: Callable[[str], Awaitable[Asking]]
) -> None:
    order = await hotline(city).register()
    await order.check()
    with pytest.raises(Exception, match="helps_only"):
        await order.dispatch(RESIDENTS)
    await order.dispatch(DONGGUAN, RESIDENTS, part="lead")
    http = await asking(city)
    path = f"/api/work-orders/{order.facts.number}"
    theirs = await http.must(of_unit(RESIDENTS), "GET", path)
    assert (theirs["texts"]["demand"], theirs["caller"]) == ("家里停水，请尽快恢复。", None)
    assert [each["unit"] for each in theirs["part"]["assignments"]] == [RESIDENTS]
    status, _ = await http.ask(of_unit(RESIDENTS), "POST", f"{path}/reveal", {"reason": "x"})
    assert status == 403
    leads = await http.must(of_unit(DONGGUAN), "GET", path)
    assert leads["caller"]["name"] == "王**"
    await order.sign(RESIDENTS)
    talked = m.Deliberate(participants=["居民代表", "网格员"], minutes="同意分时停水检修")
    await order.do(talked, of_unit(RESIDENTS))
    *_, entry = await TicketStore(web).ledger(order.facts.id)
    assert entry.body["unit"] == RESIDENTS
    assert entry.body["said"] == {"participants": ["居民代表", "网格员"], "minutes": talked.minutes}
    assert "条" in entry.article


async def test_where_the_rules_are_silent_no_body_is_given_a_ticket(hotline: Hotline) -> None:
    order = await hotline(DRAFT).register()
    await order.check()
    with pytest.raises(RefusedByLaw) as refused:
        await order.dispatch(DONGGUAN, RESIDENTS, part="lead")
    assert refused.value.params["rule"] == "organisation.society_assists"


@by_city("R039", JINAN, DRAFT, TAIAN, TONGLIAO)
async def test_one_leads_the_others_assist_and_one_reply_comes(city: str, hotline: Hotline) -> None:
    order = await hotline(city).register()
    await order.to_units(WATER, HOUSING, part="lead")
    for unit in (WATER, HOUSING):
        await order.sign(unit)
        await order.contact(unit)
    with pytest.raises(NotFitting):  # the lead answers for all
        await order.feedback(WATER)
    await order.feedback(HOUSING)
    assert order.facts.state is TicketState.WITH_UNITS
    assert (await order.feedback(WATER)).state is TicketState.IN_REVIEW


@by_city("R040", TAIAN, HANGZHOU)
async def test_separate_shares_are_answered_each_for_itself(city: str, hotline: Hotline) -> None:
    order = await hotline(city).register()
    await order.to_units(WATER, HOUSING)
    for unit, state in ((WATER, TicketState.WITH_UNITS), (HOUSING, TicketState.IN_REVIEW)):
        assert (await order.handle(unit)).state is state
    await order.review(WATER)
    assert (await order.review(HOUSING)).state is TicketState.FOLLOWING_UP


async def test_hangzhou_knows_no_lead_and_jinan_and_tongliao_no_separate_shares(
    hotline: Hotline,
) -> None:
    order = await hotline(HANGZHOU).register()
    await order.check()
    with pytest.raises(RefusedByLaw) as refused:
        await order.dispatch(WATER, HOUSING, part="lead")
    assert refused.value.params["rule"] == "dispatch.lead_assist"
    for city in (JINAN, TONGLIAO):
        order = await hotline(city).register()
        await order.check()
        with pytest.raises(RefusedByLaw) as refused:
            await order.dispatch(WATER, HOUSING)
        assert refused.value.params["rule"] == "dispatch.separate"


@by_city("R041", HANGZHOU, TONGLIAO, others=(TAIAN,))
async def test_the_centre_sets_the_period_for_a_ticket_with_its_reason(
    city: str, hotline: Hotline
) -> None:
    order = await hotline(city).register()
    await order.check()
    with pytest.raises(NotSaid) as lacking:
        await order.dispatch(WATER, feedback_days=2)
    assert lacking.value.params["field"] == "days_reason"
    await order.dispatch(WATER, feedback_days=2, days_reason="涉及多户停水")
    due = order.at(WATER).feedback_due_at
    assert due is not None
    assert due.date() == in_days(order.orders, 2)


@by_city("R042", HANGZHOU)
async def test_a_unit_is_asked_before_sees_what_about_but_not_who_and_its_answer_is_kept(
    city: str, hotline: Hotline, asking: Callable[[str], Awaitable[Asking]]
) -> None:
    order = await hotline(city).register(is_confidential=True)
    await order.check()
    await order.do(m.ConsultUnit(unit=MARKET, question="是否归贵局？"), DISPATCHER)
    http = await asking(city)
    shown = await http.must(of_unit(MARKET), "GET", f"/api/work-orders/{order.facts.number}")
    assert shown["texts"]["number"] == order.facts.number
    assert [each["question"] for each in shown["part"]["consults"]] == ["是否归贵局？"]
    assert (shown["caller"], "王" in str(shown)) == (None, False)
    assert [each["move"] for each in shown["moves"]] == ["answer_consult"]
    await order.do(m.AnswerConsult(number=1, answer="归我局"), of_unit(MARKET))
    assert order.facts.consults[0].answer == "归我局"
    path = f"/api/work-orders/{order.facts.number}"
    assert (await order.dispatch(HOUSING)).state is TicketState.WITH_UNITS
    status, _ = await http.ask(of_unit(MARKET), "GET", path)
    listed = await http.must(of_unit(MARKET), "GET", "/api/work-orders")
    assert (status, listed["items"]) == (404, [])  # it went to another
    take_back = m.Withdraw(assignment=order.at(HOUSING).id, reason="派错")
    await order.do(take_back, DISPATCHER)
    assert (await order.dispatch(MARKET)).state is TicketState.WITH_UNITS
    assert (await http.must(of_unit(MARKET), "GET", path))["texts"]["number"]


# ---- given back ----------------------------------------------------------------------------------


@by_city("R043", TONGLIAO)
async def test_tongliao_judges_a_return_with_reason_and_basis(city: str, hotline: Hotline) -> None:
    order = await hotline(city).register()
    await order.to_units(WATER)
    with pytest.raises(NotSaid) as lacking:
        await order.do(m.AskReturn(ground="not_our_duty", reason="x"), of_unit(WATER))
    assert (lacking.value.params["field"], lacking.value.params["rule"]) == (
        "basis",
        "dispatch.return",
    )
    await order.do(BACK, of_unit(WATER))
    refuse = m.DecideReturn(assignment=order.at(WATER).id, is_granted=False, decision="理由不成立")
    await order.do(refuse, REVIEWER)
    assert order.at(WATER).state is AssignmentState.SENT
    await order.do(BACK, of_unit(WATER))
    grant = m.DecideReturn(assignment=order.at(WATER).id, is_granted=True, decision="理由成立")
    assert (await order.do(grant, REVIEWER)).state is TicketState.TO_DISPATCH
    assert (await order.dispatch(TRAFFIC)).dispatch_count == 2


@by_city("R043", HANGZHOU)
async def test_hangzhou_takes_it_back_at_once_also_as_no_matter_of_the_hotline(
    city: str, hotline: Hotline
) -> None:
    order = await hotline(city).register()
    await order.to_units(WATER)
    back = m.AskReturn(ground="not_for_the_hotline", reason="属信访事项")
    assert (await order.do(back, of_unit(WATER))).state is TicketState.TO_DISPATCH


@pytest.mark.parametrize("city", [JINAN, DRAFT, TAIAN])
async def test_elsewhere_no_unit_gives_a_ticket_back(city: str, hotline: Hotline) -> None:
    order = await hotline(city).register()
    await order.to_units(WATER)
    with pytest.raises(RefusedByLaw) as refused:
        await order.do(BACK, of_unit(WATER))
    assert refused.value.params["rule"] == "dispatch.return"


async def test_a_return_does_not_stop_the_citizens_clock(hotline: Hotline) -> None:
    order = await hotline(TONGLIAO).register()
    await order.to_units(WATER)
    citizens = order.facts.reply_due_at
    await order.do(BACK, of_unit(WATER))
    order.orders.later(days=2)
    grant = m.DecideReturn(assignment=order.at(WATER).id, is_granted=True, decision="成立")
    await order.do(grant, REVIEWER)
    await order.dispatch(TRAFFIC)
    assert order.facts.reply_due_at == citizens
    theirs = order.at(TRAFFIC).feedback_due_at
    assert theirs is not None
    assert citizens is not None
    assert theirs > citizens


@by_city("R044", HANGZHOU)
async def test_after_three_dispatches_the_centre_may_designate_and_it_stays(
    city: str, hotline: Hotline
) -> None:
    """Trap 6: dispatches of the demand are counted; designation is a power, and final."""
    order = await hotline(city).register()
    await order.check()
    designate = m.Designate(unit=WATER, order="指定承办")
    for unit in (WATER, HOUSING, TRAFFIC):
        with pytest.raises(RefusedByLaw) as early:
            await order.do(designate, HEAD)
        assert early.value.params["why"] == "too_early"
        await order.dispatch(unit)
        await order.do(BACK, of_unit(unit))
    assert (await order.do(designate, HEAD)).state is TicketState.WITH_UNITS
    with pytest.raises(RefusedByLaw) as refused:
        await order.do(BACK, of_unit(WATER))
    assert refused.value.params["rule"] == "dispatch.designated_stays"
    assert refused.value.params["why"] == "designated"


@pytest.mark.parametrize("city", [JINAN, DRAFT, TAIAN, TONGLIAO])
async def test_elsewhere_nobody_designates(city: str, hotline: Hotline) -> None:
    order = await hotline(city).register()
    await order.check()
    with pytest.raises(RefusedByLaw) as refused:
        await order.do(m.Designate(unit=WATER, order="x"), HEAD)
    assert refused.value.params["rule"] == "dispatch.designate"


STEPS = {
    JINAN: ["coordinate"],
    DRAFT: ["joint_meeting"],
    TAIAN: ["study", "expert_bodies_meeting", "report_to_government"],
    HANGZHOU: ["coordinate"],
    TONGLIAO: ["consult_departments"],
}
"""What the city's rules have done where it is unclear whose duty it is."""


@by_city("R045", JINAN, TAIAN, TONGLIAO, others=(DRAFT, HANGZHOU))
async def test_whose_duty_it_is_is_studied_met_about_and_then_dispatched_as_decided(
    city: str, hotline: Hotline, web: Database
) -> None:
    order = await hotline(city).register()
    await order.check()
    await order.do(m.Study(reason="职责交叉"), DISPATCHER)
    assert (await entry_of(web, order)).body["steps"] == STEPS[city]
    meeting = m.Meet(participants=["机构编制", "司法行政"], minutes="纪要", decided_unit=MARKET)
    await order.do(meeting, DISPATCHER)
    *_, entry = await TicketStore(web).ledger(order.facts.id)
    assert entry.body["with_expert_bodies"] is (city == TAIAN)
    await order.do(m.EndStudy(unit=MARKET, reason="会议决定"), DISPATCHER)
    with pytest.raises(NotFitting):
        await order.dispatch(WATER)
    await order.dispatch(MARKET)


@by_city("R046", JINAN, HANGZHOU, TONGLIAO, others=(DRAFT, TAIAN))
async def test_the_ladder_has_the_citys_rungs_in_order(
    city: str, hotline: Hotline, web: Database
) -> None:
    rungs = {
        JINAN: ["centre", "general_office", "executive_meeting"],
        DRAFT: ["joint_meeting", "leader", "government"],
        TAIAN: ["centre", "government"],
        HANGZHOU: ["centre", "coordination_mechanism"],
        TONGLIAO: ["centre", "joint_meeting"],
    }[city]
    order = await hotline(city).register()
    await order.check()
    await order.do(m.Study(reason="职责交叉"), HEAD)
    for _ in rungs:
        await order.do(m.Escalate(report="专题报告"), HEAD)
    with pytest.raises(RefusedByLaw):
        await order.do(m.Escalate(report="专题报告"), HEAD)
    entries = await TicketStore(web).ledger(order.facts.id)
    assert [e.body["decider"] for e in entries if e.action == "escalate"] == rungs


@by_city("R047", JINAN, HANGZHOU, others=(DRAFT, TAIAN, TONGLIAO))
async def test_nothing_is_dispatched_to_whom_it_accuses(city: str, hotline: Hotline) -> None:
    """Trap 14."""
    order = await hotline(city).register(type=TicketType.REPORT, accused_units=[LIXIA])
    await order.check()
    for unit in (LIXIA, UnitId("lixia.dongguan")):
        with pytest.raises(RefusedByLaw) as refused:
            await order.dispatch(unit)
        assert refused.value.params["rule"] == "secrecy.accused"


@by_city("R112", JINAN)
async def test_the_reporter_demands_recusal_and_whoever_is_concerned_is_out(
    city: str, hotline: Hotline
) -> None:
    order = await hotline(city).register(type=TicketType.REPORT)
    await order.to_units(MARKET)
    demand = m.Recuse(
        units=[MARKET], users=[REVIEWER.user], interest="负责人系被举报人亲属", is_demanded=True
    )
    assert (await order.do(demand, centre(ActorRole.AGENT))).state is TicketState.TO_DISPATCH
    with pytest.raises(RefusedByLaw) as refused:
        await order.dispatch(MARKET)
    assert refused.value.params["rule"] == "secrecy.recusal"
    with pytest.raises(RefusedByLaw) as refused:
        await order.do(m.Amend(reason="x"), REVIEWER)
    assert refused.value.params["why"] == "recused"


@by_city("R112", JINAN)
async def test_a_unit_steps_back_for_itself_alone(city: str, hotline: Hotline) -> None:
    order = await hotline(city).register(type=TicketType.REPORT)
    await order.to_units(TRAFFIC)
    by = of_unit(TRAFFIC)
    for others in (
        m.Recuse(units=[MARKET], interest="x"),
        m.Recuse(users=[REVIEWER.user], interest="x"),
    ):
        with pytest.raises(NotFitting, match="only_for_oneself"):
            await order.do(others, by)
    with pytest.raises(UnitUnfit, match="not_in_force"):
        await order.do(m.Recuse(units=[UnitId("city.trafic")], interest="x"), SUPERVISOR)
    own = m.Recuse(users=[by.user], units=[TRAFFIC], interest="项目参与方")
    assert (await order.do(own, by)).state is TicketState.TO_DISPATCH


@by_city("R112", JINAN)
async def test_who_stepped_back_is_shown_neither_proposals_nor_what_is_like_it(
    city: str, hotline: Hotline, asking: Callable[[str], Awaitable[Asking]]
) -> None:
    order = await hotline(city).register(type=TicketType.REPORT)
    dispatcher = centre(ActorRole.DISPATCHER)
    await order.do(m.Recuse(users=[dispatcher.user], interest="亲属"), dispatcher)
    http = await asking(city)
    for path in ("", "/proposals", "/similar"):
        said = await http.ask(dispatcher, "GET", f"/api/work-orders/{order.facts.number}{path}")
        assert (said[0], said[1]["code"]) == (404, "ticket_unseen")


async def test_no_other_city_knows_recusal(hotline: Hotline) -> None:
    for city in (TAIAN, HANGZHOU, TONGLIAO):
        order = await hotline(city).register(type=TicketType.REPORT)
        with pytest.raises(RefusedByLaw) as refused:
            await order.do(m.Recuse(users=[REVIEWER.user], interest="x"), REVIEWER)
        assert refused.value.params["rule"] == "secrecy.recusal"


# ---- time ----------------------------------------------------------------------------------------


@by_city("R048", JINAN, DRAFT, others=(TAIAN, HANGZHOU, TONGLIAO))
async def test_reply_and_feedback_are_due_in_five_working_days(city: str, hotline: Hotline) -> None:
    order = await signed(hotline, city)
    due = order.facts.reply_due_at
    assert due == order.at(WATER).feedback_due_at
    assert due is not None
    assert due.date() == in_days(order.orders, 7)  # Tuesday to Tuesday
    await order.contact(WATER)
    with pytest.raises(NotSaid) as lacking:
        await order.feedback(WATER, is_caller_told=False)
    assert lacking.value.params["rule"] == "reply.caller"


@by_city("R050", JINAN, DRAFT, HANGZHOU)
async def test_a_laws_own_period_stands_beside_the_first_due_time(
    city: str, hotline: Hotline, web: Database
) -> None:
    """Trap 2."""
    order = await signed(hotline, city)
    first = order.facts.reply_due_at
    route = m.StatutoryRoute(law="行政许可法", article="42", days=20, told="已告知进度和法定期限")
    await order.do(route, of_unit(WATER))
    assert (await entry_of(web, order)).body["tell_caller"] == (
        ["progress", "period"] if city == JINAN else []
    )
    assert order.facts.reply_due_at == first
    assert order.facts.completion_due_at is not None
    assert order.facts.completion_due_at.date() == in_days(order.orders, 28)
    await order.contact(WATER)
    told = m.InterimReply(reply="正在审查", told_at=order.orders.at)
    assert (await order.do(told, of_unit(WATER))).state is TicketState.WITH_UNITS


@pytest.mark.parametrize("city", [TAIAN, TONGLIAO])
async def test_elsewhere_no_statutory_period_is_spoken_of(city: str, hotline: Hotline) -> None:
    order = await signed(hotline, city)
    route = m.StatutoryRoute(law="x", article="x", days=20, told="x")
    with pytest.raises(RefusedByLaw) as refused:
        await order.do(route, of_unit(WATER))
    assert refused.value.params["rule"] == "reply.statutory"


@by_city("R051", JINAN, DRAFT, TAIAN, TONGLIAO)
async def test_what_cannot_be_solved_now_is_explained_and_in_jinan_gets_measures_and_a_date(
    city: str, hotline: Hotline, web: Database
) -> None:
    order = await signed(hotline, city)
    await order.contact(WATER)
    if city == JINAN:
        undated = m.Promise(measures="更换主管", progress="已立项", told="已说明")
        with pytest.raises(NotSaid) as lacking:
            await order.do(undated, of_unit(WATER))
        assert lacking.value.params["rule"] == "reply.objective_limits"
        with pytest.raises(RefusedByLaw):  # explaining alone is not enough there
            await order.feedback(WATER, outcome=Outcome.EXPLAINED)
    else:
        await order.feedback(WATER, outcome=Outcome.EXPLAINED, reply="研究分步措施，已说明原因")
        assert (await entry_of(web, order)).body["tell_caller"] == ["reason"]


@pytest.mark.parametrize("city", [DRAFT, TAIAN, HANGZHOU, TONGLIAO])
async def test_where_no_law_knows_a_promised_date_none_is_offered_and_its_name_is_told(
    city: str, hotline: Hotline, asking: Callable[[str], Awaitable[Asking]]
) -> None:
    order = await signed(hotline, city)
    http, path = await asking(city), f"/api/work-orders/{order.facts.number}"
    shown = await http.must(of_unit(WATER), "GET", path)
    offered = {each["move"] for each in shown["moves"]}
    assert "promise" not in offered
    assert ("interim_reply" in offered) == (city in (DRAFT, HANGZHOU))
    dated = in_days(order.orders, 40).isoformat()
    for promised_on in (None, dated):
        promise = {"move": "promise", "measures": "x", "progress": "x", "told": "x"}
        promise |= {} if promised_on is None else {"promised_on": promised_on}
        status, told = await http.ask(of_unit(WATER), "POST", f"{path}/moves", promise)
        assert (status, told["code"]) == (422, "ticket_refused_by_law")
        assert told["params"]["rule"] == "clock.promised"
        assert told["params"]["why"] == "not_given"
        assert told["params"]["summary"]


@pytest.mark.parametrize("city", [TAIAN, TONGLIAO])
async def test_where_no_law_knows_a_later_date_there_is_no_interim_reply(
    city: str, hotline: Hotline
) -> None:
    order = await signed(hotline, city)
    with pytest.raises(RefusedByLaw) as refused:
        await order.do(m.InterimReply(reply="x", told_at=order.orders.at), of_unit(WATER))
    assert refused.value.params["rule"] == "reply.statutory"


async def test_in_jinan_a_promised_date_is_offered(
    hotline: Hotline, asking: Callable[[str], Awaitable[Asking]]
) -> None:
    order = await signed(hotline, JINAN)
    http, path = await asking(JINAN), f"/api/work-orders/{order.facts.number}"
    shown = await http.must(of_unit(WATER), "GET", path)
    assert {"promise", "interim_reply"} <= {each["move"] for each in shown["moves"]}


@by_city("R052", JINAN)
async def test_a_promised_date_is_watched_until_it_is_done(
    city: str, hotline: Hotline, web: Database, asking: Callable[[str], Awaitable[Asking]]
) -> None:
    order = await signed(hotline, city)
    promise = m.Promise(measures="x", progress="x", promised_on=in_days(order.orders, 40), told="x")
    await order.do(promise, of_unit(WATER))
    kept = await entry_of(web, order)
    assert kept.body["tell_caller"] == ["progress", "measures", "period"]
    assert kept.article.endswith("；第二十四条第二款")  # it is tracked
    waiting = "SELECT count(*) FROM timers WHERE kind = 'completion_due' AND fired_at IS NULL"
    assert await web.fetchval(waiting) == 1
    http = await asking(city)
    [watched] = await http.must(SUPERVISOR, "GET", "/api/tracked")
    assert (watched["number"], watched["basis"]) == (order.facts.number, "promised")
    await order.do(m.InterimReply(reply="x", told_at=order.orders.at), of_unit(WATER))
    assert await web.fetchval(waiting) == 1
    await order.feedback(WATER)
    assert await web.fetchval(waiting) == 0
    assert await http.must(SUPERVISOR, "GET", "/api/tracked") == []
    status, told = await http.ask(SUPERVISOR, "GET", "/api/work-orders?overdue=true")
    assert (status, told["code"]) == (422, "body_invalid")


EXTENSION = m.AskExtension(reason="需采购配件", basis="条例")


TOLD = {
    DRAFT: ["reason"],
    TAIAN: ["reason"],
    HANGZHOU: ["period"],
    TONGLIAO: ["reason", "progress", "period"],
}
"""What of an extension the caller is told."""


@by_city("R053", DRAFT, TAIAN, HANGZHOU, TONGLIAO)
async def test_an_extension_is_asked_decided_and_in_force_only_when_the_caller_is_told(
    city: str, hotline: Hotline, web: Database
) -> None:
    order = await signed(hotline, city)
    first = order.facts.reply_due_at
    assert first is not None
    if city == TONGLIAO:
        with pytest.raises(NotSaid) as lacking:
            await order.do(m.AskExtension(reason="x"), of_unit(WATER))
        assert lacking.value.params["field"] == "basis"
    asked = EXTENSION if city == TONGLIAO else m.AskExtension(reason="需采购配件")
    await order.do(asked, of_unit(WATER))
    grant = m.DecideExtension(assignment=order.at(WATER).id, is_granted=True, decision="同意")
    await order.do(grant, REVIEWER)
    assert order.facts.reply_due_at == first
    assert [each.state for each in order.facts.requests] == [RequestState.GRANTED]
    assert (await entry_of(web, order)).body["tell_caller"] == TOLD[city]
    told = m.TellExtension(told="已告知理由、进度和期限", told_at=order.orders.at)
    await order.do(told, of_unit(WATER))
    assert [each.state for each in order.facts.requests] == [RequestState.IN_FORCE]
    assert order.facts.reply_due_at == first + timedelta(days=7)
    again = EXTENSION
    if city == DRAFT:
        with pytest.raises(RefusedByLaw) as refused:
            await order.do(again, of_unit(WATER))
        assert refused.value.params["why"] == "no_more"
    else:
        await order.do(again, of_unit(WATER))


@by_city("R053", DRAFT, TAIAN, HANGZHOU, TONGLIAO)
async def test_an_extension_is_as_long_as_the_centre_consents_where_no_law_fixes_it(
    city: str, hotline: Hotline
) -> None:
    order = await signed(hotline, city)
    first = order.facts.reply_due_at
    asked = m.AskExtension(reason="需采购配件", basis="条例", days=2)
    assert first is not None
    if city == DRAFT:
        with pytest.raises(RefusedByLaw) as refused:
            await order.do(asked, of_unit(WATER))
        assert refused.value.params["why"] == "other_length"
        return
    await order.do(asked, of_unit(WATER))
    assert order.facts.requests[-1].new_due_at == first + timedelta(days=2)


@by_city("R053", DRAFT, TAIAN, HANGZHOU, TONGLIAO)
async def test_what_a_unit_asked_lapses_with_its_answer_and_is_asked_anew_in_a_redo(
    city: str, hotline: Hotline, asking: Callable[[str], Awaitable[Asking]]
) -> None:
    order = await signed(hotline, city)
    await order.do(EXTENSION, of_unit(WATER))
    http, waiting = await asking(city), "/api/work-orders?asked=yes"
    assert len((await http.must(REVIEWER, "GET", waiting))["items"]) == 1
    await order.contact(WATER)
    await order.feedback(WATER)
    assert [each.state for each in order.facts.requests] == [RequestState.LAPSED]
    assert (await http.must(REVIEWER, "GET", waiting))["items"] == []
    await order.review(WATER)
    facts = await order.follow_up(
        is_satisfied=False,
        is_reasonable=True,
        is_lawful=True,
        is_handling_faulty=True,
    )
    if facts.state is TicketState.FOLLOWING_UP:
        await order.do(m.Redo(reason="仍停水", is_verified=True), REVIEWER)
    # Even where the law gives but one extension: that one never was.
    await order.do(EXTENSION, of_unit(WATER))
    states = sorted(each.state for each in order.facts.requests)
    assert states == [RequestState.ASKED, RequestState.LAPSED]
    await order.do(m.Withdraw(assignment=order.at(WATER).id, reason="改派"), REVIEWER)
    assert {each.state for each in order.facts.requests} == {RequestState.LAPSED}


async def test_the_final_law_of_jinan_refuses_a_plain_extension(hotline: Hotline) -> None:
    """Trap 1."""
    order = await signed(hotline, JINAN)
    with pytest.raises(RefusedByLaw) as refused:
        await order.do(m.AskExtension(reason="来不及", days=5), of_unit(WATER))
    assert refused.value.params["rule"] == "reply.extension"
    assert "第二十四条" in f"{refused.value.params['article']}{refused.value.params['summary']}"


# ---- handling ------------------------------------------------------------------------------------


@by_city("R054", JINAN, TAIAN)
async def test_a_rejection_has_its_legal_basis_and_is_told(city: str, hotline: Hotline) -> None:
    order = await signed(hotline, city)
    await order.contact(WATER)
    with pytest.raises(NotSaid) as lacking:
        await order.feedback(WATER, outcome=Outcome.REJECTED)
    assert lacking.value.params["field"] == "basis"
    assert lacking.value.params["rule"] == "reply.reject"
    with pytest.raises(NotSaid):
        await order.feedback(
            WATER, outcome=Outcome.REJECTED, basis="城市供水条例", is_caller_told=False
        )
    done = await order.feedback(WATER, outcome=Outcome.REJECTED, basis="城市供水条例")
    assert done.state is TicketState.IN_REVIEW


@by_city("R055", TAIAN, HANGZHOU, TONGLIAO)
async def test_each_attempt_to_reach_the_caller_is_kept_and_but_in_hangzhou_comes_first(
    city: str, hotline: Hotline, web: Database
) -> None:
    order = await signed(hotline, city)
    if city != HANGZHOU:
        with pytest.raises(NotSaid) as lacking:
            await order.feedback(WATER)
        assert lacking.value.params["rule"] == "reply.contact"
    await order.contact(WATER, is_reached=False)
    await order.contact(WATER)
    rows = await web.fetch("SELECT is_reached FROM contact_attempts ORDER BY version")
    assert [row["is_reached"] for row in rows] == [False, True]
    assert (await order.feedback(WATER)).state is TicketState.IN_REVIEW


@by_city("R056", TONGLIAO)
async def test_the_unit_asks_for_satisfaction_before_it_feeds_back(
    city: str, hotline: Hotline
) -> None:
    order = await signed(hotline, city)
    await order.contact(WATER)
    with pytest.raises(NotSaid) as lacking:
        await order.feedback(WATER, asked_satisfied=None)
    assert lacking.value.params["rule"] == "follow_up.unit_asks"
    await order.feedback(WATER, asked_satisfied=False)


@by_city("R057", HANGZHOU)
async def test_progress_before_the_due_time_is_enough_for_it(
    city: str, hotline: Hotline, web: Database
) -> None:
    order = await signed(hotline, city)
    overdue = "SELECT count(*) FROM timers WHERE kind = 'feedback_due' AND fired_at IS NULL"
    await order.do(m.Progress(note="正在抢修", is_caller_told=False), of_unit(WATER))
    assert await web.fetchval(overdue) == 1  # the caller wanted to be told, too
    await order.do(m.Progress(note="正在抢修", is_caller_told=True), of_unit(WATER))
    assert await web.fetchval(overdue) == 0


@by_city("R058", JINAN)
async def test_no_reply_wanted_is_no_reply_but_still_feedback(city: str, hotline: Hotline) -> None:
    """Trap 11."""
    order = await signed(hotline, city, wants_reply=False)
    assert (await order.feedback(WATER, is_caller_told=False)).state is TicketState.IN_REVIEW


async def test_hangzhou_owes_no_reply_to_whom_it_cannot_reach_but_feedback(
    hotline: Hotline,
) -> None:
    """Trap 11."""
    order = await hotline(HANGZHOU).register(caller_name="")
    await order.to_units(WATER)
    await order.sign(WATER)
    assert (await order.feedback(WATER, is_caller_told=False)).state is TicketState.IN_REVIEW


# ---- ended without a result ----------------------------------------------------------------------


def terminate(ground: str, explanation: str = "") -> m.AskTermination:
    return m.AskTermination(ground=ground, evidence=["附件1"], explanation=explanation)


@by_city("R059", TAIAN, TONGLIAO)
async def test_a_termination_is_the_centres_and_needs_evidence(city: str, hotline: Hotline) -> None:
    """Trap 10."""
    order = await signed(hotline, city)
    await order.do(terminate("uncooperative"), of_unit(WATER))
    refuse = m.DecideTermination(assignment=order.at(WATER).id, is_granted=False, decision="不足")
    await order.do(refuse, REVIEWER)
    assert order.at(WATER).state is AssignmentState.SIGNED
    await order.do(terminate("uncooperative"), of_unit(WATER))
    grant = m.DecideTermination(assignment=order.at(WATER).id, is_granted=True, decision="属实")
    with pytest.raises(Exception, match="belongs to somebody else"):
        await order.do(grant, of_unit(WATER))
    assert (await order.do(grant, REVIEWER)).state is TicketState.TERMINATED


@pytest.mark.requirement("R124")
async def test_unreachable_ends_it_in_tongliao_alone_and_only_after_attempts(
    hotline: Hotline,
) -> None:
    order = await signed(hotline, TONGLIAO)
    with pytest.raises(NotSaid):
        await order.do(terminate("unreachable"), of_unit(WATER))
    await order.contact(WATER, is_reached=False)
    await order.do(terminate("unreachable"), of_unit(WATER))
    for city in (JINAN, TAIAN, HANGZHOU):
        order = await signed(hotline, city)
        await order.contact(WATER, is_reached=False)
        with pytest.raises(RefusedByLaw) as refused:
            await order.do(terminate("unreachable"), of_unit(WATER))
        assert refused.value.params["rule"] == "end.terminate_unreachable"


@by_city("R060", TAIAN)
async def test_an_unlawful_demand_ends_when_it_was_explained_and_reviewed(
    city: str, hotline: Hotline
) -> None:
    order = await signed(hotline, city)
    with pytest.raises(NotSaid) as lacking:
        await order.do(terminate("unlawful"), of_unit(WATER))
    assert lacking.value.params["field"] == "explanation"
    await order.do(terminate("unlawful", "已当面解释，仍不满意"), of_unit(WATER))
    grant = m.DecideTermination(assignment=order.at(WATER).id, is_granted=True, decision="属实")
    assert (await order.do(grant, REVIEWER)).state is TicketState.TERMINATED


def stop(case: str) -> m.StopRepeat:
    return m.StopRepeat(case=case, explanation="已向来电人解释", written_note="书面说明")


@pytest.mark.parametrize(
    ("city", "case"),
    [
        pytest.param(JINAN, "handled", marks=pytest.mark.requirement("R073", city=JINAN)),
        pytest.param(JINAN, "impossible", marks=pytest.mark.requirement("R074", city=JINAN)),
    ],
)
async def test_jinans_unit_stops_on_a_repeat_with_a_written_note_and_no_approval(
    city: str, case: str, hotline: Hotline
) -> None:
    """Trap 10."""
    orders = hotline(city)
    former = await orders.register()
    await former.to_units(WATER)
    await former.sign(WATER)
    await former.contact(WATER)
    outcome = Outcome.REJECTED if case == "impossible" else Outcome.DONE
    await former.feedback(WATER, outcome=outcome, basis="供水条例")
    await former.review(WATER)
    again = await orders.register(former=former.facts.number)
    await again.to_units(WATER)
    await again.sign(WATER)
    assert (await again.do(stop(case), of_unit(WATER))).state is TicketState.STOPPED
    new = await orders.register()
    await new.to_units(WATER)
    await new.sign(WATER)
    with pytest.raises(RefusedByLaw) as refused:
        await new.do(stop(case), of_unit(WATER))
    assert refused.value.params["why"] == "no_repeat"


@pytest.mark.parametrize("city", [DRAFT, TAIAN, HANGZHOU, TONGLIAO])
async def test_elsewhere_no_unit_stops_by_itself(city: str, hotline: Hotline) -> None:
    order = await signed(hotline, city)
    with pytest.raises(RefusedByLaw) as refused:
        await order.do(stop("handled"), of_unit(WATER))
    assert refused.value.params["rule"] == "end.stop_handled"
