"""What a telephone line does to sound, and sounds that are no speech."""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from transcription.sound import FloatSamples, resample, to_float, to_pcm16

RATE_HZ: Final = 8_000
LOWEST_HZ: Final = 300
HIGHEST_HZ: Final = 3_400


def telephone(samples: FloatSamples, rate_hz: int) -> bytes:
    """The sound after the narrow band, A-law and back, as 8 kHz samples."""
    return to_pcm16(through_alaw(_narrow_band(resample(samples, rate_hz, RATE_HZ))))


def telephone_pcm16(pcm16: bytes, rate_hz: int) -> bytes:
    """``telephone`` for 16-bit samples."""
    return telephone(to_float(pcm16), rate_hz)


def through_alaw(samples: FloatSamples) -> FloatSamples:
    """Each sample as the nearest of A-law's 256 values."""
    levels = _alaw_levels()
    borders = (levels[1:] + levels[:-1]) / 2
    nearest: FloatSamples = levels[np.searchsorted(borders, samples)]
    return nearest


def _alaw_levels() -> FloatSamples:
    """G.711: eight segments of sixteen steps, either sign; independent of the product's table."""
    positive = [2 * step + 1 for step in range(16)]
    for segment in range(1, 8):
        positive += [(2 * step + 33) << (segment - 1) for step in range(16)]
    both = sorted([-value for value in positive] + positive)
    return np.array(both, np.float32) / 4096.0


def _narrow_band(samples: FloatSamples) -> FloatSamples:
    """300–3400 Hz with the slopes of a line's filters (24 dB an octave), not of a brick wall."""
    spectrum = np.fft.rfft(samples)
    pitch_hz = np.maximum(np.fft.rfftfreq(len(samples), 1 / RATE_HZ), 1.0)
    low = 1 / np.sqrt(1 + (LOWEST_HZ / pitch_hz) ** 8)
    high = 1 / np.sqrt(1 + (pitch_hz / HIGHEST_HZ) ** 8)
    return np.fft.irfft(spectrum * low * high, len(samples)).astype(np.float32)


def noises(seconds: float = 6.0) -> dict[str, bytes]:
    """Sounds without a voice, 8 kHz: nothing may be recognised in any.

    The street is as a line carries it, without its depths.
    """
    count = int(seconds * RATE_HZ)
    rng = np.random.default_rng(12345)
    at_s = np.arange(count) / RATE_HZ
    white = rng.normal(0, 1, count)
    line_tone = np.sin(2 * np.pi * 450 * at_s)
    found = {
        "silence": np.zeros(count),
        "faint hiss": white * 0.0005,
        "hiss": white * 0.02,
        "loud hiss": white * 0.2,
        "hiss in bursts": white * 0.1 * (np.sin(2 * np.pi * 3 * at_s) > 0),
        "ringing tone": 0.2 * line_tone * (at_s % 5 < 1),
        "busy tone": 0.2 * line_tone * (at_s % 0.7 < 0.35),
        "keys": 0.2 * (np.sin(2 * np.pi * 770 * at_s) + np.sin(2 * np.pi * 1336 * at_s)),
        "crackle": (rng.random(count) < 0.001) * rng.normal(0, 0.5, count),
        "street": _narrow_band(street(count).astype(np.float32)),
        "keyboard": keyboard(count),
        "melody": notes(count, (262, 330, 392, 523, 440, 349, 294, 392), beat_s=0.25),
        "chords": sum(
            notes(count, (low, 2 * low * 3 / 4, low * 2), beat_s=0.6) for low in (196, 247)
        ),
        "mains hum": 0.1 * np.sin(2 * np.pi * 50 * at_s) + 0.05 * np.sin(2 * np.pi * 150 * at_s),
    }
    return {name: to_pcm16(np.asarray(sound).astype(np.float32)) for name, sound in found.items()}


Noise = np.ndarray[tuple[int], np.dtype[np.float64]]


def street(count: int) -> Noise:
    """Traffic: noise that falls with the pitch, and an engine that comes and goes."""
    at_s = np.arange(count) / RATE_HZ
    rng = np.random.default_rng(5)
    pitch_hz = np.maximum(np.fft.rfftfreq(count, 1 / RATE_HZ), 20.0)
    rush = np.fft.irfft(np.fft.rfft(rng.normal(0, 1, count)) / np.sqrt(pitch_hz), count)
    phase = 2 * np.pi * np.cumsum(85 + 15 * np.sin(2 * np.pi * 0.2 * at_s)) / RATE_HZ
    engine = np.sum([np.sin(number * phase) / number for number in range(1, 9)], axis=0)
    return np.asarray(0.25 * rush / np.abs(rush).max() + 0.06 * engine, np.float64)


def keyboard(count: int) -> Noise:
    """Somebody types beside the telephone: short bursts, three to fifteen a second."""
    rng = np.random.default_rng(6)
    sound = np.zeros(count)
    fading = np.exp(-np.arange(240) / RATE_HZ / 0.006)
    at = 0
    while at < count:
        stroke = rng.normal(0, 0.4 * rng.uniform(0.4, 1.0), 240) * fading
        sound[at : at + 240] += stroke[: count - at]
        at += int(RATE_HZ * rng.uniform(0.06, 0.3))
    return sound


def notes(count: int, pitches_hz: Sequence[float], *, beat_s: float) -> Noise:
    """An instrument: each note with five overtones, fading into the next."""
    sound = np.zeros(count)
    for beat in range(int(count / RATE_HZ / beat_s) + 1):
        begin = int(beat * beat_s * RATE_HZ)
        at_s = np.arange(max(0, min(count - begin, int(2 * beat_s * RATE_HZ)))) / RATE_HZ
        pitch_hz = pitches_hz[beat * 5 % len(pitches_hz)]
        for number in range(1, 6):
            tone = np.sin(2 * np.pi * pitch_hz * number * at_s) / number
            sound[begin : begin + len(at_s)] += 0.12 * tone * np.exp(-3 * at_s)
    return sound


def mixed(voice: bytes, noise: Noise, *, louder_db: float) -> bytes:
    """A voice on a telephone line, ``louder_db`` above a noise that is as long."""
    speech = to_float(voice)
    scale = np.sqrt((speech**2).mean() / (noise**2).mean()) / 10 ** (louder_db / 20)
    return telephone((speech + scale * noise).astype(np.float32), RATE_HZ)


def voice_like(seconds: float) -> bytes:
    """A sound with a pitch that wanders as a voice's does; takes the gate's fancy."""
    count = int(seconds * RATE_HZ)
    at_s = np.arange(count) / RATE_HZ
    phase = 2 * np.pi * np.cumsum(180 + 40 * np.sin(2 * np.pi * 2 * at_s)) / RATE_HZ
    buzz = sum(np.sin(number * phase) / number for number in range(1, 12))
    return to_pcm16((0.2 * np.asarray(buzz)).astype(np.float32))


def character_error_rate(said: str, heard: str) -> float:
    """Edits needed to turn ``heard`` into ``said``, a character of ``said``."""
    wanted, found = bare(said), bare(heard)
    row = list(range(len(found) + 1))
    for number, character in enumerate(wanted, 1):
        corner, row[0] = row[0], number
        for place, other in enumerate(found, 1):
            edits = min(row[place] + 1, row[place - 1] + 1, corner + (character != other))
            corner, row[place] = row[place], edits
    return row[-1] / max(len(wanted), 1)


def bare(text: str) -> str:
    """The Chinese characters alone."""
    return re.sub(r"[^\u4e00-\u9fff]", "", text)
