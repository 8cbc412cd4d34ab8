"""A signed-in agent's tokens, and a Valkey that a test may kill."""

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from base.database import Connection, Database
from base.ids import AgentId, UserId
from server.auth import Role, SignIn, User
from server.services.valkey import PrivateValkey
from tests.conftest import HOST, TestValkey, free_port
from tests.integration.server.push.parts import AGENTS, Bridge, WebProcess


@pytest.fixture
async def tokens(owner: Connection, web: Database) -> dict[str, str]:
    """Session tokens by agent; ``leader`` has the wall, ``admin`` no live page."""
    sign_in = SignIn(web)
    found = {}
    for name in (*AGENTS, "leader", "admin"):
        role = Role(name) if name in list(Role) else Role.AGENT
        agent = AgentId(name) if role is Role.AGENT else None
        user = User(
            id=UserId(str(uuid.uuid4())),
            username=f"user{name}",
            display_name=name,
            role=role,
            agent=agent,
        )
        await owner.execute(
            "INSERT INTO users (id, username, display_name, role, agent, password_hash)"
            " VALUES ($1, $2, $3, $4, $5, 'none')",
            user.id,
            user.username,
            user.display_name,
            user.role.value,
            agent,
        )
        found[name] = await sign_in.open_session(user)
    return found


@pytest.fixture
async def bridge(valkey: TestValkey, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bridge]:
    """One that takes no moment in which the machine was busy for an outage of Redis."""
    monkeypatch.setattr("server.live.publisher.WRITE_TIMEOUT_S", 10.0)
    async with Bridge(valkey.url) as running:
        yield running


@pytest.fixture
async def console(valkey: TestValkey, web: Database) -> AsyncIterator[WebProcess]:
    async with WebProcess(valkey.url, web) as running:
        yield running


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[TestValkey]:
    """One of this test alone, to be killed and started."""
    service = PrivateValkey(
        folder=tmp_path / "valkey",
        host=HOST,
        port=free_port(),
        password="x",
        log=tmp_path / "valkey.log",
    )
    service.start()
    yield TestValkey(service)
    service.stop()
