"""Redis or the bridge away under connected browsers: they are told, and are right again after."""

import asyncio
import os
import signal
import time

import psutil
import pytest

from base.database import Database
from server.live import publisher
from server.live.publisher import PUSH_STREAM
from server.push.hub import FEED_DEAD_AFTER_S
from server.push.protocol import Links, LinksChanged, PopShown
from server.services.port_check import is_free
from server.services.valkey import PrivateValkey
from server.streams import RedisValue, append
from tests.conftest import TestValkey
from tests.fakes import desk_samples as samples
from tests.integration.server.push import parts
from tests.integration.server.push.parts import Bridge, Browser, WebProcess

UP = Links(telephony="up", speech="up", database="up")
DOWN = Links(telephony="up", speech="down", database="up")


def send_signal(service: PrivateValkey, number: signal.Signals) -> None:
    pid = service.pid()
    assert pid is not None
    os.kill(pid, number)


def kill(service: PrivateValkey) -> None:
    pid = service.pid()
    assert pid is not None
    process = psutil.Process(pid)
    process.kill()
    process.wait(5)
    (service.folder / "valkey.pid").unlink()
    until_mono = time.monotonic() + 5
    while not is_free(service.host, service.port) and time.monotonic() < until_mono:
        time.sleep(0.01)


async def test_redis_killed_pauses_pushes_and_its_return_gives_a_snapshot(
    own_valkey: TestValkey, web: Database, tokens: dict[str, str]
) -> None:
    async with (
        Bridge(own_valkey.url) as bridge,
        WebProcess(own_valkey.url, web) as console,
        Browser(tokens["1001"]).at(console.url) as browser,
    ):
        await browser.until_equal(bridge)
        kill(own_valkey.service)
        await bridge.publish(PopShown(pop=samples.pop()))
        await browser.until(lambda me: me.is_paused, "the pause")
        assert browser.view is not None
        assert browser.view.pop is None
        await asyncio.to_thread(own_valkey.service.start)
        await browser.until(lambda me: me.view is not None and me.view.pop is not None, "the pop")
        await browser.until(lambda me: me.is_up_to_date and not me.is_paused, "a beat")
        await bridge.publish(LinksChanged(links=DOWN))
        await browser.until_equal(bridge)


async def test_redis_restarted_between_two_events_is_noticed_though_no_write_failed(
    own_valkey: TestValkey, web: Database, tokens: dict[str, str]
) -> None:
    """An agent whose desk stands still must find a snapshot in the emptied Redis."""
    async with Bridge(own_valkey.url) as bridge:
        kill(own_valkey.service)
        own_valkey.service.start()  # blocks the loop: the bridge sees nothing of the outage
        async with (
            WebProcess(own_valkey.url, web) as console,
            Browser(tokens["1002"]).at(console.url) as browser,
        ):
            await browser.until_equal(bridge, "1002")


async def test_an_emptied_redis_is_noticed_though_it_runs_on(
    own_valkey: TestValkey, web: Database, tokens: dict[str, str]
) -> None:
    async with Bridge(own_valkey.url) as bridge:
        await bridge.publish(PopShown(pop=samples.pop()))
        await bridge.redis.flushall()
        async with (
            WebProcess(own_valkey.url, web) as console,
            Browser(tokens["1001"]).at(console.url) as browser,
        ):
            await browser.until_equal(bridge)


async def test_an_emptied_redis_is_noticed_also_by_a_bridge_that_looks_late(
    own_valkey: TestValkey, web: Database, tokens: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sign of life may have run out meanwhile, and an event may have come."""
    monkeypatch.setattr(parts, "TICK_S", 1.5)
    monkeypatch.setattr(publisher, "ALIVE_EXPIRY_S", 1)
    async with Bridge(own_valkey.url) as bridge:
        await asyncio.sleep(0.3)  # it has just looked: the next time is late
        await bridge.redis.flushall()
        await bridge.publish(PopShown(pop=samples.pop()))
        async with (
            WebProcess(own_valkey.url, web) as console,
            Browser(tokens["1002"]).at(console.url) as browser,
        ):
            await browser.until_equal(bridge, "1002")


async def test_a_frozen_redis_holds_the_bridge_up_for_a_bounded_time(
    own_valkey: TestValkey, web: Database, tokens: dict[str, str]
) -> None:
    async with (
        Bridge(own_valkey.url) as bridge,
        WebProcess(own_valkey.url, web) as console,
        Browser(tokens["1001"]).at(console.url) as browser,
    ):
        await browser.until_equal(bridge)
        send_signal(own_valkey.service, signal.SIGSTOP)
        try:
            began_mono = asyncio.get_running_loop().time()
            for _ in range(3):
                await bridge.publish(PopShown(pop=samples.pop()))
            assert asyncio.get_running_loop().time() - began_mono < 5.0
            await browser.until(lambda me: me.is_paused, "the pause")
        finally:
            send_signal(own_valkey.service, signal.SIGCONT)
        await browser.until_equal(bridge)
        await browser.until(lambda me: not me.is_paused, "a beat")


async def test_a_dead_bridge_is_told_and_a_new_one_ends_the_pause(
    valkey: TestValkey, console: WebProcess, tokens: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.live.publisher.ALIVE_EXPIRY_S", 1)
    browser = Browser(tokens["1001"])
    async with browser.at(console.url):
        async with Bridge(valkey.url) as bridge:
            await browser.until_equal(bridge)
            await browser.until(lambda me: me.is_up_to_date and not me.is_paused, "a beat")
        await browser.until(lambda me: me.is_paused, "the pause", timeout_s=FEED_DEAD_AFTER_S + 10)
        async with Browser(tokens["1001"]).at(console.url) as newcomer:
            await newcomer.until(lambda me: me.is_paused, "its pause at once")
            assert newcomer.view is not None
        async with Bridge(valkey.url) as bridge:
            await browser.until(lambda me: not me.is_paused, "a beat")
            await browser.until_equal(bridge)


async def test_a_browser_that_leaves_while_nothing_can_be_had_leaves_nothing_behind(
    valkey: TestValkey, console: WebProcess, tokens: dict[str, str]
) -> None:
    for _ in range(5):
        async with Browser(tokens["1001"]).connection(console.url):
            pass
    async with asyncio.timeout(5):
        while len(console.hub) or len(console.hub._tasks):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_late_write_of_a_former_epoch_costs_one_snapshot_and_not_one_after_another(
    bridge: Bridge, console: WebProcess, tokens: dict[str, str]
) -> None:
    """What a frozen Redis was sent before we gave up waiting is carried out when it goes on."""
    async with Browser(tokens["1001"]).at(console.url) as browser:
        await browser.until(lambda me: me.is_up_to_date, "the first look")
        late: dict[str, RedisValue] = {
            "scope": "agent:1001",
            "e": "former",
            "s": 7,
            "m": b'{"type":"late"}',
        }
        await append(console.redis, PUSH_STREAM, late, most=100)
        for links in (DOWN, UP) * 5:
            await bridge.publish(LinksChanged(links=links))
            await browser.until_equal(bridge)
        assert browser.snapshots <= 3
