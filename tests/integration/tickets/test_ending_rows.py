"""Rows of review, follow-up, redo and end, and of what the caller may ask, city by city."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg
import pytest

from base.database import Database
from server.citizen_code import CitizenCodes
from tests.fakes.by_city import by_city
from tests.fakes.city import HOUSING, WATER, centre, of_unit
from tests.fakes.work_order import CALLER, HEAD, SUPERVISOR, WorkOrder, WorkOrders
from tests.fakes.work_order_http import Asking
from tickets import moves as m
from tickets.facts import ActorRole, FollowUpChannel
from tickets.ledger import verify_chain
from tickets.notices import load_notices
from tickets.refusals import IllegalMove, NotFitting, NotSaid, NotYours, RefusedByLaw, TicketUnseen
from tickets.store import TicketStore
from tickets.ticket import Lane, Matter, TicketState, TicketType

Hotline = Callable[[str], WorkOrders]
JINAN, DRAFT, TAIAN = "jinan_2018", "jinan_draft_2018", "taian_draft"
HANGZHOU, TONGLIAO = "hangzhou_2024", "tongliao_2024"
ALL = (JINAN, DRAFT, TAIAN, HANGZHOU, TONGLIAO)
REVIEWER = centre(ActorRole.REVIEWER, 2)
CALLBACK = centre(ActorRole.FOLLOW_UP, 3)


async def reviewed(hotline: Hotline, city: str) -> WorkOrder:
    order = await hotline(city).register()
    await order.to_follow_up(WATER)
    return order


# ---- review --------------------------------------------------------------------------------------


@by_city("R065", JINAN)
async def test_each_feedback_is_checked_for_itself_and_a_failed_check_is_not_accepted(
    city: str, hotline: Hotline, web: Database
) -> None:
    order = await hotline(city).register()
    await order.to_units(WATER)
    await order.handle(WATER)
    for failed in ("answers_all_demands", "has_basis", "is_contact_proved"):
        checks = {"answers_all_demands": True, "has_basis": True, "is_contact_proved": True}
        unproved = m.ReviewFeedback(
            assignment=order.at(WATER).id,
            is_accepted=True,
            verdict="x",
            **{**checks, failed: False},
        )
        with pytest.raises(NotFitting):
            await order.do(unproved, REVIEWER)
    assert (await order.review(WATER, is_accepted=False)).state is TicketState.WITH_UNITS
    await order.feedback(WATER)
    assert (await order.review(WATER)).state is TicketState.FOLLOWING_UP
    *_, entry = await TicketStore(web).ledger(order.facts.id)
    assert "第二十七条" in entry.article


async def test_of_several_shares_each_is_reviewed_for_itself(hotline: Hotline) -> None:
    order = await hotline(TAIAN).register()
    await order.to_units(WATER, HOUSING)
    for unit in (WATER, HOUSING):
        await order.handle(unit)
    assert (await order.review(WATER)).state is TicketState.IN_REVIEW
    assert (await order.review(HOUSING)).state is TicketState.FOLLOWING_UP


# ---- follow-up -----------------------------------------------------------------------------------


@by_city("R066", JINAN, TAIAN, HANGZHOU, TONGLIAO)
async def test_a_follow_up_is_a_duty_before_the_close_and_in_hangzhou_a_choice(
    city: str, hotline: Hotline
) -> None:
    order = await reviewed(hotline, city)
    if city == HANGZHOU:
        assert (await order.close()).state is TicketState.CLOSED
        return
    for _ in range(2):
        with pytest.raises(NotSaid) as lacking:
            await order.close()
        assert lacking.value.params["rule"] == "follow_up.call"
        await order.follow_up(is_reached=False)
    await order.follow_up(is_reached=False)
    assert (await order.close()).state is TicketState.CLOSED


@pytest.mark.requirement("R067")
@pytest.mark.parametrize("city", ALL)
async def test_solved_and_satisfied_are_two_answers_and_dissatisfaction_has_its_reason(
    city: str, hotline: Hotline, web: Database
) -> None:
    order = await reviewed(hotline, city)
    for solved, satisfied, asked in ((True, None, "is_satisfied"), (None, True, "is_solved")):
        half = m.TryFollowUp(
            channel=FollowUpChannel.SMS,
            is_reached=True,
            is_solved=solved,
            is_satisfied=satisfied,
        )
        with pytest.raises(NotSaid) as lacking:
            await order.do(half, CALLBACK)
        assert lacking.value.params["field"] == asked
        assert lacking.value.params["rule"] == "follow_up.questions"
    mute = m.TryFollowUp(
        channel=FollowUpChannel.SMS, is_reached=True, is_solved=True, is_satisfied=False
    )
    with pytest.raises(NotSaid):
        await order.do(mute, CALLBACK)
    await order.follow_up(is_solved=True, is_satisfied=False, is_reasonable=False, is_lawful=True)
    row = await web.fetchrow("SELECT is_solved, is_satisfied, reason FROM follow_ups")
    assert row is not None
    assert tuple(row) == (True, False, "仍然停水")


@pytest.mark.requirement("R070")
@pytest.mark.parametrize("city", ALL)
async def test_agent_message_and_robot_follow_up_and_the_unit_itself_never(
    city: str, hotline: Hotline
) -> None:
    order = await reviewed(hotline, city)
    for channel in FollowUpChannel:
        move = m.TryFollowUp(channel=channel, is_reached=True, is_solved=True, is_satisfied=True)
        with pytest.raises(NotYours):
            await order.do(move, of_unit(WATER))
        await order.do(move, CALLBACK)


@by_city("R068", TONGLIAO)
async def test_tongliao_shall_have_it_done_again_when_dissatisfied_reasonable_and_lawful(
    city: str, hotline: Hotline
) -> None:
    """Trap 5: at once, nobody chooses."""
    order = await reviewed(hotline, city)
    done = await order.follow_up(is_satisfied=False, is_reasonable=True, is_lawful=True)
    assert (done.state, done.redo_count) == (TicketState.WITH_UNITS, 1)
    unlawful = await reviewed(hotline, city)
    await unlawful.follow_up(is_satisfied=False, is_reasonable=True, is_lawful=False)
    with pytest.raises(RefusedByLaw) as refused:
        await unlawful.do(m.Redo(reason="x"), CALLBACK)
    assert refused.value.params["rule"] == "follow_up.redo"


@by_city("R068", JINAN, DRAFT, TAIAN, HANGZHOU)
async def test_elsewhere_the_centre_may_on_the_citys_own_ground(
    city: str, hotline: Hotline
) -> None:
    """Trap 5."""
    ground: dict[str, dict[str, bool]] = {
        JINAN: {"is_satisfied": False},
        DRAFT: {"is_satisfied": False, "is_reasonable": True},
        TAIAN: {"is_satisfied": False, "is_reasonable": True},
        HANGZHOU: {"is_satisfied": True, "is_handling_faulty": True},
    }
    order = await reviewed(hotline, city)
    with pytest.raises(NotFitting):
        await order.do(m.Redo(reason="x"), REVIEWER)
    await order.follow_up(**ground[city])
    assert order.facts.state is TicketState.FOLLOWING_UP
    if city == DRAFT:
        with pytest.raises(RefusedByLaw):
            await order.do(m.Redo(reason="x"), REVIEWER)
    redone = await order.do(m.Redo(reason="仍停水", is_verified=True), REVIEWER)
    assert (redone.state, redone.redo_count) == (TicketState.WITH_UNITS, 1)
    if city == JINAN:  # what should have been done and was not, though they are content
        left = await reviewed(hotline, city)
        await left.follow_up(is_unhandled=True)
        assert (await left.do(m.Redo(reason="x"), REVIEWER)).redo_count == 1
    groundless = await reviewed(hotline, city)
    await groundless.follow_up()
    with pytest.raises(RefusedByLaw):
        await groundless.do(m.Redo(reason="x", is_verified=True), REVIEWER)


@by_city("R071", JINAN, TONGLIAO)
async def test_the_close_tells_the_caller_the_result_and_how_to_object(
    city: str, hotline: Hotline, web: Database
) -> None:
    order = await reviewed(hotline, city)
    await order.follow_up()
    await order.close()
    sms = await web.fetchval(
        "SELECT payload FROM outbox WHERE channel = 'sms' AND payload ->> 'template' = 'closed'"
    )
    assert (sms["ticket"], sms["params"]["result"]) == (order.facts.number, "done")
    values = {**sms["params"], "code": CitizenCodes("test").of(order.facts.number)}
    text = load_notices(city).to_caller("closed", values)
    assert "已办结" in text
    assert ("要求说明" in text) is (city == JINAN)  # Tongliao's law knows no such demand
    assert "来电12345提出" in text
    assert "供水" not in text  # a message says nothing of the demand


# ---- the end -------------------------------------------------------------------------------------


async def closed(order: WorkOrder) -> WorkOrder:
    await order.follow_up()
    await order.close()
    return order


@by_city("R072", DRAFT)
async def test_a_final_end_needs_redo_or_supervision_and_is_opened_by_new_facts_alone(
    city: str, hotline: Hotline
) -> None:
    plain = await closed(await reviewed(hotline, city))
    end = m.End(verification="市热线办核实")
    with pytest.raises(RefusedByLaw) as refused:
        await plain.do(end, HEAD)
    assert refused.value.params["why"] == "neither_redone_nor_supervised"
    again = await reviewed(hotline, city)
    await again.follow_up(is_satisfied=False, is_reasonable=True)
    await again.do(m.Redo(reason="仍停水", is_verified=True), REVIEWER)
    await again.feedback(WATER)
    await again.review(WATER)
    await closed(again)
    assert (await again.do(end, HEAD)).state is TicketState.ENDED
    order = await hotline(city).register()
    await order.to_units(WATER)
    await order.do(m.Supervise(trigger="repeated", opinion="限期办结"), SUPERVISOR)
    await order.handle(WATER)
    await order.review(WATER)
    await closed(order)
    assert (await order.do(end, HEAD)).state is TicketState.ENDED
    told = m.AnswerRepeat(said_then="x", said_now="x", why_not_new="x", told="已办理终结")
    for act in (None, m.Archive()):  # for good: also once it is put away
        if act is not None:
            await order.do(act, REVIEWER)
        again = await order.orders.register(former=order.facts.number, matter=Matter.UTILITY)
        with pytest.raises(NotSaid) as same:
            await again.check()
        assert same.value.params["rule"] == "end.final"
        with pytest.raises(NotSaid) as same:
            await again.dispatch(WATER)
        assert same.value.params["rule"] == "end.final"
        assert (await again.do(told, centre(ActorRole.AGENT))).state is TicketState.REPEAT_ANSWERED
        # Who names that repeat repeats what was ended.
        third = await order.orders.register(former=again.facts.number)
        assert third.facts.former == order.facts.id
        with pytest.raises(NotSaid):
            await third.check()
    elements = dict.fromkeys(("who", "what", "where", "when", "want"), True)
    new = await order.orders.register(former=order.facts.number)
    passed = m.PassCheck(elements=elements, why_new="水质发黄")
    assert (await new.do(passed, centre(ActorRole.DISPATCHER))).state is TicketState.TO_DISPATCH
    other = await order.orders.register(former=order.facts.number, caller_number="13900005678")
    assert (await other.check()).state is TicketState.TO_DISPATCH
    reopened = m.Reopen(said_then="停水", said_now="水质发黄", why_new="新情况")
    assert (await order.do(reopened, REVIEWER)).state is TicketState.TO_DISPATCH


@pytest.mark.parametrize("city", [JINAN, TAIAN, HANGZHOU, TONGLIAO])
async def test_no_final_law_knows_a_final_end(city: str, hotline: Hotline) -> None:
    """Trap 1."""
    order = await closed(await reviewed(hotline, city))
    with pytest.raises(RefusedByLaw) as refused:
        await order.do(m.End(verification="x"), HEAD)
    assert refused.value.params["rule"] == "end.final"


@pytest.mark.requirement("R076")
async def test_what_was_said_then_and_now_and_who_decided_stand_side_by_side(
    hotline: Hotline, web: Database
) -> None:
    order = await closed(await reviewed(hotline, JINAN))
    reopened = m.Reopen(said_then="停水", said_now="水质发黄", why_new="新情况")
    await order.do(reopened, REVIEWER)
    *_, entry = await TicketStore(web).ledger(order.facts.id)
    assert entry.actor == REVIEWER.user
    assert entry.body["said"] == {
        "said_then": "停水",
        "said_now": "水质发黄",
        "why_new": "新情况",
    }


@pytest.mark.requirement("R020")
async def test_one_ticket_carries_its_whole_life_and_is_read_only_in_the_archive(
    hotline: Hotline, web: Database
) -> None:
    order = await closed(await reviewed(hotline, JINAN))
    await order.do(m.Archive(), REVIEWER)
    with pytest.raises(IllegalMove):
        await order.do(m.Amend(reason="x"), REVIEWER)
    entries = await TicketStore(web).ledger(order.facts.id)
    assert [entry.action for entry in entries][-3:] == ["follow_up", "close", "archive"]
    assert verify_chain(entries) is None


# ---- the caller's --------------------------------------------------------------------------------


@by_city("R015", JINAN)
async def test_an_explanation_is_owed_when_the_reply_is_overdue_or_the_result_disputed(
    city: str, hotline: Hotline, web: Database
) -> None:
    order = await hotline(city).register()
    await order.to_units(WATER)
    overdue = m.AskExplanation(ground="overdue", question="为什么还没有答复？")
    with pytest.raises(RefusedByLaw) as early:
        await order.do(overdue, CALLER)
    assert early.value.params["rule"] == "caller.explanation"
    due = order.facts.reply_due_at
    assert due is not None
    order.orders.at = due
    await order.do(overdue, CALLER)
    owed = "SELECT max(due_at) FROM timers WHERE kind = 'explanation_due' AND fired_at IS NULL"
    # Asked on Monday the 26th of October as the hours end: Thursday is the third working day.
    assert await web.fetchval(owed) == due + timedelta(days=3)
    await order.do(m.Explain(number=1, answer="正在采购配件"), of_unit(WATER))
    assert await web.fetchval(owed) is None
    await order.handle(WATER)
    disputed = m.AskExplanation(ground="disputed", question="为什么只修一户？")
    await order.do(disputed, CALLER)
    assert [each.ground for each in order.facts.explanations] == ["overdue", "disputed"]


@pytest.mark.parametrize("city", [DRAFT, TAIAN, HANGZHOU, TONGLIAO])
async def test_no_other_city_owes_explanations(city: str, hotline: Hotline) -> None:
    order = await hotline(city).register()
    await order.to_units(WATER)
    order.orders.later(days=30)
    with pytest.raises(RefusedByLaw):
        await order.do(m.AskExplanation(ground="overdue", question="x"), CALLER)


@pytest.mark.requirement("R019")
async def test_a_rating_is_kept_beside_earlier_ones_also_where_it_looks_like_abuse(
    hotline: Hotline, web: Database, asking: Callable[[str], Awaitable[Asking]]
) -> None:
    http = await asking(TAIAN)
    order = await closed(await reviewed(hotline, TAIAN))
    path = "/api/doubtful-ratings"
    for stars in (1, 5):
        await order.do(m.Rate(stars=stars, reasons=["slow"], text="等了三天"), CALLER)
    *_, entry = await TicketStore(web).ledger(order.facts.id)
    assert entry.article == "第十条第三款、第十六条"
    order.orders.later(minutes=1)
    http.clock.at = order.orders.at
    assert await http.must(SUPERVISOR, "GET", path) == []
    await order.do(m.Rate(stars=1), CALLER)
    told = m.Answer(article="供水-12", article_version="3", text="明早六点恢复。")
    others = [
        await order.orders.register(type=TicketType.CONSULT, caller_number="13900005678")
        for _ in range(5)
    ]
    for other in others:
        await other.do(told, centre(ActorRole.AGENT))
        await other.do(m.Rate(stars=1), CALLER)
    http.clock.at += timedelta(minutes=1)
    found = await http.must(SUPERVISOR, "GET", path)
    assert {(each["number"], each["ratings"], each["what"]) for each in found} == {
        (order.facts.number, 3, "repeated"),
        (others[-1].facts.number, 5, "all_least"),
    }
    assert (await http.ask(centre(ActorRole.AGENT), "GET", path))[0] == 403
    assert await web.fetchval("SELECT array_agg(stars ORDER BY at, version) FROM ratings") == [
        *(1, 5, 1),
        *5 * [1],
    ]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await web.execute("DELETE FROM ratings")


@by_city("R014", JINAN)
async def test_the_wish_for_a_reply_and_for_secrecy_stand_on_the_ticket_and_can_be_changed(
    city: str, hotline: Hotline, web: Database, asking: Callable[[str], Awaitable[Asking]]
) -> None:
    order = await hotline(city).register(wants_reply=False, is_confidential=True)
    assert (order.facts.wants_reply, order.facts.is_confidential) == (False, True)
    amend = m.Amend(reason="来电人改变主意", wants_reply=True)
    assert (await order.do(amend, centre(ActorRole.AGENT))).wants_reply
    *_, entry = await TicketStore(web).ledger(order.facts.id)
    assert entry.body["before"] == {"wants_reply": False}
    await order.to_units(WATER)
    http, path = await asking(city), f"/api/work-orders/{order.facts.number}"
    assert (await http.must(of_unit(WATER), "GET", path))["caller"] is None
    status, _ = await http.ask(of_unit(WATER), "POST", f"{path}/reveal", {"reason": "回电"})
    assert status == 403
    open_now = m.Amend(
        reason="来电人同意公开", is_confidential=False, callers_word="可以公开我的电话。"
    )
    await order.do(open_now, centre(ActorRole.AGENT))
    assert (await http.must(of_unit(WATER), "GET", path))["caller"]["number"] == "138****1234"


@by_city("R016", JINAN, TAIAN, HANGZHOU, TONGLIAO)
async def test_the_notice_of_truth_is_kept_and_nobody_need_give_a_name(
    city: str, hotline: Hotline, web: Database
) -> None:
    truth = {JINAN: "第十七条", TAIAN: "第十条第一款", HANGZHOU: "第七条", TONGLIAO: "第九条第一款"}
    order = await hotline(city).register(
        is_truth_notice_given=True, caller_name="", caller_number=""
    )
    [entry] = await TicketStore(web).ledger(order.facts.id)
    assert (entry.body["truth_notice"], entry.article) == (True, truth[city])
    named = await hotline(city).register()
    [entry] = await TicketStore(web).ledger(named.facts.id)
    encouraged = "第十条第二款" if city == TAIAN else ""
    assert (entry.body["truth_notice"], entry.article) == (False, encouraged)
    assert not order.facts.is_reachable
    assert (await order.check()).state is TicketState.TO_DISPATCH


# ---- locked lanes --------------------------------------------------------------------------------


@by_city("R017", JINAN, TONGLIAO)
async def test_a_complaint_about_staff_is_supervisions_and_the_heads_alone(
    city: str, hotline: Hotline, web: Database
) -> None:
    order = await hotline(city).register(
        type=TicketType.COMPLAIN, lane=Lane.STAFF_COMPLAINT, staff="person8"
    )
    conclude = m.Conclude(finding="属实", consequence="离岗培训", told="已回复来电人")
    for other in (centre(ActorRole.AGENT), REVIEWER):
        with pytest.raises(TicketUnseen):
            await order.do(conclude, other)
    assert await web.fetchval("SELECT count(*) FROM tickets") == 0
    assert (await order.do(conclude, SUPERVISOR)).state is TicketState.CLOSED


@by_city("R018", JINAN, DRAFT, TAIAN, TONGLIAO)
async def test_retaliation_is_locked_linked_and_handed_to_an_authority_on_record(
    city: str, hotline: Hotline
) -> None:
    orders = hotline(city)
    first = await orders.register()
    order = await orders.register(
        type=TicketType.REPORT, lane=Lane.RETALIATION, former=first.facts.number
    )
    assert order.facts.former == first.facts.id
    refer = m.Refer(authority="市监委", record="移交函〔2026〕1号", related=first.facts.id)
    with pytest.raises(TicketUnseen):
        await order.do(refer, HEAD)
    assert (await order.do(refer, SUPERVISOR)).state is TicketState.HANDED_OVER


@pytest.mark.requirement("R122")
async def test_a_chain_of_a_whole_life_verifies_and_each_entry_says_who_when_what_and_why(
    hotline: Hotline, web: Database
) -> None:
    order = await closed(await reviewed(hotline, JINAN))
    entries = await TicketStore(web).ledger(order.facts.id)
    assert verify_chain(entries) is None
    assert all(entry.actor and entry.action for entry in entries)
    assert {entry.action for entry in entries if entry.article} >= {"dispatch", "close"}
    assert all(entry.at - order.orders.at <= timedelta(0) for entry in entries)
