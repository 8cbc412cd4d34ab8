"""What is held by an installation at rest: channels, descriptors, Redis keys that never go."""

import asyncio
import re
import socket
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

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
_NUMBER: Final = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Held:
    """Counted at rest."""

    channels: int
    descriptors: dict[str, dict[str, int]]
    """By role, and by what they lead to."""
    memory_mb: dict[str, float]
    """PSS by role, the supervisor among them; ``drafts`` is the bridge's reader of drafts."""
    keys_without_expiry: tuple[str, ...]

    def growth_to(self, after: "Held") -> dict[str, int]:
        """Descriptors by which a role has grown."""
        return {
            role: sum(after.descriptors[role].values()) - sum(before.values())
            for role, before in self.descriptors.items()
            if role in after.descriptors
        }

    def as_json(self) -> dict[str, object]:
        return asdict(self)


async def held(it: Soaked) -> Held:
    """Count now."""
    kinds, memory = {}, {}
    for role in (*roles_of(it.settings), "supervisor"):
        pid = pid_of(it, role)
        if pid is not None:
            process = psutil.Process(pid)
            kinds[role] = dict(await _descriptors(process, it.settings.ports))
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
    return Held(len(channels), kinds, memory, tuple(lasting))


async def _descriptors(process: psutil.Process, ports: Ports) -> Counter[str]:
    """Of three looks the least: each takes two readings, and a pool may open its connections, or
    lose them, between the two."""
    looks = []
    for _ in range(3):
        looks.append(_kinds(process, ports))
        await asyncio.sleep(0.2)
    return min(looks, key=Counter.total)


def _kinds(process: psutil.Process, ports: Ports) -> Counter[str]:
    """What is open, by what it leads to; without the connections that come and go: those of
    browsers, and those that bounded pools open when it is busy."""
    connections = {each.fd: each for each in process.net_connections("all")}
    kinds: Counter[str] = Counter()
    for link in Path(f"/proc/{process.pid}/fd").iterdir():
        try:
            target = str(link.readlink())
        except FileNotFoundError:
            continue  # closed since the folder was read
        if target.startswith("socket:"):
            target = _socket(connections.get(int(link.name)), ports)
        if target:
            kinds[_NUMBER.sub("#", target)] += 1
    return kinds


def _socket(connection: Any, ports: Ports) -> str:
    """In words; empty for one that comes and goes. ``connection`` is psutil's, None where it has
    no peer any more."""
    if connection is None:
        return "socket that leads nowhere"
    if connection.family not in (socket.AF_INET, socket.AF_INET6):
        return "unix socket"
    if connection.status == psutil.CONN_LISTEN:
        return "listening socket"
    names = {port: name for name, port in asdict(ports).items()}
    ends = (connection.laddr, connection.raddr)
    ours, theirs = (names.get(end.port, "") if end else "" for end in ends)
    if ours == "http" or theirs in ("postgres", "redis"):
        return ""
    return f"connection at {ours}" if ours else f"connection to {theirs or 'elsewhere'}"


def _weight_mb(process: psutil.Process) -> float:
    return float(round(process.memory_full_info().pss / 2**20, 1))


async def keys_without_expiry(redis: Redis) -> list[str]:
    """Keys that would stay for ever and are none of the known streams."""
    keys = [key async for key in redis.scan_iter(count=500) if key not in LASTING_KEYS]
    return sorted([key.decode(errors="replace") for key in keys if await redis.ttl(key) == -1])
