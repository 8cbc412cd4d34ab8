"""Nonsense on the websocket, while an honest browser beside it misses nothing.

Each input is a connection with a good handshake of a signed-in agent (the handshake itself is HTTP:
``bench.fuzz_http``), then frames no browser would send: every opcode, lengths that lie, reserved
bits, halves, broken UTF-8, odd hellos, and good hellos with garbage behind.
"""

import asyncio
import random
import struct
from collections import Counter
from contextlib import suppress
from typing import Final

from bench.fuzz_console import HOSTILE, Console, attacked_console
from bench.garbage import mutated
from bench.private_valkey import HOST
from server.http.identity import COOKIE

AT_ONCE: Final = 16
CLOSED_WITHIN_S: Final = 10.0
SILENT_SHARE: Final = 0.01
TEXT: Final = 1

HANDSHAKE: Final = (
    f"GET /ws HTTP/1.1\r\nHost: {HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    f"Cookie: {COOKIE}={HOSTILE}\r\n\r\n"
).encode()

HELLOS: Final = (
    b'{"type":"hello","epoch":null,"seq":null}',
    b'{"type":"hello","epoch":"x","seq":3}',
    b'{"type":"hello","epoch":"x","seq":-1}',
    b'{"type":"hello","epoch":"x","seq":1' + b"0" * 400 + b"}",
    b'{"type":"hello","epoch":"' + b"x" * 5_000 + b'","seq":3}',
    b'{"type":"hello","scope":"agent:1002"}',
    b'{"type":"hello"' + b"," * 500,
    b"[" * 4_000,
    b"null",
    b"",
    b"\xff\xfe",
    "王".encode()[:2],
)


def frame(payload: bytes, *, opcode: int = TEXT, first: int = 0x80, mask: bool = True) -> bytes:
    """One frame; ``first``: FIN and the reserved bits."""
    length = len(payload)
    head = bytes([first | opcode])
    flag = 0x80 if mask else 0
    if length < 126:
        head += bytes([flag | length])
    elif length < 2**16:
        head += bytes([flag | 126]) + struct.pack(">H", length)
    else:
        head += bytes([flag | 127]) + struct.pack(">Q", length)
    return head + (bytes(4) if mask else b"") + payload


def odd_frame(chance: random.Random) -> bytes:
    """Any frame at all."""
    payload = chance.choice((chance.choice(HELLOS), chance.randbytes(chance.randrange(300))))
    made = frame(
        payload,
        opcode=chance.randrange(16),
        first=chance.choice((0x80, 0x80, 0x00, 0xC0, 0xF0, 0x10)),
        mask=chance.random() < 0.9,
    )
    if chance.random() < 0.2:
        lie = struct.pack(">Q", chance.choice((2**63, 2**64 - 1, 10**9, 5)))
        return made[:1] + bytes([0xFF]) + lie + made[2:]
    return made


def nonsense(chance: random.Random) -> bytes:
    """What one connection sends after its handshake."""
    data = b"".join(odd_frame(chance) for _ in range(chance.randrange(1, 5)))
    if chance.random() < 0.5:
        data = frame(chance.choice(HELLOS)) + data
    return mutated(data, chance) if chance.random() < 0.4 else data


async def fuzz(inputs: int, seed: int) -> tuple[list[str], dict[str, object]]:
    """Open ``inputs`` hostile lines; returns faults and figures."""
    async with attacked_console() as console:
        await console.begin()
        ends, hung = await attack(console, inputs, random.Random(seed))
        faults = await console.faults()
        if hung:
            faults.append(f"{hung} lines were not closed in time")
        figures: dict[str, object] = {
            "ends": dict(ends.most_common()),
            "honest_events": console.published,
            "honest_worst_gap_s": round(console.worst_gap_s, 3),
        }
        return faults, figures


async def attack(console: Console, inputs: int, chance: random.Random) -> tuple[Counter[str], int]:
    """How lines ended, and how many did not."""
    ends: Counter[str] = Counter()
    hung = 0
    turns = iter(range(inputs))

    async def attacker() -> None:
        nonlocal hung
        for _ in turns:
            try:
                ends[await _line(console.port, nonsense(chance), chance)] += 1
            except TimeoutError:
                hung += 1

    async with asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(attacker())
    return ends, hung


async def _line(port: int, data: bytes, chance: random.Random) -> str:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(HANDSHAKE)
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), CLOSED_WITHIN_S)
        if not answer.startswith(b"HTTP/1.1 101"):
            return f"refused {answer[9:12].decode('latin-1')}"
        if chance.random() < SILENT_SHARE:
            data = b""  # the server's own patience ends it
        writer.write(data)
        if chance.random() < 0.3:
            return "left"
        if data:
            with suppress(OSError):
                writer.write_eof()
        return await _end(reader)
    except (OSError, asyncio.IncompleteReadError):
        return "reset"
    finally:
        writer.transport.abort()


async def _end(reader: asyncio.StreamReader) -> str:
    told = bytearray()
    async with asyncio.timeout(CLOSED_WITHIN_S):
        while piece := await reader.read(2**16):
            told += piece
    at = told.rfind(b"\x88")
    return (
        f"closed {struct.unpack('>H', told[at + 2 : at + 4])[0]}"
        if 0 <= at <= len(told) - 4
        else "closed"
    )
