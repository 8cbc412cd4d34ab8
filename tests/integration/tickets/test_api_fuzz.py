"""Any request that fits the API's document, as each role: no 5xx, no answer against the document.

schemathesis makes the requests from ``/api/openapi.json`` and judges the answers. Few of each here;
``./hotline soak api --inputs N`` makes N of each operation and role.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import (
    CHECKS,
    CheckFunction,
    load_all_checks,
)
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok

from base.database import Database
from base.ids import CallId, UnitId
from server.live.records import CallFacts
from server.records.postgres import PostgresRecords
from server.records.return_calls import ReturnCalls
from telephony.marks import Mark, MarkKind
from tests.fakes.city import LIXIA, MARKET, WATER, centre, of_unit
from tests.fakes.work_order import CALLER, HEAD, MONDAY_10, SUPERVISOR, WorkOrders
from tests.fakes.work_order_http import AS, Asking, HttpBackend
from tickets.facts import Actor, ActorRole

Ask = Callable[[str], Awaitable[Asking]]
EXAMPLES = int(os.environ.get("API_EXAMPLES", "2"))
"""Of each operation and role."""
SEED = int(os.environ.get("API_SEED", "12345"))
SECONDS = 60.0 + EXAMPLES * 30.0
WANTED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
ASKERS: Mapping[str, Actor] = {
    "agent": centre(ActorRole.AGENT),
    "dispatcher": centre(ActorRole.DISPATCHER),
    "reviewer": centre(ActorRole.REVIEWER, 2),
    "follow_up": centre(ActorRole.FOLLOW_UP, 3),
    "head": HEAD,
    "supervisor": SUPERVISOR,
    "unit": of_unit(WATER),
    "county": of_unit(LIXIA),
    "caller": CALLER,
}


LEFT = CallId("night")
"""The call in which somebody left a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is really there: most requests are about it, else all would end at "not found"."""

    numbers: list[str]
    codes: Mapping[str, str]
    assignments: list[str]
    units: list[UnitId]
    of_path: Mapping[str, str]
    """What else stands in addresses."""


async def lived(asking: Asking, bridge: Database) -> Known:
    """Tickets in the states that most moves begin at, an event, a message."""

    async def started() -> Asking:
        return asking

    backend = HttpBackend(started)
    orders = WorkOrders(backend, "jinan_2018", MONDAY_10)
    made = [await orders.register() for _ in range(6)]
    await made[1].check()
    await made[2].to_units(WATER)
    await made[3].to_units(LIXIA)
    await made[3].sign(LIXIA)
    await made[4].to_units(WATER)
    await made[4].handle(WATER)
    await made[5].to_follow_up(WATER)
    card = {"title": "城东停水", "unit": WATER}
    async with asking.http.post("/api/events", json=card, headers=await leads(asking)) as answer:
        event = (await answer.json())["event"]
    await leave_message(bridge)
    return Known(
        numbers=[order.facts.number for order in made],
        codes=dict(backend.codes),
        assignments=[each.id for order in made for each in order.facts.assignments],
        units=[WATER, LIXIA, MARKET],
        of_path={"event": str(event), "call": LEFT},
    )


async def leads(asking: Asking) -> dict[str, str]:
    """The headers of the leader of a team."""
    agent = ASKERS["agent"]
    return {**await asking.signed_in(agent), AS: f"leader|{agent.user}|"}


async def leave_message(bridge: Database) -> None:
    now = datetime.now(UTC)
    await PostgresRecords(bridge).keep_call(CallFacts(LEFT, "13800000007", "", "12345", now))
    await ReturnCalls(bridge).keep_marks([Mark(LEFT, MarkKind.VOICEMAIL, "", now)])


def fitted(value: Any, known: Known, chance: random.Random) -> Any:
    """A body with ids of what is there in place of most made-up ones."""
    if isinstance(value, list):
        return [fitted(each, known, chance) for each in value]
    if not isinstance(value, dict):
        return value
    made = {name: fitted(each, known, chance) for name, each in value.items()}
    for name, there in (("assignment", known.assignments), ("unit", known.units)):
        if isinstance(made.get(name), str) and chance.random() < 0.8:
            made[name] = chance.choice(there)
    return made


def fuzz(
    document: dict[str, Any],
    address: str,
    headers: Mapping[str, str],
    known: Known,
    statuses: Counter[int],
) -> list[str]:
    """Ask as one; what was wrong with the answers. Runs beside the loop that answers."""
    chance = random.Random(SEED)
    load_all_checks()
    checks = cast(list[CheckFunction], CHECKS.get_by_names(WANTED))
    faults: list[str] = []

    def ask(case: schemathesis.Case[Any]) -> None:
        if "number" in case.path_parameters and chance.random() < 0.9:
            number = chance.choice(known.numbers)
            case.path_parameters["number"] = number
            if "citizen" in case.path:
                case.headers["X-Code"] = known.codes[number]
        for name, there in known.of_path.items():
            if name in case.path_parameters and chance.random() < 0.9:
                case.path_parameters[name] = there
        case.body = fitted(case.body, known, chance)
        try:
            answer = case.call(base_url=address, session=session, headers=dict(headers))
            statuses[answer.status_code] += 1
            case.validate_response(answer, checks=checks)
        except (FailureGroup, Failure) as error:
            faults.append(str(error))

    few = settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    with requests.Session() as session:
        for found in schemathesis.openapi.from_dict(document).get_all_operations():
            assert isinstance(found, Ok)
            seed(SEED)(few(given(case=found.ok().as_strategy())(ask)))()
    return faults


@pytest.mark.timeout(SECONDS)
async def test_no_request_that_fits_the_document_is_answered_against_it(
    asking: Ask, bridge: Database
) -> None:
    jinan = await asking("jinan_2018")
    known = await lived(jinan, bridge)
    document = await jinan.must(centre(ActorRole.AGENT), "GET", "/api/openapi.json")
    for each in document["paths"].values():
        for operation in each.values():
            del operation["responses"]["default"]  # what is not named is a fault here
    address = str(jinan.http.make_url("")).rstrip("/")
    faults: list[str] = []
    statuses: Counter[int] = Counter()
    askers = {
        who: {} if actor is CALLER else await jinan.signed_in(actor)
        for who, actor in ASKERS.items()
    }
    askers["leader"] = await leads(jinan)
    for who, headers in askers.items():
        found = await asyncio.to_thread(fuzz, document, address, headers, known, statuses)
        faults += [f"{who}: {fault}" for fault in found]
    print(dict(statuses))
    assert faults == []
    assert {200, 404, 409, 422} <= statuses.keys()
    page = document["components"]["schemas"]["Page"]
    page["required"] = [*page["required"], "what_no_page_has"]
    headers = await jinan.signed_in(ASKERS["dispatcher"])
    [first, *_] = await asyncio.to_thread(fuzz, document, address, headers, known, statuses)
    assert "what_no_page_has" in first
