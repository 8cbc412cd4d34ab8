"""Arithmetic on samples: signed 16-bit to float and back, and from one rate to another.

Pure numpy, because ``audioop`` leaves Python in 3.13 and scipy would be 100 MB for one filter.
"""

from math import gcd
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatSamples = NDArray[np.float32]

_TAPS_PER_PHASE: Final = 32
"""Filter length a phase: 70 dB of stop band with the window below, enough for speech."""


def to_float(pcm16: bytes) -> FloatSamples:
    """Signed 16-bit little-endian samples as floats of ±1; an odd last byte is left out."""
    whole = len(pcm16) & ~1
    return np.frombuffer(pcm16[:whole], dtype="<i2").astype(np.float32) / 32768.0


def to_pcm16(samples: FloatSamples) -> bytes:
    """Floats of ±1 as signed 16-bit little-endian samples, clipped."""
    whole: bytes = np.clip(np.rint(samples * 32768.0), -32768, 32767).astype("<i2").tobytes()
    return whole


def resample(samples: FloatSamples, from_hz: int, to_hz: int) -> FloatSamples:
    """Change the rate with a windowed-sinc filter below the lower rate's half."""
    if from_hz == to_hz or not len(samples):
        return samples
    step = gcd(from_hz, to_hz)
    up, down = to_hz // step, from_hz // step
    kernel = _low_pass(up, down)
    length = -(-len(samples) * up // down)
    half = (len(kernel) - 1) // 2
    out = np.zeros(length, dtype=np.float32)
    padded = np.concatenate(
        [np.zeros(len(kernel), np.float32), samples, np.zeros(len(kernel), np.float32)]
    )
    positions = np.arange(length, dtype=np.int64) * down + half
    newest = positions // up + len(kernel)
    phase = positions % up
    for tap in range(-(-len(kernel) // up)):
        index = phase + tap * up
        weight = np.where(index < len(kernel), kernel[np.minimum(index, len(kernel) - 1)], 0.0)
        source = np.minimum(newest - tap, len(padded) - 1)
        out += (weight * padded[source]).astype(np.float32)
    return out


def _low_pass(up: int, down: int) -> FloatSamples:
    widest = max(up, down)
    half = _TAPS_PER_PHASE * widest // 2
    place = np.arange(-half, half + 1, dtype=np.float64)
    cutoff = 0.92 / widest
    kernel = np.sinc(place * cutoff) * cutoff * np.kaiser(len(place), 7.0) * up
    return kernel.astype(np.float32)
