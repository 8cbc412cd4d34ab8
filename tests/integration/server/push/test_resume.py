"""A browser that slept misses nothing, and whoever it reconnects to (invariant 6)."""

import asyncio

import msgspec
import pytest

from base.database import Database
from server.live.publisher import MOST_UNSENT
from server.push.history import MOST_EVENTS
from server.push.protocol import Hello, LineChanged, Links, LinksChanged, PopShown, PopWithdrawn
from tests.conftest import TestValkey
from tests.fakes import desk_samples as samples
from tests.integration.server.push.parts import Bridge, Browser, WebProcess

UP = Links(telephony="up", speech="up", database="up")
DOWN = Links(telephony="up", speech="down", database="up")


def flips(count: int) -> list[LinksChanged]:
    """Events that each change something."""
    return [LinksChanged(links=DOWN if n % 2 else UP) for n in range(count)]


async def test_first_look_is_a_snapshot_and_then_every_event_comes(
    bridge: Bridge, console: WebProcess, tokens: dict[str, str]
) -> None:
    async with Browser(tokens["1001"]).at(console.url) as browser:
        await browser.until(lambda me: me.is_up_to_date, "the first look")
        assert browser.snapshots == 1
        await bridge.publish(PopShown(pop=samples.pop()), *flips(20))
        await browser.until(lambda me: len(me.events) == 21, "21 events")
        await browser.until_equal(bridge)
        assert browser.snapshots == 1


async def test_a_slept_browser_gets_exactly_what_it_missed_and_no_snapshot(
    bridge: Bridge, console: WebProcess, tokens: dict[str, str]
) -> None:
    browser = Browser(tokens["1001"])
    async with browser.at(console.url):
        await bridge.publish(*flips(5))
        await browser.until(lambda me: me.hello.seq == 5, "5 events")
    await bridge.publish(*flips(30))
    seen = len(browser.events)
    async with browser.at(console.url):
        await browser.until(lambda me: len(me.events) == seen + 30, "what it missed")
        await browser.until_equal(bridge)
        await browser.until(lambda me: me.is_up_to_date, "the end of it")
    assert browser.snapshots == 1


async def test_history_lost_gives_a_snapshot(
    bridge: Bridge, console: WebProcess, tokens: dict[str, str]
) -> None:
    browser = Browser(tokens["1001"])
    async with browser.at(console.url):
        await browser.until(lambda me: me.is_up_to_date, "the first look")
    async with Browser(tokens["1001"]).at(console.url) as awake:
        await awake.until(lambda me: me.is_up_to_date, "its first look")
        await bridge.publish(*flips(MOST_EVENTS + 50))
        await awake.until(lambda me: me.hello.seq == MOST_EVENTS + 50, "all of it")
    async with browser.at(console.url):
        await browser.until_equal(bridge)
    assert browser.snapshots == 2
    assert browser.events == []


async def test_more_than_a_snapshot_is_worth_is_not_replayed(
    bridge: Bridge, console: WebProcess, tokens: dict[str, str]
) -> None:
    browser = Browser(tokens["1001"])
    async with browser.at(console.url):
        await browser.until(lambda me: me.is_up_to_date, "the first look")
    pop = msgspec.structs.replace(samples.pop(), caller_name="名" * 20_000)
    async with Browser(tokens["1001"]).at(console.url) as awake:
        await awake.until(lambda me: me.is_up_to_date, "its first look")
        await bridge.publish(*(PopShown(pop=pop) for _ in range(30)))
        await awake.until_equal(bridge)
        await awake.until(lambda me: me.hello.seq == 30, "all that the other one misses")
    async with browser.at(console.url):
        await browser.until_equal(bridge)
        await browser.until(lambda me: me.is_up_to_date, "the end of it")
    assert browser.snapshots == 2


@pytest.mark.parametrize(
    "hello", [Hello(epoch="nobody's", seq=3), Hello(epoch=None, seq=3), Hello(epoch="e", seq=None)]
)
async def test_unknown_epoch_gives_a_snapshot(
    hello: Hello, bridge: Bridge, console: WebProcess, tokens: dict[str, str]
) -> None:
    async with Browser(tokens["1001"], hello=hello).at(console.url) as browser:
        await browser.until_equal(bridge)
        assert browser.snapshots == 1


@pytest.mark.parametrize("seq", [-1, 10**9, 10**30])
async def test_a_seq_from_nowhere_gives_a_snapshot_or_is_refused(
    seq: int, bridge: Bridge, console: WebProcess, tokens: dict[str, str]
) -> None:
    first = Browser(tokens["1001"])
    async with first.at(console.url):
        await first.until(lambda me: me.is_up_to_date, "the first look")
    second = Browser(tokens["1001"], hello=Hello(epoch=first.hello.epoch, seq=seq))
    async with second.at(console.url):
        await second.until_equal(bridge)


async def test_a_new_bridge_means_a_snapshot_for_the_browsers_that_stayed(
    valkey: TestValkey, console: WebProcess, tokens: dict[str, str]
) -> None:
    browser = Browser(tokens["1001"])
    async with browser.at(console.url):
        async with Bridge(valkey.url) as bridge:
            await bridge.publish(PopShown(pop=samples.pop()))
            await browser.until_equal(bridge)
        async with Bridge(valkey.url) as bridge:
            await browser.until_equal(bridge)
            await bridge.publish(*flips(3))
            await browser.until_equal(bridge)
            assert browser.view is not None
            assert browser.view.pop is None


async def test_a_ring_known_before_the_bridge_restarted_never_leaves_the_screen(
    valkey: TestValkey, console: WebProcess, tokens: dict[str, str]
) -> None:
    """The new bridge shows nothing until it has learned the calls: one ring, one card."""
    browser = Browser(tokens["1001"])
    async with browser.at(console.url):
        async with Bridge(valkey.url) as bridge:
            await bridge.publish(PopShown(pop=samples.pop("ring-7")))
            await browser.until(lambda me: me.view is not None and me.view.pop is not None, "a pop")
        shown, snapshots = len(browser.views), browser.snapshots
        async with Bridge(valkey.url, has_looked=False) as bridge:
            await asyncio.sleep(0.5)  # several ticks in which an empty desk could be published
            assert len(browser.views) == shown
            await bridge.publish(PopShown(pop=samples.pop("ring-7")), LinksChanged(links=UP))
            await browser.until(lambda me: me.snapshots > snapshots, "the new bridge's snapshot")
            await browser.until_equal(bridge)
            pops = [view.pop for view in browser.views[shown - 1 :]]
            assert {pop.ring for pop in pops if pop is not None} == {"ring-7"}
            assert None not in pops
            await bridge.publish(PopWithdrawn(ring="ring-7", reason="caller_left"))
            await browser.until_equal(bridge)


async def test_a_bridge_that_cannot_reach_asterisk_shows_its_desks_after_a_while(
    valkey: TestValkey, console: WebProcess, tokens: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.live.publisher.FIRST_LOOK_TIMEOUT_S", 0.3)
    async with (
        Browser(tokens["1001"]).at(console.url) as browser,
        Bridge(valkey.url, has_looked=False) as bridge,
    ):
        await browser.until_equal(bridge)


async def test_two_windows_of_one_agent_both_get_everything(
    bridge: Bridge, console: WebProcess, tokens: dict[str, str]
) -> None:
    one, two, other = (Browser(tokens[agent]) for agent in ("1001", "1001", "1002"))
    async with one.at(console.url), two.at(console.url), other.at(console.url):
        for browser in (one, two, other):
            await browser.until(lambda me: me.is_up_to_date, "the first look")
        await bridge.publish(*flips(10))
        for browser in (one, two):
            await browser.until(lambda me: len(me.events) == 10, "all events")
        await other.until_equal(bridge, "1002")
        assert other.events == []


async def test_events_published_at_the_same_moment_keep_their_order(
    bridge: Bridge, console: WebProcess, tokens: dict[str, str]
) -> None:
    lines = [samples.line("citizen", n, "话", float(n)) for n in range(50)]
    async with Browser(tokens["1001"]).at(console.url) as browser:
        await browser.until(lambda me: me.is_up_to_date, "the first look")
        await asyncio.gather(*(bridge.publish(LineChanged(line=line)) for line in lines))
        await browser.until(lambda me: len(me.events) == 50, "50 events")
        assert browser.events == [LineChanged(line=line) for line in lines]
        assert browser.snapshots == 1


async def test_a_long_burst_is_sent_in_parts_and_each_part_is_whole(
    bridge: Bridge, console: WebProcess, tokens: dict[str, str]
) -> None:
    async with Browser(tokens["1001"]).at(console.url) as browser:
        await browser.until(lambda me: me.is_up_to_date, "the first look")
        events = flips(3 * MOST_UNSENT // 2)
        await bridge.publish(*events[:MOST_UNSENT])  # nothing in it waits: the loop has no turn
        assert bridge.publisher.unsent == MOST_UNSENT
        await bridge.publish(*events[MOST_UNSENT:])
        assert bridge.publisher.unsent == MOST_UNSENT // 2
        await browser.until(lambda me: len(me.events) == len(events), "every event")
        await browser.until_equal(bridge)
        assert browser.snapshots == 1
    async with Browser(tokens["1001"]).at(console.url) as late:
        await late.until_equal(bridge)


async def test_a_web_process_that_starts_late_resumes_a_browser_of_another(
    bridge: Bridge,
    console: WebProcess,
    tokens: dict[str, str],
    valkey: TestValkey,
    web: Database,
) -> None:
    browser = Browser(tokens["1001"])
    async with browser.at(console.url):
        await bridge.publish(*flips(4))
        await browser.until(lambda me: me.hello.seq == 4, "4 events")
    await bridge.publish(*flips(6))
    async with WebProcess(valkey.url, web) as second:
        async with asyncio.timeout(5):
            while not second.hub.is_fed:  # noqa: ASYNC110 - it has read the stream by then
                await asyncio.sleep(0.01)
        async with browser.at(second.url):
            await browser.until(lambda me: me.hello.seq == 10, "what it missed")
            await browser.until_equal(bridge)
    assert browser.snapshots == 1
