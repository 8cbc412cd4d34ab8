"""Whatever happens in whatever order, each browser ends with the bridge's view (invariant 4)."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import get_args

import pytest

from base.database import Database
from server.push.protocol import (
    AgentStateChanged,
    AgentStateName,
    CallOpened,
    DeskCleared,
    DeskEvent,
    DraftChanged,
    LineChanged,
    Links,
    LinksChanged,
    LinkState,
    PopShown,
    PopWithdrawn,
)
from tests.conftest import TestValkey
from tests.fakes import desk_samples as samples
from tests.integration.server.push.parts import AGENTS, Bridge, Browser, WebProcess

STEPS = 120
STATES: list[AgentStateName] = ["ready", "ringing", "talking"]
LINKS = [Links(telephony="up", speech=speech, database="up") for speech in get_args(LinkState)]
BROWSERS = 6


def random_event(chance: random.Random) -> DeskEvent:
    """Any kind of event, fitting or not."""
    number = chance.randrange(4)
    line = samples.line("citizen", number, "话" * chance.randrange(1, 9), float(number))
    makers: list[Callable[[], DeskEvent]] = [
        lambda: AgentStateChanged(me=samples.me(chance.choice(STATES))),
        lambda: PopShown(pop=samples.pop(f"ring-{number}")),
        lambda: PopWithdrawn(ring=f"ring-{number}", reason="no_answer"),
        lambda: CallOpened(call=samples.card(), draft=samples.empty_draft()),
        lambda: LineChanged(line=line),
        lambda: DraftChanged(draft=samples.full_draft(chance.randrange(20))),
        lambda: DeskCleared(call=samples.CALL),
        lambda: LinksChanged(links=chance.choice(LINKS)),
    ]
    return chance.choice(makers)()


@dataclass
class Stage:
    """Two web processes, one bridge, some browsers; each may go and come."""

    url: str
    database: Database
    tokens: dict[str, str]
    chance: random.Random
    bridge: Bridge
    consoles: list[WebProcess] = field(default_factory=list)
    browsers: dict[Browser, str] = field(default_factory=dict)
    lines: dict[Browser, contextlib.AsyncExitStack] = field(default_factory=dict)

    async def step(self) -> None:
        steps = {
            self.publish: 8,
            self.burst: 4,
            self.reconnect: 6,
            self.sleep: 3,
            self.restart_bridge: 1,
            self.restart_web: 1,
        }
        await self.chance.choices(list(steps), weights=list(steps.values()))[0]()

    async def publish(self) -> None:
        agent = self.chance.choice(AGENTS)
        await self.bridge.publish(random_event(self.chance), agent=agent)

    async def burst(self) -> None:
        events = [random_event(self.chance) for _ in range(self.chance.randrange(2, 40))]
        agent = self.chance.choice(AGENTS)
        await asyncio.gather(*(self.bridge.publish(event, agent=agent) for event in events))

    async def reconnect(self) -> None:
        browser = self.chance.choice(list(self.browsers))
        await self.hang_up(browser)
        line = self.lines[browser] = contextlib.AsyncExitStack()
        await line.enter_async_context(browser.at(self.chance.choice(self.consoles).url))

    async def sleep(self) -> None:
        await self.hang_up(self.chance.choice(list(self.browsers)))

    async def hang_up(self, browser: Browser) -> None:
        if line := self.lines.pop(browser, None):
            await line.aclose()

    async def restart_bridge(self) -> None:
        await self.bridge.__aexit__()
        self.bridge = await Bridge(self.url).__aenter__()

    async def restart_web(self) -> None:
        console = self.consoles.pop(self.chance.randrange(len(self.consoles)))
        await console.__aexit__()
        self.consoles.append(await WebProcess(self.url, self.database).__aenter__())

    async def end(self) -> None:
        for browser in list(self.lines):
            await self.hang_up(browser)
        for console in self.consoles:
            await console.__aexit__()
        await self.bridge.__aexit__()


@pytest.mark.parametrize("seed", range(6))
async def test_every_browser_ends_with_the_bridges_view(
    seed: int, valkey: TestValkey, web: Database, tokens: dict[str, str]
) -> None:
    chance = random.Random(seed)
    bridge = await Bridge(valkey.url).__aenter__()
    stage = Stage(valkey.url, web, tokens, chance, bridge)
    try:
        for _ in range(2):
            stage.consoles.append(await WebProcess(valkey.url, web).__aenter__())
        for number in range(BROWSERS):
            agent = AGENTS[number % 2]
            stage.browsers[Browser(tokens[agent])] = agent
        for _ in range(STEPS):
            await stage.step()
        for browser in stage.browsers:
            await stage.hang_up(browser)
            line = stage.lines[browser] = contextlib.AsyncExitStack()
            await line.enter_async_context(browser.at(chance.choice(stage.consoles).url))
        for browser, desk in stage.browsers.items():
            await browser.until_equal(stage.bridge, desk)
    finally:
        await stage.end()
