"""Events, return calls and lists by HTTP, on a real PostgreSQL, as a leader and as an agent."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from base.database import Connection, Database
from base.ids import AgentId, CallId, StreamId, UserId
from routing.admission import admit
from routing.queues import Expert, Plan, Queue
from server.admission_book import AdmissionBook
from server.auth import Role, User
from server.events import Events
from server.http.event_card_routes import EventCardRoutes
from server.http.identity import Identity
from server.http.message_routes import MessageRoutes
from server.http.problems import problems
from server.http.queue_routes import QueueRoutes
from server.http.ticket_routes import TicketRoutes
from server.left_messages import LeftMessages
from server.live.messages import Messages
from server.live.records import CallFacts, LateLine
from server.push.protocol import Line
from server.records.call_book import CallBook
from server.records.handovers import Handovers
from server.records.late_legs import LateLegs
from server.records.postgres import PostgresRecords
from server.records.return_calls import ReturnCalls
from telephony.events import Outcome
from telephony.marks import Mark, MarkKind
from tests.fakes.drafts import draft_here
from tickets.spool import Registrar, Spool
from tickets.store import TicketStore
from transcription.draft_ticket import Speaker
from transcription.wire import LegHeard

PLAN = Plan(
    queues=(
        Queue(name="hotline", title="综合", numbers=("12345",)),
        Queue(name="language", title="方言", skill="language", takes_back=True),
    ),
    experts=(Expert("赵", "市住建局", ("物业",), AgentId("1001")),),
)
Http = TestClient[web.Request, web.Application]


class Door(Identity):
    """Whoever the test says is signed in."""

    def __init__(self) -> None:
        self.role = Role.LEADER
        self.ids = {role: UserId(str(uuid.uuid4())) for role in Role}

    async def user(self, request: web.Request) -> User:
        agent = AgentId("1001") if self.role is Role.AGENT else None
        return User(
            id=self.ids[self.role],
            username=self.role.value,
            display_name="x",
            role=self.role,
            agent=agent,
        )


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
async def http(web: Database, owner: Connection, door: Door, tmp_path: Path) -> AsyncIterator[Http]:
    for role in (Role.LEADER, Role.AGENT):
        await owner.execute(
            "INSERT INTO users (id, username, display_name, role, agent, password_hash)"
            " VALUES ($1, $2, $2, $2, $3, 'none')",
            door.ids[role],
            role.value,
            "1001" if role is Role.AGENT else None,
        )
    app = _app(web, door, tmp_path)
    async with TestClient(TestServer(app)) as client:
        yield client


def _app(database: Database, door: Door, tools: Path) -> web.Application:
    routes = QueueRoutes(
        door,
        PLAN,
        ReturnCalls(database),
        PostgresRecords(database),
    )
    cards = EventCardRoutes(door, PLAN, Events(database), tools)
    messages = MessageRoutes(
        door,
        LeftMessages(database),
        Registrar(database, Spool(tools / "spool")),
        ReturnCalls(database),
    )
    tickets = TicketRoutes(
        door,
        TicketStore(database),
        PostgresRecords(database),
        Handovers(database),
        CallBook(database),
        tools,
    )
    app = web.Application(middlewares=[problems])
    for part in (routes, tickets):
        app.router.add_routes(part.routes())
    for family in (cards, messages):
        app.router.add_routes(each.route() for each in family.operations())
    app.on_shutdown.append(cards.close)
    return app


async def json_of(response: Any, status: int = 200) -> Any:
    assert response.status == status, await response.text()
    return None if status == 204 else await response.json()


async def test_a_leader_opens_an_event_callers_hear_of_it_calls_are_tagged_and_counted(
    http: Http, door: Door, web: Database, bridge: Database
) -> None:
    card = {"title": "城东停水", "text": "主管道破裂，抢修中", "priority": 2, "queues": ["hotline"]}
    number = (await json_of(await http.post("/api/events", json=card), 201))["event"]
    book = AdmissionBook(PLAN, web)
    await book.read()
    now = datetime.now(UTC)
    decision = admit(
        caller_number="138", called_number="12345", at=now, book=book.current()
    ).as_line()
    assert decision == "queue=hotline&priority=2&prompt=event"
    records = PostgresRecords(bridge)
    for call, caller in (("a", "13800000001"), ("b", "13800000001"), ("c", "13800000002")):
        await records.keep_call(CallFacts(CallId(call), caller, "", "12345", now))
    door.role = Role.AGENT
    for call in ("a", "b", "c", "c"):
        await json_of(await http.post(f"/api/events/{number}/calls", json={"call": call}), 204)
    (shown,) = (await json_of(await http.get("/api/events")))["events"]
    assert (shown["calls"], shown["callers"]) == (3, 2)
    assert (await http.post("/api/events", json=card)).status == 403
    assert (await http.post(f"/api/events/{number}/close")).status == 403
    door.role = Role.LEADER
    facts = {"text": "预计十八时恢复供水"}
    await json_of(await http.patch(f"/api/events/{number}", json=facts), 204)
    await json_of(await http.post(f"/api/events/{number}/close"), 204)
    problem = await json_of(await http.post(f"/api/events/{number}/close"), 404)
    assert problem["code"] == "event_unknown"
    assert (await http.post(f"/api/events/{number}/calls", json={"call": "a"})).status in (204, 404)
    await book.read()
    assert book.current().notices == ()
    assert (await json_of(await http.get("/api/events")))["events"] == []
    (past,) = (await json_of(await http.get("/api/events?past")))["events"]
    assert past["text"] == facts["text"]
    assert past["closed_by"] == "leader"


async def test_an_event_of_a_queue_that_is_not_there_or_that_ends_before_it_begins_is_refused(
    http: Http,
) -> None:
    past = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    for wrong in (
        {"title": "x", "queues": ["nowhere"]},
        {"title": "x", "until_at": past},
        {"title": "x", "until_at": "2026-11-27T10:00:00"},
        {"title": ""},
        {"title": "x", "priority": 1000},
    ):
        problem = await json_of(await http.post("/api/events", json=wrong), 422)
        assert problem["code"] == "body_invalid"
    number = (await json_of(await http.post("/api/events", json={"title": "x"}), 201))["event"]
    change = await http.patch(f"/api/events/{number}", json={"until_at": past})
    assert (await json_of(change, 422))["code"] == "body_invalid"


async def test_a_caller_is_led_back_to_the_queue_that_served_them_and_forgotten_with_time(
    web: Database, bridge: Database
) -> None:
    records, now = PostgresRecords(bridge), datetime.now(UTC)
    for call, number, queue, days in (
        ("old", "1", "language", 40),
        ("new", "2", "language", 3),
        ("then", "3", "language", 3),
        ("later", "3", "hotline", 1),
    ):
        at = now - timedelta(days=days)
        facts = CallFacts(CallId(call), number, "", "12345", at, queue=queue, answered_at=at)
        await records.keep_call(facts)
    book = AdmissionBook(PLAN, web)
    await book.read()
    assert dict(book.current().former) == {"2": "language"}


WORDS = "我要投诉，人民路的路灯坏了三天没人修"
NIGHT = CallId("night")


async def leave_message(bridge: Database) -> None:
    """A message at night: recorded, written down, drafted, with its return call."""
    records, legs = PostgresRecords(bridge), LateLegs(bridge)
    returns, now = ReturnCalls(bridge), datetime.now(UTC)
    facts = CallFacts(
        NIGHT,
        "13800000007",
        "",
        "12345",
        now - timedelta(minutes=3),
        queue="hotline",
        ended_at=now,
        outcome=Outcome.ABANDONED,
    )
    await records.keep_call(facts)
    await records.keep_recording(NIGHT, "night.wav", "0" * 64)
    await returns.keep_marks([Mark(NIGHT, MarkKind.VOICEMAIL, "", now - timedelta(minutes=1))])
    await returns.open_new(now - timedelta(hours=1), "hotline")
    messages = Messages(legs, records, draft_here, lambda: datetime.now(UTC))
    await messages.look()
    leg = await legs.lease(StreamId(str(uuid.uuid4())), tries_most=3)
    assert leg is not None
    assert (leg.call, leg.speaker) == (NIGHT, Speaker.CITIZEN)
    assert 50 < leg.talk_s < 70
    await messages.look()  # no words yet, no draft
    line = Line("citizen-0", "citizen", 0, 0, WORDS, 0.0, 5.0, is_final=True, confidence=None)
    heard = LegHeard(
        stream=leg.stream,
        call=NIGHT,
        speaker=Speaker.CITIZEN,
        engine="vosk",
        model="cn",
        at=now,
        utterances=(),
        failure="",
    )
    assert await legs.finish(heard, [LateLine(line, ())])
    for _ in range(2):
        await messages.look()


async def test_a_message_left_at_night_becomes_a_draft_and_a_return_call_a_leader_sees(
    http: Http, bridge: Database
) -> None:
    await leave_message(bridge)
    (row,) = (await json_of(await http.get("/api/return-calls")))["return_calls"]
    assert (row["reason"], row["state"], row["ticket"]) == ("voicemail", "requested", None)
    assert row["transcript"][0]["text"] == WORDS
    assert row["draft"]["type"]["value"] == "complain"
    answer = await http.post(f"/api/return-calls/{row['id']}/settle", json={"how": "done"})
    await json_of(answer, 204)
    again = await http.post(f"/api/return-calls/{row['id']}/settle", json={"how": "done"})
    assert (await json_of(again, 409))["code"] == "return_call_not_open"


async def test_an_agent_makes_one_ticket_of_a_message_with_its_recording_and_marks_the_return_call(
    http: Http, door: Door, bridge: Database, web: Database, tmp_path: Path
) -> None:
    await leave_message(bridge)
    (tmp_path / "night.wav").write_bytes(b"RIFF")
    door.role = Role.AGENT
    (message,) = (await json_of(await http.get("/api/messages")))["messages"]
    assert (message["call"], message["lines"], message["ticket"]) == (NIGHT, [WORDS], None)
    assert message["caller_number"] == "138****0007"
    assert message["return_state"] == "requested"
    fields = {**message["draft"], "summary": "人民路路灯不亮"}
    wish = {"version": message["version"], "fields": fields}
    path = f"/api/messages/{NIGHT}/confirm"
    answers = await asyncio.gather(*(http.post(path, json=wish) for _ in range(5)))
    numbers = {(await json_of(answer))["ticket"]["number"] for answer in answers}
    assert len(numbers) == 1
    assert await web.fetchval("SELECT count(*) FROM tickets") == 1
    (number,) = numbers
    told = await json_of(await http.get(f"/api/tickets/{number}"))
    assert told["ticket"]["caller_number"] == "13800000007"
    assert told["call"]["recording"]["sha256"] == "0" * 64
    assert [each["field"] for each in told["corrections"]] == ["summary"]
    assert (await http.get(told["call"]["recording"]["url"])).status == 200
    (message,) = (await json_of(await http.get("/api/messages")))["messages"]
    assert (message["ticket"], message["return_state"]) == (number, "requested")
    for is_settled in (True, False):  # asked for again, it is done already
        done = await json_of(await http.post(path, json={**wish, "is_return_done": True}))
        assert (done["ticket"]["number"], done["is_return_settled"]) == (number, is_settled)
    door.role = Role.LEADER
    (row,) = (await json_of(await http.get("/api/return-calls")))["return_calls"]
    assert (row["ticket"], row["state"], row["by"], row["note"]) == (
        number,
        "done",
        "agent",
        number,
    )


async def test_a_message_whose_caller_was_answered_after_all_is_its_agents_conversation(
    http: Http, door: Door, bridge: Database, owner: Connection, tmp_path: Path
) -> None:
    await leave_message(bridge)
    (tmp_path / "night.wav").write_bytes(b"RIFF")
    door.role = Role.AGENT
    (message,) = (await json_of(await http.get("/api/messages")))["messages"]
    wish = {"version": message["version"], "fields": message["draft"]}
    path = f"/api/messages/{NIGHT}/confirm"
    number = (await json_of(await http.post(path, json=wish)))["ticket"]["number"]
    await owner.execute("UPDATE calls SET answered_at = now(), agent = '1002' WHERE id = $1", NIGHT)
    assert (await json_of(await http.get("/api/messages")))["messages"] == []
    assert (await http.get(f"/api/calls/{NIGHT}/recording")).status == 404
    assert (await json_of(await http.post(path, json=wish), 404))["code"] == "message_unknown"
    told = await json_of(await http.get(f"/api/tickets/{number}"))
    assert (told["ticket"]["number"], told["call"]) == (number, None)
    door.role = Role.LEADER
    told = await json_of(await http.get(f"/api/tickets/{number}"))
    assert told["call"]["transcript"][0]["text"] == WORDS


async def test_what_is_no_message_makes_no_ticket_and_who_has_no_desk_sees_none(
    http: Http, door: Door, bridge: Database
) -> None:
    call = CallFacts(CallId("talk"), "138", "", "12345", datetime.now(UTC))
    await PostgresRecords(bridge).keep_call(call)
    wish = {"version": 0, "fields": {}}
    for unknown in ("talk", "nothing"):
        problem = await json_of(await http.post(f"/api/messages/{unknown}/confirm", json=wish), 404)
        assert problem["code"] == "message_unknown"
    assert (await http.get("/api/calls/talk/recording")).status == 404
    door.role = Role.ADMIN
    assert (await http.get("/api/messages")).status == 403
    assert (await http.post("/api/messages/talk/confirm", json=wish)).status == 403


async def test_experts_and_satisfaction_are_shown_to_those_who_may(http: Http, door: Door) -> None:
    (expert,) = (await json_of(await http.get("/api/experts?topic=物业&now")))["experts"]
    assert expert["unit"] == "市住建局"
    assert (await json_of(await http.get("/api/satisfaction?days=1")))["counts"]["1"] == 0
    door.role = Role.AGENT
    assert (await http.get("/api/satisfaction")).status == 403
    assert (await http.get("/api/return-calls")).status == 403
