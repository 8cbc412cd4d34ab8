"""Rows of registration and of what is not put into handling, city by city."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from base.database import Connection, Database
from base.ids import UnitId
from rules import catalogue as law
from rules.library import load_pack
from rules.values import Secret
from tests.fakes.by_city import by_city
from tests.fakes.city import DONGGUAN, HOUSING, LIXIA, WATER, WENHUA, centre, of_unit
from tests.fakes.work_order import MONDAY_10, WorkOrder, WorkOrders
from tests.fakes.work_order_http import Asking
from tickets import moves as m
from tickets.assignment import AssignmentState
from tickets.facts import ActorRole, RequestState, TicketFacts
from tickets.intake import WITHHELD
from tickets.refusals import NotFitting, NotSaid, NotYours, RefusedByLaw
from tickets.store import TicketStore
from tickets.ticket import Matter, TicketState, TicketType
from tickets.unit_store import end_unit, organisation_at

Hotline = Callable[[str], WorkOrders]
JINAN, DRAFT, TAIAN = "jinan_2018", "jinan_draft_2018", "taian_draft"
HANGZHOU, TONGLIAO = "hangzhou_2024", "tongliao_2024"
ALL = (JINAN, DRAFT, TAIAN, HANGZHOU, TONGLIAO)
DESK = centre(ActorRole.AGENT)
DISPATCHER = centre(ActorRole.DISPATCHER)
ANSWER = m.Answer(article="供水-12", article_version="3", text="明早六点恢复。")


async def refusal(order: WorkOrder, move: m.Move) -> RefusedByLaw:
    """The law's refusal of a move of the desk's."""
    with pytest.raises(RefusedByLaw) as refused:
        await order.do(move, DESK)
    return refused.value


# ---- answered at once ----------------------------------------------------------------------------


@by_city("R024", *ALL)
async def test_a_question_is_answered_at_once_with_article_and_version_kept(
    city: str, hotline: Hotline, web: Database
) -> None:
    order = await hotline(city).register(type=TicketType.CONSULT)
    assert (await order.do(ANSWER, DESK)).state is TicketState.ANSWERED
    *_, entry = await TicketStore(web).ledger(order.facts.id)
    assert entry.body["said"] == {
        "article": "供水-12",
        "article_version": "3",
        "text": "明早六点恢复。",
    }


@by_city("R024", *ALL)
async def test_hangzhou_and_the_draft_answer_consultations_alone_at_once(
    city: str, hotline: Hotline
) -> None:
    order = await hotline(city).register(type=TicketType.REPORT)
    if city in (HANGZHOU, DRAFT):
        assert (await refusal(order, ANSWER)).params["rule"] == "intake.direct_answer"
    else:
        assert (await order.do(ANSWER, DESK)).state is TicketState.ANSWERED


# ---- channels ------------------------------------------------------------------------------------

CHANNELS = {
    JINAN: "phone mailbox sms app weibo wechat",
    DRAFT: "phone mailbox",
    TAIAN: "phone mailbox web wechat",
    HANGZHOU: "phone sms wechat web",
    TONGLIAO: "phone web wechat email app",
}


@pytest.mark.requirement("R001")
@pytest.mark.parametrize("city", ALL)
async def test_whatever_the_channel_it_is_one_queue_and_one_numbering(
    city: str, asking: Callable[[str], Awaitable[Asking]]
) -> None:
    http = await asking(city)
    http.clock.at = MONDAY_10
    law_says = load_pack(city).decide(law.CHANNELS, on=MONDAY_10.date()).value
    assert {each.value for each in law_says} == set(CHANNELS[city].split())
    for channel in CHANNELS[city].split():
        said = {"channel": channel, "type": "consult", "demand": "何时供暖？", "message": "m1"}
        made = [await http.must(DESK, "POST", "/api/work-orders", said) for _ in range(2)]
        assert made[0] == made[1]  # a message that comes in twice is one demand
    queue = (await http.must(DESK, "GET", "/api/work-orders?state=registered"))["items"]
    assert [each["channel"] for each in reversed(queue)] == CHANNELS[city].split()
    counted = [int(each["number"].split("-")[1]) for each in reversed(queue)]
    assert counted == list(range(1, len(counted) + 1))


# ---- type and domain -----------------------------------------------------------------------------


TYPES = {
    JINAN: "consult help suggest complain report other",
    DRAFT: "consult help suggest complain report other",
    TAIAN: "consult help complain report suggest",
    HANGZHOU: "consult report suggest criticise other",
    TONGLIAO: "consult help complain report suggest other",
}


@by_city("R005", JINAN, TAIAN, HANGZHOU, TONGLIAO, others=(DRAFT,))
async def test_only_the_citys_own_demand_types_get_past_the_check(
    city: str, hotline: Hotline
) -> None:
    for kind in TicketType:
        order = await hotline(city).register(type=kind)
        if kind.value in TYPES[city].split():
            assert (await order.check()).state is TicketState.TO_DISPATCH
        else:
            with pytest.raises(RefusedByLaw) as refused:
                await order.check()
            assert refused.value.params["rule"] == "scope.demand_types"


FIELDS = {
    JINAN: "economy politics culture society ecology",
    HANGZHOU: "economy construction society public_service ecology",
    TONGLIAO: "government_service economy market society public_service ecology",
}


@by_city("R006", TONGLIAO, HANGZHOU, JINAN)
async def test_the_domain_is_one_of_the_citys_and_in_tongliao_it_must_be_named(
    city: str, hotline: Hotline
) -> None:
    for domain in FIELDS[city].split():
        assert (await (await hotline(city).register(domain=domain)).check()).domain == domain
    with pytest.raises(RefusedByLaw):
        await (await hotline(city).register(domain="astronomy")).check()
    unnamed = await hotline(city).register(domain="")
    if city == TONGLIAO:
        with pytest.raises(RefusedByLaw) as refused:
            await unnamed.check()
        assert refused.value.params["rule"] == "scope.domains"
    else:
        await unnamed.check()


PHRASES = {JINAN: ("caller.explanation", "作出说明"), HANGZHOU: ("intake.unclear", "无法登记")}


@by_city("R021", JINAN, HANGZHOU)
async def test_the_desk_is_guided_by_phrases_and_elements_and_the_check_wants_them_asked_for(
    city: str, hotline: Hotline, asking: Callable[[str], Awaitable[Asking]]
) -> None:
    http = await asking(city)
    http.clock.at = MONDAY_10
    shown = await http.must(DESK, "GET", "/api/guide")
    needed = {each["name"]: each["is_needed"] for each in shown["elements"]}
    assert needed == {"who": False, "what": True, "where": False, "when": False, "want": True}
    rule, words = PHRASES[city]
    [phrase] = [each for each in shown["phrases"] if each["rule"] == rule]
    assert words in phrase["text"]
    assert "条" in phrase["article"]
    order = await hotline(city).register()
    with pytest.raises(NotSaid) as lacking:
        await order.do(m.PassCheck(elements={"what": True}), centre(ActorRole.DISPATCHER))
    assert lacking.value.params["lacking"] == ["want"]
    assert lacking.value.params["unasked"] == ["who", "where", "when", "want"]


@by_city("R022", HANGZHOU)
async def test_several_demands_are_registered_and_handled_apart(
    city: str, hotline: Hotline, web: Database, asking: Callable[[str], Awaitable[Asking]]
) -> None:
    order = await hotline(city).register()
    http = await asking(city)
    http.clock.at = order.orders.at
    split = {"move": "split", "demands": [{"type": "report", "demand": "另举报占道经营。"}]}
    path = f"/api/work-orders/{order.facts.number}/moves"
    made = await http.must(DESK, "POST", path, split)
    [(number, code)] = made["codes"].items()  # the caller follows each
    assert made["siblings"] == [number]
    [entry] = [
        each for each in await TicketStore(web).ledger(order.facts.id) if each.action == "split"
    ]
    assert entry.article == "第八条第二款"
    assert code
    rows = await web.fetch("SELECT number, contact FROM tickets ORDER BY number")
    assert len(rows) == 2
    assert str(rows[1]["contact"]) == order.facts.contact


# ---- not registered, not accepted ----------------------------------------------------------------

UNCLEAR = m.NotRegister(
    reason="facts_unclear",
    questions=[m.Question(question="请问在哪条路？", answer="不知道")],
)


@by_city("R023", HANGZHOU)
async def test_what_stays_unclear_after_asking_is_not_registered_with_what_was_asked(
    city: str, hotline: Hotline, web: Database
) -> None:
    order = await hotline(city).register()
    assert (await order.do(UNCLEAR, DESK)).state is TicketState.NOT_REGISTERED
    row = await web.fetchrow("SELECT kind, told FROM refusals")
    assert row is not None
    assert tuple(row) == ("not_registered", "请问在哪条路？：不知道")


@pytest.mark.parametrize("city", [JINAN, DRAFT, TAIAN, TONGLIAO])
async def test_elsewhere_unclear_demands_are_registered(city: str, hotline: Hotline) -> None:
    order = await hotline(city).register()
    assert (await refusal(order, UNCLEAR)).params["rule"] == "intake.unclear"


def not_accept(order: WorkOrder, reason: str, **more: str) -> m.NotAccept:
    return m.NotAccept(
        reason=reason,
        told="已说明理由并告知途径。",
        told_at=order.orders.at,
        refer_to="济南市中级人民法院",
        **more,
    )


@by_city("R033", JINAN, TAIAN, HANGZHOU, TONGLIAO)
async def test_another_legal_route_is_named_and_jinan_waits_until_it_is_entered(
    city: str, hotline: Hotline, web: Database
) -> None:
    """Trap 3. A petition is another route only once it is one; nobody is sent off unnamed."""
    entered = await hotline(city).register()
    move = not_accept(entered, "route", route="litigation", stage="entered")
    with pytest.raises(NotSaid) as lacking:
        await entered.do(msgspec.structs.replace(move, refer_to=""), DESK)
    assert lacking.value.params["field"] == "refer_to"
    assert (await entered.do(move, DESK)).state is TicketState.NOT_ACCEPTED
    row = await web.fetchrow("SELECT reason, refer_to, article FROM refusals")
    assert row is not None
    assert row["refer_to"] == "济南市中级人民法院"
    assert "条" in row["article"]
    petition = await hotline(city).register()
    move = not_accept(petition, "route", route="petition", stage="entered")
    with pytest.raises(NotSaid):
        await petition.do(msgspec.structs.replace(move, refer_to=""), DESK)
    if city != JINAN:
        early = msgspec.structs.replace(move, stage="should_enter")
        assert (await refusal(petition, early)).params["rule"] == "refuse.route"
    assert (await petition.do(move, DESK)).state is TicketState.NOT_ACCEPTED
    should = await hotline(city).register()
    move = not_accept(should, "route", route="litigation", stage="should_enter")
    if city == JINAN:
        assert (await refusal(should, move)).params["rule"] == "refuse.route"
    else:
        assert (await should.do(move, DESK)).state is TicketState.NOT_ACCEPTED


@by_city("R034", TAIAN, HANGZHOU, TONGLIAO)
async def test_a_secret_is_refused_and_its_text_taken_out_for_good(
    city: str, hotline: Hotline, web: Database, owner: Connection
) -> None:
    order = await hotline(city).register(demand="某部队番号与驻地是……")
    await order.do(not_accept(order, "secret", secret="state"), DESK)
    row = await owner.fetchrow("SELECT title, content, demand, draft, is_withheld FROM tickets")
    assert row is not None
    assert tuple(row) == (WITHHELD, WITHHELD, WITHHELD, {}, True)
    stored = await owner.fetchval("SELECT string_agg(l::text, '') FROM ledger l")
    assert "番号" not in stored


SECRETS = {
    TAIAN: "state work trade privacy personal_information",
    HANGZHOU: "state trade privacy",
    TONGLIAO: "state trade privacy",
}


@by_city("R034", TAIAN, HANGZHOU, TONGLIAO)
async def test_of_secrets_only_the_citys_own_are_refused_and_explained(
    city: str, hotline: Hotline
) -> None:
    for kind in Secret:
        order = await hotline(city).register()
        move = m.NotAccept(
            reason="secret", told="不便受理", told_at=order.orders.at, secret=kind.value
        )
        if kind.value in SECRETS[city].split():
            assert (await order.do(move, DESK)).state is TicketState.NOT_ACCEPTED
        else:
            assert (await refusal(order, move)).params["rule"] == "refuse.secret_kinds"


@pytest.mark.requirement("R034", city="taian_draft")
async def test_a_demand_known_to_be_secret_is_never_written_down(
    hotline: Hotline, owner: Connection
) -> None:
    await hotline(TAIAN).register(demand="某部队番号", is_withheld=True)
    assert await owner.fetchval("SELECT demand FROM tickets") == WITHHELD


@by_city("R035", TAIAN, TONGLIAO)
async def test_another_citys_matter_is_told_whose_it_is(city: str, hotline: Hotline) -> None:
    order = await hotline(city).register()
    unnamed = m.NotAccept(reason="outside_area", told="不在本市", told_at=order.orders.at)
    with pytest.raises(NotSaid) as lacking:
        await order.do(unnamed, DESK)
    assert lacking.value.params["field"] == "refer_to"
    done = await order.do(not_accept(order, "outside_area"), DESK)
    assert done.state is TicketState.NOT_ACCEPTED


@by_city("R036", TAIAN, HANGZHOU, TONGLIAO)
async def test_a_refusal_has_its_reason_told_first_with_proof(
    city: str, hotline: Hotline, web: Database
) -> None:
    """Trap 13."""
    order = await hotline(city).register()
    reason = "not_public_service" if city == HANGZHOU else "other"
    later = m.NotAccept(
        reason=reason, told="x", told_at=order.orders.at + timedelta(hours=1), refer_to=""
    )
    with pytest.raises(NotSaid):
        await order.do(later, DESK)
    await order.do(not_accept(order, reason), DESK)
    row = await web.fetchrow("SELECT told, told_at FROM refusals")
    assert row is not None
    assert tuple(row) == ("已说明理由并告知途径。", order.orders.at)
    sms = await web.fetchval("SELECT payload FROM outbox WHERE channel = 'sms' ORDER BY id DESC")
    assert (sms["template"], sms["params"]["reason"]) == ("not_accepted", reason)


EXPLAINED = {
    TAIAN: ("public_order", "unlawful", "other"),
    HANGZHOU: ("not_public_service",),
    TONGLIAO: ("public_order", "other"),
}


@by_city("R036", TAIAN, HANGZHOU, TONGLIAO)
async def test_what_is_nobody_elses_is_explained_and_refers_to_nobody(
    city: str, hotline: Hotline
) -> None:
    for reason in ("public_order", "unlawful", "not_public_service", "other"):
        order = await hotline(city).register()
        move = m.NotAccept(reason=reason, told="已说明理由", told_at=order.orders.at)
        if reason in EXPLAINED[city]:
            assert (await order.do(move, DESK)).state is TicketState.NOT_ACCEPTED
        else:
            assert (await refusal(order, move)).params["rule"] == f"refuse.{reason}"


async def test_jinan_refuses_nothing_as_secret_or_for_other_reasons(hotline: Hotline) -> None:
    order = await hotline(JINAN).register()
    for reason in ("secret", "public_order", "unlawful", "other"):
        refused = await refusal(order, not_accept(order, reason, secret="state"))
        assert refused.params["rule"] == f"refuse.{reason}"


@pytest.mark.requirement("R037")
async def test_a_refusal_that_was_wrong_is_opened_again_and_stays_on_record(
    hotline: Hotline, web: Database
) -> None:
    order = await hotline(JINAN).register()
    move = not_accept(order, "outside_area")
    with pytest.raises(NotSaid) as lacking:
        await order.do(msgspec.structs.replace(move, refer_to=""), DESK)
    assert lacking.value.params["rule"] == "refuse.outside_area"
    await order.do(move, DESK)
    reopen = m.Reopen(said_then="外地", said_now="本市", why_new="抽查发现属本市管辖")
    assert (await order.do(reopen, centre(ActorRole.REVIEWER))).state is TicketState.TO_DISPATCH
    assert await web.fetchval("SELECT count(*) FROM refusals") == 1


# ---- repeats -------------------------------------------------------------------------------------

REPEATED = m.AnswerRepeat(
    said_then="停水", said_now="还是停水", why_not_new="同一地点同一原因", told="正在抢修"
)


async def settled(orders: WorkOrders) -> TicketFacts:
    order = await orders.register()
    await order.to_follow_up(WATER)
    await order.follow_up()
    await order.close()
    return order.facts


@by_city("R075", TAIAN, HANGZHOU, TONGLIAO)
async def test_a_repeat_without_new_facts_is_settled_at_the_desk(
    city: str, hotline: Hotline
) -> None:
    orders = hotline(city)
    former = await settled(orders)
    again = await orders.register(former=former.number)
    outcome = TicketState.NOT_ACCEPTED if city == TONGLIAO else TicketState.REPEAT_ANSWERED
    assert (await again.do(REPEATED, DESK)).state is outcome
    third = await orders.register(former=again.facts.number)
    assert third.facts.former == former.id
    assert (await third.do(REPEATED, DESK)).state is outcome


@pytest.mark.requirement("R017")
@pytest.mark.requirement("R018")
async def test_a_locked_ticket_is_named_as_former_by_reports_of_such_a_lane_alone(
    asking: Callable[[str], Awaitable[Asking]],
) -> None:
    http = await asking(JINAN)
    demand = {
        "channel": "phone",
        "type": "complain",
        "demand": "被打击报复",
        "caller_number": "138",
    }
    locked = {**demand, "lane": "retaliation"}
    number = (await http.must(DESK, "POST", "/api/work-orders", locked))["number"]
    told = await http.ask(DESK, "POST", "/api/work-orders", {**demand, "former": number})
    nobodys = await http.ask(DESK, "POST", "/api/work-orders", {**demand, "former": "20200101-1"})
    assert (told[0], told[1]["code"]) == (nobodys[0], nobodys[1]["code"])
    again = await http.ask(DESK, "POST", "/api/work-orders", {**locked, "former": number})
    assert again[0] == 201


@by_city("R027", JINAN, DRAFT, TAIAN, HANGZHOU, TONGLIAO)
async def test_another_citizen_with_the_same_problem_is_shown_and_is_never_a_repeat(
    city: str, hotline: Hotline, asking: Callable[[str], Awaitable[Asking]]
) -> None:
    """Trap 4. In Jinan no desk may settle a repeat; the unit stops it."""
    orders = hotline(city)
    former = await settled(orders)
    other = await orders.register(former=former.number, caller_number="13900005678")
    http = await asking(city)
    again = await orders.register(demand="家里又停水，请尽快恢复。")
    await orders.register(demand="路灯整夜不亮，无人维修。", caller_number="13900005678")
    told = await http.must(DESK, "GET", f"/api/work-orders/{again.facts.number}/similar")
    assert [(each["number"], each["is_same_caller"]) for each in told] == [
        (other.facts.number, False)  # what is settled, and what is about something else, is not
    ]
    assert 0.33 < told[0]["likeness"] < 1
    assert (await refusal(other, REPEATED)).params["rule"] == "refuse.repeat"
    unlinked = await orders.register()
    if city in (JINAN, DRAFT):
        assert (await refusal(unlinked, REPEATED)).params["why"] == "not_given"
    else:
        with pytest.raises(NotSaid):
            await unlinked.do(REPEATED, DESK)


# ---- emergencies ---------------------------------------------------------------------------------


def hand_over(order: WorkOrder, means: str, line: str = "119", **more: object) -> m.HandOver:
    return m.HandOver(line=line, means=means, handed_at=order.orders.at, **more)  # type: ignore[arg-type]


@pytest.mark.requirement("R124")
@pytest.mark.parametrize("city", ALL)
async def test_each_emergency_line_is_reached_by_each_means_that_the_city_gives(
    city: str, hotline: Hotline
) -> None:
    given = {"transferred", "guided", *({"notified"} if city == TONGLIAO else ())}
    units = [WATER] if city == TONGLIAO else []
    for means in ("transferred", "guided", "notified"):
        for line in ("110", "119", "120", "122"):
            order = await hotline(city).register(matter=Matter.DANGER)
            move = hand_over(order, means, line, units=units)
            if means not in given:
                assert (await refusal(order, move)).params["rule"] == "emergency.notify"
                continue
            await order.do(move, DESK)
            assert order.facts.state is (
                TicketState.WITH_UNITS if units else TicketState.HANDED_OVER
            )


@by_city("R031", TAIAN, HANGZHOU)
async def test_an_emergency_goes_to_the_line_and_is_kept(
    city: str, hotline: Hotline, web: Database
) -> None:
    order = await hotline(city).register(matter=Matter.DANGER)
    done = await order.do(hand_over(order, "transferred"), DESK)
    assert done.state is TicketState.HANDED_OVER
    *_, entry = await TicketStore(web).ledger(order.facts.id)
    said = entry.body["said"]
    assert isinstance(said, dict)
    assert (said["line"], said["means"]) == ("119", "transferred")
    guided = await hotline(city).register(matter=Matter.DANGER)
    await guided.do(hand_over(guided, "guided"), DESK)
    notified = await hotline(city).register(matter=Matter.DANGER)
    refused = await refusal(notified, hand_over(notified, "notified"))
    assert refused.params["rule"] == "emergency.notify"


@by_city("R031", TONGLIAO)
async def test_in_tongliao_the_line_is_told_and_a_unit_signs(city: str, hotline: Hotline) -> None:
    """Trap 7: two acts."""
    order = await hotline(city).register(matter=Matter.DANGER)
    with pytest.raises(NotSaid) as lacking:
        await order.do(hand_over(order, "notified"), DESK)
    assert lacking.value.params["rule"] == "emergency.unit_signs"
    done = await order.do(hand_over(order, "notified", units=[WATER]), DESK)
    assert done.state is TicketState.WITH_UNITS
    await order.sign(WATER)
    assert order.at(WATER).state is AssignmentState.SIGNED


@by_city("R032", TAIAN, TONGLIAO)
async def test_utilities_and_disasters_leave_before_the_check_for_whoever_is_on_duty(
    city: str, hotline: Hotline, owner: Connection
) -> None:
    orders = hotline(city)
    orders.at = datetime(2026, 10, 23, 15, 25, tzinfo=UTC)  # late on a Friday evening
    order = await orders.register(matter=Matter.UTILITY)
    waiting = await owner.fetchrow("SELECT kind, due_at FROM timers WHERE fired_at IS NULL")
    assert tuple(waiting or ()) == ("dispatch_due", orders.at + timedelta(hours=1))
    assert (await order.dispatch(WATER)).state is TicketState.WITH_UNITS
    assert order.at(WATER).sign_due_at == orders.at + timedelta(hours=1)
    left = await owner.fetch("SELECT kind FROM timers WHERE kind = 'dispatch_due'")
    assert left == []
    ordinary = await hotline(city).register()
    with pytest.raises(NotFitting) as refused:
        await ordinary.dispatch(WATER)
    assert refused.value.params["why"] == "not_checked"
    await owner.execute("DELETE FROM shifts")
    unattended = await hotline(city).register(matter=Matter.UTILITY)
    with pytest.raises(Exception, match="nobody_on_duty"):
        await unattended.dispatch(WATER)


MESSAGE_LEFT = """
WITH came AS (INSERT INTO calls (id, caller_number, arrived_at) VALUES ($1, '13800001234', now())
    RETURNING id)
INSERT INTO call_marks (call_id, kind, value, at) SELECT id, 'voicemail', '', now() FROM came"""
DISPATCH_DUE = """
SELECT t.number, w.due_at - t.created_at AS within
FROM timers w JOIN tickets t ON t.id = w.ticket_id
WHERE w.kind = 'dispatch_due' AND w.fired_at IS NULL"""


async def first_entry(http: Asking, number: str) -> tuple[str, set[str]]:
    """What the ticket's registration rests on: articles, and the rules of its cards."""
    shown = await http.must(DISPATCHER, "GET", f"/api/work-orders/{number}")
    entry = shown["ledger"][0]
    assert entry["action"] == "registered"
    return entry["article"], {card["rule"] for card in entry["body"]["cards"]}


@pytest.mark.parametrize("city", ALL)
async def test_an_urgent_draft_of_the_desk_waits_for_its_dispatch_from_its_registration(
    city: str, asking: Callable[[str], Awaitable[Asking]], owner: Connection
) -> None:
    http = await asking(city)
    for call, urgency in (("node-1.7", "emergency"), ("node-1.8", "normal")):
        await owner.execute(MESSAGE_LEFT, call)
        fields = {"type": "help", "demand": "燃气泄漏", "urgency": urgency, "caller_name": "王"}
        said = {"version": 1, "fields": fields}
        made = await http.must(DESK, "POST", f"/api/messages/{call}/confirm", said)
        _, rules = await first_entry(http, made["ticket"]["number"])
        wanted = {"caller.real_name_encouraged"} if city == TAIAN else set[str]()
        assert rules == wanted
    [waiting] = await owner.fetch(DISPATCH_DUE)
    assert waiting["number"].endswith("-000001")
    assert timedelta(hours=1) <= waiting["within"] < timedelta(hours=1, minutes=1)


@pytest.mark.parametrize("city", ALL)
async def test_a_split_ticket_carries_its_cards_and_waits_from_its_registration(
    city: str,
    hotline: Hotline,
    asking: Callable[[str], Awaitable[Asking]],
    owner: Connection,
) -> None:
    order = await hotline(city).register(is_truth_notice_given=True)
    order.orders.later(hours=3)
    http = await asking(city)
    http.clock.at = order.orders.at
    demands = [
        {"type": "report", "demand": "另举报占道经营。"},
        {"type": "report", "demand": "燃气泄漏。", "urgency": "emergency"},
        {"type": "report", "demand": "楼道停电。", "matter": "utility"},
    ]
    path = f"/api/work-orders/{order.facts.number}/moves"
    made = await http.must(DESK, "POST", path, {"move": "split", "demands": demands})
    _, *urgent = made["siblings"]
    waiting = {row["number"]: row["within"] for row in await owner.fetch(DISPATCH_DUE)}
    assert waiting == dict.fromkeys(urgent, timedelta(hours=1))
    parents_article, parents = await first_entry(http, order.facts.number)
    assert "caller.truth" in parents
    for number in made["siblings"]:
        article, rules = await first_entry(http, number)
        assert rules == parents | {"intake.split"}
        assert parents_article in article
        assert ("第八条" in article) == (city == HANGZHOU)


# ---- the tree ------------------------------------------------------------------------------------


@by_city("R008", JINAN, TAIAN, TONGLIAO)
async def test_the_county_hands_on_within_its_area_and_answers_under_its_own_clock(
    city: str, hotline: Hotline
) -> None:
    order = await hotline(city).register()
    await order.to_units(LIXIA)
    await order.sign(LIXIA)
    with pytest.raises(Exception, match="not_below"):
        await order.do(m.SubDispatch(units=[WATER]), of_unit(LIXIA))
    await order.do(m.SubDispatch(units=[DONGGUAN]), of_unit(LIXIA))
    child, parent = (order.at(unit).feedback_due_at for unit in (DONGGUAN, LIXIA))
    assert child is not None
    assert parent is not None
    assert child < parent
    await order.sign(DONGGUAN)
    await order.contact(DONGGUAN)
    await order.feedback(DONGGUAN)
    assert order.facts.state is TicketState.WITH_UNITS
    assert order.at(LIXIA).feedback_due_at == parent
    await order.review(DONGGUAN, by=LIXIA)
    await order.contact(LIXIA)
    assert (await order.feedback(LIXIA)).state is TicketState.IN_REVIEW


@by_city("R008", TAIAN, TONGLIAO)
async def test_a_childs_extension_ends_no_later_than_its_parents_and_moves_no_clock_of_the_citizen(
    city: str, hotline: Hotline
) -> None:
    order = await _handed_down(hotline(city))
    await order.sign(DONGGUAN)
    reply_due = order.facts.reply_due_at
    with pytest.raises(NotFitting, match="after_parent"):
        await _extended(order, DONGGUAN, days=5)
    # Within the parent's time: in force with the consent, since the caller waits no longer.
    await _extended(order, DONGGUAN, days=1)
    assert order.at(DONGGUAN).feedback_due_at == order.at(LIXIA).feedback_due_at
    assert order.facts.reply_due_at == reply_due
    assert order.facts.requests[-1].state is RequestState.IN_FORCE
    # The parent's own time, when it has more, is its children's too.
    await _extended(order, LIXIA, days=5)
    await order.do(m.TellExtension(told="延长五日", told_at=order.orders.at), of_unit(LIXIA))
    await _extended(order, DONGGUAN, days=5)
    assert order.at(DONGGUAN).feedback_due_at == order.at(LIXIA).feedback_due_at


async def _handed_down(orders: WorkOrders) -> WorkOrder:
    """A ticket that the district has signed for and given to its street."""
    order = await orders.register()
    await order.to_units(LIXIA)
    await order.sign(LIXIA)
    await order.do(m.SubDispatch(units=[DONGGUAN]), of_unit(LIXIA))
    return order


async def _extended(order: WorkOrder, unit: UnitId, *, days: int) -> None:
    await order.do(m.AskExtension(reason="需采购配件", basis="条例", days=days), of_unit(unit))
    decision = m.DecideExtension(assignment=order.at(unit).id, is_granted=True, decision="情况属实")
    await order.do(decision, centre(ActorRole.REVIEWER, 2))


@by_city("R008", JINAN, TAIAN, TONGLIAO)
async def test_in_a_redo_the_county_hands_on_again_to_whoever_handled_it(
    city: str, hotline: Hotline
) -> None:
    order = await _handed_down(hotline(city))
    await order.handle(DONGGUAN)
    with pytest.raises(NotFitting, match="unit_twice"):
        await order.do(m.SubDispatch(units=[DONGGUAN]), of_unit(LIXIA))
    await order.review(DONGGUAN, by=LIXIA)
    await order.contact(LIXIA)
    await order.feedback(LIXIA)
    await order.review(LIXIA)
    await _redone(order)
    first = order.at(DONGGUAN)
    await order.do(m.SubDispatch(units=[DONGGUAN]), of_unit(LIXIA))
    again = [a for a in order.facts.assignments if a.unit == DONGGUAN and a.id != first.id]
    assert [(each.state, each.round) for each in again] == [(AssignmentState.SENT, 2)]
    with pytest.raises(NotFitting, match="helpers_open"):
        await order.feedback(LIXIA)
    await order.handle(DONGGUAN)
    await order.review(DONGGUAN, by=LIXIA)
    assert (await order.feedback(LIXIA)).state is TicketState.IN_REVIEW


async def _redone(order: WorkOrder) -> None:
    """The caller is dissatisfied with reason, and the centre has it handled again."""
    facts = await order.follow_up(
        is_solved=False, is_satisfied=False, is_reasonable=True, is_lawful=True, is_unhandled=True
    )
    if facts.state is TicketState.FOLLOWING_UP:
        await order.do(m.Redo(reason="未解决", is_verified=True), centre(ActorRole.REVIEWER, 2))
    assert order.facts.round == 2


@by_city("R039", JINAN, TAIAN, TONGLIAO)
async def test_in_a_redo_who_assisted_may_assist_again(city: str, hotline: Hotline) -> None:
    order = await hotline(city).register()
    await order.to_units(WATER, HOUSING, part="lead")
    await order.sign(HOUSING)
    await order.feedback(HOUSING)
    await order.handle(WATER)
    await order.review(WATER)
    await _redone(order)
    await order.do(m.AddAssist(unit=HOUSING, basis="三定规定"), centre(ActorRole.DISPATCHER))
    states = sorted(a.state for a in order.facts.assignments if a.unit == HOUSING)
    assert states == [AssignmentState.PAST, AssignmentState.SENT]


async def buttons(jinan: Asking, order: WorkOrder, unit: UnitId) -> dict[str, str | None]:
    """What the unit is offered, and about which assignment."""
    shown = await jinan.must(of_unit(unit), "GET", f"/api/work-orders/{order.facts.number}")
    return {each["move"]: each["assignment"] for each in shown["moves"]}


async def test_who_handed_on_reviews_what_came_of_it_before_it_reports_upward(
    hotline: Hotline, asking: Callable[[str], Awaitable[Asking]], web: Database
) -> None:
    orders, jinan = hotline(JINAN), await asking(JINAN)
    order = await orders.register()
    await order.to_units(LIXIA)
    await order.sign(LIXIA)
    await order.contact(LIXIA)
    await order.do(m.SubDispatch(units=[DONGGUAN]), of_unit(LIXIA))
    due_at, childs_due_at = (order.at(unit).feedback_due_at for unit in (LIXIA, DONGGUAN))
    await order.handle(DONGGUAN)
    told = await web.fetchval(
        "SELECT count(*) FROM outbox WHERE channel = 'unit' AND payload ->> 'to' = $1"
        " AND payload ->> 'template' = 'child_fed_back'",
        LIXIA,
    )
    assert told == 1
    child = order.at(DONGGUAN).id
    shown = await jinan.must(of_unit(LIXIA), "GET", f"/api/work-orders/{order.facts.number}")
    assert ("已修复供水管道。", "fed_back") in {
        (each["reply"], each["state"]) for each in shown["part"]["assignments"]
    }
    assert (await buttons(jinan, order, LIXIA))["review_feedback"] == child
    assert "review_feedback" not in await buttons(jinan, order, DONGGUAN)
    with pytest.raises(NotFitting) as own:
        await order.review(DONGGUAN, by=DONGGUAN)
    assert own.value.params["why"] == "no_such_assignment"
    with pytest.raises(NotSaid) as unreviewed:
        await order.feedback(LIXIA)
    assert unreviewed.value.params["rule"] == "follow_up.review"

    orders.later(hours=2)
    sent_back = await order.review(DONGGUAN, is_accepted=False, by=LIXIA)
    assert sent_back.state is TicketState.WITH_UNITS
    assert order.at(DONGGUAN).state is AssignmentState.SIGNED
    assert order.at(DONGGUAN).fed_back_at is None
    assert order.at(DONGGUAN).feedback_due_at == childs_due_at
    assert order.at(LIXIA).feedback_due_at == due_at
    *_, entry = await TicketStore(web).ledger(order.facts.id)
    assert (entry.action, entry.body["unit"]) == ("review_feedback", LIXIA)
    assert "follow_up.review" in str(entry.body["cards"])

    await order.feedback(DONGGUAN)
    await order.review(DONGGUAN, by=LIXIA)
    assert order.at(DONGGUAN).state is AssignmentState.ACCEPTED
    assert (order.at(LIXIA).feedback_due_at, order.facts.reply_due_at) == (due_at, due_at)
    assert (await order.feedback(LIXIA)).state is TicketState.IN_REVIEW
    assert "review_feedback" not in await buttons(jinan, order, LIXIA)
    assert (await order.review(LIXIA)).state is TicketState.FOLLOWING_UP


@pytest.mark.parametrize("city", [DRAFT, TAIAN, HANGZHOU, TONGLIAO])
async def test_where_no_law_asks_each_to_be_reviewed_who_handed_on_may_do_so(
    city: str, hotline: Hotline
) -> None:
    order = await hotline(city).register()
    await order.to_units(LIXIA)
    await order.sign(LIXIA)
    await order.contact(LIXIA)
    await order.do(m.SubDispatch(units=[DONGGUAN, WENHUA]), of_unit(LIXIA))
    await order.handle(DONGGUAN)
    await order.handle(WENHUA)
    await order.review(DONGGUAN, by=LIXIA)
    assert (await order.feedback(LIXIA)).state is TicketState.IN_REVIEW
    with pytest.raises(NotYours):
        await order.review(WENHUA, is_accepted=False, by=LIXIA)
    await order.review(LIXIA)
    assert order.at(WENHUA).state is AssignmentState.ACCEPTED


@by_city("R007", JINAN, TAIAN, HANGZHOU, TONGLIAO)
async def test_a_unit_is_what_it_was_on_the_day_and_a_change_begins_when_it_says(
    city: str, hotline: Hotline, owner: Connection
) -> None:
    orders = hotline(city)
    await end_unit(owner, WATER, orders.at)
    before = await organisation_at(owner, orders.at - timedelta(days=1))
    assert before.get(WATER).name == "水务集团"
    order = await orders.register()
    await order.check()
    with pytest.raises(Exception, match="not_in_force"):
        await order.dispatch(WATER)


ANSWERING: dict[str, list[tuple[str, str, object]]] = {
    JINAN: [
        ("organisation.first_responsible", "first_responsible", ""),
        ("organisation.named_handlers", "handlers", []),
    ],
    TAIAN: [("organisation.named_handlers", "handlers", [])],
}


@by_city("R009", JINAN, TAIAN)
async def test_nobody_dispatches_to_a_unit_that_nobody_answers_for(
    city: str, hotline: Hotline, owner: Connection
) -> None:
    order = await hotline(city).register()
    await order.check()
    for rule, column, empty in ANSWERING[city]:
        kept = await owner.fetchval(f"SELECT {column} FROM units WHERE id = $1", WATER)
        change = f"UPDATE units SET {column} = $2 WHERE id = $1"
        await owner.execute(change, WATER, empty)
        with pytest.raises(RefusedByLaw) as refused:
            await order.dispatch(WATER)
        assert (refused.value.params["rule"], refused.value.params["why"]) == (
            rule,
            "nobody_responsible",
        )
        await owner.execute(change, WATER, kept)
