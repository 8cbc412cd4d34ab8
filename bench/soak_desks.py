"""The soak's agents at their consoles: each wants the next call as soon as the last is over.

They are the product's own web clients, so what they see is what people would see. Must never look
into the product by any other way.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import aiohttp

from server.demo.desk_client import DeskClient, DeskError
from server.push.protocol import DeskEvent, Links, PopShown
from tests.system.product import Product

LOOK_S = 0.1
AGAIN_S = 0.5
RESTING = ("wrap_up", "paused", "offline")
SIGN_INS_AT_ONCE = 4
LONG_AGO = datetime.min.replace(tzinfo=UTC)


class SoakDesks:
    """All desks, and what they have been shown."""

    def __init__(self) -> None:
        self.desks: list[DeskClient] = []
        self.last_pop_at = LONG_AGO
        """When the ring of the latest pop began."""
        self.pops: Counter[str] = Counter()
        """Ring → how often a desk was told of it; more than once is a fault."""
        self.names: Counter[str] = Counter()
        """Callers' names as the pops showed them."""

    def add(self, desk: DeskClient) -> None:
        def note(event: DeskEvent) -> None:
            desk.seen.clear()  # else it would grow for as long as the soak
            if isinstance(event, PopShown):
                self.pops[event.pop.ring] += 1
                self.names[event.pop.caller_name] += 1
                self.last_pop_at = max(self.last_pop_at, event.pop.rang_at)

        desk.on_event = note
        self.desks.append(desk)

    @property
    def pops_doubled(self) -> int:
        return sum(1 for times in self.pops.values() if times > 1)

    def links(self) -> list[Links]:
        """What every desk believes of the product's own links."""
        return [desk.view.links for desk in self.desks if desk.view is not None]

    def busy(self) -> int:
        """Desks that show a pop or a call that goes on."""
        views = [desk.view for desk in self.desks if desk.view is not None]
        return sum(1 for v in views if v.pop or (v.call is not None and v.call.ended_at is None))


async def keep_ready(desk: DeskClient) -> None:
    """Want calls for ever, whatever happens to the product meanwhile."""
    while True:
        view = desk.view
        if view is None or view.me.state not in RESTING or not view.me.phone_registered:
            await asyncio.sleep(LOOK_S)
            continue
        with contextlib.suppress(DeskError, aiohttp.ClientError, TimeoutError):
            await desk.ready()
        await asyncio.sleep(AGAIN_S)


@asynccontextmanager
async def soak_desks(product: Product, agents: Sequence[str]) -> AsyncIterator[SoakDesks]:
    """Sign everybody in and keep them at work."""
    it = SoakDesks()
    few = asyncio.Semaphore(SIGN_INS_AT_ONCE)

    async with AsyncExitStack() as stack:

        async def sign_in(agent: str) -> None:
            async with few:
                it.add(await stack.enter_async_context(product.desk(agent)))

        async with asyncio.TaskGroup() as tasks:
            for agent in agents:
                tasks.create_task(sign_in(agent))
        work = [asyncio.create_task(keep_ready(desk), name="ready") for desk in it.desks]
        try:
            yield it
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
