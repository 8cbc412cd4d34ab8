"""Two real web processes, one of them killed: its browsers go on at the other."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest

from server.connections import redis_url
from server.push.protocol import Links, LinksChanged, PopShown
from server.settings import Settings
from tests.conftest import HOST, free_port
from tests.fakes import desk_samples as samples
from tests.integration.server.push.parts import Bridge, Browser

DOWN = Links(telephony="up", speech="down", database="up")
STARTED_WITHIN_S = 20.0


@dataclass
class Role:
    """A web role in a process of its own."""

    url: str
    process: "subprocess.Popen[bytes]"


@asynccontextmanager
async def web_role(settings: Settings) -> AsyncIterator[Role]:
    """Start one on a free port, over the test's own database and Valkey."""
    port = free_port()
    process = _start(settings, port)
    try:
        role = Role(f"http://{HOST}:{port}", process)
        await _until_it_answers(role)
        yield role
    finally:
        process.kill()
        process.wait(5)


def _start(settings: Settings, port: int) -> "subprocess.Popen[bytes]":
    assert settings.database_url is not None
    assert settings.redis_url is not None
    return subprocess.Popen(
        [sys.executable, "-m", "server.cli", "role", "web"],
        env={
            "PATH": os.environ["PATH"],
            "HOTLINE_HOME": str(settings.home),
            "HOTLINE_DATABASE_URL": settings.database_url,
            "HOTLINE_REDIS_URL": settings.redis_url,
            "HOTLINE_PORT_HTTP": str(port),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


async def _until_it_answers(role: Role) -> None:
    async with asyncio.timeout(STARTED_WITHIN_S), aiohttp.ClientSession() as session:
        while role.process.poll() is None:
            try:
                async with session.get(f"{role.url}/health") as answer:
                    assert answer.status == 200
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)
    raise AssertionError("the web role ended at its start")


@pytest.mark.timeout(90)
async def test_browsers_of_a_killed_web_process_resume_at_another(
    settings: Settings, tokens: dict[str, str]
) -> None:
    async with (
        Bridge(redis_url(settings)) as bridge,
        web_role(settings) as first,
        web_role(settings) as second,
    ):
        browsers = [Browser(tokens["1001"]) for _ in range(4)]
        async with browsers[3].at(second.url) as stays:
            async with AsyncExitStack() as lines:
                for browser in browsers[:3]:
                    await lines.enter_async_context(browser.at(first.url))
                    await browser.until(lambda me: me.is_up_to_date, "the first look")
                first.process.kill()
            await bridge.publish(PopShown(pop=samples.pop()), LinksChanged(links=DOWN))
            await stays.until_equal(bridge)
            for browser in browsers[:3]:
                async with browser.at(second.url):
                    await browser.until_equal(bridge)
                    await browser.until(lambda me: me.is_up_to_date, "the end of it")
                assert browser.snapshots == 1
                assert len(browser.events) == 2
