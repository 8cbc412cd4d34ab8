"""Event mode over HTTP: the card and its news, what is about it, one answer for many (R030)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from base.database import Connection, Database
from tests.fakes.city import MARKET, WATER, centre, of_unit
from tests.fakes.work_order import MONDAY_10
from tests.fakes.work_order_http import AS, Asking
from tickets.facts import Actor, ActorRole

AGENT = centre(ActorRole.AGENT)
DEMAND = {
    "channel": "web",
    "type": "report",
    "demand": "大面积停水，何时恢复？",
    "caller_name": "王小明",
    "caller_number": "13800001234",
}
TEXT = "抢修已完成，预计十八时恢复供水。"


class Storm:
    """An event of the water works, and what is done about it."""

    def __init__(self, asking: Asking, number: int) -> None:
        self.asking = asking
        self.path, self.number = f"/api/events/{number}", number

    async def leader(
        self, method: str, path: str, said: object = None, key: str | None = None
    ) -> tuple[int, Any]:
        return await as_leader(self.asking, method, f"{self.path}{path}", said, key)

    async def answer(self, *tickets: str, text: str = TEXT, key: str | None = None) -> list[Any]:
        status, told = await self.leader("POST", "/answer", {"tickets": tickets, "text": text}, key)
        assert status == 200, told
        outcomes: list[Any] = told["outcomes"]
        return outcomes

    async def register(self, *, tagged_by: str = "ticket", **more: object) -> str:
        made = await self.asking.must(AGENT, "POST", "/api/work-orders", {**DEMAND, **more})
        if tagged_by:
            tag = made["number"] if tagged_by == "ticket" else more["call"]
            path = f"{self.path}/{tagged_by}s"
            await self.asking.must(AGENT, "POST", path, {tagged_by: tag})
        return str(made["number"])


async def as_leader(
    asking: Asking, method: str, path: str, said: object = None, key: str | None = None
) -> tuple[int, Any]:
    """The same person, who leads a team."""
    headers = {AS: f"leader|{AGENT.user}|", **({"Idempotency-Key": key} if key else {})}
    async with asking.http.request(method, path, json=said, headers=headers) as answer:
        read = await answer.read()
        return answer.status, msgspec.json.decode(read) if read else None


@pytest.fixture
def storm(
    asking: Callable[[str], Awaitable[Asking]],
) -> Callable[[str], Awaitable[Storm]]:
    async def of_city(city: str) -> Storm:
        made = await asking(city)
        made.clock.at = MONDAY_10
        card = {"title": "城东停水", "text": "主管道破裂", "unit": WATER}
        status, told = await as_leader(made, "POST", "/api/events", card)
        assert status == 201
        return Storm(made, told["event"])

    return of_city


async def entries(web: Database, number: str) -> list[Any]:
    rows = await web.fetch(
        "SELECT action, article, body FROM ledger WHERE ticket_id ="
        " (SELECT id FROM tickets WHERE number = $1) ORDER BY seq",
        number,
    )
    return [dict(row) for row in rows]


async def notices(web: Database) -> list[str]:
    rows = await web.fetch("SELECT payload FROM outbox WHERE channel = 'sms' ORDER BY id")
    return [
        row["payload"]["ticket"]
        for row in rows
        if row["payload"]["template"] == "event_answered"
        and row["payload"]["params"]["text"] == TEXT
    ]


@pytest.mark.requirement("R030")
@pytest.mark.parametrize(
    "city", ["jinan_2018", "jinan_draft_2018", "taian_draft", "hangzhou_2024", "tongliao_2024"]
)
async def test_tickets_of_an_event_get_one_text_each_by_its_own_move_entry_and_notice(
    city: str,
    storm: Callable[[str], Awaitable[Storm]],
    owner: Connection,
    web: Database,
) -> None:
    event = await storm(city)
    await owner.execute(
        "INSERT INTO calls (id, caller_number, arrived_at, agent)"
        " VALUES ('c-1', '13800001234', now(), '1001')"
    )
    called = await event.register(tagged_by="call", channel="phone", call="c-1")
    written = await event.register()
    nameless = await event.register(caller_name="", caller_number="")
    question = await event.register(type="consult")
    answered = {"move": "answer", "article": "供水-12", "article_version": "3", "text": "明早。"}
    path = f"/api/work-orders/{question}/moves"
    await event.asking.must(AGENT, "POST", path, answered)
    other = await event.register(tagged_by="")
    # The card: news by the unit that must give them, and the counts.
    news = f"{event.path}/updates"
    told = {"text": "抢修中，约十八时恢复"}
    assert (await event.asking.ask(of_unit(MARKET), "POST", news, told))[0] == 403
    assert (await event.asking.ask(of_unit(WATER), "POST", news, told))[0] == 204
    (card,) = (await event.asking.must(AGENT, "GET", "/api/events"))["events"]
    assert (card["calls"], card["callers"], card["tickets"]) == (1, 1, 4)
    assert [(each["text"], each["unit"]) for each in card["updates"]] == [(told["text"], WATER)]
    _, listed = await event.leader("GET", "/tickets")
    assert [each["number"] for each in listed["tickets"]] == [called, written, nameless, question]
    # One text for all: three at once with the same key are one answer.
    asked = (called, written, nameless, question, other)
    first, *again = await asyncio.gather(*(event.answer(*asked, key="k1") for _ in range(3)))
    assert [
        (each["ticket"], each["is_answered"], each["is_told"], each["code"]) for each in first
    ] == [
        (called, True, True, None),
        (written, True, True, None),
        (nameless, True, False, None),
        (question, False, False, "ticket_move_illegal"),
        (other, False, False, "event_ticket_unknown"),
    ]
    assert first[3]["params"]["state"] == "answered"
    assert again == [first, first]
    for number in (called, written, nameless):
        assert [entry["action"] for entry in await entries(web, number)] == [
            "registered",
            "answer_event",
        ]
    entry = (await entries(web, called))[-1]
    assert entry["body"]["said"]["event"] == event.number
    assert entry["body"]["said"]["text"] == TEXT
    assert entry["body"]["cards"][0]["rule"] == "intake.incident"
    assert await notices(web) == [called, written]
    # Another request answers nobody twice, and another text under the same key is refused.
    later = await event.answer(called, written)
    assert {each["code"] for each in later} == {"ticket_move_illegal"}
    (reused,) = await event.answer(called, text="另一段话", key="k1")
    assert reused["code"] == "idempotency_key_reused"
    assert await notices(web) == [called, written]


async def test_only_a_leader_answers_an_event_and_nobody_takes_the_move_by_itself(
    storm: Callable[[str], Awaitable[Storm]],
) -> None:
    event = await storm("jinan_2018")
    ticket = await event.register()
    wish = {"tickets": [ticket], "text": TEXT}
    supervisor: Actor = centre(ActorRole.SUPERVISOR, 5)
    for actor in (AGENT, supervisor, of_unit(WATER)):
        assert (await event.asking.ask(actor, "POST", f"{event.path}/answer", wish))[0] == 403
    move = {"move": "answer_event", "event": 1, "facts_at": MONDAY_10.isoformat(), "text": TEXT}
    status, told = await event.asking.ask(AGENT, "POST", f"/api/work-orders/{ticket}/moves", move)
    assert (status, told["code"]) == (403, "ticket_move_not_yours")
    status, told = await as_leader(
        event.asking, "POST", "/api/events/999/answer", {"tickets": [ticket], "text": TEXT}
    )
    assert (status, told["code"]) == (404, "event_unknown")
    for wrong in ({"tickets": [], "text": TEXT}, {"tickets": [ticket], "text": " "}):
        assert (await event.leader("POST", "/answer", wrong))[0] == 422
