"""Which rules of the city each act of a ticket's life rests on, as its ledger keeps it."""

from collections.abc import Awaitable, Callable

import msgspec
import pytest

from base.database import Connection
from rules import catalogue as law
from server.citizen_code import CitizenCodes
from tests.fakes.city import DONGGUAN, LIXIA, MARKET, centre, of_unit
from tests.fakes.work_order import CALLER, MONDAY_10, SUPERVISOR, WorkOrder, WorkOrders
from tests.fakes.work_order_http import Asking
from tickets import moves as m
from tickets.facts import ActorRole
from tickets.refusals import NotSaid, RefusedByLaw
from tickets.ticket import Lane, TicketType

Hotline = Callable[[str], WorkOrders]
JINAN, DRAFT, TAIAN = "jinan_2018", "jinan_draft_2018", "taian_draft"
HANGZHOU, TONGLIAO = "hangzhou_2024", "tongliao_2024"
ALL = (JINAN, DRAFT, TAIAN, HANGZHOU, TONGLIAO)
DESK = centre(ActorRole.AGENT)
DISPATCHER = centre(ActorRole.DISPATCHER)

RESTS_ON = {
    "split": "intake.split",
    "pass_check": "scope.demand_types",
    "consult_unit": "dispatch.pre_consult",
    "dispatch": "dispatch.basis clock.sign clock.contact clock.base scope.no_substitute",
    "sign": "clock.sign clock.contact clock.base",
    "sub_dispatch": "organisation.hand_on clock.sign clock.contact clock.base clock.child"
    " scope.no_substitute",
    "contact": "reply.contact",
    "feedback": "reply.contact reply.centre",
    "review_feedback": "follow_up.review",
    "follow_up": "follow_up.channels follow_up.questions follow_up.call",
    "rate": "caller.rates",
    "name_parties": "reply.third_parties",
    "close": "follow_up.call scope.no_substitute",
}
"""Of each kind of act, the first; the same in every city but for the domains above the topics."""


async def whole_life(order: WorkOrder) -> None:
    """Split, asked about, handed down to the street, handled, reviewed, asked, rated, closed."""
    demand = m.SplitDemand(type=order.facts.type, demand="另反映路灯不亮。")
    await order.do(m.Split(demands=[demand]), DESK)
    await order.check()
    await order.do(m.ConsultUnit(unit=MARKET, question="是否归贵局？"), DISPATCHER)
    await order.dispatch(LIXIA)
    await order.sign(LIXIA)
    await order.do(m.SubDispatch(units=[DONGGUAN]), of_unit(LIXIA))
    await order.handle(DONGGUAN)
    await order.review(DONGGUAN, by=LIXIA)
    await order.contact(LIXIA)
    await order.feedback(LIXIA)
    await order.review(LIXIA)
    await order.follow_up()
    await order.do(m.Rate(stars=5), CALLER)
    await order.close()


async def rested_on(owner: Connection, order: WorkOrder) -> dict[str, str]:
    """Of each kind of act that the ledger keeps, the rules of the first."""
    found: dict[str, str] = {}
    rows = await owner.fetch(
        "SELECT action, body -> 'cards' AS cards FROM ledger"
        " WHERE ticket_id = $1::text::uuid ORDER BY seq",
        order.facts.id,
    )
    for row in rows:
        cards = row["cards"] or []
        cards = msgspec.json.decode(cards) if isinstance(cards, str) else cards
        found.setdefault(row["action"], " ".join(card["rule"] for card in cards))
    return found


@pytest.mark.requirement("R124")
@pytest.mark.parametrize("city", ALL)
async def test_each_act_of_a_whole_life_shows_the_rules_it_rests_on(
    city: str, hotline: Hotline, owner: Connection, asking: Callable[[str], Awaitable[Asking]]
) -> None:
    order = await hotline(city).register()
    http = await asking(city)
    http.clock.at = MONDAY_10
    named = {"parties": [{"name": "李大伟"}]}
    path = f"/api/work-orders/{order.facts.number}/parties"
    await http.must(DESK, "POST", path, named)
    order.facts = await order.orders.backend.facts(order.facts.id)
    await whole_life(order)
    domains = "" if city in (DRAFT, TAIAN) else " scope.domains"
    wanted = {**RESTS_ON, "pass_check": RESTS_ON["pass_check"] + domains}
    found = await rested_on(owner, order)
    assert {act: found[act] for act in wanted} == wanted


@pytest.mark.requirement("R124")
@pytest.mark.parametrize("city", ALL)
async def test_locked_lanes_and_what_a_caller_asks_rest_on_the_citys_rules(
    city: str, hotline: Hotline, owner: Connection
) -> None:
    threat = await hotline(city).register(type=TicketType.REPORT, lane=Lane.RETALIATION)
    await threat.do(m.Refer(authority="市监委", record="移交函"), SUPERVISOR)
    given = "" if city == HANGZHOU else "caller.no_retaliation"
    assert (await rested_on(owner, threat))["refer"] == given
    order = await hotline(city).register(is_confidential=True)
    with pytest.raises(NotSaid) as lacking:
        await order.do(m.Amend(reason="更正", is_confidential=False), DESK)
    assert lacking.value.params["rule"] == "caller.confidential"
    later = m.Amend(reason="来电补充", wants_reply=False, caller_name="王小明")
    await order.do(later, DESK)
    asked = [] if city in (DRAFT, TAIAN) else ["caller.asks_reply"]
    assert (await rested_on(owner, order))["amend"].split() == [*asked, "caller.identity"]


WITHHELD = {
    JINAN: "state trade privacy",
    DRAFT: "national_security ethnic_affairs politically_sensitive",
    TAIAN: "state work trade privacy personal_information",
    HANGZHOU: "state trade privacy",
    TONGLIAO: "state trade privacy",
}


@pytest.mark.requirement("R124")
@pytest.mark.parametrize("city", ALL)
async def test_a_caller_is_shown_what_is_withheld_and_how_the_city_lets_them_object(
    city: str, hotline: Hotline, asking: Callable[[str], Awaitable[Asking]]
) -> None:
    order = await hotline(city).register()
    number = order.facts.number
    http = await asking(city)
    http.clock.at = MONDAY_10
    path, code = f"/api/citizen/work-orders/{number}", CitizenCodes("test").of(number)
    told = await http.must(CALLER, "GET", path, X_Code=code)
    assert told["withheld"] == ["other_people", "internal_opinions", *WITHHELD[city].split()]
    explained = ["explanation"] if city == JINAN else []
    assert told["objections"] == ["new_facts", *explained, "rating", "staff_complaint"]


TRIGGERS = {
    JINAN: "overdue repeated knowledge other",
    DRAFT: "overdue repeated leader",
    TAIAN: "overdue refused repeated knowledge impact other",
    HANGZHOU: "overdue life_or_property shirking",
    TONGLIAO: "overdue refused unsolved knowledge other",
}


@pytest.mark.requirement("R124")
@pytest.mark.parametrize("city", ALL)
async def test_a_ticket_is_supervised_on_the_citys_own_grounds_alone(
    city: str, hotline: Hotline
) -> None:
    grounds = [name for name in law.RULES if name.startswith("trigger.")]
    for rule in grounds:
        order = await hotline(city).register()
        trigger = rule.removeprefix("trigger.")
        move = m.Supervise(trigger=trigger, opinion="限期办结")
        if trigger in TRIGGERS[city].split():
            assert (await order.do(move, SUPERVISOR)).is_supervised
        else:
            with pytest.raises(RefusedByLaw) as refused:
                await order.do(move, SUPERVISOR)
            assert refused.value.params["rule"] == rule
