"""What the soak does to the product: each fault begins, lasts for a while and ends.

A fault touches only processes of the scratch installation, found by its own pid files.
"""

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import psutil

from bench.soak_product import Soaked
from server.processes import running
from tests.faults.ami_proxy import Mode

Act = Callable[[Soaked, random.Random], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """``act`` returns when the cause has ended; ``signs`` are the log actions of who notices."""

    name: str
    act: Act
    signs: frozenset[str] = frozenset()
    """Empty: nothing is lost, so nobody need notice."""


def pid_of(it: Soaked, role: str) -> int | None:
    identity = running(it.settings, role)
    return identity.pid if identity else None


def send(pid: int | None, number: signal.Signals) -> None:
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


# ------------------------------------------------------------------------------------ our roles


WORKER_MODULE = "transcription.worker_process"
_UNFED = {"bridge": ("push_feed_changed",), "web": (), "speech": ()}
"""The web role tells the desks that nothing comes any more."""


def kill(role: str) -> Fault:
    async def act(it: Soaked, _chance: random.Random) -> None:
        send(pid_of(it, role), signal.SIGKILL)

    return Fault(f"{role} killed", act, frozenset({"role_lost", *_UNFED[role]}))


def freeze(role: str) -> Fault:
    async def act(it: Soaked, _chance: random.Random) -> None:
        send(pid_of(it, role), signal.SIGSTOP)

    return Fault(f"{role} frozen", act, frozenset({"role_frozen", *_UNFED[role]}))


def pause(role: str) -> Fault:
    """Frozen for a few seconds, as on a machine that swaps."""

    async def act(it: Soaked, chance: random.Random) -> None:
        pid = pid_of(it, role)
        send(pid, signal.SIGSTOP)
        await asyncio.sleep(chance.uniform(2, 5))
        send(pid, signal.SIGCONT)

    return Fault(f"{role} paused", act)


async def _kill_a_speech_worker(it: Soaked, chance: random.Random) -> None:
    for _ in range(100):  # a role that has just begun has none yet
        if workers := _speech_workers(it):
            send(chance.choice(workers), signal.SIGKILL)
            return
        await asyncio.sleep(0.1)


def _speech_workers(it: Soaked) -> list[int]:
    pid = pid_of(it, "speech")
    with contextlib.suppress(psutil.Error):
        children = psutil.Process(pid).children() if pid else []
        return [child.pid for child in children if WORKER_MODULE in child.cmdline()]
    return []


# ------------------------------------------------------------------------------------- services


async def _kill_valkey(it: Soaked, chance: random.Random) -> None:
    valkey = it.product.installation.valkey
    assert valkey is not None
    send(valkey.pid(), signal.SIGKILL)
    await asyncio.sleep(chance.uniform(1, 5))
    await asyncio.to_thread(valkey.start)


async def _freeze_valkey(it: Soaked, chance: random.Random) -> None:
    valkey = it.product.installation.valkey
    assert valkey is not None
    pid = valkey.pid()
    send(pid, signal.SIGSTOP)
    await asyncio.sleep(chance.uniform(7, 10))
    send(pid, signal.SIGCONT)


async def _stop_postgres(it: Soaked, chance: random.Random) -> None:
    postgres = it.product.installation.postgres
    assert postgres is not None
    await asyncio.to_thread(postgres.stop)
    await asyncio.sleep(chance.uniform(2, 6))
    await asyncio.to_thread(postgres.start)


async def _freeze_postgres(it: Soaked, chance: random.Random) -> None:
    pids = pids_of_postgres(it)
    for pid in pids:
        send(pid, signal.SIGSTOP)
    await asyncio.sleep(chance.uniform(4, 8))
    for pid in pids:
        send(pid, signal.SIGCONT)


def pids_of_postgres(it: Soaked) -> list[int]:
    """The server and all its children."""
    postgres = it.product.installation.postgres
    assert postgres is not None
    return _family(postgres.pid())


def _family(pid: int | None) -> list[int]:
    if pid is None:
        return []
    return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]


async def restart_asterisk(it: Soaked, _chance: random.Random) -> None:
    """Its calls are lost with it, so this fault has a phase of its own."""
    asterisk = it.product.installation.asterisk
    assert asterisk is not None
    await asyncio.to_thread(asterisk.stop)
    await asyncio.to_thread(asterisk.start)


# ------------------------------------------------------------------------------------- AMI link


async def _cut(it: Soaked, _chance: random.Random) -> None:
    it.proxy.cut()


async def _half_open(it: Soaked, chance: random.Random) -> None:
    """Both sides stay connected and nothing passes, longer than the watch allows."""
    await _in_mode(it, Mode.FREEZE, chance.uniform(11, 13))
    # TCP never loses bytes in the middle: what was open while they vanished is reset.
    it.proxy.cut()


async def _delayed(it: Soaked, chance: random.Random) -> None:
    it.proxy.delay_s = chance.uniform(0.2, 1.0)
    await _in_mode(it, Mode.DELAY, 5)


async def _split(it: Soaked, chance: random.Random) -> None:
    await _in_mode(it, Mode.SPLIT, chance.uniform(3, 6))


async def _in_mode(it: Soaked, mode: Mode, for_s: float) -> None:
    it.proxy.mode = mode
    try:
        await asyncio.sleep(for_s)
    finally:
        it.proxy.mode = Mode.PASS


LINK = frozenset({"ami_link_down"})
REDIS = frozenset({"redis_away", "push_paused", "push_feed_lost", "web_without_redis"})
DATABASE = frozenset({"database_away"})

FAULTS: tuple[Fault, ...] = (
    kill("bridge"),
    kill("web"),
    freeze("bridge"),
    freeze("web"),
    pause("bridge"),
    pause("web"),
    Fault("valkey killed", _kill_valkey, REDIS),
    Fault("valkey frozen", _freeze_valkey, REDIS),
    Fault("postgres stopped", _stop_postgres, DATABASE),
    Fault("postgres frozen", _freeze_postgres, DATABASE),
    Fault("ami cut", _cut, LINK),
    Fault("ami half-open", _half_open, LINK),
    Fault("ami delayed", _delayed),
    Fault("ami byte by byte", _split),
)
SPEECH_FAULTS: tuple[Fault, ...] = (
    kill("speech"),
    freeze("speech"),
    Fault(
        "speech worker killed",
        _kill_a_speech_worker,
        frozenset({"speech_worker_lost", "speech_without_model"}),
    ),
)
ASTERISK_RESTARTED = Fault("asterisk restarted", restart_asterisk, LINK)
