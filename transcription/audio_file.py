"""Reads a WAV file into 16-bit mono samples, or says plainly why it cannot.

Own parser, because the standard one knows neither A-law nor µ-law (what a switch records) and
reports a cut file as success.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import ClassVar, Final

import numpy as np

from base.errors import HotlineError
from transcription.sound import FloatSamples, to_pcm16


class _Coding(IntEnum):
    """Format tags of the WAV header."""

    PCM = 1
    FLOAT = 3
    ALAW = 6
    MULAW = 7
    EXTENSIBLE = 0xFFFE
    """The real tag stands further on."""


_UNKNOWN_LENGTHS: Final = (0, 0xFFFFFFFF)
"""What a recorder writes before it knows the length: then the data runs to the file's end."""

RATES_HZ: Final = range(4_000, 192_001)
FILE_SIZE_MOST_BYTES: Final = 1 << 30


class AudioFileUnreadable(HotlineError):
    """The file is no sound that can be read."""

    code: ClassVar[str] = "audio_unreadable"
    http_status: ClassVar[int] = 422


@dataclass(frozen=True, slots=True)
class Recording:
    """One file's sound, mixed to one channel."""

    pcm16: bytes
    rate_hz: int

    @property
    def seconds(self) -> float:
        return len(self.pcm16) / 2 / self.rate_hz


@dataclass(frozen=True, slots=True)
class _Format:
    coding: int
    channels: int
    rate_hz: int
    frame_bytes: int
    bits: int


def read_wav(path: Path, *, channel: int | None = None) -> Recording:
    """Read ``path``, mixed or one channel; raises AudioFileUnreadable on anything but whole WAV."""
    try:
        if path.stat().st_size > FILE_SIZE_MOST_BYTES:
            raise AudioFileUnreadable("the file is larger than 1 GiB", file=path.name)
        data = path.read_bytes()
    except OSError as error:
        raise AudioFileUnreadable(
            f"the file cannot be opened: {error.strerror}", file=path.name
        ) from error
    return parse_wav(data, name=path.name, channel=channel)


def parse_wav(data: bytes, *, name: str = "", channel: int | None = None) -> Recording:
    """Read the bytes of a WAV file."""
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise AudioFileUnreadable("the file is not a WAV file", file=name)
    layout, sound = _chunks(data, name)
    samples = _decode(layout, sound, name)
    whole = len(samples) // layout.channels * layout.channels
    frames = samples[:whole].reshape(-1, layout.channels)
    if channel is None:
        mono = frames.mean(axis=1, dtype=np.float32)
    elif channel < layout.channels:
        mono = frames[:, channel]
    else:
        raise AudioFileUnreadable("the file has too few channels", file=name, wanted=channel + 1)
    return Recording(pcm16=to_pcm16(mono), rate_hz=layout.rate_hz)


def _chunks(data: bytes, name: str) -> tuple[_Format, bytes]:
    layout: _Format | None = None
    at = 12
    while at + 8 <= len(data):
        tag, size = struct.unpack_from("<4sI", data, at)
        at += 8
        if tag == b"fmt ":
            layout = _format(data[at : at + size], name)
        elif tag == b"data":
            if layout is None:
                raise AudioFileUnreadable("the sound comes before its format", file=name)
            if size in _UNKNOWN_LENGTHS:
                size = len(data) - at
            if at + size > len(data):
                raise AudioFileUnreadable(
                    "the file is cut short", file=name, missing_bytes=at + size - len(data)
                )
            return layout, data[at : at + size]
        at += size + (size & 1)
    raise AudioFileUnreadable("the file holds no sound", file=name)


def _format(chunk: bytes, name: str) -> _Format:
    if len(chunk) < 16:
        raise AudioFileUnreadable("the format of the sound is not whole", file=name)
    coding, channels, rate_hz, _, frame_bytes, bits = struct.unpack_from("<HHIIHH", chunk)
    if coding == _Coding.EXTENSIBLE and len(chunk) >= 26:
        coding = struct.unpack_from("<H", chunk, 24)[0]
    layout = _Format(coding, channels, rate_hz, frame_bytes, bits)
    if not 1 <= channels <= 8 or rate_hz not in RATES_HZ:
        raise AudioFileUnreadable(
            "the format of the sound makes no sense", file=name, channels=channels, rate_hz=rate_hz
        )
    return layout


def _decode(layout: _Format, sound: bytes, name: str) -> FloatSamples:
    sound = sound[: len(sound) // max(layout.bits // 8, 1) * max(layout.bits // 8, 1)]
    match layout.coding, layout.bits:
        case (_Coding.PCM, 8):
            return (np.frombuffer(sound, np.uint8).astype(np.float32) - 128.0) / 128.0
        case (_Coding.PCM, 16):
            return np.frombuffer(sound, "<i2").astype(np.float32) / 32768.0
        case (_Coding.PCM, 24):
            parts = np.frombuffer(sound, np.uint8).reshape(-1, 3).astype(np.int32)
            wide = (parts[:, 0] << 8) | (parts[:, 1] << 16) | (parts[:, 2] << 24)
            return wide.astype(np.float32) / 2147483648.0
        case (_Coding.PCM, 32):
            return np.frombuffer(sound, "<i4").astype(np.float32) / 2147483648.0
        case (_Coding.FLOAT, 32):
            return np.nan_to_num(np.frombuffer(sound, "<f4").astype(np.float32))
        case (_Coding.ALAW, 8):
            return _ALAW_TABLE[np.frombuffer(sound, np.uint8)]
        case (_Coding.MULAW, 8):
            return _MULAW_TABLE[np.frombuffer(sound, np.uint8)]
        case _:
            raise AudioFileUnreadable(
                "the coding of the sound is not known",
                file=name,
                coding=layout.coding,
                bits=layout.bits,
            )


def _alaw_table() -> FloatSamples:
    """G.711 A-law, byte to sample."""
    code = np.arange(256) ^ 0x55
    segment, step = (code >> 4) & 7, code & 15
    low = (step << 4) + 8
    size = np.where(segment == 0, low, (low + 256) << np.maximum(segment - 1, 0))
    return (np.where(code & 0x80, size, -size) / 32768.0).astype(np.float32)


def _mulaw_table() -> FloatSamples:
    """G.711 µ-law, byte to sample."""
    code = ~np.arange(256) & 0xFF
    size = ((((code & 15) << 3) + 132) << ((code >> 4) & 7)) - 132
    return (np.where(code & 0x80, -size, size) / 32768.0).astype(np.float32)


_ALAW_TABLE: Final = _alaw_table()
_MULAW_TABLE: Final = _mulaw_table()
