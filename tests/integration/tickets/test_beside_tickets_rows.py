"""Rows about more than one ticket or about others than the caller: outages, studies, parties."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from base.database import Connection, Database
from server.citizen_code import CitizenCodes
from server.data_levels import TABLES
from tests.fakes.by_city import by_city
from tests.fakes.city import HOUSING, MARKET, WATER, centre, of_unit
from tests.fakes.work_order import HEAD, MONDAY_10, SUPERVISOR, WorkOrders
from tests.fakes.work_order_http import Asking, HttpBackend
from tickets import moves as m
from tickets.facts import ActorRole
from tickets.refusals import RefusedByLaw
from tickets.store import TicketStore
from tickets.ticket import Matter

Ask = Callable[[str], Awaitable[Asking]]
JINAN, DRAFT, TAIAN = "jinan_2018", "jinan_draft_2018", "taian_draft"
HANGZHOU, TONGLIAO = "hangzhou_2024", "tongliao_2024"
AGENT = centre(ActorRole.AGENT)
REVIEWER = centre(ActorRole.REVIEWER, 2)
SOON = MONDAY_10 + timedelta(hours=6)


@pytest.fixture
def at(asking: Ask) -> Callable[[str], Awaitable[tuple[Asking, WorkOrders]]]:
    async def started(city: str) -> tuple[Asking, WorkOrders]:
        http = await asking(city)
        http.clock.at = MONDAY_10

        async def same() -> Asking:
            return http

        return http, WorkOrders(HttpBackend(same), city, MONDAY_10)

    return started


At = Callable[[str], Awaitable[tuple[Asking, WorkOrders]]]


# ---- utilities -----------------------------------------------------------------------------------


@by_city("R061", TAIAN)
async def test_utilities_are_on_duty_day_and_night_and_tell_the_centre_of_outages(
    city: str, at: At, owner: Connection
) -> None:
    http, orders = await at(city)
    notice = {
        "topic": "water",
        "regions": ["lixia"],
        "what": "主管道抢修",
        "begins_at": MONDAY_10.isoformat(),
        "ends_at": SOON.isoformat(),
    }
    told = await http.must(of_unit(WATER), "POST", "/api/outages", notice)
    assert told["article"] == "第十八条"
    for who in (of_unit(MARKET), AGENT):  # no utility
        status, _ = await http.ask(who, "POST", "/api/outages", notice)
        assert status == 403
    [shown] = await http.must(AGENT, "GET", "/api/outages?region=lixia.dongguan")
    assert (shown["unit"], shown["what"]) == (WATER, "主管道抢修")
    assert await http.must(AGENT, "GET", "/api/outages?region=shizhong") == []
    sooner = {"ends_at": (MONDAY_10 + timedelta(minutes=5)).isoformat(), "what": "已恢复"}
    await http.must(of_unit(WATER), "POST", f"/api/outages/{told['id']}/end", sooner)
    http.clock.at = MONDAY_10 + timedelta(minutes=6)
    assert await http.must(AGENT, "GET", "/api/outages") == []
    assert WATER in {each["unit"] for each in await http.must(AGENT, "GET", "/api/duty")}
    await owner.execute("DELETE FROM shifts WHERE unit = $1", WATER)
    unattended = await orders.register(matter=Matter.UTILITY)
    with pytest.raises(RefusedByLaw) as refused:
        await unattended.dispatch(WATER)
    assert (refused.value.params["rule"], refused.value.params["why"]) == (
        "organisation.round_the_clock",
        "nobody_on_duty",
    )


# ---- clusters ------------------------------------------------------------------------------------


async def cluster(orders: WorkOrders, size: int = 5) -> list[str]:
    numbers = []
    for _ in range(size):
        order = await orders.register(topic="water")
        await order.to_units(WATER)
        numbers.append(order.facts.number)
    return numbers


@by_city("R062", JINAN, TAIAN, others=(HANGZHOU, TONGLIAO))
async def test_a_cluster_becomes_a_special_study_with_measures_and_in_jinan_a_report(
    city: str, at: At
) -> None:
    http, orders = await at(city)
    numbers = await cluster(orders)
    http.clock.at = orders.at + timedelta(minutes=1)
    [found] = await http.must(REVIEWER, "GET", "/api/clusters")
    assert (found["unit"], found["topic"], sorted(found["numbers"])) == (WATER, "water", numbers)
    study = {"unit": WATER, "topic": "water", "reason": "一月内集中反映", "numbers": numbers}
    opened = await http.must(REVIEWER, "POST", "/api/studies", study)
    assert await http.must(REVIEWER, "GET", "/api/clusters") == []
    path = f"/api/studies/{opened['id']}"
    measures = {"measures": "更换老旧管网", "lasting": "建立巡检制度"}
    status, told = await http.ask(of_unit(HOUSING), "POST", f"{path}/measures", measures)
    assert (status, told["code"]) == (422, "ticket_move_unfit")
    await http.must(of_unit(WATER), "POST", f"{path}/measures", measures)
    report = {"to": "市人民政府", "report": "需统筹协调管网改造资金"}
    if city == JINAN:
        await http.must(HEAD, "POST", f"{path}/report", report)
    else:
        status, told = await http.ask(HEAD, "POST", f"{path}/report", report)
        assert (status, told["params"]["rule"]) == (422, "organisation.study_report")
    [kept] = await http.must(of_unit(WATER), "GET", "/api/studies")
    assert (kept["measures"], kept["numbers"]) == ("更换老旧管网", numbers)
    assert (kept["reported_to"] == "市人民政府") is (city == JINAN)
    assert "条" in kept["article"]
    assert await http.must(of_unit(HOUSING), "GET", "/api/studies") == []


async def test_where_no_study_is_known_none_is_opened_and_none_of_others_tickets(at: At) -> None:
    http, orders = await at(DRAFT)
    numbers = await cluster(orders, 2)
    study = {"unit": WATER, "topic": "water", "reason": "x", "numbers": numbers}
    status, told = await http.ask(REVIEWER, "POST", "/api/studies", study)
    assert (status, told["params"]["rule"]) == (422, "organisation.special_study")
    http, orders = await at(JINAN)
    for wrong in ({"unit": HOUSING}, {"numbers": [*numbers, "20990101-000001"]}):
        status, told = await http.ask(REVIEWER, "POST", "/api/studies", {**study, **wrong})
        assert (status, told["params"]["why"]) == (422, "not_the_units")


# ---- third parties -------------------------------------------------------------------------------


@by_city("R063", HANGZHOU)
async def test_the_other_side_of_a_dispute_is_named_to_nobody_whom_it_does_not_concern(
    city: str, at: At, web: Database
) -> None:
    http, orders = await at(city)
    order = await orders.register(title="与李大伟的邻里纠纷")
    number = order.facts.number
    path = f"/api/work-orders/{number}/parties"
    await order.to_units(MARKET)
    named = {"parties": [{"name": "李大伟", "number": "13700005678"}]}
    await http.must(of_unit(MARKET), "POST", path, named)
    assert await http.must(AGENT, "GET", path) == [{"name": "李**", "number": "137****5678"}]
    status, _ = await http.ask(of_unit(HOUSING), "GET", path)
    assert status == 404
    order.facts = await order.orders.backend.facts(order.facts.id)
    await order.sign(MARKET)
    await order.contact(MARKET)
    await order.feedback(MARKET, reply="已劝导李大伟（13700005678）调低音量。")
    await order.review(MARKET)
    code = CitizenCodes("test").of(number)
    told = await http.must(AGENT, "GET", f"/api/citizen/work-orders/{number}", X_Code=code)
    assert (told["title"], told["replies"][0]["reply"]) == (
        "与李**的邻里纠纷",
        "已劝导李**（137****5678）调低音量。",
    )
    secrets = ["state", "trade", "privacy"]
    assert told["withheld"] == ["other_people", "internal_opinions", *secrets]
    assert told["withheld_by"] == "第二十条；本系统自定"
    assert told["objections"] == ["new_facts", "rating", "staff_complaint"]
    entries = await TicketStore(web).ledger(order.facts.id)
    [entry] = [each for each in entries if each.action == "name_parties"]
    assert (entry.body["count"], entry.body["unit"]) == (1, MARKET)
    assert "李大伟" not in str(entry.body)
    assert "第二十七条" in entry.article
    await order.follow_up()
    await order.close()
    await order.do(m.Archive(), SUPERVISOR)
    status, refused = await http.ask(AGENT, "POST", path, named)
    assert (status, refused["code"]) == (409, "ticket_move_illegal")


# ---- data ----------------------------------------------------------------------------------------


PROTECTED = {
    JINAN: "本系统自定",
    DRAFT: "隐私；本系统自定",
    TAIAN: "第二十八条第一款",
    HANGZHOU: "第二十条",
    TONGLIAO: "第二十一条",
}


@pytest.mark.requirement("R113")
@pytest.mark.parametrize("city", PROTECTED)
async def test_each_table_has_its_level_and_keeper_and_the_database_holds_to_them(
    city: str, at: At
) -> None:
    http, _orders = await at(city)
    told = await http.must(HEAD, "GET", "/api/data-levels")
    assert told["article"] == PROTECTED[city]
    tables = {each["table"]: each for each in told["tables"]}
    assert set(tables) == set(TABLES)
    for each in tables.values():
        if each["level"] == "sealed":
            assert "unit" not in each["readers"], each
            assert each["table"] == "users" or "bridge" not in each["readers"], each
        # Whom a unit may pass a ticket to, and on whose telephone, every unit may know.
        if "unit" in each["readers"] and each["level"] != "open" and each["table"] != "units":
            assert each["is_by_row"], each
    assert tables["tickets"]["keeper"] == "head"
    assert tables["access_log"]["readers"] == ["web"]
    status, _ = await http.ask(AGENT, "GET", "/api/data-levels")
    assert status == 403
