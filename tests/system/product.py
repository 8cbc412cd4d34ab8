"""The whole product as one installation of its own, and what can be done to it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from server.commands.up import console_address, start_detached, wait_until_healthy
from server.demo.desk_client import DeskClient
from server.installation import Installation
from server.processes import running, stop_roles
from server.secrets_store import secrets_of
from server.settings import Settings
from telephony import process
from telephony.phone import Phone, answer_after

ROLES = ("bridge", "speech", "web")


@dataclass
class Product:
    """Services and roles of one installation; the services outlive the roles."""

    settings: Settings
    installation: Installation

    @property
    def url(self) -> str:
        return console_address(self.settings)

    def start_roles(self) -> None:
        start_detached(self.settings)
        wait_until_healthy(self.settings)

    def kill(self) -> None:
        """kill -9 of the supervisor and every role, as nobody would do kindly."""
        for name in ("supervisor", *ROLES):
            identity = running(self.settings, name)
            if identity is not None:
                os.kill(identity.pid, signal.SIGKILL)

    def stop_roles(self) -> None:
        if supervisor := running(self.settings, "supervisor"):
            supervisor.stop(grace_s=15)
        stop_roles(self.settings)

    def channels(self) -> list[str]:
        """Asterisk's live channels."""
        from server.services.asterisk import asterisk_config
        from telephony.tree import ensure_tree

        config = asterisk_config(self.settings, ensure_tree(self.settings.tools / "asterisk"))
        listing = process.cli(config, "core show channels concise")
        return [line for line in listing.splitlines() if "!" in line]

    def desk(self, agent: str = "1001") -> DeskClient:
        """An agent at their console."""
        username = f"agent{agent}"
        return DeskClient(self.url, username, secrets_of(self.settings).read(f"user-{username}"))

    @asynccontextmanager
    async def phones(self, *agents: str, ring_s: float = 1.0) -> AsyncIterator[dict[str, Phone]]:
        """Registered desk phones that ring a little and answer."""
        server = (self.settings.service_host, self.settings.ports.sip)
        secrets = secrets_of(self.settings)
        async with AsyncExitStack() as stack:
            phones = {}
            for agent in agents:
                phone = Phone(
                    (self.settings.service_host, 0),
                    server,
                    agent,
                    password=secrets.read(f"sip-{agent}"),
                )
                await stack.enter_async_context(phone)
                phone.on_ring(answer_after(ring_s))
                await phone.register()
                phones[agent] = phone
            yield phones

    @asynccontextmanager
    async def citizen(
        self, number: str = "13800138000", name: str = "王小明"
    ) -> AsyncIterator[Phone]:
        """A citizen's phone, known to the trunk by its address."""
        server = (self.settings.service_host, self.settings.ports.sip)
        local = (self.settings.trunk_addresses[0], 0)
        async with Phone(local, server, number, display_name=name) as phone:
            yield phone


async def until(condition: Callable[[], bool], *, what: str, timeout_s: float = 15.0) -> None:
    """Wait for something to become true, looking every 50 ms."""
    try:
        async with asyncio.timeout(timeout_s):
            while not condition():  # noqa: ASYNC110 - what is watched has no event to wait for
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"{what}: not within {timeout_s:.0f} s") from None


def folded(text: str) -> str:
    """Only the characters that are spoken."""
    return "".join(character for character in text if "\u4e00" <= character <= "\u9fff")


def character_errors(reference: str, heard: str) -> float:
    """Edit distance over the reference's length (CER)."""
    reference, heard = folded(reference), folded(heard)
    row = list(range(len(heard) + 1))
    for i, wanted in enumerate(reference, 1):
        diagonal, row[0] = row[0], i
        for j, got in enumerate(heard, 1):
            diagonal, row[j] = (
                row[j],
                min(row[j] + 1, row[j - 1] + 1, diagonal + (wanted != got)),
            )
    return row[-1] / max(1, len(reference))


def voice(settings: Settings, name: str) -> Path:
    """A scripted sentence's sound."""
    return settings.tools / "voice" / f"{name}.wav"
