"""G.711 by tables: 16-bit PCM to A-law or µ-law and back (audioop goes with Python 3.13). Pure."""

from functools import cache

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]


def alaw_decode(data: bytes) -> Samples:
    return _alaw_table()[np.frombuffer(data, dtype=np.uint8)]


def alaw_encode(samples: Samples) -> bytes:
    return _encoder("alaw")[samples.astype(np.int32) + 32768].tobytes()


def ulaw_decode(data: bytes) -> Samples:
    return _ulaw_table()[np.frombuffer(data, dtype=np.uint8)]


def ulaw_encode(samples: Samples) -> bytes:
    return _encoder("ulaw")[samples.astype(np.int32) + 32768].tobytes()


@cache
def _alaw_table() -> Samples:
    code = np.arange(256, dtype=np.int32) ^ 0x55
    exponent = (code >> 4) & 7
    mantissa = ((code & 0x0F) << 4) + 8
    value = np.where(exponent > 0, (mantissa + 0x100) << np.maximum(exponent - 1, 0), mantissa)
    return np.where(code & 0x80, value, -value).astype(np.int16)


@cache
def _ulaw_table() -> Samples:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    exponent = (code >> 4) & 7
    value = ((((code & 0x0F) << 3) + 0x84) << exponent) - 0x84
    return np.where(code & 0x80, -value, value).astype(np.int16)


@cache
def _encoder(law: str) -> npt.NDArray[np.uint8]:
    """For each of the 65,536 samples the code whose value lies nearest."""
    values = (_alaw_table() if law == "alaw" else _ulaw_table()).astype(np.int32)
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    samples = np.arange(-32768, 32768)
    right = np.clip(np.searchsorted(ranked, samples), 1, 255)
    nearer_left = samples - ranked[right - 1] <= ranked[right] - samples
    return order[np.where(nearer_left, right - 1, right)].astype(np.uint8)
