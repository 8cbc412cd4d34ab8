"""Who may ask for figures and acts, and what is refused with which code."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web as aio
from aiohttp.test_utils import TestServer

from base.database import Connection, Database
from base.ids import AgentId, UserId
from server.accounts import AccountRefused, set_phone
from server.auth import Role, SignIn, User
from server.http.figure_routes import FigureRoutes
from server.http.identity import COOKIE, Identity
from server.http.problems import problems
from server.http.supervision_routes import SupervisionRoutes
from server.live.commands import Command, CommandServer, Supervise
from server.live.supervision import NoTalk
from server.records.supervision import Acts
from server.redis_client import connect_redis
from tests.conftest import TestValkey

HOUR = {"from": "2026-03-02T03:00:00Z", "to": "2026-03-02T12:00:00+08:00"}


class Console:
    """The two parts' routes, and a session for each role."""

    def __init__(self, url: str, tokens: dict[str, str]) -> None:
        self.url, self.tokens = url, tokens

    async def get(self, who: str, path: str, **query: str) -> tuple[int, object]:
        async with self._session(who) as session, session.get(path, params=query) as answer:
            is_json = "json" in answer.content_type
            return answer.status, await (answer.json() if is_json else answer.text())

    async def act(self, who: str, **wish: object) -> tuple[int, object]:
        asked = {"act": "pause", "agent": "1001", "reason": "带教", **wish}
        async with (
            self._session(who) as session,
            session.post("/api/supervision", json=asked) as answer,
        ):
            return answer.status, (await answer.json())["code"]

    def _session(self, who: str) -> aiohttp.ClientSession:
        jar = aiohttp.CookieJar(unsafe=True)
        cookies = {COOKIE: self.tokens.get(who, "x")}
        return aiohttp.ClientSession(self.url, cookies=cookies, cookie_jar=jar)


@pytest.fixture
async def console(owner: Connection, web: Database, valkey: TestValkey) -> AsyncIterator[Console]:
    sign_in, tokens = SignIn(web), {}
    for role in (Role.AGENT, Role.LEADER, Role.ADMIN):
        agent = AgentId("1001") if role is Role.AGENT else None
        user = User(
            id=UserId(str(uuid.uuid4())),
            username=f"user-{role.value}",
            display_name=role.value,
            role=role,
            agent=agent,
        )
        await owner.execute(
            "INSERT INTO users (id, username, display_name, role, agent, password_hash)"
            " VALUES ($1, $2, $3, $4, $5, 'none')",
            user.id,
            user.username,
            user.display_name,
            role.value,
            agent,
        )
        tokens[role.value] = await sign_in.open_session(user)
    redis, identity = connect_redis(valkey.url), Identity(sign_in)
    app = aio.Application(middlewares=[problems])
    app.router.add_routes(FigureRoutes(identity, web, {"hotline": "12345 热线"}).routes())
    acts = SupervisionRoutes(identity, redis, Acts(web), ("1900",), is_shown=True)
    app.router.add_routes(acts.routes())
    async with TestServer(app) as server:
        yield Console(str(server.make_url("/")), tokens)
    await redis.aclose()


async def test_only_a_leader_gets_figures_names_and_acts(console: Console) -> None:
    for path in ("/api/figures", "/api/figures.csv", "/api/staff"):
        assert (await console.get("nobody", path, **HOUR))[0] == 401
        for who in ("agent", "admin"):
            assert (await console.get(who, path, **HOUR))[0] == 403
        assert (await console.get("leader", path, **HOUR))[0] == 200
    for who in ("agent", "admin"):
        assert await console.act(who) == (403, "not_allowed")
    # An agent may read what was done to their own conversations, where the house shows it.
    assert await console.get("agent", "/api/supervision") == (200, {"acts": []})
    assert (await console.get("admin", "/api/supervision"))[0] == 403


async def test_the_report_carries_the_definition_of_each_figure(console: Console) -> None:
    _, told = await console.get("leader", "/api/figures", **HOUR)
    assert isinstance(told, dict)
    assert told["figures"]["start_at"] == "2026-03-02T03:00:00Z"
    assert told["figures"]["end_at"] == "2026-03-02T04:00:00Z"
    assert told["names"] == {"1001": "agent"}
    assert {each["code"] for each in told["measures"]["calls"]} == set(told["figures"]["total"])
    assert all(each["formula"] for each in told["measures"]["agent"])


@pytest.mark.parametrize(
    "query",
    [{}, {"from": "x", "to": "y"}, {"from": HOUR["to"], "to": HOUR["from"]},
     {"from": "2026-03-02T03:00:00", "to": "2026-03-02T04:00:00"},
     {"from": "2025-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}],
)  # fmt: skip
async def test_an_interval_that_is_none_is_refused(console: Console, query: dict[str, str]) -> None:
    status, problem = await console.get("leader", "/api/figures", **query)
    assert isinstance(problem, dict)
    assert (status, problem["code"]) == (422, "interval_unfit")


async def test_an_act_without_a_reason_or_with_a_phone_named_is_refused(console: Console) -> None:
    for reason in ("", "  ", "x" * 201):
        assert await console.act("leader", reason=reason) == (422, "body_invalid")
    assert await console.act("leader", act="shout") == (422, "body_invalid")
    assert await console.act("leader", phone="1900") == (422, "body_invalid")
    assert await console.act("leader") == (503, "bridge_unavailable")


async def test_a_leaders_own_phone_rings_and_no_other_can_be_named(
    console: Console, owner: Connection, valkey: TestValkey
) -> None:
    listen = {"act": "listen", "call": "c-1"}
    assert await console.act("leader", **listen) == (409, "supervision_phone_unknown")
    await set_phone(owner, "user-leader", "1977")  # no phone of this house
    assert await console.act("leader", **listen) == (409, "supervision_phone_unknown")
    await set_phone(owner, "user-leader", "1900")
    asked: list[Command] = []

    async def bridge(command: Command) -> object:
        asked.append(command)
        raise NoTalk(agent="1001")

    redis = connect_redis(valkey.url)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        served = tasks.create_task(CommandServer(redis, bridge).serve_once(5000))
        assert await console.act("leader", **listen) == (409, "supervision_no_talk")
        await served
    await redis.aclose()
    (command,) = asked
    assert isinstance(command, Supervise)
    assert (command.phone, command.call) == ("1900", "c-1")
    with pytest.raises(AccountRefused):
        await set_phone(owner, "user-agent", "1901")
