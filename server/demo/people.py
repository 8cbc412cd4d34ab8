"""The telephones of the demo: where each person's phone is and what it knows."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from server.secrets_store import secrets_of
from server.settings import Settings
from telephony.phone import Phone, answer_after

CITIZEN_NAME = "王小明"
RING_S = 2.0
EXCHANGE_RING_S = 1.0


@dataclass(frozen=True, slots=True)
class People:
    """Everybody with a telephone."""

    citizen: Phone
    agent: Phone
    exchange: Phone
    """Answers for 110, 119, 120 and 122."""


@asynccontextmanager
async def people(settings: Settings, agent: str, caller_number: str) -> AsyncIterator[People]:
    """Plug the telephones in; the agent's is registered."""
    server = (settings.service_host, settings.ports.sip)
    secret = secrets_of(settings).read(f"sip-{agent}")
    exchange_host, _, exchange_port = settings.emergency_trunk.rpartition(":")
    async with AsyncExitStack() as phones:
        citizen = Phone(
            (settings.trunk_addresses[0], 0), server, caller_number, display_name=CITIZEN_NAME
        )
        desk = Phone((settings.service_host, 0), server, agent, password=secret)
        exchange = Phone((exchange_host, int(exchange_port)), server, "exchange")
        for phone in (citizen, desk, exchange):
            await phones.enter_async_context(phone)
        exchange.on_ring(answer_after(EXCHANGE_RING_S))
        desk.on_ring(answer_after(RING_S))
        await desk.register()
        yield People(citizen, desk, exchange)
