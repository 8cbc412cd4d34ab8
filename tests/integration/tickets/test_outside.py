"""From a move to the outside: what callers, units and subscribers get, once, and what not."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web as http
from aiohttp.test_utils import TestServer

from base.database import Connection, Database
from base.outbox import (
    Deliver,
    OutboxMessage,
    Sender,
    SendingPolicy,
    dead_messages,
    resend_dead,
    standing,
)
from server.citizen_code import CitizenCodes
from server.cli import main
from server.outside.cmpp import Report
from server.outside.endpoints import Endpoint, Outside, read_outside
from server.outside.senders import SubscriberMessages, UnitMessages, senders
from server.outside.short_messages import SQL, ShortMessages, allow_again, keep_report
from server.outside.sms_gateway import ReportTooEarly
from server.outside.ticket_texts import TicketTexts
from server.outside.webhooks import SignedPosts, signature
from server.secrets_store import SecretsStore
from server.settings_loader import load_settings
from tests.conftest import TestDatabase
from tests.fakes.city import HOUSING, MARKET, WATER, centre, of_unit
from tests.fakes.sms_gateways import ACCOUNT, CmppSimulator, FakeGateway
from tests.fakes.sms_gateways import SECRET as SMS_SECRET
from tests.fakes.work_order import CALLER, MONDAY_10, SUPERVISOR, WorkOrder, WorkOrders
from tests.fakes.work_order_http import Asking
from tickets import moves as m
from tickets.facts import ActorRole
from tickets.follow_up_message import ask_by_message
from tickets.messages import TO_CALLER, TO_SUBSCRIBER, TO_UNIT
from tickets.notices import load_notices
from tickets.public_moves import Subscriber
from tickets.refusals import IllegalMove
from tickets.ticket import Lane
from tickets.work_orders import WorkOrders as Stored
from tickets.work_orders import open_lanes

Hotline = Callable[[str], WorkOrders]
CODES = CitizenCodes("test")
SECRET = "a secret of theirs"
QUICK = SendingPolicy(
    deliver_timeout_s=5.0, lease_s=20.0, most_attempts=3, retry_first_s=0.01, retry_most_s=0.01
)
NAME, NUMBER = "王小明", "13800001234"


@dataclass
class Receiver:
    """A unit's or subscriber's system: checks the signature, keeps each message once."""

    status: int = 204
    attempts: list[str] = field(default_factory=list)
    taken: dict[str, dict[str, object]] = field(default_factory=dict)

    async def take(self, request: http.Request) -> http.Response:
        body = await request.read()
        key, at = request.headers["webhook-id"], int(request.headers["webhook-timestamp"])
        if request.headers["webhook-signature"] != signature(SECRET.encode(), key, at, body):
            return http.Response(status=401)
        self.attempts.append(key)
        if self.status < 300:
            self.taken.setdefault(key, json.loads(body))
        return http.Response(status=self.status)

    @property
    def events(self) -> list[str]:
        return [str(each.get("move", each["event"])) for each in self.taken.values()]


@dataclass
class City:
    """The outside of a city, and the sender to it."""

    database: Database
    sender: Sender
    sms: FakeGateway
    units: dict[str, Receiver]
    data: Receiver

    async def send(self) -> None:
        """Until nothing waits."""
        async with asyncio.timeout(10):
            while [each for each in await standing(self.database) if each.oldest_at]:
                await self.sender.send_due()


@pytest.fixture
async def outside(
    stored: Callable[[str], Stored],
    web: Database,
    subscribers: list[Subscriber],
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[City]:
    receivers = {"city.water": Receiver(), "city.housing": Receiver(), "city_data": Receiver()}
    app = http.Application()
    for name, receiver in receivers.items():
        app.router.add_post(f"/{name}", receiver.take)
    subscribers.append(Subscriber(name="city_data"))
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        ends = {n: Endpoint(name=n, url=str(server.make_url(f"/{n}"))) for n in receivers}
        who = Outside(
            sms=None,
            units={WATER: ends["city.water"], HOUSING: ends["city.housing"]},
            subscribers=tuple(subscribers),
            endpoints={"city_data": ends["city_data"]},
        )
        posts = SignedPosts(session, lambda _endpoint: SECRET, rests_s=0.0)
        texts = TicketTexts(web, stored("jinan_2018"), CODES, load_notices)
        gateway = FakeGateway()
        channels: dict[str, Deliver] = {
            TO_CALLER: ShortMessages(web, gateway, texts),
            TO_UNIT: UnitMessages(who, posts, texts),
            TO_SUBSCRIBER: SubscriberMessages(who, posts),
        }
        data = receivers.pop("city_data")
        yield City(web, Sender(web, channels, QUICK), gateway, receivers, data)


async def closed(hotline: Hotline) -> WorkOrder:
    order = await hotline("jinan_2018").register()
    await order.to_follow_up(WATER)
    await order.follow_up()
    await order.close()
    return order


async def test_a_caller_is_told_number_and_code_and_the_end_and_nothing_else(
    hotline: Hotline, outside: City
) -> None:
    order = await closed(hotline)
    await outside.send()
    number = order.facts.number
    assert [to for to, _ in outside.sms.taken] == [NUMBER, NUMBER]
    texts = [text for _, text in outside.sms.taken]
    assert number in texts[0]
    assert CODES.of(number) in texts[0]
    assert "已办结" in texts[1]
    assert "异议" in texts[1]
    assert not [t for t in texts if NAME in t or "停水" in t or NUMBER in t]


async def test_who_is_not_accepted_is_told_why_by_which_article_and_where_else(
    hotline: Hotline, outside: City
) -> None:
    orders = hotline("jinan_2018")
    order = await orders.register()
    move = m.NotAccept(
        reason="route",
        route="litigation",
        stage="entered",
        told="已说明",
        told_at=orders.at,
        refer_to="市中级人民法院",
    )
    await order.do(move, centre(ActorRole.AGENT))
    await outside.send()
    text = outside.sms.taken[-1][1]
    assert "其他法定途径" in text
    assert "条" in text
    assert "市中级人民法院" in text


async def test_a_unit_gets_each_message_once_in_order_signed_and_without_the_caller(
    hotline: Hotline, outside: City
) -> None:
    await closed(hotline)
    water = outside.units["city.water"]
    water.status = 503
    await outside.sender.send_due([TO_UNIT])
    water.status = 204
    await outside.send()
    assert water.events == ["ticket.dispatched"]
    assert len(water.attempts) == 2
    assert len({*water.attempts}) == 1
    (event,) = water.taken.values()
    content = event["content"]
    assert isinstance(content, dict)
    assert content["demand"] == "家里停水，请尽快恢复。"
    assert "请及时签收" in str(event["text"])
    assert not [
        each for each in (NAME, NUMBER, CODES.of(str(event["ticket"]))) if each in str(event)
    ]


async def test_of_what_a_unit_may_not_see_any_more_it_gets_no_content(
    hotline: Hotline, outside: City
) -> None:
    order = await hotline("jinan_2018").register()
    await order.to_units(WATER)
    withdrawal = m.Withdraw(assignment=order.at(WATER).id, reason="派错单位")
    await order.do(withdrawal, centre(ActorRole.DISPATCHER))
    await outside.send()
    water = outside.units["city.water"]
    assert water.events == ["ticket.dispatched", "ticket.withdrawn"]
    assert all("content" not in each for each in water.taken.values())


async def test_a_unit_that_is_away_holds_up_no_other_and_is_dead_for_the_operator(
    hotline: Hotline, outside: City, web: Database
) -> None:
    order = await hotline("jinan_2018").register()
    await order.to_units(WATER, HOUSING, part="lead")
    outside.units["city.water"].status = 500
    await outside.send()
    assert outside.units["city.housing"].events == ["ticket.dispatched"]
    (dead,) = await dead_messages(web)
    assert (dead.channel, dead.attempts, dead.last_error) == (TO_UNIT, 3, "endpoint_refused")
    outside.units["city.water"].status = 204
    assert await resend_dead(web, channel=TO_UNIT) == [dead.key]
    await outside.send()
    assert outside.units["city.water"].events == ["ticket.dispatched"]
    assert await dead_messages(web) == []


async def test_a_unit_without_a_system_reads_its_page_and_nothing_is_dead(
    hotline: Hotline, outside: City, web: Database
) -> None:
    order = await hotline("jinan_2018").register()
    await order.to_units(MARKET)
    await outside.send()
    assert await dead_messages(web) == []


async def test_a_subscriber_is_told_of_public_moves_in_order_and_of_no_person(
    hotline: Hotline, outside: City
) -> None:
    await closed(hotline)
    await outside.send()
    assert outside.data.events == ["dispatch", "sign", "feedback", "close"]
    assert not [word for word in (NAME, NUMBER, "停水") if word in str(outside.data.taken)]


async def test_a_subscriber_hears_nothing_of_confidential_or_locked_tickets(
    hotline: Hotline, outside: City
) -> None:
    orders = hotline("jinan_2018")
    hidden = await orders.register(is_confidential=True)
    await hidden.to_units(WATER)
    locked = await orders.register(lane=Lane.STAFF_COMPLAINT, by=SUPERVISOR)
    await locked.do(m.Conclude(finding="查实", consequence="批评", told="已告知"), SUPERVISOR)
    await outside.send()
    assert outside.data.taken == {}
    assert outside.units["city.water"].events == ["ticket.dispatched"]


@pytest.mark.parametrize("why", ["no_answer", "we_died"])
async def test_what_may_have_arrived_is_sent_again_by_a_person_alone(
    why: str, hotline: Hotline, outside: City, web: Database
) -> None:
    await hotline("jinan_2018").register()
    if why == "no_answer":
        outside.sms.answers_nothing = True
    else:
        key = await web.fetchval("SELECT key FROM outbox")
        await web.execute(SQL["claim_short_message"], key)  # and then nothing more
    await outside.send()
    (dead,) = await dead_messages(web)
    assert dead.last_error == "sms_outcome_unknown"
    sent = len(outside.sms.taken)
    assert sent == (1 if why == "no_answer" else 0)
    outside.sms.answers_nothing = False
    keys = await resend_dead(web, channel=TO_CALLER, key=dead.key)
    await allow_again(web, keys)
    await outside.send()
    assert len(outside.sms.taken) == sent + 1


async def test_a_report_before_the_gateways_answer_is_written_is_left_to_be_said_again(
    web: Database, owner: Connection
) -> None:
    await web.execute("INSERT INTO short_messages (key, state) VALUES ('one', 'on_the_wire')")
    report = Report(message="0a", state="DELIVRD")
    with pytest.raises(ReportTooEarly):
        await keep_report(web, report)
    await web.execute("UPDATE short_messages SET state = 'taken', gateway_ids = '{0a}'")
    await keep_report(web, report)
    assert await web.fetchval("SELECT report FROM short_messages") == "DELIVRD"
    await owner.execute(
        "INSERT INTO short_messages (key, state, tried_at)"
        " VALUES ('old', 'on_the_wire', now() - interval '1 hour')"
    )
    await keep_report(web, Report(message="ff", state="DELIVRD"))  # nobody waits for it


async def test_a_marked_message_is_not_sent_again_though_the_outbox_forgot(
    hotline: Hotline, outside: City, web: Database
) -> None:
    await hotline("jinan_2018").register()
    await outside.send()
    await web.execute("UPDATE outbox SET state = 'pending', settled_at = NULL, due_at = now()")
    await outside.send()
    assert len(outside.sms.taken) == 1


async def test_a_gateway_away_or_throttling_costs_time_and_no_message(
    hotline: Hotline, outside: City, web: Database
) -> None:
    await hotline("jinan_2018").register()
    outside.sms.is_away = True
    await outside.sender.send_due()
    outside.sms.is_away, outside.sms.results = False, [8]
    await outside.send()
    assert len(outside.sms.taken) == 1
    assert await dead_messages(web) == []


@pytest.mark.parametrize(
    ("number", "hours", "errors"),
    [("053188881234", 0, []), (NUMBER, 25, ["sms_too_late"])],
)
async def test_a_landline_gets_none_and_what_would_mislead_is_given_up_by_name(
    number: str,
    hours: int,
    errors: list[str],
    hotline: Hotline,
    outside: City,
    web: Database,
    owner: Connection,
) -> None:
    await hotline("jinan_2018").register(caller_number=number)
    past = "UPDATE outbox SET enqueued_at = now() - make_interval(hours => $1)"
    await owner.execute(past, hours)
    await outside.send()
    assert outside.sms.taken == []
    assert [each.last_error for each in await dead_messages(web)] == errors


async def test_a_suspended_number_is_told_until_when(outside: City, web: Database) -> None:
    message = OutboxMessage(
        id=1,
        channel=TO_CALLER,
        key="suspension:x:approve",
        ordering_key="",
        payload={
            "to": "caller",
            "number": NUMBER,
            "template": "suspension_begun",
            "params": {"until": "2026-10-20T02:00:00+00:00", "script": "", "article": ""},
        },
        attempt=1,
        fence=1,
        enqueued_at=await web.fetchval("SELECT now()"),
    )
    texts = outside.sender._channels[TO_CALLER]
    await texts(message)
    ((to, text),) = outside.sms.taken
    assert to == NUMBER
    assert "2026年10月20日10时00分" in text


async def test_the_operator_lists_what_was_given_up_and_tries_it_again(
    hotline: Hotline,
    outside: City,
    web: Database,
    database: TestDatabase,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("server.commands.outbox.database_url", lambda *_: database.url("web"))

    async def verb(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        code = await asyncio.to_thread(main, ["outbox", *words])
        return code, capsys.readouterr().out

    await hotline("jinan_2018").register()
    outside.sms.answers_nothing = True
    code, told = await verb("list")
    assert (code, told[:32]) == (0, "sms      1 wait, the oldest since"[:32])
    await outside.send()
    (dead,) = await dead_messages(web)
    code, told = await verb("list")
    assert code == 1
    assert f"sms_outcome_unknown    {dead.key}" in told
    code, _ = await verb("resend", TO_CALLER, "--error", "sms_outcome_unknown")
    assert code != 0, "what may have arrived is sent again one by one"
    outside.sms.answers_nothing = False
    assert await verb("resend", TO_CALLER, "--key", dead.key) == (0, "1 will be tried again\n")
    await outside.send()
    assert len(outside.sms.taken) == 2
    assert (await verb("list"))[0] == 0


async def test_an_installation_sends_by_its_own_file_secrets_and_texts(
    hotline: Hotline, stored: Callable[[str], Stored], web: Database, tmp_path: Path
) -> None:
    """The senders as the web role runs them, over TCP to both receivers."""
    settings = load_settings({"HOTLINE_HOME": str(tmp_path)})
    store = SecretsStore(settings.secrets_dir)
    store.ensure("sms_gateway")
    (settings.secrets_dir / "sms_gateway").write_text(SMS_SECRET)
    (tmp_path / "notices.toml").write_text('[caller]\nregistered = "编号{number}。"\n', "utf-8")
    arrived: asyncio.Queue[tuple[bytes, str, str]] = asyncio.Queue()

    async def take(request: http.Request) -> http.Response:
        said = request.headers
        made = f"{said['webhook-id']} {said['webhook-timestamp']}"
        arrived.put_nowait((await request.read(), made, said["webhook-signature"]))
        return http.Response(status=204)

    app = http.Application()
    app.router.add_post("/", take)
    async with TestServer(app) as server, CmppSimulator(SMS_SECRET).listening() as gateway:
        settings.outside_file.write_text(
            f'[sms]\ngateway = "127.0.0.1:{gateway.port}"\naccount = "{ACCOUNT}"\n'
            f'number = "106512345"\n[[unit]]\nunit = "{WATER}"\nurl = "{server.make_url("/")}"\n'
        )
        orders = stored("jinan_2018")
        who = read_outside(settings.outside_file)
        async with senders(settings, who, web, orders, CODES) as sender:
            running = asyncio.ensure_future(sender.run())
            order = await hotline("jinan_2018").register()
            await order.to_units(WATER)
            async with asyncio.timeout(10):
                body, made, signed = await arrived.get()
                while not gateway.taken:  # noqa: ASYNC110 – the far side's doing
                    await asyncio.sleep(0.01)
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
    assert gateway.taken == [(NUMBER, f"【12345热线】编号{order.facts.number}。")]
    key, _, at = made.partition(" ")
    secret = store.read(f"webhook_{WATER}").encode()
    assert signed == signature(secret, key, int(at), body)
    assert store.loose_files() == []


async def test_a_question_to_the_caller_is_refused_when_the_ticket_went_on_since_it_was_read(
    hotline: Hotline, stored: Callable[[str], Stored], web: Database
) -> None:
    order = await hotline("jinan_2018").register()
    await order.to_follow_up(WATER)
    before = order.facts
    await order.follow_up()
    await order.close()
    law = await stored("jinan_2018").law_of(before)
    callback = centre(ActorRole.FOLLOW_UP, 3)
    async with web.transaction() as connection:
        await open_lanes(connection, callback)
        with pytest.raises(IllegalMove) as refused:
            await ask_by_message(connection, before, callback, law, order.orders.at)
    assert refused.value.params["state"] == "closed"


async def test_a_caller_asked_by_message_answers_with_the_code_once_a_round(
    hotline: Hotline, asking: Callable[[str], Awaitable[Asking]], outside: City, web: Database
) -> None:
    city = await asking("jinan_2018")
    city.clock.at = MONDAY_10
    order = await hotline("jinan_2018").register()
    number = order.facts.number
    ask = f"/api/work-orders/{number}/follow-up-message"
    answer = f"/api/citizen/work-orders/{number}/follow-up"
    callback = centre(ActorRole.FOLLOW_UP, 3)
    status, told = await city.ask(callback, "POST", ask)
    assert (status, told["code"]) == (409, "ticket_move_illegal")
    await order.to_follow_up(WATER)
    city.clock.at = order.orders.at
    assert (await city.ask(of_unit(WATER), "POST", ask))[0] == 403
    assert (await city.ask(callback, "POST", ask))[0] == 204
    status, told = await city.ask(callback, "POST", ask)
    assert (status, told["params"]["why"]) == (422, "asked_already")
    await outside.send()
    assert CODES.of(number) in outside.sms.taken[-1][1]
    assert "是否满意" in outside.sms.taken[-1][1]

    said = {"is_solved": True, "is_satisfied": False, "reason": "太慢"}
    status, _ = await city.ask(CALLER, "POST", answer, said, X_Code="000000")
    assert status == 403
    unexplained = {"is_solved": True, "is_satisfied": False}
    status, told = await city.ask(CALLER, "POST", answer, unexplained, X_Code=CODES.of(number))
    assert (status, told["code"]) == (422, "ticket_move_incomplete")
    status, _ = await city.ask(CALLER, "POST", answer, said, X_Code=CODES.of(number))
    assert status == 204
    status, told = await city.ask(CALLER, "POST", answer, said, X_Code=CODES.of(number))
    assert (status, told["params"]["why"]) == (422, "answered_already")
    row = await web.fetchrow("SELECT channel, by, is_solved, is_satisfied, reason FROM follow_ups")
    assert row is not None
    assert tuple(row) == ("sms", "caller", True, False, "太慢")
    shown = await city.must(SUPERVISOR, "GET", f"/api/work-orders/{number}")
    assert shown["ledger"][-2]["action"] == "ask_by_message"
    assert shown["ledger"][-1]["seq"] == shown["facts"]["version"]
