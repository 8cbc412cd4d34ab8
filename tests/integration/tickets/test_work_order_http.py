"""The work order over HTTP: every route, who may, what is refused, what is sent twice."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from base.database import Connection, Database
from tests.fakes.city import HOUSING, MARKET, WATER, centre, of_unit, person
from tests.fakes.work_order import CALLER, HEAD, MONDAY_10, SUPERVISOR, WorkOrders, in_days
from tests.fakes.work_order_http import Asking, HttpBackend
from tickets import moves as m
from tickets.facts import ActorRole
from tickets.refusals import RefusedByLaw, TicketUnseen
from tickets.registration import Confirmation, register
from tickets.ticket import TicketState

Ask = Callable[[str], Awaitable[Asking]]
AGENT = centre(ActorRole.AGENT)
DISPATCHER = centre(ActorRole.DISPATCHER)
ORDERS = "/api/work-orders"
DEMAND = {
    "channel": "web",
    "type": "help",
    "demand": "家里停水，请尽快恢复。",
    "caller_name": "王小明",
    "caller_number": "13800001234",
}
SPLIT = {"move": "split", "demands": [{"type": "help", "demand": "路灯不亮"}]}


@pytest.fixture
async def jinan(asking: Ask) -> Asking:
    made = await asking("jinan_2018")
    made.clock.at = MONDAY_10
    return made


async def registered(jinan: Asking, **more: object) -> str:
    made = await jinan.must(AGENT, "POST", ORDERS, {**DEMAND, **more})
    return str(made["number"])


async def answered(owner: Connection, call: str, agent: str) -> None:
    await owner.execute(
        "INSERT INTO calls (id, caller_number, arrived_at, agent) VALUES ($1, '138', now(), $2)",
        call,
        agent,
    )


def orders(city: Asking, pack: str = "jinan_2018") -> WorkOrders:
    async def started() -> Asking:
        return city

    return WorkOrders(HttpBackend(started), pack, MONDAY_10)


async def test_a_whole_life_by_http(jinan: Asking) -> None:
    order = await orders(jinan).register()
    await order.to_follow_up(WATER)
    await order.follow_up()
    await order.close()
    assert order.facts.state is TicketState.CLOSED


async def test_the_same_key_makes_one_ticket_and_another_content_is_refused(
    jinan: Asking, web: Database
) -> None:
    first = await asyncio.gather(
        *(jinan.ask(AGENT, "POST", ORDERS, DEMAND, Idempotency_Key="k1") for _ in range(5))
    )
    assert {status for status, _ in first} == {201}
    assert len({told["number"] for _, told in first}) == 1
    assert await web.fetchval("SELECT count(*) FROM tickets") == 1
    other = {**DEMAND, "demand": "路灯不亮"}
    status, told = await jinan.ask(AGENT, "POST", ORDERS, other, Idempotency_Key="k1")
    assert (status, told["code"]) == (422, "idempotency_key_reused")
    status, _ = await jinan.ask(
        centre(ActorRole.AGENT, 2), "POST", ORDERS, other, Idempotency_Key="k1"
    )
    assert status == 201  # another person's key is another key


async def test_a_move_sent_again_with_its_key_is_carried_out_once(jinan: Asking) -> None:
    number = await registered(jinan)
    path = f"{ORDERS}/{number}/moves"
    told = [
        await jinan.must(DISPATCHER, "POST", path, SPLIT, Idempotency_Key="s1") for _ in range(2)
    ]
    assert told[0] == told[1]
    page = await jinan.must(DISPATCHER, "GET", ORDERS)
    assert len(page["items"]) == 2


async def test_a_move_decided_on_an_old_version_is_a_conflict(jinan: Asking) -> None:
    number = await registered(jinan)
    path = f"{ORDERS}/{number}/moves"
    amend = {"move": "amend", "reason": "更正", "urgency": "urgent"}
    await jinan.must(AGENT, "POST", path, amend, If_Match='"1"')
    status, told = await jinan.ask(AGENT, "POST", path, amend, If_Match='"1"')
    assert (status, told["code"]) == (409, "ticket_version_conflict")
    assert told["params"]["version"] == 2
    status, told = await jinan.ask(AGENT, "POST", path, amend, If_Match="soon")
    assert (status, told["code"]) == (422, "body_invalid")


async def test_nobody_makes_the_ticket_of_a_call_that_another_agent_answered(
    jinan: Asking, owner: Connection
) -> None:
    await answered(owner, "hl1-1.1", "1001")
    for by, call in (
        (centre(ActorRole.AGENT, 2), "hl1-1.1"),
        (DISPATCHER, "hl1-1.1"),
        (AGENT, "hl1-9.9"),
    ):
        status, told = await jinan.ask(by, "POST", ORDERS, {**DEMAND, "call": call})
        assert (status, told["code"]) == (409, "call_not_on_desk")
    assert await registered(jinan, call="hl1-1.1")


async def test_a_call_that_has_its_ticket_gets_no_second_one(
    jinan: Asking, owner: Connection
) -> None:
    await answered(owner, "hl1-1.1", "1001")
    number = await registered(jinan, call="hl1-1.1")
    status, told = await jinan.ask(AGENT, "POST", ORDERS, {**DEMAND, "call": "hl1-1.1"})
    assert (status, told["code"]) == (409, "ticket_call_has_one")
    assert told["params"]["number"] == number


async def test_a_complaint_about_whoever_took_the_call_stands_beside_the_calls_own_ticket(
    jinan: Asking, owner: Connection, web: Database
) -> None:
    await answered(owner, "hl1-1.1", "1001")
    complaint = {**DEMAND, "call": "hl1-1.1", "lane": "staff_complaint", "type": "complain"}
    first = await registered(jinan, **complaint)
    confirmed = Confirmation(
        call="hl1-1.1",
        actor=AGENT.user,
        confirmed_at=jinan.clock.at,
        fields={"type": "help", "demand": "恢复供水"},
    )
    made = await register(web, confirmed)
    assert made.is_new
    assert made.ticket.number != first
    second = await registered(jinan, **complaint)
    assert second not in (first, made.ticket.number)
    status, told = await jinan.ask(AGENT, "POST", ORDERS, {**DEMAND, "call": "hl1-1.1"})
    assert (status, told["params"]["number"]) == (409, made.ticket.number)


@pytest.mark.parametrize("text", ["停水\0停电", "停水\ud800"])
async def test_a_character_that_nobody_can_keep_is_no_fault_of_ours(
    text: str, jinan: Asking
) -> None:
    for field in ("demand", "title", "place", "caller_name", "message", "former", "call"):
        raw = json.dumps({**DEMAND, field: text}).encode()
        status, told = await jinan.ask(AGENT, "POST", ORDERS, msgspec.Raw(raw))
        assert status in (201, 409, 422), (field, told)
    for query in ("unit", "words", "below", "state", "type"):
        status, told = await jinan.ask(AGENT, "GET", f"{ORDERS}?{query}=%00")
        assert status in (200, 422), (query, told)
    assert (await jinan.ask(AGENT, "GET", f"{ORDERS}/%00"))[0] == 404


async def test_a_date_that_nothing_can_count_with_is_refused_and_the_ticket_lives_on(
    jinan: Asking,
) -> None:
    order = await orders(jinan).register()
    await order.to_units(WATER)
    await order.sign(WATER)
    promise = m.Promise(
        measures="换管", progress="已开挖", promised_on=in_days(order.orders, 30), told="已告知"
    )
    await order.do(promise, of_unit(WATER))
    path = f"{ORDERS}/{order.facts.number}"
    for at in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        for said in (
            {"move": "interim_reply", "reply": "仍在办", "told_at": at},
            {"move": "feedback", "outcome": "done", "reply": "已办", "told_at": at},
            {"move": "sub_dispatch", "units": [WATER], "due_at": at},
        ):
            status, told = await jinan.ask(of_unit(WATER), "POST", f"{path}/moves", said)
            assert (status, told["code"]) == (422, "body_invalid"), said
        for query in ("faults/false_reply?from=", "refusals?from="):
            from_ = at.replace("+", "%2B")
            status, told = await jinan.ask(SUPERVISOR, "GET", f"/api/{query}{from_}")
            assert (status, told["code"]) == (422, "body_invalid"), query
    assert (await jinan.ask(of_unit(WATER), "GET", path))[0] == 200


@pytest.mark.parametrize(
    "said",
    [
        {"move": "recuse", "users": ["dispatcher"], "interest": "亲属"},
        {"move": "answer", "article": " ", "article_version": "1", "text": "答复"},
        {"move": "answer", "article": "k-1", "article_version": "1", "text": " \n\t"},
    ],
)
async def test_a_name_in_place_of_an_id_and_a_text_of_blanks_say_nothing(
    said: dict[str, object], jinan: Asking
) -> None:
    number = await registered(jinan)
    status, told = await jinan.ask(AGENT, "POST", f"{ORDERS}/{number}/moves", said)
    assert (status, told["code"]) == (422, "body_invalid")


async def test_what_the_law_does_not_give_is_refused_by_rule_and_article(jinan: Asking) -> None:
    order = await orders(jinan).register()
    await order.to_units(WATER)
    await order.sign(WATER)
    with pytest.raises(RefusedByLaw) as refused:
        await order.do(m.AskExtension(reason="材料未到"), of_unit(WATER))
    assert refused.value.params["rule"] == "reply.extension"
    assert "二十四" in str(refused.value.params)


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"move": "nothing_known"}, 422, "body_invalid"),
        ({"move": "sign", "more": 1}, 422, "body_invalid"),
        ({}, 422, "body_invalid"),
        ({"move": "sign"}, 409, "ticket_move_illegal"),
        ({"move": "archive"}, 409, "ticket_move_illegal"),
    ],
)
async def test_a_move_that_cannot_be_is_refused_clearly(
    said: object, status: int, code: str, jinan: Asking
) -> None:
    number = await registered(jinan)
    got, told = await jinan.ask(HEAD, "POST", f"{ORDERS}/{number}/moves", said)
    assert (got, told["code"]) == (status, code)


async def test_lists_page_by_number_and_narrow_by_state_unit_and_words(jinan: Asking) -> None:
    numbers = [await registered(jinan, demand=f"第{n}件，路灯不亮") for n in range(5)]
    first = await jinan.must(DISPATCHER, "GET", f"{ORDERS}?limit=3")
    rest = await jinan.must(DISPATCHER, "GET", f"{ORDERS}?limit=3&below={first['next']}")
    assert [each["number"] for each in first["items"] + rest["items"]] == numbers[::-1]
    assert rest["next"] is None
    order = await orders(jinan).register()
    await order.to_units(WATER)
    for query in ("state=with_units", f"unit={WATER}", f"words={order.facts.number}"):
        page = await jinan.must(DISPATCHER, "GET", f"{ORDERS}?{query}")
        assert [each["number"] for each in page["items"]] == [order.facts.number]
    assert await jinan.must(DISPATCHER, "GET", f"{ORDERS}?words=%25") == {"items": [], "next": None}
    status, told = await jinan.ask(DISPATCHER, "GET", f"{ORDERS}?state=lost")
    assert (status, told["code"]) == (422, "body_invalid")


async def test_what_a_unit_asks_for_is_listed_until_it_is_decided(asking: Ask) -> None:
    tongliao = await asking("tongliao_2024")
    tongliao.clock.at = MONDAY_10
    order = await orders(tongliao, "tongliao_2024").register()
    await order.to_units(WATER)
    asked = f"{ORDERS}?asked=yes"
    assert (await tongliao.must(DISPATCHER, "GET", asked))["items"] == []
    ask = {"move": "ask_return", "ground": "not_our_duty", "reason": "不归我们", "basis": "清单"}
    path = f"{ORDERS}/{order.facts.number}/moves"
    await tongliao.must(of_unit(WATER), "POST", path, ask)
    page = await tongliao.must(DISPATCHER, "GET", asked)
    assert [each["number"] for each in page["items"]] == [order.facts.number]


async def test_a_unit_lists_and_reads_its_own_tickets_alone(jinan: Asking) -> None:
    order = await orders(jinan).register(is_confidential=True)
    await order.to_units(MARKET)
    path = f"{ORDERS}/{order.facts.number}"
    mine = await jinan.must(of_unit(MARKET), "GET", ORDERS)
    assert [each["number"] for each in mine["items"]] == [order.facts.number]
    shown = await jinan.must(of_unit(MARKET), "GET", path)
    assert shown["caller"] is None
    assert "王小明" not in msgspec.json.encode(shown).decode()
    assert {each["move"] for each in shown["moves"]} >= {"sign"}
    assert (await jinan.must(of_unit(HOUSING), "GET", ORDERS))["items"] == []
    known = await jinan.must(of_unit(MARKET), "GET", "/api/units")
    assert [each["id"] for each in known] == [MARKET]
    status, told = await jinan.ask(of_unit(HOUSING), "GET", path)
    assert (status, told["code"]) == (404, "ticket_unseen")


@pytest.mark.requirement("R111", "R114")
async def test_the_caller_is_masked_until_a_reason_is_given_and_both_are_logged(
    jinan: Asking,
) -> None:
    number = await registered(jinan)
    path = f"{ORDERS}/{number}"
    shown = await jinan.must(DISPATCHER, "GET", path)
    assert shown["caller"] == {"name": "王**", "number": "138****1234"}
    assert shown["watermark"] == "dispatcher 2026-10-19 10:00"
    status, _ = await jinan.ask(DISPATCHER, "POST", f"{path}/reveal", {"reason": ""})
    assert status == 422
    clear = await jinan.must(DISPATCHER, "POST", f"{path}/reveal", {"reason": "回拨核实"})
    assert clear == {"name": "王小明", "number": "13800001234"}
    seen = await jinan.must(SUPERVISOR, "GET", f"{path}/accesses")
    assert [each["act"] for each in seen] == ["view", "reveal"]
    assert [each["user_id"] for each in seen] == [DISPATCHER.user] * 2
    assert seen[1]["reason"] == "回拨核实"
    status, told = await jinan.ask(DISPATCHER, "GET", f"{path}/accesses")
    assert (status, told["code"]) == (403, "not_allowed")


async def test_a_locked_lane_is_seen_by_supervision_alone(jinan: Asking) -> None:
    number = await registered(jinan, lane="retaliation")
    for who in (AGENT, DISPATCHER, HEAD):
        status, told = await jinan.ask(who, "GET", f"{ORDERS}/{number}")
        assert (status, told["code"]) == (404, "ticket_unseen")
        assert (await jinan.must(who, "GET", ORDERS))["items"] == []
    assert (await jinan.must(SUPERVISOR, "GET", f"{ORDERS}/{number}"))["texts"]["number"] == number


@pytest.mark.requirement("R017", city="jinan_2018")
async def test_a_complaint_about_a_supervisor_is_the_heads_and_never_theirs(
    jinan: Asking,
) -> None:
    about = {"lane": "staff_complaint", "type": "complain", "staff": "person5"}
    status, told = await jinan.ask(AGENT, "POST", ORDERS, {**DEMAND, **about, "staff": "nobody"})
    assert (status, told["code"]) == (422, "ticket_staff_unknown")
    made = await jinan.must(AGENT, "POST", ORDERS, {**DEMAND, **about})
    path = f"{ORDERS}/{made['number']}"
    conclude = {"move": "conclude", "finding": "不实", "consequence": "无", "told": "已告知"}
    assert SUPERVISOR.user == person(5), "it is about this one"
    for who in (SUPERVISOR, AGENT, DISPATCHER):
        assert (await jinan.ask(who, "GET", path))[0] == 404
        assert (await jinan.ask(who, "POST", f"{path}/moves", conclude))[0] == 404
        assert (await jinan.must(who, "GET", ORDERS))["items"] == []
    assert len((await jinan.must(HEAD, "GET", ORDERS))["items"]) == 1
    assert (await jinan.must(HEAD, "POST", f"{path}/moves", conclude))["state"] == "closed"
    progress = f"/api/citizen/work-orders/{made['number']}"
    mine = await jinan.must(CALLER, "GET", progress, X_Code=made["code"])
    assert mine["state"] == "closed"


@pytest.mark.requirement("R112", city="jinan_2018")
async def test_who_stepped_back_finds_the_ticket_in_no_list_and_the_list_goes_on(
    jinan: Asking,
) -> None:
    kept, gone = await registered(jinan), await registered(jinan)
    recuse = {"move": "recuse", "users": [DISPATCHER.user], "interest": "亲属"}
    await jinan.must(SUPERVISOR, "POST", f"{ORDERS}/{gone}/moves", recuse)
    for query in ("limit=1", f"limit=1&below={gone}", "limit=2"):
        page = await jinan.must(DISPATCHER, "GET", f"{ORDERS}?{query}")
        assert [each["number"] for each in page["items"]] == [kept]
        assert page["next"] in (None, kept)


async def test_the_document_says_which_words_a_move_knows_and_a_limit_is_a_number(
    jinan: Asking,
) -> None:
    told = await jinan.must(AGENT, "GET", "/api/openapi.json")
    schemas = told["components"]["schemas"]
    assert "transferred" in schemas["HandOver"]["properties"]["means"]["description"]
    assert "overdue" in schemas["AskExplanation"]["properties"]["ground"]["description"]
    assert "/api/session" in told["components"]["securitySchemes"]["session"]["description"]
    parameters = told["paths"][ORDERS]["get"]["parameters"]
    [limit] = [each["schema"] for each in parameters if each["name"] == "limit"]
    assert limit == {"type": "integer", "minimum": 1, "maximum": 200}
    for wrong in ("-1", "0", "9999", "many"):
        assert (await jinan.ask(AGENT, "GET", f"{ORDERS}?limit={wrong}"))[0] == 422
    assert (await jinan.ask(AGENT, "GET", f"{ORDERS}?asked=extension"))[0] == 422


async def test_a_caller_is_shown_why_their_demand_was_not_accepted(jinan: Asking) -> None:
    made = await jinan.must(AGENT, "POST", ORDERS, DEMAND)
    no = {
        "move": "not_accept",
        "reason": "route",
        "route": "litigation",
        "stage": "entered",
        "refer_to": "法院",
        "told": "已进入诉讼程序，请向法院反映。",
        "told_at": MONDAY_10.isoformat(),
    }
    await jinan.must(AGENT, "POST", f"{ORDERS}/{made['number']}/moves", no)
    path = f"/api/citizen/work-orders/{made['number']}"
    shown = await jinan.must(CALLER, "GET", path, X_Code=made["code"])
    assert shown["refusal"]["told"] == no["told"]
    assert "二十三" in shown["refusal"]["article"]


async def test_a_demand_split_off_has_a_code_of_its_own(jinan: Asking) -> None:
    number = await registered(jinan)
    made = await jinan.must(DISPATCHER, "POST", f"{ORDERS}/{number}/moves", SPLIT)
    [sibling] = made["siblings"]
    path = f"/api/citizen/work-orders/{sibling}"
    shown = await jinan.must(CALLER, "GET", path, X_Code=made["codes"][sibling])
    assert shown["state"] == "registered"


async def test_a_unit_that_was_asked_before_reads_no_more_once_another_has_it(asking: Ask) -> None:
    city = await asking("hangzhou_2024")
    order = await orders(city, "hangzhou_2024").register()
    await order.check()
    ask = m.ConsultUnit(unit=HOUSING, question="是否属于贵局职责？")
    await order.do(ask, DISPATCHER)
    path = f"{ORDERS}/{order.facts.number}"
    assert (await city.ask(of_unit(HOUSING), "GET", path))[0] == 200
    await order.dispatch(MARKET)
    assert (await city.ask(of_unit(HOUSING), "GET", path))[0] == 404
    assert (await city.must(of_unit(HOUSING), "GET", ORDERS))["items"] == []


async def test_a_caller_sees_progress_with_the_code_rates_and_asks_why(jinan: Asking) -> None:
    made = await jinan.must(AGENT, "POST", ORDERS, DEMAND)
    path = f"/api/citizen/work-orders/{made['number']}"
    told = await jinan.must(AGENT, "GET", path, X_Code=made["code"])
    assert (told["state"], [each["action"] for each in told["steps"]]) == (
        "registered",
        ["registered"],
    )
    assert "13800001234" not in msgspec.json.encode(told).decode()
    status, refused = await jinan.ask(AGENT, "GET", path, X_Code="000000")
    assert (status, refused["code"]) == (403, "citizen_code_wrong")
    for _ in range(12):
        status, refused = await jinan.ask(AGENT, "GET", path, X_Code="000000")
    assert (status, refused["code"]) == (429, "too_many_attempts")


async def test_the_document_names_every_route_and_every_reference_leads_somewhere(
    jinan: Asking,
) -> None:
    told = await jinan.must(AGENT, "GET", "/api/openapi.json")
    assert told["openapi"] == "3.1.0"
    served = {
        (route.method.lower(), route.resource.canonical)
        for route in jinan.http.app.router.routes()
        if route.resource and route.method != "HEAD" and "openapi" not in route.resource.canonical
    }
    described = {(verb, path) for path, verbs in told["paths"].items() for verb in verbs}
    assert described == served
    text = msgspec.json.encode(told).decode()
    names = set(told["components"]["schemas"])
    used = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert used <= names
    assert {"Demand", "Sign", "Problem", "ProgressShown"} <= names


async def test_the_document_names_what_each_operation_refuses_and_with_which_codes(
    jinan: Asking,
) -> None:
    paths = (await jinan.must(AGENT, "GET", "/api/openapi.json"))["paths"]

    def refused(verb: str, path: str) -> dict[str, set[str]]:
        answers = paths[path][verb]["responses"]
        assert "default" in answers
        return {
            status: set(
                each["content"]["application/problem+json"]["schema"]["allOf"][1]["properties"][
                    "code"
                ]["enum"]
            )
            for status, each in answers.items()
            if status.isdecimal() and int(status) >= 400
        }

    order = "/api/work-orders/{number}"
    assert refused("get", "/api/units") == {
        "401": {"not_signed_in"},
        "403": {"not_allowed"},
        "503": {"database_unavailable"},
    }
    assert refused("get", order)["404"] == {"ticket_unseen"}
    moving = refused("post", f"{order}/moves")
    assert moving["409"] == {"ticket_move_illegal", "ticket_version_conflict", "extension_used_up"}
    assert moving["403"] == {"not_allowed", "origin_foreign", "ticket_move_not_yours"}
    assert {"body_invalid", "idempotency_key_reused", "ticket_refused_by_law"} <= moving["422"]
    assert moving.keys() == {"401", "403", "404", "408", "409", "413", "415", "422", "503"}
    citizens = "/api/citizen/work-orders/{number}"
    asked = refused("get", citizens)
    assert (asked["403"], asked["429"]) == ({"citizen_code_wrong"}, {"too_many_attempts"})
    assert asked.keys() == {"403", "422", "429", "503"}
    assert paths[citizens]["get"]["security"] == []
    assert refused("post", f"{order}/attachments").keys() >= {"413", "415", "507"}


async def test_an_unseen_ticket_is_not_told_from_one_that_is_not_there(jinan: Asking) -> None:
    with pytest.raises(TicketUnseen):
        await jinan.must(AGENT, "GET", f"{ORDERS}/20990101-000001")
