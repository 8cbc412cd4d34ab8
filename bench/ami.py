"""How fast the manager's stream is parsed and reduced, beside plain panoramisk and a bare parser.

Two streams of the same recorded calls: everything that Asterisk sends, and what the manager account
of production lets through. The bare parser makes a dictionary of each message and does nothing
with it; panoramisk has 20 handlers that do nothing.
"""

import asyncio
import gzip
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from bench.harness import BenchResult, LoadWatch, Measured, interleave, machine, medians
from telephony.config import MANAGER_EVENTS
from telephony.follower import Follower
from telephony.library import AMIProtocol, Manager
from telephony.wire import MessageReader

RECORDINGS: Final = (
    Path(__file__).resolve().parent.parent / "tests" / "unit" / "telephony" / "data" / "journeys"
)
CHUNK_BYTES: Final = 4096  # about what one read of a busy socket gives
REPEATS: Final = 4
AIM_PANORAMISK: Final = 3.0
AIM_BARE: Final = 0.5
HANDLED: Final = (
    "AgentCalled AgentComplete AgentConnect AgentRingNoAnswer BridgeEnter BridgeLeave DialBegin "
    "DialEnd Hangup HangupRequest Newchannel Newstate OriginateResponse QueueCallerAbandon "
    "QueueCallerJoin QueueCallerLeave QueueMemberPause QueueMemberStatus UserEvent Device*"
)
_END: Final = b"\r\n\r\n"

Parse = Callable[[list[bytes]], int]
"""Take a stream in; how many messages it had."""


def run(runs: int) -> BenchResult:
    load = LoadWatch()
    measured: dict[str, Measured] = {}
    for case, stream in (("everything", everything()), ("filtered", filtered(everything()))):
        chunks, count = _chunks(stream), stream.count(_END)
        contestants = {"ours": ours, "panoramisk": panoramisk, "bare": bare}
        measured[case] = interleave(
            {name: _timed(parse, chunks, count) for name, parse in contestants.items()}, runs=runs
        )
    middle = {case: medians(found) for case, found in measured.items()}
    others = ("panoramisk", "bare")
    return BenchResult(
        name="ami",
        unit="messages/s",
        ours={case: round(found["ours"]) for case, found in middle.items()},
        reference={f"{c}/{name}": round(f[name]) for c, f in middle.items() for name in others},
        ratio={
            f"{case}/{name}": round(found["ours"] / found[name], 3)
            for case, found in middle.items()
            for name in others
        },
        aim={
            f"{case}/{name}": AIM_PANORAMISK if name == "panoramisk" else AIM_BARE
            for case in middle
            for name in others
        },
        runs=max(map(len, measured["everything"].values())),
        machine=machine(),
        load=load.done(),
        notes=("ours: live view and journeys; panoramisk: 20 handlers; bare: a dict a message",),
    )


def everything() -> bytes:
    """All recorded calls, one after the other, as one link would bring them."""
    every = b"".join(gzip.decompress(path.read_bytes()) for path in sorted(RECORDINGS.glob("*.gz")))
    # Each recording has the end of a login; a link has one.
    kept = (m for m in every.split(_END) if not m.startswith((b"Event: FullyBooted", b"Asterisk")))
    return _END.join(kept)


def filtered(stream: bytes) -> bytes:
    """What the event filters of manager.conf let through."""
    wanted = {f"Event: {name}".encode() for name in MANAGER_EVENTS}
    messages = stream.split(_END)
    return b"".join(
        message + _END for message in messages if message.partition(b"\r\n")[0] in wanted
    )


def _chunks(stream: bytes) -> list[bytes]:
    long = stream * REPEATS
    return [long[start : start + CHUNK_BYTES] for start in range(0, len(long), CHUNK_BYTES)]


def _timed(parse: Parse, chunks: list[bytes], count: int) -> Callable[[], float]:
    def measure() -> float:
        began_s = time.process_time()
        parse(chunks)
        return count * REPEATS / (time.process_time() - began_s)

    return measure


def ours(chunks: list[bytes]) -> int:
    reader, follower, count = MessageReader(is_forgiving=True), Follower(), 0
    for chunk in chunks:
        for message in reader.feed(chunk):
            follower.apply(message)
            count += 1
    return count


def bare(chunks: list[bytes]) -> int:
    return sum(1 for _ in _bare_messages(chunks))


def _bare_messages(chunks: list[bytes]) -> Iterator[dict[str, str]]:
    buffer = b""
    for chunk in chunks:
        *whole, buffer = (buffer + chunk).split(_END)
        for raw in whole:
            lines = (line.partition(": ") for line in raw.decode("utf-8", "replace").split("\r\n"))
            yield {name: value for name, _, value in lines}


class _Nowhere(asyncio.Transport):
    """A transport that takes nothing in."""

    def close(self) -> None:
        """Nothing to close."""


def panoramisk(chunks: list[bytes]) -> int:
    loop = asyncio.new_event_loop()
    try:
        quiet = logging.getLogger("bench.panoramisk")
        quiet.setLevel(logging.CRITICAL)
        manager = Manager(loop=loop, log=quiet)
        for name in HANDLED.split():
            manager.register_event(name, _handle)
        protocol = AMIProtocol()
        protocol.connection_made(_Nowhere())
        # What Manager.connection_made sets on a real connection.
        protocol.queue, protocol.factory, protocol.log = deque(), manager, quiet
        protocol.encoding, protocol.responses = "utf8", {}
        for chunk in chunks:
            protocol.data_received(chunk)
    finally:
        loop.close()
    return len(chunks)


def _handle(manager: Any, event: Any) -> None:
    """Does nothing."""
