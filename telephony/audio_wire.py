"""The AudioSocket protocol: bytes to messages. Pure, incremental, believes nothing.

A frame is a kind (1 byte), a length (2 bytes, big-endian) and that many bytes. Asterisk sends the
stream's UUID first, then sound. Anything else than that is garbage and ends the connection.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final, Protocol
from uuid import UUID

from base.errors import HotlineError
from base.ids import StreamId


class FrameKind(IntEnum):
    """Kinds of frames that are not sound."""

    HANGUP = 0x00
    """The channel ends; in practice the connection just closes."""
    UUID = 0x01
    """Sixteen bytes: which stream this is."""
    DIGIT = 0x03
    """One ASCII character: a key was pressed."""
    ERROR = 0xFF
    """Asterisk could not do something; a code of one byte may follow."""


SOUND_RATES_HZ: Final = {
    0x10: 8_000,
    0x11: 12_000,
    0x12: 16_000,
    0x13: 24_000,
    0x14: 32_000,
    0x15: 44_100,
    0x16: 48_000,
    0x17: 96_000,
    0x18: 192_000,
}
"""Signed 16-bit little-endian mono; one kind a rate."""

_HEAD: Final = struct.Struct(">BH")

SILENCE_FRAME: Final = _HEAD.pack(0x10, 320) + bytes(320)
"""20 ms of silence at 8 kHz, the rate at which forks are made."""


class NotAudio(HotlineError):
    """What came is not the audio protocol."""

    code: ClassVar[str] = "audio_garbage"


@dataclass(frozen=True, slots=True)
class StreamNamed:
    """Which stream the connection carries."""

    stream: StreamId


@dataclass(frozen=True, slots=True)
class Sound:
    """Samples of the stream."""

    pcm16: bytes
    rate_hz: int


@dataclass(frozen=True, slots=True)
class StreamClosed:
    """The other end says that nothing more comes."""


AudioMessage = StreamNamed | Sound | StreamClosed


class AudioParser(Protocol):
    """Bytes of one connection to messages; chan_websocket's will stand beside AudioSocket's."""

    def feed(self, data: bytes) -> list[AudioMessage]:
        """Take bytes as they come, cut anywhere; raises NotAudio and is then of no more use."""


class AudioSocketParser:
    """AudioSocket, from its first byte on."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._is_named = False
        self._rate_hz: int | None = None

    def feed(self, data: bytes) -> list[AudioMessage]:
        self._waiting += data
        messages: list[AudioMessage] = []
        at = 0
        while len(self._waiting) - at >= _HEAD.size:
            kind, length = _HEAD.unpack_from(self._waiting, at)
            self._check(kind, length)
            if len(self._waiting) - at - _HEAD.size < length:
                break
            at += _HEAD.size
            message = self._message(kind, bytes(self._waiting[at : at + length]))
            at += length
            if message is not None:
                messages.append(message)
        del self._waiting[:at]
        return messages

    def _check(self, kind: int, length: int) -> None:
        """Judge a frame by its head alone: garbage must not be waited for or kept."""
        if kind == FrameKind.UUID:
            if self._is_named or length != 16:
                raise NotAudio("a misplaced or malformed UUID", length=length)
            return
        if not self._is_named:
            raise NotAudio("the first frame is not a UUID", kind=kind)
        if kind in SOUND_RATES_HZ:
            rate_hz = SOUND_RATES_HZ[kind]
            if length % 2 or rate_hz != (self._rate_hz or rate_hz):
                raise NotAudio("half a sample, or the rate changed", kind=kind, length=length)
            self._rate_hz = rate_hz
        elif kind not in tuple(FrameKind) or length > 1:
            raise NotAudio("an unknown kind of frame", kind=kind, length=length)

    def _message(self, kind: int, payload: bytes) -> AudioMessage | None:
        match kind:
            case FrameKind.UUID:
                self._is_named = True
                return StreamNamed(StreamId(str(UUID(bytes=payload))))
            case FrameKind.HANGUP:
                return StreamClosed()
            case FrameKind.DIGIT:
                return None  # Keys are Asterisk's business; we only listen.
            case FrameKind.ERROR:
                raise NotAudio("the other end reports an error", error=payload.hex())
            case _:
                return Sound(payload, SOUND_RATES_HZ[kind])
