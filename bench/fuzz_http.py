"""Nonsense on the HTTP port, while an honest browser beside it misses nothing.

Each input is a connection: a request mutated, cut, doubled or invented, from strangers and from a
signed-in agent; some are left half-open. Nothing of it may be answered with 500, stay, or be felt.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from typing import Final

from bench.fuzz_console import HOSTILE, Console, attacked_console
from bench.garbage import mutated
from bench.private_valkey import HOST
from server.http.identity import COOKIE

AT_ONCE: Final = 16
ANSWERED_WITHIN_S: Final = 0.1
"""Longer is the time of a request that is not whole; half-open ones are kept on purpose."""
HALF_OPEN_SHARE: Final = 0.02
MOST_HALF_OPEN: Final = 200

ROUTES: Final = (
    ("GET", "/", b""),
    ("GET", "/health", b""),
    ("GET", "/api/info", b""),
    ("GET", "/internal/admission?number=13800138000&called=12345&call=x-1", b""),
    ("POST", "/api/session", b'{"username":"agent1001","password":"secret"}'),
    ("GET", "/api/session", b""),
    ("DELETE", "/api/session", b""),
    ("POST", "/api/agent/state", b'{"state":"paused","reason":"meal"}'),
    ("PATCH", "/api/calls/hl1-1.1/draft", b'{"field":"place","value":"\xe4\xba\xba"}'),
    ("POST", "/api/calls/hl1-1.1/confirm", b'{"version":1,"fields":{"type":"help"}}'),
    ("GET", "/api/tickets/20261122-000001", b""),
    ("GET", "/api/calls/hl1-1.1", b""),
    ("GET", "/api/calls/hl1-1.1/recording", b""),
    ("GET", "/assets/../../server/auth.py", b""),
    ("GET", "/ws", b""),
)

BODIES: Final[tuple[Callable[[random.Random], bytes], ...]] = (
    lambda _: b"[" * 30_000,
    lambda _: b'{"fields":' * 5_000,
    lambda _: b'{"username":1,"password":[]}',
    lambda _: b'{"username":"\\ud800","password":"\\u0000"}',
    lambda _: b'{"state":null}',
    lambda _: b"\xff\xfe{}",
    lambda _: b'{"version":1e999,"fields":{}}',
    lambda _: b'{"version":1,"fields":{"type":"' + b"x" * 60_000 + b'"}}',
    lambda _: b"x" * 70_000,
    lambda chance: chance.randbytes(chance.randrange(300)),
)

HEADERS: Final = (
    "X: " + "y" * 9_000,
    "\r\n".join(f"X-{n}: y" for n in range(100)),
    "Transfer-Encoding: chunked",
    "Content-Length: -1",
    "Content-Length: 99999999999",
    "Content-Length: 5\r\nContent-Length: 6",
    "Expect: 100-continue",
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13",
    "Content-Encoding: gzip",
    "Content-Type: text/html; charset=" + "\xff" * 20,
    "Range: bytes=-1,99-,x",
    f"Cookie: {COOKIE}=\x01; {'a=b; ' * 500}",
    "Origin: null",
    "Host: ",
)


def request(chance: random.Random) -> bytes:
    """A request, sound or odd."""
    method, path, body = chance.choice(ROUTES)
    if chance.random() < 0.3:
        body = chance.choice(BODIES)(chance)
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}"]
    if chance.random() < 0.6:
        lines.append(f"Cookie: {COOKIE}={HOSTILE}")
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    if chance.random() < 0.3:
        lines.insert(chance.randrange(1, len(lines)), chance.choice(HEADERS))
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def nonsense(chance: random.Random) -> bytes:
    """What one connection sends."""
    data = request(chance)
    if chance.random() < 0.6:
        data = mutated(data, chance)
    return data * chance.choice((1, 1, 1, 2, 20))


async def fuzz(inputs: int, seed: int) -> tuple[list[str], dict[str, object]]:
    """Send ``inputs`` connections' worth; returns faults and figures."""
    async with attacked_console() as console:
        await console.begin()
        statuses = await attack(console, inputs, random.Random(seed))
        faults = await console.faults()
        if statuses["500"]:
            faults.append(f"{statuses['500']} requests answered with 500")
        figures: dict[str, object] = {
            "answers": dict(sorted(statuses.items())),
            "honest_events": console.published,
            "honest_worst_gap_s": round(console.worst_gap_s, 3),
        }
        return faults, figures


async def attack(console: Console, inputs: int, chance: random.Random) -> Counter[str]:
    """Answers by status."""
    statuses: Counter[str] = Counter()
    half_open: list[asyncio.StreamWriter] = []
    turns = iter(range(inputs))

    async def attacker() -> None:
        for _ in turns:
            if chance.random() < HALF_OPEN_SHARE and len(half_open) < MOST_HALF_OPEN:
                half_open.append(await _leave_half_open(console.port, chance))
                continue
            await _send(console.port, nonsense(chance), chance, statuses)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(attacker())
    for writer in half_open:
        writer.transport.abort()
    return statuses


async def _leave_half_open(port: int, chance: random.Random) -> asyncio.StreamWriter:
    _reader, writer = await asyncio.open_connection(HOST, port)
    data = request(chance)
    writer.write(data[: chance.randrange(len(data))])
    return writer


async def _send(port: int, data: bytes, chance: random.Random, statuses: Counter[str]) -> None:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(data)
        if chance.random() < 0.2:
            statuses["left"] += 1
            return
        statuses[await _answer(reader)] += 1
    except OSError:
        statuses["reset"] += 1
    finally:
        writer.transport.abort()


async def _answer(reader: asyncio.StreamReader) -> str:
    """The status; ``waits`` where the server rightly waits for the rest."""
    try:
        answer = await asyncio.wait_for(reader.read(2**20), ANSWERED_WITHIN_S)
    except TimeoutError:
        return "waits"
    if not answer.startswith(b"HTTP/1."):
        return "closed"
    status = answer[9:12].decode("latin-1")
    # An odd Expect header breaks aiohttp's own answer, before any code of ours is asked.
    is_ours = status != "500" or b"application/problem+json" in answer
    return status if is_ours else "500 of aiohttp"
