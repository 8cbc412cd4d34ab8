"""What is held by an installation at rest: channels, descriptors, Redis keys that never go."""

import asyncio
from dataclasses import asdict, dataclass

import psutil
from redis.asyncio import Redis

from bench.soak_faults import pid_of
from bench.soak_product import Soaked
from server.connections import redis_url
from server.processes import roles_of
from server.redis_client import connect_redis
from server.settings import Ports

LASTING_KEYS = frozenset({b"hotline:push", b"hotline:speech", b"hotline:commands"})
"""Streams of bounded length; every other key must expire."""
DRAFTS = "transcription.draft_process"


@dataclass(frozen=True, slots=True)
class Held:
    """Counted at rest."""

    channels: int
    descriptors: dict[str, int]
    memory_mb: dict[str, float]
    """PSS by role, the supervisor among them; ``drafts`` is the bridge's reader of drafts."""
    keys_without_expiry: tuple[str, ...]

    def growth_to(self, after: "Held") -> dict[str, int]:
        """Descriptors by which a role has grown."""
        return {
            role: after.descriptors[role] - before
            for role, before in self.descriptors.items()
            if role in after.descriptors
        }

    def as_json(self) -> dict[str, object]:
        return asdict(self)


async def held(it: Soaked) -> Held:
    """Count now."""
    descriptors, memory = {}, {}
    for role in (*roles_of(it.settings), "supervisor"):
        pid = pid_of(it, role)
        if pid is not None:
            process = psutil.Process(pid)
            descriptors[role] = await _descriptors(process, it.settings.ports)
            memory[role] = _weight_mb(process)
            for child in process.children():
                if DRAFTS in child.cmdline():
                    memory["drafts"] = _weight_mb(child)
    channels = await asyncio.to_thread(it.product.channels)
    redis = connect_redis(redis_url(it.settings))
    try:
        lasting = await keys_without_expiry(redis)
    finally:
        await redis.aclose()
    return Held(len(channels), descriptors, memory, tuple(lasting))


async def _descriptors(process: psutil.Process, ports: Ports) -> int:
    """Of three looks the least: each takes two readings, and a pool may open its connections, or
    lose them, between the two."""
    looks = []
    for _ in range(3):
        looks.append(process.num_fds() - _passing(process, ports))
        await asyncio.sleep(0.2)
    return min(looks)


def _weight_mb(process: psutil.Process) -> float:
    return float(round(process.memory_full_info().pss / 2**20, 1))


def _passing(process: psutil.Process, ports: Ports) -> int:
    """Connections that come and go: those of browsers, and those that bounded pools open when it
    is busy."""
    return sum(
        1
        for connection in process.net_connections("tcp")
        if connection.status != psutil.CONN_LISTEN
        and (
            connection.laddr[1:] == (ports.http,)
            or connection.raddr[1:] in {(ports.postgres,), (ports.redis,)}
        )
    )


async def keys_without_expiry(redis: Redis) -> list[str]:
    """Keys that would stay for ever and are none of the known streams."""
    keys = [key async for key in redis.scan_iter(count=500) if key not in LASTING_KEYS]
    return sorted([key.decode(errors="replace") for key in keys if await redis.ttl(key) == -1])
