"""One leg's audio: a packet each 20 ms out, everything heard kept.

Owns the RTP socket and the pace. Sends silence where the script says nothing, as a phone does:
a leg that sends nothing yields no frames to the live stream of the call.
"""

import asyncio
import contextlib
import random
import struct
import time
from collections import deque
from dataclasses import dataclass

import numpy as np

from base.task_set import TaskSet
from telephony.phone import g711
from telephony.phone.errors import PhoneError
from telephony.phone.sdp import PCMA, Media
from telephony.phone.sip import Address
from telephony.phone.sound import Samples

FRAME = 160
FRAME_S = 0.02
LONGEST_HEARD_S = 3600
MOST_FILL_S = 10
DIGIT_PACKETS = 6
DIGIT_END_PACKETS = 3
DIGIT_GAP_FRAMES = 5
DIGITS = "0123456789*#ABCD"
_HEADER = struct.Struct("!BBHII")
_SILENCE = np.zeros(FRAME, dtype=np.int16)


@dataclass(slots=True)
class RtpStats:
    """What came and went; ``worst_gap_ms`` is the longest wait between two packets heard."""

    sent: int = 0
    received: int = 0
    lost: int = 0
    worst_gap_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class _Frame:
    payload: bytes
    kind: int
    is_first: bool = False
    steps: int = 1
    """By how many frames the clock runs on after this packet."""


class RtpStream(asyncio.DatagramProtocol):
    """Sends and hears G.711; opened first, told later where to send."""

    def __init__(self) -> None:
        self.stats = RtpStats()
        self.is_sending = True
        self._transport: asyncio.DatagramTransport | None = None
        self._tasks = TaskSet("rtp")
        self._remote: Address | None = None
        self._payload, self._dtmf = PCMA, 101
        self._audio: deque[Samples] = deque()
        self._digits: deque[_Frame] = deque()
        self._heard: list[Samples] = []
        self._heard_samples = 0
        self._last_heard_mono: float | None = None
        self._last_sequence: int | None = None
        self._next_timestamp: int | None = None
        self._drained = asyncio.Event()
        self._drained.set()

    @classmethod
    async def open(cls, host: str) -> "RtpStream":
        loop = asyncio.get_running_loop()
        _, stream = await loop.create_datagram_endpoint(cls, local_addr=(host, 0))
        return stream

    @property
    def local(self) -> Address:
        if self._transport is None:
            raise PhoneError("the phone's audio socket is closed")
        name = self._transport.get_extra_info("sockname")
        return name[0], name[1]

    @property
    def heard_pcm(self) -> Samples:
        """All that was heard so far, gaps filled with silence."""
        return np.concatenate(self._heard) if self._heard else np.zeros(0, dtype=np.int16)

    def start(self, media: Media) -> None:
        """Send to ``media`` from now on (again after a re-INVITE)."""
        self._payload = media.choose()
        self._dtmf = media.dtmf if media.dtmf is not None else self._dtmf
        is_first = self._remote is None
        self._remote = media.address
        self.is_sending = media.direction in ("sendrecv", "recvonly") and media.address[1] > 0
        if is_first:
            self._tasks.spawn(self._send_paced(), name="send")

    def play(self, samples: Samples) -> None:
        """Queue speech behind what is still being said."""
        if len(samples):
            self._audio.append(samples)
            self._drained.clear()

    async def until_played(self) -> None:
        await self._drained.wait()

    def send_digit(self, digit: str) -> None:
        """Queue one key press (RFC 4733)."""
        code = DIGITS.index(digit.upper())
        packets = [(FRAME * (n + 1), False) for n in range(DIGIT_PACKETS)]
        packets += [(FRAME * DIGIT_PACKETS, True)] * DIGIT_END_PACKETS
        for n, (length, is_end) in enumerate(packets):
            payload = struct.pack("!BBH", code, 0x80 * is_end | 10, length)
            is_last = n == len(packets) - 1
            # One timestamp for the whole event; the clock catches up behind its last packet.
            self._digits.append(
                _Frame(payload, self._dtmf, is_first=n == 0, steps=len(packets) if is_last else 0)
            )
        for _ in range(DIGIT_GAP_FRAMES):
            self._digits.append(_Frame(self._encode(_SILENCE), self._payload))

    async def close(self) -> None:
        await self._tasks.close()
        self._drained.set()
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def error_received(self, exc: Exception) -> None:
        """The other side's socket may be gone a moment before its BYE comes."""

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        if len(data) < _HEADER.size or data[0] >> 6 != 2:
            return
        first, kind, sequence, timestamp, _source = _HEADER.unpack_from(data)
        kind &= 0x7F
        if kind not in (0, 8):
            return
        payload = data[_HEADER.size + 4 * (first & 0x0F) :]
        self._count(sequence)
        self._keep(payload, kind, timestamp)

    def _count(self, sequence: int) -> None:
        now_mono = time.monotonic()
        if self._last_heard_mono is not None:
            gap_ms = (now_mono - self._last_heard_mono) * 1000
            self.stats.worst_gap_ms = max(self.stats.worst_gap_ms, gap_ms)
        if self._last_sequence is not None:
            missing = (sequence - self._last_sequence - 1) & 0xFFFF
            self.stats.lost += missing if missing < 1000 else 0
        self._last_heard_mono, self._last_sequence = now_mono, sequence
        self.stats.received += 1

    def _keep(self, payload: bytes, kind: int, timestamp: int) -> None:
        if self._heard_samples > LONGEST_HEARD_S * 8000:
            return
        samples = g711.alaw_decode(payload) if kind == PCMA else g711.ulaw_decode(payload)
        if self._next_timestamp is not None:
            missing = (timestamp - self._next_timestamp) & 0xFFFFFFFF
            if 0 < missing <= MOST_FILL_S * 8000:
                self._append(np.zeros(missing, dtype=np.int16))
        self._next_timestamp = (timestamp + len(samples)) & 0xFFFFFFFF
        self._append(samples)

    def _append(self, samples: Samples) -> None:
        self._heard.append(samples)
        self._heard_samples += len(samples)

    async def _send_paced(self) -> None:
        sequence, timestamp = random.getrandbits(16), random.getrandbits(32)
        source = random.getrandbits(32)
        is_talking = False
        next_mono = time.monotonic()
        while True:
            frame = self._next_frame()
            if frame is not None:
                is_marked = frame.is_first or not is_talking
                kind = frame.kind | (0x80 if is_marked else 0)
                self._send(_HEADER.pack(0x80, kind, sequence, timestamp, source) + frame.payload)
                sequence = (sequence + 1) & 0xFFFF
            is_talking = frame is not None
            steps = 1 if frame is None else frame.steps
            timestamp = (timestamp + FRAME * steps) & 0xFFFFFFFF
            next_mono += FRAME_S
            delay_s = next_mono - time.monotonic()
            if delay_s < -0.5:  # the machine stood still: do not send the backlog as a burst
                next_mono = time.monotonic()
            await asyncio.sleep(max(0.0, delay_s))

    def _next_frame(self) -> _Frame | None:
        if self._digits:
            return self._digits.popleft()
        if not self.is_sending:
            return None
        return _Frame(self._encode(self._next_samples()), self._payload)

    def _next_samples(self) -> Samples:
        if not self._audio:
            self._drained.set()
            return _SILENCE
        head = self._audio.popleft()
        if len(head) > FRAME:
            self._audio.appendleft(head[FRAME:])
        return np.pad(head[:FRAME], (0, max(0, FRAME - len(head))))

    def _encode(self, samples: Samples) -> bytes:
        is_alaw = self._payload == PCMA
        return g711.alaw_encode(samples) if is_alaw else g711.ulaw_encode(samples)

    def _send(self, packet: bytes) -> None:
        if self._transport is None or self._remote is None:
            return
        with contextlib.suppress(OSError):
            self._transport.sendto(packet, self._remote)
            self.stats.sent += 1
