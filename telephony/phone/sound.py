"""Sound files in and out of the phone: always 8 kHz mono 16-bit inside."""

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

from telephony.phone.errors import PhoneError

RATE_HZ = 8000
_TAPS_PER_STEP = 24

Samples = npt.NDArray[np.int16]
Sound = Samples | bytes | str | Path
"""Samples, raw 8 kHz 16-bit little-endian PCM, or a file (.wav of any common rate, .raw/.sln)."""


def load_sound(sound: Sound) -> Samples:
    """Read whatever a script may play."""
    if isinstance(sound, np.ndarray):
        return sound.astype(np.int16, copy=False)
    if isinstance(sound, bytes):
        return np.frombuffer(sound[: len(sound) // 2 * 2], dtype="<i2").astype(np.int16)
    path = Path(sound)
    try:
        if path.suffix in (".raw", ".sln"):
            return load_sound(path.read_bytes())
        with wave.open(str(path), "rb") as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            data = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise PhoneError(f"the phone cannot play {path.name}: {error}") from error
    if width != 2:
        raise PhoneError("the phone plays 16-bit wav files only", file=path.name)
    samples = np.frombuffer(data, dtype="<i2").astype(np.int16)
    if channels > 1:
        mixed = samples[: len(samples) // channels * channels].reshape(-1, channels)
        samples = mixed.mean(axis=1).astype(np.int16)
    return resample(samples, rate)


def resample(samples: Samples, rate_hz: int) -> Samples:
    """Bring 8, 16, 24, 32 or 48 kHz down to 8 kHz: low-pass, then every n-th sample."""
    step, rest = divmod(rate_hz, RATE_HZ)
    if rest or not 1 <= step <= 6:
        raise PhoneError("the phone plays 8, 16, 24, 32 or 48 kHz only", rate_hz=rate_hz)
    if step == 1 or len(samples) == 0:
        return samples
    reach = _TAPS_PER_STEP * step // 2
    at = np.arange(-reach, reach + 1)
    taps = np.sinc(at * 0.9 / step) * np.hamming(len(at))
    filtered = np.convolve(samples.astype(np.float64), taps / taps.sum(), mode="same")
    return np.clip(np.round(filtered[::step]), -32768, 32767).astype(np.int16)


def save_wav(path: Path, samples: Samples) -> None:
    """Write what a phone heard."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes(samples.astype("<i2").tobytes())
