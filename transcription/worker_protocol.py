"""What a decoder process and its supervisor say to each other, and how it is cut into frames.

A frame is a length (4 bytes, big-endian) and MessagePack. Pure: no sockets, no processes. The
supervisor trusts its own child, but bounds the length all the same: a child gone mad must not make
the parent allocate what it pleases.
"""

import struct
from typing import Final

import msgspec

from base.errors import HotlineError
from transcription.engine import SpeechEvent

FRAME_MOST_BYTES: Final = 1 << 20
LENGTH: Final = struct.Struct(">I")


class Open(msgspec.Struct, frozen=True, tag=True):
    """Begin a stream; answered by nothing, its words follow."""

    stream: str
    rate_hz: int


class Sound(msgspec.Struct, frozen=True, tag=True):
    """The next samples of a stream."""

    stream: str
    pcm16: bytes


class Finish(msgspec.Struct, frozen=True, tag=True):
    """No more sound: flush the words, answer Finished."""

    stream: str


class Drop(msgspec.Struct, frozen=True, tag=True):
    """Forget the stream and what is not decoded of it; not answered."""

    stream: str


class Ping(msgspec.Struct, frozen=True, tag=True):
    """Are you alive?"""

    number: int


class Stop(msgspec.Struct, frozen=True, tag=True):
    """End the process."""


ToWorker = Open | Sound | Finish | Drop | Ping | Stop


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The model is loaded and warm."""

    engine: str
    model: str


class Unusable(msgspec.Struct, frozen=True, tag=True):
    """The engine cannot be opened; only a person can help."""

    what: str
    fix: str


class Heard(msgspec.Struct, frozen=True, tag=True):
    """Words of a stream."""

    stream: str
    event: SpeechEvent


class Finished(msgspec.Struct, frozen=True, tag=True):
    """All words of the stream were sent."""

    stream: str


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The stream is broken, the process lives on."""

    stream: str
    reason: str


class Pong(msgspec.Struct, frozen=True, tag=True):
    """The answer to Ping, with what the process uses."""

    number: int
    rss_bytes: int
    cpu_s: float
    lag_s: float = 0.0
    """Sound that waits for its decoder, of the stream that waits longest."""
    pace: float = 0.0
    """Seconds of work for a second of sound, of the slowest stream of the last seconds."""


FromWorker = Ready | Unusable | Heard | Finished | Failed | Pong


class FrameTooLong(HotlineError):
    """A frame between supervisor and decoder is longer than any may be."""

    code = "worker_frame_too_long"


_encoder: Final = msgspec.msgpack.Encoder()
_to_worker: Final[msgspec.msgpack.Decoder[ToWorker]] = msgspec.msgpack.Decoder(ToWorker)
_from_worker: Final[msgspec.msgpack.Decoder[FromWorker]] = msgspec.msgpack.Decoder(FromWorker)


def frame(message: ToWorker | FromWorker) -> bytes:
    """A message as bytes on the wire."""
    body = _encoder.encode(message)
    return LENGTH.pack(len(body)) + body


def frame_length(head: bytes) -> int:
    """The length of the body that follows ``head``."""
    (length,) = LENGTH.unpack(head)
    if length > FRAME_MOST_BYTES:
        raise FrameTooLong(size_bytes=length)
    return int(length)


def read_to_worker(body: bytes) -> ToWorker:
    """Parse what the supervisor said."""
    return _to_worker.decode(body)


def read_from_worker(body: bytes) -> FromWorker:
    """Parse what the decoder process said."""
    return _from_worker.decode(body)
