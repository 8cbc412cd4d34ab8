"""Nonsense on the AudioSocket port, while a real leg beside it goes on being heard.

The listener is the product's own with a decoder that only counts; every input is a connection.
"""

import asyncio
import gc
import random
import struct
import uuid
from collections.abc import Iterator
from contextlib import suppress

import psutil

from bench.garbage import mutated
from telephony.audio import AudioLeg, AudioListener

AT_ONCE = 16
FRAME = 320
FRAME_S = 0.02
MOST_GAP_S = 1.0
CLOSED_WITHIN_S = 5.0
MOST_LEFT_OBJECTS = 5_000


def stream(name: uuid.UUID, frames: int) -> bytes:
    """A leg's bytes: its UUID, then sound."""
    sound = struct.pack(">BH", 0x10, FRAME) + b"\x01\x00" * (FRAME // 2)
    return struct.pack(">BH", 0x01, 16) + name.bytes + sound * frames


class _Counter:
    """Hears everybody and notes the honest leg's gaps."""

    def __init__(self, honest: uuid.UUID) -> None:
        self._honest = str(honest)
        self.heard_bytes = 0
        self.worst_gap_s = 0.0
        self.legs = 0

    async def hear(self, leg: AudioLeg) -> None:
        self.legs += 1
        loop = asyncio.get_running_loop()
        last_mono = loop.time()
        async for sound in leg.sound():
            if leg.stream == self._honest:
                self.heard_bytes += len(sound.pcm16)
                self.worst_gap_s = max(self.worst_gap_s, loop.time() - last_mono)
                last_mono = loop.time()


async def garbage_on_audio(inputs: int, seed: int) -> tuple[list[str], dict[str, object]]:
    """Feed the listener ``inputs`` hostile connections; returns faults and figures."""
    honest = uuid.UUID(int=seed + 1)
    counter = _Counter(honest)
    listener = AudioListener(counter.hear, connections_most=AT_ONCE * 4)
    await listener.start("127.0.0.1", 0)
    try:
        gc.collect()
        objects, descriptors = len(gc.get_objects()), psutil.Process().num_fds()
        done = asyncio.Event()
        sent = asyncio.create_task(_speak(listener.port, honest, done))
        await _attack(listener.port, inputs, random.Random(seed))
        done.set()
        sent_bytes = await sent
        faults = await _left_over(listener, objects, descriptors)
        if counter.heard_bytes != sent_bytes:
            faults.append(f"the honest leg sent {sent_bytes} bytes, {counter.heard_bytes} heard")
        if counter.worst_gap_s > MOST_GAP_S:
            faults.append(f"the honest leg was not heard for {counter.worst_gap_s:.1f} s")
        figures: dict[str, object] = {
            "legs_named": counter.legs,
            "turned_away": listener.turned_away,
            "honest_worst_gap_s": round(counter.worst_gap_s, 3),
        }
        return faults, figures
    finally:
        await listener.close()


async def _attack(port: int, inputs: int, chance: random.Random) -> None:
    turns = iter(range(inputs))

    async def attacker() -> None:
        for _ in turns:
            await _send(port, _nonsense(chance), chance)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(attacker())


def _nonsense(chance: random.Random) -> bytes:
    return mutated(stream(uuid.UUID(int=chance.getrandbits(128)), chance.randint(0, 3)), chance)


async def _send(port: int, data: bytes, chance: random.Random) -> None:
    with suppress(OSError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for piece in _pieces(data, chance):
                writer.write(piece)
            if chance.random() < 0.2:
                writer.transport.abort()
                return
            writer.write_eof()
            async with asyncio.timeout(CLOSED_WITHIN_S):
                await reader.read()
        finally:
            writer.transport.abort()


def _pieces(data: bytes, chance: random.Random) -> Iterator[bytes]:
    at = chance.randint(0, len(data))
    yield data[:at]
    yield data[at:]


async def _speak(port: int, name: uuid.UUID, done: asyncio.Event) -> int:
    """The honest leg: a frame every 20 ms until the attack is over; returns the bytes of sound."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(stream(name, 0))
    sent = 0
    while not done.is_set():
        writer.write(stream(name, 1)[19:])
        sent += FRAME
        await asyncio.sleep(FRAME_S)
    writer.write_eof()
    await writer.drain()
    writer.close()
    return sent


async def _left_over(listener: AudioListener, objects: int, descriptors: int) -> list[str]:
    loop = asyncio.get_running_loop()
    until_mono = loop.time() + CLOSED_WITHIN_S
    while listener.connections and loop.time() < until_mono:  # noqa: ASYNC110 - no event for it
        await asyncio.sleep(0.05)
    faults = []
    if listener.connections:
        faults.append(f"{listener.connections} connections left")
    gc.collect()
    if (more := len(gc.get_objects()) - objects) > MOST_LEFT_OBJECTS:
        faults.append(f"{more} objects left")
    if (more := psutil.Process().num_fds() - descriptors) > 2:
        faults.append(f"{more} descriptors left")
    return faults
