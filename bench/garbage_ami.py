"""A manager port that talks nonsense to our client, beside an honest one.

The hostile server logs the client in and then sends mutated messages, mutated answers to its own
questions and, now and then, a message without an end. Everything is in this process; the sockets
are real.
"""

import asyncio
import contextlib
import gc
import random
from collections.abc import AsyncIterator
from pathlib import Path

from bench.garbage import mutated
from telephony.switch import AsteriskSwitch
from tests.fakes.ami_server import AmiServer, Fields, Responder, Session, event, until

CORPUS = Path(__file__).resolve().parent.parent / "tests" / "unit" / "telephony" / "data"
BATCH = 200
ENDLESS_EVERY = 25_000
HONEST_WITHIN_S = 2.0
QUIET_WITHIN_S = 30.0
MOST_LEFT_OBJECTS = 20_000


def corpus() -> list[bytes]:
    """Whole messages of recorded streams."""
    found = []
    for path in sorted(CORPUS.glob("*.ami")):
        found += [part + b"\r\n\r\n" for part in path.read_bytes().split(b"\r\n\r\n") if part]
    return found


async def garbage_on_ami(inputs: int, seed: int) -> tuple[list[str], dict[str, object]]:
    """Feed a client ``inputs`` mutated messages; returns faults and figures."""
    faults: list[str] = []
    async with (
        AmiServer() as hostile,
        AmiServer() as honest,
        _following(hostile) as victim,
        _following(honest) as other,
    ):
        gc.collect()
        objects = len(gc.get_objects())
        feeder = asyncio.create_task(_feed(hostile, inputs, random.Random(seed)))
        worst_s = 0.0
        number = 0
        while not feeder.done():
            number += 1
            worst_s = max(worst_s, await _serve(honest, other, number, faults))
        feeder.result()
        await _recover(hostile, victim, faults)
        figures: dict[str, object] = {
            "reconnects": len(hostile.sessions) - 1,
            "unknown_names": len(victim.switch.unknown_events),
            "honest_worst_s": round(worst_s, 3),
            "objects_left": _objects() - objects,
        }
        if _objects() - objects > MOST_LEFT_OBJECTS + inputs // 10:
            faults.append(f"{figures['objects_left']} objects left")
    return faults, figures


class _Victim:
    """A switch of ours and whoever reads its events."""

    def __init__(self, server: AmiServer) -> None:
        self.switch = AsteriskSwitch(
            host="127.0.0.1", port=server.port, username="hotline", secret=server.secret
        )
        self.calls: set[str] = set()

    async def read(self) -> None:
        async for happened in self.switch.events():
            call = getattr(happened, "call", None)
            if call is not None:
                self.calls.add(call)
                if len(self.calls) > 5_000:
                    self.calls.clear()


@contextlib.asynccontextmanager
async def _following(server: AmiServer) -> AsyncIterator[_Victim]:
    victim = _Victim(server)
    async with asyncio.TaskGroup() as tasks:
        run = tasks.create_task(victim.switch.run())
        read = tasks.create_task(victim.read())
        await until(lambda: victim.switch.is_up, timeout_s=10, why="a first link")
        yield victim
        victim.switch.close()
        await asyncio.wait({run, read}, timeout=5)


async def _feed(server: AmiServer, inputs: int, chance: random.Random) -> None:
    messages = corpus()
    server.replies["QueueStatus"] = _nonsense(messages, chance, server.replies["QueueStatus"])
    sent = 0
    while sent < inputs:
        batch = min(BATCH, inputs - sent)
        data = b"".join(mutated(chance.choice(messages), chance) for _ in range(batch))
        if sent // ENDLESS_EVERY != (sent + batch) // ENDLESS_EVERY:
            data += b"Event: " + b"x" * 400_000
        sent += await _send(server, data) * batch
    server.replies["QueueStatus"] = AmiServer().replies["QueueStatus"]


async def _send(server: AmiServer, data: bytes) -> int:
    """Send to whoever is connected; 0 where the client has just gone."""
    await asyncio.sleep(0)
    writer = server.session.writer
    if writer.is_closing():
        await asyncio.sleep(0.02)
        return 0
    writer.write(data)
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(5):
            await writer.drain()
    return 1


def _nonsense(messages: list[bytes], chance: random.Random, honest: Responder) -> Responder:
    """Answer a question with a list of nonsense half of the time."""

    def reply(session: Session, action: Fields) -> None:
        if chance.random() < 0.5:
            honest(session, action)
            return
        items = [mutated(chance.choice(messages), chance) for _ in range(5)]
        session.respond_list(action, "QueueStatus", *items)

    return reply


async def _serve(honest: AmiServer, other: _Victim, number: int, faults: list[str]) -> float:
    """One event on the honest link: how long until it is read."""
    call = f"honest-{number}"
    loop = asyncio.get_running_loop()
    began_mono = loop.time()
    headers = {"UserEvent": "CallArrived", "Call": call, "Number": "13800138000"}
    honest.session.say(event("UserEvent", **headers))
    try:
        await until(lambda: call in other.calls, timeout_s=HONEST_WITHIN_S)
    except AssertionError:
        faults.append(f"the honest link waited more than {HONEST_WITHIN_S} s")
    honest.session.say(event("Hangup", Uniqueid=call, Cause="16"))
    took_s = loop.time() - began_mono
    await asyncio.sleep(0.05)
    return took_s


async def _recover(server: AmiServer, victim: _Victim, faults: list[str]) -> None:
    """After the nonsense: a new link, an empty picture, and an honest call is understood."""
    server.session.reset()
    try:
        before = len(server.sessions)
        await until(lambda: len(server.sessions) > before, timeout_s=QUIET_WITHIN_S)
        await until(lambda: victim.switch.is_up, timeout_s=QUIET_WITHIN_S)
        await until(lambda: not victim.switch.snapshot().calls, timeout_s=QUIET_WITHIN_S)
        await _honest_call(server, victim)
    except AssertionError as error:
        faults.append(f"after the garbage: {error}")
    if len(victim.switch.client.inbox) > 100:
        faults.append(f"{len(victim.switch.client.inbox)} messages unread")


async def _honest_call(server: AmiServer, victim: _Victim) -> None:
    server.session.say(event("UserEvent", UserEvent="CallArrived", Call="last", Number="138"))
    await until(lambda: "last" in victim.calls, timeout_s=5, why="an honest call")


def _objects() -> int:
    gc.collect()
    return len(gc.get_objects())
