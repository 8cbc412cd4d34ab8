"""What is locked away from somebody shows by no way round: list, search, fault, reveal or move.

A complaint about staff is never seen by the one it names, whatever their part; a retaliation report
is supervision's alone. The same questions are asked about it and about a number that is not there.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

import pytest

from tests.fakes.city import HOUSING, MARKET, centre, of_unit
from tests.fakes.work_order import HEAD, MONDAY_10, SUPERVISOR, WorkOrder, WorkOrders
from tests.fakes.work_order_http import Asking
from tickets import moves as m
from tickets.facts import Actor, ActorRole
from tickets.ticket import Lane, TicketType

Ask = Callable[[str], Awaitable[Asking]]
Hotline = Callable[[str], WorkOrders]
JINAN = "jinan_2018"
ORDERS = "/api/work-orders"
NOBODYS = "20200101-000001"
NAMED = centre(ActorRole.SUPERVISOR, 8)
"""Supervises, and is complained of."""
WORDS = "收受红包"


@pytest.fixture
async def http(asking: Ask) -> Asking:
    http = await asking(JINAN)
    http.clock.at = MONDAY_10
    return http


@pytest.fixture
async def complaint(hotline: Hotline) -> WorkOrder:
    """About ``NAMED``."""
    return await hotline(JINAN).register(
        type=TicketType.COMPLAIN, lane=Lane.STAFF_COMPLAINT, staff="person8", title=WORDS
    )


@pytest.fixture
async def retaliation(hotline: Hotline) -> WorkOrder:
    return await hotline(JINAN).register(type=TicketType.REPORT, lane=Lane.RETALIATION, title=WORDS)


async def answers(http: Asking, by: Actor, number: str) -> list[tuple[int, object]]:
    """What everything says that one can ask about a ticket by its number."""
    path = f"{ORDERS}/{number}"
    remark = {"move": "amend", "reason": "x"}
    return [
        await http.ask(by, "GET", path),
        await http.ask(by, "GET", f"{path}/accesses"),
        await http.ask(by, "GET", f"{path}/proposals"),
        await http.ask(by, "GET", f"{path}/similar"),
        await http.ask(by, "POST", f"{path}/reveal", {"reason": "好奇"}),
        await http.ask(by, "POST", f"{path}/moves", remark),
        await http.ask(by, "POST", f"{path}/moves", remark, If_Match='"9"'),
    ]


async def listed(http: Asking, by: Actor, query: str) -> object:
    return await http.must(by, "GET", f"{ORDERS}?{query}")


async def test_whoever_is_complained_of_is_told_of_it_what_is_told_of_no_ticket(
    http: Asking, complaint: WorkOrder
) -> None:
    about = await answers(http, NAMED, complaint.facts.number)
    assert about == await answers(http, NAMED, NOBODYS)
    assert (await http.ask(SUPERVISOR, "GET", f"{ORDERS}/{complaint.facts.number}"))[0] == 200


async def test_the_head_is_told_of_a_retaliation_report_what_is_told_of_no_ticket(
    http: Asking, retaliation: WorkOrder
) -> None:
    about = await answers(http, HEAD, retaliation.facts.number)
    assert about == await answers(http, HEAD, NOBODYS)


@pytest.mark.parametrize(
    "query", ["limit=1", f"words={quote(WORDS)}&limit=1", "type=complain&limit=1"]
)
async def test_no_list_and_no_search_holds_the_place_of_what_is_hidden(
    query: str, http: Asking, complaint: WorkOrder
) -> None:
    assert await listed(http, NAMED, query) == {"items": [], "next": None}
    seen = await http.must(SUPERVISOR, "GET", f"{ORDERS}?{query}")
    assert [each["number"] for each in seen["items"]] == [complaint.facts.number]


async def test_the_heads_list_holds_no_place_of_a_retaliation_report_and_their_complaints(
    http: Asking, complaint: WorkOrder, retaliation: WorkOrder
) -> None:
    for query in ("limit=1", f"words={quote(WORDS)}&limit=1", f"words={retaliation.facts.number}"):
        page = await http.must(HEAD, "GET", f"{ORDERS}?{query}")
        numbers = [each["number"] for each in page["items"]]
        assert retaliation.facts.number not in [*numbers, page["next"]]
        assert numbers == [complaint.facts.number] or "words=2" in query


async def test_a_complaint_is_no_evidence_for_whom_it_is_about(
    http: Asking, complaint: WorkOrder
) -> None:
    path = "/api/faults/attitude"
    http.clock.at = MONDAY_10.replace(hour=9)
    found = await http.must(SUPERVISOR, "GET", path)
    assert [each["number"] for each in found] == [complaint.facts.number]
    assert await http.must(NAMED, "GET", path) == []


async def test_a_supervisor_can_step_back_from_a_locked_ticket(
    http: Asking, complaint: WorkOrder
) -> None:
    also = centre(ActorRole.SUPERVISOR, 7)
    facts = await complaint.do(m.Recuse(users=[also.user], interest="亲属"), also)
    assert also.user in facts.recused_users
    about = await answers(http, also, complaint.facts.number)
    assert about == await answers(http, also, NOBODYS)


async def test_the_accused_unit_is_not_told_that_its_version_is_an_old_one(
    http: Asking, hotline: Hotline
) -> None:
    order = await hotline(JINAN).register(type=TicketType.REPORT, accused_units=[HOUSING])
    await order.to_units(MARKET)
    sign, them = {"move": "sign"}, of_unit(HOUSING)
    for version in ('"1"', '"99"'):
        about, nobodys = [
            await http.ask(them, "POST", f"{ORDERS}/{each}/moves", sign, If_Match=version)
            for each in (order.facts.number, NOBODYS)
        ]
        assert about == nobodys
        assert about[0] == 404
