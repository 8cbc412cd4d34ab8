"""Rows of oversight: replies in doubt, evidence for faults, refusals to sample, city by city."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

import pytest

from server.citizen_code import CitizenCodes
from tests.fakes.by_city import by_city
from tests.fakes.city import HOUSING, MARKET, TRAFFIC, WATER, centre, of_unit
from tests.fakes.work_order import CALLER, HEAD, MONDAY_10, SUPERVISOR, WorkOrder, WorkOrders
from tests.fakes.work_order_http import Asking, HttpBackend
from tickets import moves as m
from tickets.facts import ActorRole, DoubtGround
from tickets.refusals import NotFitting
from tickets.ticket import Lane, TicketState, TicketType

Ask = Callable[[str], Awaitable[Asking]]
JINAN, DRAFT, TAIAN = "jinan_2018", "jinan_draft_2018", "taian_draft"
HANGZHOU, TONGLIAO = "hangzhou_2024", "tongliao_2024"
ALL = (JINAN, DRAFT, TAIAN, HANGZHOU, TONGLIAO)
REVIEWER = centre(ActorRole.REVIEWER, 2)
DESK = centre(ActorRole.AGENT)
ALWAYS = "from=2020-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class City:
    """A city's people and their interface."""

    http: Asking
    orders: WorkOrders

    async def evidence(self, fault: str) -> set[tuple[str, str]]:
        """Which tickets with what."""
        until = quote(self.orders.at.isoformat())
        path = f"/api/faults/{fault}?{ALWAYS}&until={until}"
        found = await self.http.must(SUPERVISOR, "GET", path)
        return {(each["number"], each["what"]) for each in found}


@pytest.fixture
def city_of(asking: Ask) -> Callable[[str], Awaitable[City]]:
    async def started(name: str) -> City:
        http = await asking(name)
        http.clock.at = MONDAY_10

        async def same() -> Asking:
            return http

        return City(http, WorkOrders(HttpBackend(same), name, MONDAY_10))

    return started


CityOf = Callable[[str], Awaitable[City]]


# ---- replies that differ from what happened ------------------------------------------------------


@by_city("R069", *ALL)
async def test_done_says_the_unit_unsolved_says_the_caller_and_it_is_looked_into(
    city: str, city_of: CityOf
) -> None:
    there = await city_of(city)
    order = await there.orders.register()
    await order.to_follow_up(WATER)
    await order.follow_up(is_solved=False, is_satisfied=False, is_reasonable=True, is_lawful=False)
    [doubt] = order.facts.doubts
    assert (doubt.ground, doubt.note) == (DoubtGround.FOLLOW_UP_DIFFERS, "仍然停水")
    there.orders.later(minutes=1)
    number = order.facts.number
    assert (number, "follow_up_differs") in await there.evidence("false_reply")
    await order.follow_up()
    await order.close()
    with pytest.raises(NotFitting) as kept:
        await order.do(m.Archive(), REVIEWER)
    assert kept.value.params["why"] == "reply_in_doubt"
    found = m.SettleDoubt(number=1, is_false=True, finding="现场未修复，照片为旧图")
    await order.do(found, SUPERVISOR)
    assert (number, "found_false") in await there.evidence("false_reply")
    assert (await order.do(m.Archive(), REVIEWER)).state is TicketState.ARCHIVED


async def test_the_callers_own_answer_by_message_raises_the_doubt_too(city_of: CityOf) -> None:
    there = await city_of(JINAN)
    order = await there.orders.register()
    await order.to_follow_up(WATER)
    number = order.facts.number
    callback = centre(ActorRole.FOLLOW_UP, 3)
    await there.http.must(callback, "POST", f"/api/work-orders/{number}/follow-up-message")
    said = {"is_solved": False, "is_satisfied": False, "reason": "还是没水"}
    path, code = f"/api/citizen/work-orders/{number}/follow-up", CitizenCodes("test").of(number)
    await there.http.must(CALLER, "POST", path, said, X_Code=code)
    [doubt] = (await order.orders.backend.facts(order.facts.id)).doubts
    assert (doubt.raised_by, doubt.note) == ("caller", "还是没水")


@pytest.mark.requirement("R069", city="jinan_2018")
async def test_copied_words_and_contact_without_proof_are_found_and_a_reply_can_be_doubted(
    city_of: CityOf,
) -> None:
    there = await city_of(JINAN)
    both = [await there.orders.register() for _ in range(2)]
    for order in both:
        await order.to_units(WATER)
        await order.sign(WATER)
        await order.feedback(WATER, reply="经核实，已按规定处理完毕，请知悉。")
    there.orders.later(minutes=1)
    found = await there.evidence("false_reply")
    for order in both:
        assert (order.facts.number, "copied") in found
        assert (order.facts.number, "contact_unproved") in found
    [order, _] = both
    doubt = m.DoubtReply(
        assignment=order.at(WATER).id, ground=DoubtGround.EVIDENCE_DIFFERS, note="照片早于派单"
    )
    await order.do(doubt, REVIEWER)
    there.orders.later(minutes=1)
    assert (order.facts.number, "evidence_differs") in await there.evidence("false_reply")
    await order.do(m.SettleDoubt(number=1, is_false=False, finding="时钟有误"), HEAD)
    assert (order.facts.number, "evidence_differs") not in await there.evidence("false_reply")


# ---- faults --------------------------------------------------------------------------------------

LISTED = {
    JINAN: "refused not_done_after_supervision false_reply attitude leak abuse retaliation",
    DRAFT: "inaction open_after_redo_and_supervision attitude false_reply leak false_assessment"
    " abuse retaliation",
    TAIAN: "refused not_done_after_supervision false_reply attitude leak shirking inaction"
    " wrong_action abuse retaliation",
    HANGZHOU: "attitude not_done_after_supervision shirking false_reply leak abuse",
    TONGLIAO: "attitude shirking false_report false_reply leak interference retaliation abuse",
}


def not_accepted(orders: WorkOrders, told: str) -> m.NotAccept:
    return m.NotAccept(
        reason="route",
        told=told,
        told_at=orders.at,
        refer_to="法院",
        route="litigation",
        stage="entered",
    )


async def everything_goes_wrong(there: City) -> dict[str, tuple[str, str]]:
    """One ticket or two for each fault; of each fault the line that proves it."""
    orders = there.orders
    staff = await orders.register(
        type=TicketType.COMPLAIN, lane=Lane.STAFF_COMPLAINT, staff="person8", by=DESK
    )
    threat = await orders.register(type=TicketType.REPORT, lane=Lane.RETALIATION)
    out = await orders.register(type=TicketType.CONSULT)
    if orders.city in (JINAN, TAIAN):  # whose lists have refusing among the faults
        await out.do(not_accepted(orders, "x"), DESK)
    else:
        await out.do(m.Answer(article="x", article_version="1", text="x"), DESK)
    await out.do(m.Reopen(said_then="x", said_now="y", why_new="抽查发现"), REVIEWER)
    idle = await orders.register()
    await idle.to_units(WATER)
    await idle.do(m.Supervise(trigger="overdue", opinion="限期办理"), SUPERVISOR)
    poor = await orders.register()
    await poor.to_follow_up(WATER)
    await poor.follow_up(
        is_solved=False,
        is_satisfied=False,
        is_reasonable=True,
        is_lawful=True,
        is_handling_faulty=True,
    )
    await poor.do(m.SettleDoubt(number=1, is_false=True, finding="不实"), SUPERVISOR)
    if poor.facts.state is TicketState.FOLLOWING_UP:
        await poor.do(m.Redo(reason="重办", is_verified=True), REVIEWER)
    await poor.do(m.Supervise(trigger="overdue", opinion="x"), SUPERVISOR)
    taken = await orders.register()
    await taken.to_units(MARKET)
    await taken.do(m.Withdraw(assignment=taken.at(MARKET).id, reason="x"), HEAD)
    shown = f"/api/work-orders/{taken.facts.number}/reveal"
    await there.http.must(REVIEWER, "POST", shown, {"reason": "回拨"})
    about = await pushed_about(orders)
    orders.later(days=400)
    return {
        "refused": (out.facts.number, "refusal_reopened"),
        "not_done_after_supervision": (idle.facts.number, "open_after_supervision"),
        "open_after_redo_and_supervision": (poor.facts.number, "open_after_redo_and_supervision"),
        "false_reply": (poor.facts.number, "found_false"),
        "false_report": (poor.facts.number, "found_false"),
        "false_assessment": (poor.facts.number, "satisfaction_differs"),
        "attitude": (staff.facts.number, "staff_complaint"),
        "leak": (taken.facts.number, "reveal"),
        "inaction": (idle.facts.number, "nothing_done"),
        "wrong_action": (poor.facts.number, "handling_faulty"),
        "interference": (threat.facts.number, "retaliation_report"),
        "retaliation": (threat.facts.number, "retaliation_report"),
        "abuse": (taken.facts.number, "withdraw"),
        "shirking": about,
    }


async def pushed_about(orders: WorkOrders) -> tuple[str, str]:
    """Where units may give back: three did, or one wanted to without a reason."""
    order = await orders.register()
    await order.to_units(WATER)
    back = m.AskReturn(ground="not_our_duty", reason="x", basis="x")
    if orders.city == HANGZHOU:
        for before, unit in ((WATER, HOUSING), (HOUSING, TRAFFIC)):
            await order.do(back, of_unit(before))
            await order.dispatch(unit)
        return order.facts.number, "sent_about"
    if orders.city == TONGLIAO:
        await order.do(back, of_unit(WATER))
        refuse = m.DecideReturn(assignment=order.at(WATER).id, is_granted=False, decision="x")
        await order.do(refuse, REVIEWER)
        return order.facts.number, "return_refused"
    # Where nothing is given back, it goes about by being taken away.
    for before, unit in ((WATER, HOUSING), (HOUSING, TRAFFIC)):
        await order.do(m.Withdraw(assignment=order.at(before).id, reason="推诿"), HEAD)
        await order.dispatch(unit)
    return order.facts.number, "sent_about"


@by_city("R121", *ALL)
async def test_each_fault_that_the_city_lists_has_evidence_and_others_are_none(
    city: str, city_of: CityOf
) -> None:
    there = await city_of(city)
    proofs = await everything_goes_wrong(there)
    there.http.clock.at = there.orders.at
    listed = await there.http.must(SUPERVISOR, "GET", "/api/faults")
    assert set(listed["faults"]) == set(LISTED[city].split())
    for fault in listed["faults"]:
        assert proofs[fault] in await there.evidence(fault), fault
    for other in set(proofs) - set(listed["faults"]):
        status, told = await there.http.ask(SUPERVISOR, "GET", f"/api/faults/{other}")
        assert (status, told["params"]["rule"]) == (422, "assess.faults")
    status, _ = await there.http.ask(REVIEWER, "GET", "/api/faults")
    assert status == 403


async def test_the_head_finds_no_locked_lane_among_the_evidence(city_of: CityOf) -> None:
    there = await city_of(JINAN)
    await there.orders.register(type=TicketType.REPORT, lane=Lane.RETALIATION)
    there.http.clock.at = there.orders.at.replace(hour=12)
    path = f"/api/faults/retaliation?{ALWAYS}"
    assert len(await there.http.must(SUPERVISOR, "GET", path)) == 1
    assert await there.http.must(HEAD, "GET", path) == []


# ---- refusals ------------------------------------------------------------------------------------


@by_city("R037", JINAN, TAIAN)
async def test_refusals_are_sampled_counted_by_who_refused_and_opened_again(
    city: str, city_of: CityOf
) -> None:
    there = await city_of(city)
    refused: list[WorkOrder] = []
    for count in range(4):
        order = await there.orders.register()
        if count < 3:
            await order.do(not_accepted(there.orders, f"告知{count}"), DESK)
            refused.append(order)
        else:
            await order.to_units(WATER)
    there.orders.later(hours=1)
    there.http.clock.at = there.orders.at
    path = "/api/refusals?sample=2"
    drawn = await there.http.must(SUPERVISOR, "GET", path)
    assert drawn == await there.http.must(HEAD, "GET", path)  # nobody draws until it suits
    assert len({each["number"] for each in drawn["sample"]}) == 2
    rates = {(each["of"], each["id"]): each for each in drawn["rates"]}
    mine = rates["person", DESK.user]
    assert (mine["taken"], mine["refused"]) == (4, 3)
    assert (rates["unit", WATER]["taken"], rates["unit", WATER]["refused"]) == (1, 0)
    wrong = next(each for each in refused if each.facts.number == drawn["sample"][0]["number"])
    reopened = m.Reopen(said_then="诉讼中", said_now="未进入诉讼", why_new="抽查")
    assert (await wrong.do(reopened, REVIEWER)).state is TicketState.TO_DISPATCH
    there.http.clock.at = there.orders.at + timedelta(hours=1)
    again = await there.http.must(SUPERVISOR, "GET", path)
    assert again["sample"][0]["state"] == "to_dispatch"  # the refusal stays on record
    status, _ = await there.http.ask(DESK, "GET", path)
    assert status == 403
