"""The ladder over HTTP, on a real PostgreSQL and Valkey: who may what, in which city."""

import asyncio
import hashlib
import io
import json
import subprocess
import zipfile
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from redis.asyncio import Redis

from base.database import Connection, Database
from base.errors import HotlineError
from base.ids import AgentId, CallId, UserId
from base.task_set import TaskSet
from routing.nuisance import StepKind, Wish
from rules.library import load_pack
from rules.values import Misuse
from server.auth import Role, User
from server.evidence import EvidenceMaker
from server.http.identity import Identity
from server.http.nuisance_routes import NuisanceRoutes
from server.http.problems import problems
from server.live.centre import CallIsEmergency
from server.live.commands import Command, CommandServer, EndByRules
from server.nuisance import NuisanceDesk
from server.nuisance_callers import NuisanceCallers
from server.records.postgres import PostgresRecords
from server.redis_client import connect_redis
from server.signing import PUBLIC, Signer
from server.suspensions import SuspensionBook
from tests.conftest import TestValkey

NUMBER, FIRST, SECOND = "13800000001", CallId("n-1"), CallId("n-2")


class Console:
    """The routes of one city, asked by whoever is named."""

    def __init__(
        self, client: TestClient[web.Request, web.Application], desk: NuisanceDesk
    ) -> None:
        self.client, self.desk = client, desk

    async def ask(self, who: str, method: str, path: str, **body: object) -> tuple[int, Any]:
        answer = await self.client.request(method, path, json=body or None, headers={"X-Who": who})
        is_file = answer.content_type == "application/zip"
        return answer.status, await (answer.read() if is_file else answer.json())

    async def step(self, call: str, step: str, misuse: str, reason: str = "") -> tuple[int, Any]:
        path = f"/api/calls/{call}/nuisance"
        return await self.ask("agent", "POST", path, step=step, misuse=misuse, reason=reason)


class ByHeader(Identity):
    """An identity that believes what it is told."""

    def __init__(self, users: dict[str, User]) -> None:
        self._users = users

    async def user(self, request: web.Request) -> User:
        return self._users[request.headers["X-Who"]]

    async def agent(self, request: web.Request) -> tuple[User, AgentId]:
        user = await self.user(request)
        assert user.agent is not None
        return user, user.agent


@pytest.fixture
async def users(owner: Connection) -> dict[str, User]:
    found = {}
    for name, role in (("agent", "agent"), ("leader", "leader"), ("other", "leader")):
        agent = "1001" if role == "agent" else None
        number = await owner.fetchval(
            "INSERT INTO users (id, username, display_name, role, agent, password_hash)"
            " VALUES (gen_random_uuid(), $1, $1, $2, $3, 'none') RETURNING id",
            name,
            role,
            agent,
        )
        found[name] = User(
            id=UserId(str(number)),
            username=name,
            display_name=name,
            role=Role(role),
            agent=AgentId(agent) if agent else None,
        )
    now = datetime.now(UTC)
    for call, ago in ((FIRST, 20), (SECOND, 5)):
        await owner.execute(
            "INSERT INTO calls (id, caller_number, agent, arrived_at, answered_at, ended_at,"
            " recording_path, recording_sha256) VALUES ($1, $2, '1001', $3, $3, $4, $5, $6)",
            call,
            NUMBER,
            now - timedelta(minutes=ago),
            now - timedelta(minutes=ago - 1),
            f"{call}.wav",
            hashlib.sha256(call.encode()).hexdigest(),
        )
    return found


@pytest.fixture
async def redis(valkey: TestValkey) -> AsyncIterator[Redis]:
    client = connect_redis(valkey.url)
    yield client
    await client.aclose()


@pytest.fixture
async def city(
    web_pool: Database, redis: Redis, users: dict[str, User], tmp_path: Path
) -> AsyncIterator[Callable[[str], Any]]:
    clients = []
    (tmp_path / "secrets").mkdir()
    (tmp_path / "recordings").mkdir()
    for call in (FIRST, SECOND):
        (tmp_path / "recordings" / f"{call}.wav").write_bytes(call.encode())

    async def make(name: str) -> Console:
        desk = NuisanceDesk(web_pool, load_pack(name))
        routes = NuisanceRoutes(
            ByHeader(users),
            redis,
            PostgresRecords(web_pool),
            desk,
            SuspensionBook(web_pool),
            EvidenceMaker(
                web_pool,
                desk,
                recordings=tmp_path / "recordings",
                work=tmp_path / "evidence",
                signer=Signer(tmp_path / "secrets", tmp_path),
                public_key=tmp_path / PUBLIC,
            ),
            NuisanceCallers(web_pool),
        )
        app = web.Application(middlewares=[problems])
        app.router.add_routes(routes.routes())
        client = TestClient(TestServer(app))
        await client.start_server()
        clients.append(client)
        return Console(client, desk)

    yield make
    for client in clients:
        await client.close()


@pytest.fixture
def web_pool(web: Database) -> Database:
    return web


async def go_on_after_warning(desk: NuisanceDesk, users: dict[str, User]) -> None:
    """A warning twenty minutes ago, and the same again five minutes ago."""
    now, by = datetime.now(UTC), users["agent"].id
    for kind, call, ago in ((StepKind.WARN, FIRST, 20), (StepKind.MARK, SECOND, 5)):
        wish = Wish(kind=kind, misuse=Misuse.REPEATED_USE, call=call, by=by)
        await desk.take(NUMBER, wish, reason="", at=now - timedelta(minutes=ago))


async def test_in_hangzhou_an_agent_proposes_and_another_leader_approves_and_lifts(
    city: Callable[[str], Any], users: dict[str, User]
) -> None:
    console: Console = await city("hangzhou_2024")
    status, refused = await console.step(FIRST, "propose", "repeated_use", "x")
    assert (status, refused["code"]) == (409, "nuisance_not_warned")
    status, warned = await console.step(FIRST, "warn", "harassment")
    assert status == 200
    assert warned["script"]
    assert warned["standing"] == "warned"
    await go_on_after_warning(console.desk, users)
    status, missing = await console.step(SECOND, "propose", "repeated_use", " ")
    assert (status, missing["code"]) == (422, "nuisance_reason_missing")
    status, card = await console.step(SECOND, "propose", "repeated_use", "多次无诉求来电")
    assert (status, card["standing"]) == (200, "proposed")
    assert card["use"]["calls"] == 1
    status, listed = await console.ask("leader", "GET", "/api/suspensions")
    (row,) = listed["suspensions"]
    path = f"/api/suspensions/{row['id']}"
    assert (listed["has_power"], listed["law"]["articles"]) == (True, ["29.1"])
    assert (row["caller_number"], row["standing"]) == ("138****0001", "proposed")
    assert (await console.ask("agent", "GET", "/api/suspensions"))[0] == 403
    assert (await console.ask("agent", "POST", path, step="approve", reason="x"))[0] == 403
    status, approved = await console.ask("leader", "POST", path, step="approve", reason="属实")
    assert status == 200
    assert approved["step"]["until"]
    assert approved["card"]["articles"] == ["29.1"]
    objected = await console.ask("other", "POST", path, step="object", reason="来信称系报修")
    assert objected[0] == 200
    assert (await console.ask("other", "POST", path, step="review", reason="维持"))[0] == 200
    assert (await console.ask("other", "POST", path, step="lift", reason="已说明"))[0] == 200
    status, again = await console.ask("other", "POST", path, step="lift", reason="再次")
    assert (status, again["code"]) == (409, "nuisance_step_illegal")
    (row,) = (await console.ask("leader", "GET", "/api/suspensions"))[1]["suspensions"]
    kinds = [step["kind"] for step in row["steps"]]
    assert kinds[-5:] == ["propose", "approve", "object", "review", "lift"]


async def test_marked_and_warned_numbers_are_masked_and_each_look_is_kept_with_its_reason(
    city: Callable[[str], Any], users: dict[str, User], owner: Connection
) -> None:
    console: Console = await city("jinan_2018")
    assert (await console.ask("leader", "GET", "/api/nuisance/callers"))[1] == {"callers": []}
    await go_on_after_warning(console.desk, users)
    assert (await console.ask("agent", "GET", "/api/nuisance/callers"))[0] == 403
    status, told = await console.ask("leader", "GET", "/api/nuisance/callers")
    assert status == 200
    assert NUMBER not in json.dumps(told)
    (caller,) = told["callers"]
    assert (caller["caller_number"], caller["standing"]) == ("138****0001", "warned")
    assert (caller["marks"], caller["warnings"], caller["call"]) == (1, 1, SECOND)
    path = f"/api/nuisance/callers/{caller['id']}/reveal"
    assert (await console.ask("agent", "POST", path, reason="看看"))[0] == 403
    status, refused = await console.ask("leader", "POST", path, reason=" ")
    assert (status, refused["code"]) == (422, "nuisance_reason_missing")
    status, seen = await console.ask("leader", "POST", path, reason="核对报警材料")
    assert (status, seen["caller_number"]) == (200, NUMBER)
    status, unknown = await console.ask(
        "leader", "POST", "/api/nuisance/callers/999/reveal", reason="x"
    )
    assert (status, unknown["code"]) == (404, "nuisance_caller_unknown")
    (caller,) = (await console.ask("other", "GET", "/api/nuisance/callers"))[1]["callers"]
    assert [(each["by"], each["reason"]) for each in caller["reveals"]] == [
        ("leader", "核对报警材料")
    ]
    with pytest.raises(asyncpg.PostgresError):
        await owner.execute("DELETE FROM number_reveals")


@pytest.mark.parametrize("name", ["jinan_2018", "taian_draft", "tongliao_2024"])
async def test_elsewhere_the_button_is_absent_and_the_request_refused_by_the_law(
    city: Callable[[str], Any], users: dict[str, User], name: str
) -> None:
    console: Console = await city(name)
    await go_on_after_warning(console.desk, users)
    status, card = await console.ask("agent", "GET", f"/api/calls/{SECOND}/nuisance")
    assert status == 200
    offered = {offer["step"] for offers in card["misuses"].values() for offer in offers}
    assert "propose" not in offered
    assert ("inform" in offered) is (name != "jinan_2018")
    status, refused = await console.step(SECOND, "propose", "repeated_use", "多次")
    assert (status, refused["code"]) == (409, "rule_not_given")
    status, listed = await console.ask("leader", "GET", "/api/suspensions")
    assert (status, listed["suspensions"], listed["has_power"]) == (200, [], False)
    assert listed["law"]["pack"] == name


async def test_ending_a_call_is_kept_only_if_the_bridge_does_it(
    city: Callable[[str], Any], redis: Redis
) -> None:
    console: Console = await city("hangzhou_2024")
    asked: list[Command] = []
    refusals: list[HotlineError] = [CallIsEmergency()]

    async def bridge(command: Command) -> object:
        asked.append(command)
        if refusals:
            raise refusals.pop()
        return None

    commands = CommandServer(redis, bridge)

    async def serve() -> None:
        while True:
            await commands.serve_once()

    tasks = TaskSet("bridge")
    tasks.spawn(serve(), name="commands")
    status, refused = await console.step(SECOND, "end_call", "harassment")
    assert (status, refused["code"], asked) == (409, "nuisance_not_warned", [])
    await console.step(SECOND, "warn", "harassment")
    status, refused = await console.step(SECOND, "end_call", "harassment")
    assert (status, refused["code"]) == (409, "nuisance_emergency")
    status, card = await console.step(SECOND, "end_call", "harassment")
    assert status == 200
    assert asked[-1] == EndByRules(agent="1001", call=SECOND)
    assert [step["kind"] for step in card["steps"]] == ["warn", "end_call"]
    await tasks.close()


@pytest.mark.requirement("R117", city="jinan_2018")
@pytest.mark.requirement("R117", city="taian_draft")
@pytest.mark.requirement("R117", city="hangzhou_2024")
@pytest.mark.parametrize(
    ("name", "place"),
    [("jinan_2018", "42"), ("taian_draft", "32"), ("hangzhou_2024", "29.3")],
)
async def test_evidence_for_the_police_is_one_file_that_anybody_can_check(
    city: Callable[[str], Any], users: dict[str, User], tmp_path: Path, name: str, place: str
) -> None:
    console: Console = await city(name)
    wish = {"misuse": "repeated_use", "is_illegal": True, "reason": "涉嫌扰乱单位秩序"}
    path = f"/api/calls/{SECOND}/evidence"
    await go_on_after_warning(console.desk, users)
    for number in range(2):  # Hangzhou: many times
        mark = Wish(
            kind=StepKind.MARK,
            misuse=Misuse.REPEATED_USE,
            call=CallId(f"m-{number}"),
            by=users["agent"].id,
        )
        await console.desk.take(NUMBER, mark, reason="", at=datetime.now(UTC))
    assert (await console.ask("agent", "POST", path, **wish))[0] == 403
    status, refused = await console.ask("leader", "POST", path, **{**wish, "is_illegal": False})
    assert (status, refused["code"]) == (409, "rule_not_given")
    status, content = await console.ask("leader", "POST", path, **wish)
    assert status == 200
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(tmp_path / "got")
    got = tmp_path / "got"
    manifest = json.loads((got / "manifest.json").read_text())["files"]
    assert set(manifest) == {
        "case.json",
        "calls.json",
        "steps.json",
        f"recordings/{FIRST}.wav",
        f"recordings/{SECOND}.wav",
    }
    for file, facts in manifest.items():
        assert hashlib.sha256((got / file).read_bytes()).hexdigest() == facts["sha256"]
    sound = manifest[f"recordings/{FIRST}.wav"]
    assert sound["sha256_after_call"] == sound["sha256"]
    assert json.loads((got / "case.json").read_text())["law"]["articles"] == [place]
    assert "script" in json.loads((got / "steps.json").read_text())[0]
    assert await is_signed(got)
    (got / "manifest.json").write_text("{}")
    assert not await is_signed(got)
    assert list((tmp_path / "evidence").iterdir()) == []
    kept = (await console.desk.steps(NUMBER))[-1]
    assert (kept.step.kind, kept.by_name) == (StepKind.EVIDENCE, "leader")


async def is_signed(folder: Path) -> bool:
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "public_key.pem", "-rawin"]
    command += ["-in", "manifest.json", "-sigfile", "manifest.sig"]
    done = await asyncio.to_thread(subprocess.run, command, cwd=folder, capture_output=True)
    return done.returncode == 0


async def test_tongliao_hands_nothing_to_the_police(
    city: Callable[[str], Any], users: dict[str, User]
) -> None:
    console: Console = await city("tongliao_2024")
    await go_on_after_warning(console.desk, users)
    status, refused = await console.ask(
        "leader",
        "POST",
        f"/api/calls/{SECOND}/evidence",
        misuse="repeated_use",
        is_illegal=True,
        reason="x",
    )
    assert (status, refused["code"]) == (409, "rule_not_given")
    assert [kept.step.kind for kept in await console.desk.steps(NUMBER)][-1] is StepKind.MARK
