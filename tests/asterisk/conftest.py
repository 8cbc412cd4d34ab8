"""One real Asterisk for the whole run; people around it are made anew for each test."""

import os
import re
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from telephony import process
from telephony.tree import AsteriskTree, ensure_tree
from tests.asterisk.manager import BareManager
from tests.asterisk.people import Admission, People
from tests.asterisk.switch import Switch, start_switch, until

REPOSITORY = Path(__file__).resolve().parents[2]
TOOLS = Path(os.environ.get("HOTLINE_TOOLS") or REPOSITORY / ".hotline" / "tools")


@pytest.fixture(scope="session")
def asterisk_tree() -> AsteriskTree:
    return ensure_tree(TOOLS / "asterisk")


@pytest.fixture(scope="session")
def asterisk(asterisk_tree: AsteriskTree) -> Iterator[Switch]:
    """The session's Asterisk: real, with its rendered configuration, torn down at the end."""
    with tempfile.TemporaryDirectory(prefix="hotline-switch-") as home:
        switch = start_switch(asterisk_tree, Path(home))
        yield switch
        process.stop(switch.config)


@pytest.fixture(autouse=True)
async def _nothing_is_left_behind(asterisk: Switch) -> AsyncIterator[None]:
    yield
    await until(
        lambda: not asterisk.channels(), timeout_s=10, why=f"channels left: {asterisk.channels()}"
    )
    # Who missed a ring stays paused; the next test begins with everybody ready.
    for paused in set(re.findall(r"\((PJSIP/\d+)\).*\(paused", asterisk.cli("queue show"))):
        asterisk.cli(f"queue unpause member {paused}")


@pytest.fixture
async def admission(asterisk: Switch) -> AsyncIterator[Admission]:
    """A willing product. Tests without this fixture run with the product dead."""
    server = Admission(asterisk.admission_port)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def people(asterisk: Switch) -> AsyncIterator[People]:
    async with AsyncExitStack() as stack:
        yield People(asterisk, stack)


@pytest.fixture
async def manager(asterisk: Switch) -> AsyncIterator[BareManager]:
    """Logged in as the product would be."""
    async with BareManager(asterisk.ami_port) as client:
        reply = await client.login(asterisk.secret)
        assert reply["Response"] == "Success"
        yield client
