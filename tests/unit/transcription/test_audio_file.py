"""WAV files as switches and people make them, and files that are none."""

import struct
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcription.audio_file import AudioFileUnreadable, parse_wav, read_wav
from transcription.sound import resample, to_float, to_pcm16


def wav(coding: int, bits: int, sound: bytes, *, channels: int = 1, rate_hz: int = 8000) -> bytes:
    width = channels * bits // 8
    layout = struct.pack("<HHIIHH", coding, channels, rate_hz, rate_hz * width, width, bits)
    body = b"WAVEfmt " + struct.pack("<I", len(layout)) + layout
    body += b"LIST" + struct.pack("<I", 3) + b"odd\0"
    body += b"data" + struct.pack("<I", len(sound)) + sound
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_sixteen_bits_are_read_without_loss(tmp_path: Path) -> None:
    samples = np.arange(-32768, 32768, 7, dtype="<i2").tobytes()
    file = tmp_path / "a.wav"
    with wave.open(str(file), "wb") as out:
        out.setparams((1, 2, 16_000, 0, "NONE", ""))
        out.writeframes(samples)
    found = read_wav(file)
    assert (found.pcm16, found.rate_hz) == (samples, 16_000)


def test_two_channels_are_mixed_to_one() -> None:
    stereo = np.array([[1000, 3000], [-200, 200]], "<i2").tobytes()
    assert parse_wav(wav(1, 16, stereo, channels=2)).pcm16 == np.array([2000, 0], "<i2").tobytes()


@pytest.mark.parametrize(
    ("coding", "bits", "sound", "expected"),
    [
        (1, 8, bytes([128, 255, 0]), [0, 32512, -32768]),
        (1, 24, b"\x00\x00\x40\x00\x00\xc0", [16384, -16384]),
        (1, 32, b"\x00\x00\x00\x40", [16384]),
        (3, 32, struct.pack("<ff", 0.5, -0.5), [16384, -16384]),
        (6, 8, bytes([0xD5, 0x55, 0xAA, 0x2A]), [8, -8, 32256, -32256]),
        (7, 8, bytes([0xFF, 0x7F, 0x80, 0x00]), [0, 0, 32124, -32124]),
    ],
)
def test_other_codings_are_read(coding: int, bits: int, sound: bytes, expected: list[int]) -> None:
    found = np.frombuffer(parse_wav(wav(coding, bits, sound)).pcm16, "<i2")
    assert found.tolist() == expected


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a WAV"),
        (b"hello, this is text and no sound", "not a WAV"),
        (wav(1, 16, bytes(100))[:-10], "cut short"),
        (wav(1, 16, bytes(100))[:40], "no sound"),
        (wav(85, 16, bytes(100)), "not known"),
        (wav(1, 16, bytes(100), rate_hz=7), "no sense"),
    ],
)
def test_what_is_no_sound_is_refused_in_words(data: bytes, reason: str) -> None:
    with pytest.raises(AudioFileUnreadable, match=reason):
        parse_wav(data)


def test_a_missing_file_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(AudioFileUnreadable, match="cannot be opened"):
        read_wav(tmp_path / "none.wav")


@given(st.binary(max_size=200), st.integers(0, 60))
def test_no_bytes_make_the_reader_fail_otherwise(noise: bytes, at: int) -> None:
    whole = wav(1, 16, bytes(40))
    for data in (noise, whole[:at] + noise, whole[:at] + noise + whole[at + len(noise) :]):
        try:
            parse_wav(data)
        except AudioFileUnreadable:
            continue


@pytest.mark.parametrize(("from_hz", "to_hz"), [(24_000, 8_000), (16_000, 8_000), (8_000, 16_000)])
def test_a_change_of_rate_keeps_the_tone_and_its_loudness(from_hz: int, to_hz: int) -> None:
    def tone(rate_hz: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        at_s = np.arange(rate_hz) / rate_hz
        return (0.5 * np.sin(2 * np.pi * 1000 * at_s)).astype(np.float32)

    changed = resample(tone(from_hz), from_hz, to_hz)
    assert len(changed) == to_hz
    middle = slice(to_hz // 4, to_hz // 2)
    assert np.abs(changed[middle] - tone(to_hz)[middle]).max() < 0.01


@given(st.binary(max_size=64).map(lambda data: data[: len(data) & ~1]))
def test_samples_survive_the_way_to_floats_and_back(pcm16: bytes) -> None:
    assert to_pcm16(to_float(pcm16)) == pcm16
