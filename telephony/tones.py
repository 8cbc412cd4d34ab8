"""Sounds that are no words: the beep and the music callers hear while they wait.

Made, not shipped: the repository holds no audio.
"""

import wave
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

RATE_HZ = 8000
FULL_SCALE = 32767

# A quiet pentatonic turn (Hz, seconds), looped by Asterisk; None is a rest.
_PHRASE = (
    (392.0, 0.6),
    (440.0, 0.6),
    (523.25, 1.2),
    (440.0, 0.6),
    (392.0, 0.6),
    (329.63, 1.2),
    (293.66, 0.6),
    (329.63, 0.6),
    (392.0, 1.8),
    (None, 0.6),
    (440.0, 0.6),
    (523.25, 0.6),
    (587.33, 1.2),
    (523.25, 0.6),
    (440.0, 0.6),
    (392.0, 1.2),
    (329.63, 0.6),
    (293.66, 0.6),
    (261.63, 1.8),
    (None, 1.2),
)

Samples = npt.NDArray[np.int16]


def tone(frequency_hz: float, length_s: float, *, level: float = 0.25) -> Samples:
    """A sine with soft edges; ``level`` is a share of full scale."""
    at_s = np.arange(int(length_s * RATE_HZ)) / RATE_HZ
    edge = np.minimum(1.0, np.minimum(at_s, at_s[::-1]) / 0.01)
    wave_form = np.sin(2 * np.pi * frequency_hz * at_s) * edge * level
    return np.asarray(wave_form * FULL_SCALE, dtype=np.int16)


def waiting_music(*, level: float = 0.12) -> Samples:
    """Some 17 seconds of plucked notes that can be looped."""
    return np.concatenate([_pluck(pitch, length_s, level) for pitch, length_s in _PHRASE])


def _pluck(pitch_hz: float | None, length_s: float, level: float) -> Samples:
    at_s = np.arange(int(length_s * RATE_HZ)) / RATE_HZ
    if pitch_hz is None:
        return np.zeros(len(at_s), dtype=np.int16)
    fading = np.minimum(at_s / 0.01, 1.0) * np.exp(-at_s * 2.5)
    sound = np.sin(2 * np.pi * pitch_hz * at_s) + 0.3 * np.sin(4 * np.pi * pitch_hz * at_s)
    return np.asarray(sound * fading * level * FULL_SCALE, dtype=np.int16)


def write_wav(path: Path, samples: Samples | Iterable[int]) -> None:
    """Write 8 kHz mono 16-bit samples."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes(np.asarray(samples, dtype="<i2").tobytes())
