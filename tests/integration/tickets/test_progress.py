"""A caller asks how far it is, by number and code: over the web and by telephone, city by city."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
from aiohttp import web as aiohttp_web
from aiohttp.test_utils import TestClient, TestServer

from base.database import Connection, Database
from server.auth import SignIn
from server.citizen_code import CitizenCodes
from server.citizen_door import CitizenDoor
from server.http.loopback import SECRET_HEADER, DialplanOnly
from server.http.phone_progress_routes import PhoneProgressRoutes
from server.spoken_progress import SpokenProgress
from tests.fakes.by_city import by_city
from tests.fakes.city import HOUSING, WATER, centre, of_unit
from tests.fakes.work_order import MONDAY_10, WorkOrder, WorkOrders
from tests.fakes.work_order_http import Asking, Http, HttpBackend
from tickets import moves as m
from tickets.facts import ActorRole
from tickets.ticket import Lane, TicketType
from tickets.unit_store import end_unit
from tickets.work_orders import WorkOrders as Stored

JINAN, DRAFT, TONGLIAO = "jinan_2018", "jinan_draft_2018", "tongliao_2024"
KEPT_BACK = {
    JINAN: ["state", "trade", "privacy"],
    DRAFT: ["national_security", "ethnic_affairs", "politically_sensitive"],
    TONGLIAO: ["state", "trade", "privacy"],
}
AGENT = centre(ActorRole.AGENT)
CODES = CitizenCodes("test")
SECRET = "of-the-dialplan"


@pytest.fixture
async def telephone(
    web: Database, stored: Callable[[str], Stored], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[[str, str, str], Awaitable[str]]]:
    """What the dialplan is answered, however late: number and code as keyed, who calls."""
    monkeypatch.setattr("server.spoken_progress.ANSWER_WITHIN_S", 10.0)
    door = CitizenDoor(SignIn(web, now=lambda: MONDAY_10), stored(JINAN), CODES)
    app = aiohttp_web.Application()
    app.add_routes(
        PhoneProgressRoutes(SpokenProgress(door), DialplanOnly(frozenset(), SECRET)).routes()
    )
    async with TestClient(TestServer(app)) as phone:
        yield lambda number, code, caller: _asked(phone, number, code, caller)


async def test_whoever_asks_without_the_dialplans_secret_is_told_nothing(
    web: Database, stored: Callable[[str], Stored]
) -> None:
    door = CitizenDoor(SignIn(web), stored(JINAN), CODES)
    app = aiohttp_web.Application()
    app.add_routes(
        PhoneProgressRoutes(SpokenProgress(door), DialplanOnly(frozenset(), SECRET)).routes()
    )
    async with TestClient(TestServer(app)) as phone:
        for said in (
            {},
            {SECRET_HEADER: ""},
            {SECRET_HEADER: SECRET[:-1]},
            {SECRET_HEADER: "\xe4"},
        ):
            async with phone.post("/internal/progress-of", data="", headers=said) as answer:
                assert answer.status != 200
                assert "state=" not in await answer.text()


async def _asked(phone: Http, number: str, code: str, caller: str) -> str:
    said = f"number={number.replace('-', '')}&code={code}"
    headers = {"X-Caller-Number": caller, SECRET_HEADER: SECRET}
    async with phone.post("/internal/progress-of", data=said, headers=headers) as answer:
        return await answer.text()


Telephone = Callable[[str, str, str], Awaitable[str]]


@by_city("R013", JINAN, DRAFT, TONGLIAO)
async def test_progress_and_result_are_told_to_whoever_has_the_code_with_what_is_kept_back_and_why(
    city: str, asking: Callable[[str], Awaitable[Asking]], telephone: Telephone
) -> None:
    http = await asking(city)
    order, path, code = await _registered(http, city)
    number = order.facts.number
    assert await telephone(number, code, "138") == "state=registered&month=0&day=0"
    await order.to_units(WATER)
    due = order.facts.reply_due_at
    assert due is not None
    assert await telephone(number, code, "138") == f"state=handled&month={due.month}&day={due.day}"
    await order.handle(WATER)
    hidden = await http.must(AGENT, "GET", path, X_Code=code)
    assert (hidden["state"], hidden["replies"]) == ("in_review", [])  # not before the review
    await order.review(WATER)
    told = await http.must(AGENT, "GET", path, X_Code=code)
    assert told["replies"] == [{"unit": "水务集团", "reply": "已修复供水管道。"}]
    assert told["withheld"] == ["other_people", "internal_opinions", *KEPT_BACK[city]]
    assert ("条" in told["withheld_by"]) is (city != DRAFT)
    assert "13800001234" not in str(told)
    assert await telephone(number, code, "138") == "state=replied&month=0&day=0"


@pytest.mark.requirement("R015")
async def test_an_explanation_that_was_asked_for_is_read_where_its_notice_says(
    asking: Callable[[str], Awaitable[Asking]],
) -> None:
    http = await asking(JINAN)
    order, path, code = await _registered(http, JINAN)
    await order.to_follow_up(WATER)
    question = {"move": "ask_explanation", "ground": "disputed", "question": "为何仍停水？"}
    await http.must(AGENT, "POST", f"{path}/explanation", question, X_Code=code)
    owed = (await http.must(AGENT, "GET", path, X_Code=code))["explanations"]
    assert [(each["question"], each["answer"]) for each in owed] == [("为何仍停水？", "")]
    await order.do(m.Explain(number=1, answer="阀门已更换。"), of_unit(WATER))
    told = (await http.must(AGENT, "GET", path, X_Code=code))["explanations"]
    assert [(each["ground"], each["answer"]) for each in told] == [("disputed", "阀门已更换。")]
    assert told[0]["answered_at"] is not None


@pytest.mark.requirement("R013")
async def test_the_result_is_also_what_the_centre_answered_or_why_a_unit_stopped(
    asking: Callable[[str], Awaitable[Asking]],
) -> None:
    http = await asking(JINAN)
    order, path, code = await _registered(http, JINAN, type=TicketType.CONSULT)
    answered = m.Answer(article="供水-12", article_version="3", text="凭身份证办理。")
    await order.do(answered, AGENT)
    assert (await http.must(AGENT, "GET", path, X_Code=code))["answer"] == "凭身份证办理。"
    reopened = m.Reopen(said_then="问办证", said_now="证件丢失", why_new="新情况")
    await order.do(reopened, AGENT)
    assert (await http.must(AGENT, "GET", path, X_Code=code))["answer"] == ""
    first, _, _ = await _registered(http, JINAN)
    await first.to_follow_up(WATER)
    again, path, code = await _registered(http, JINAN, former=first.facts.number)
    await again.to_units(WATER)
    await again.sign(WATER)
    stop = m.StopRepeat(case="handled", explanation="已依规办理。", written_note="书面说明")
    await again.do(stop, of_unit(WATER))
    told = await http.must(AGENT, "GET", path, X_Code=code)
    assert told["replies"] == [{"unit": "水务集团", "reply": "已依规办理。"}]
    assert "书面说明" not in str(told)


@pytest.mark.requirement("R039")
async def test_what_helpers_give_the_lead_is_no_reply_to_the_caller(
    asking: Callable[[str], Awaitable[Asking]],
) -> None:
    http = await asking(JINAN)
    order, path, code = await _registered(http, JINAN)
    await order.to_units(WATER, HOUSING, part="lead")
    await order.sign(HOUSING)
    await order.feedback(HOUSING, reply="内部意见：管线归水务。")
    await order.review(HOUSING)
    await order.handle(WATER)
    await order.review(WATER)
    told = await http.must(AGENT, "GET", path, X_Code=code)
    assert told["replies"] == [{"unit": "水务集团", "reply": "已修复供水管道。"}]


async def test_a_unit_that_was_ended_since_is_still_called_by_its_name(
    asking: Callable[[str], Awaitable[Asking]], owner: Connection
) -> None:
    http = await asking(JINAN)
    order, path, code = await _registered(http, JINAN)
    await order.to_follow_up(WATER)
    await end_unit(owner, WATER, MONDAY_10 + timedelta(days=1))
    http.clock.at = MONDAY_10 + timedelta(days=2)
    told = await http.must(AGENT, "GET", path, X_Code=code)
    assert [each["unit"] for each in told["replies"]] == ["水务集团"]


async def _registered(http: Asking, city: str, **more: object) -> tuple[WorkOrder, str, str]:
    """A ticket, its citizen's path and code."""

    async def same() -> Asking:
        return http

    order = await WorkOrders(HttpBackend(same), city, MONDAY_10).register(**more)  # type: ignore[arg-type]
    number = order.facts.number
    return order, f"/api/citizen/work-orders/{number}", CODES.of(number)


async def test_guessing_by_telephone_is_braked_by_caller_and_by_ticket(
    asking: Callable[[str], Awaitable[Asking]], telephone: Telephone
) -> None:
    http = await asking(JINAN)
    http.clock.at = MONDAY_10
    demand = {"channel": "phone", "type": "help", "demand": "停水"}
    made = [await http.must(AGENT, "POST", "/api/work-orders", demand) for _ in range(3)]
    first, second, third = made
    guesses = [f"20991231{count:06}" for count in range(11)]
    told = [await telephone(number, "000000", "13900000001") for number in guesses]
    assert told == [*10 * ["state=wrong&month=0&day=0"], "state=braked&month=0&day=0"]
    assert (await telephone(first["number"], first["code"], "13900000001")).startswith(
        "state=braked"
    )
    callers = [f"1390001{count:04}" for count in range(11)]
    told = [await telephone(second["number"], "000000", caller) for caller in callers]
    assert told[-1] == "state=braked&month=0&day=0"
    assert (await telephone(third["number"], third["code"], "138")).startswith("state=registered")


async def test_right_codes_cost_their_origin_nothing_and_withheld_numbers_share_no_attempts(
    asking: Callable[[str], Awaitable[Asking]], telephone: Telephone
) -> None:
    http = await asking(JINAN)
    http.clock.at = MONDAY_10
    demand = {"channel": "phone", "type": "help", "demand": "停水"}
    made = await http.must(AGENT, "POST", "/api/work-orders", demand)
    number, code = made["number"], made["code"]
    for caller in ("13900000001", ""):
        for count in range(8):
            assert "wrong" in await telephone(f"20991230{count:06}", "000000", caller)
        for _ in range(3):
            assert "registered" in await telephone(number, code, caller)
    for other in ("20991230000010", "20991230000011"):
        assert "wrong" in await telephone(other, "000000", "13900000001")
    assert "braked" in await telephone(number, code, "13900000001")  # the wrong ones stay counted
    told = [await telephone("20991230000012", "000000", "") for _ in range(11)]
    assert "braked" in told[-1]  # by the ticket
    assert "registered" in await telephone(number, code, "")


async def test_a_locked_lane_is_not_told_from_a_ticket_that_is_not_there(
    asking: Callable[[str], Awaitable[Asking]], telephone: Telephone
) -> None:
    http = await asking(JINAN)
    http.clock.at = MONDAY_10
    demand = {
        "channel": "phone",
        "type": TicketType.REPORT,
        "demand": "打击报复",
        "lane": Lane.RETALIATION,
    }
    made = await http.must(AGENT, "POST", "/api/work-orders", demand)
    assert await telephone(made["number"], made["code"], "138") == "state=wrong&month=0&day=0"
