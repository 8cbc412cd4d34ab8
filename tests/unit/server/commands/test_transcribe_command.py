"""``hotline transcribe`` with recordings from elsewhere: understood, or refused in words."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from server.cli import main
from tests.fakes.speech_parts import need_model, need_voice
from tests.fakes.telephone_line import RATE_HZ, character_error_rate
from transcription.audio_file import parse_wav
from transcription.demo_sentences import demo_sentences
from transcription.sound import resample, to_float, to_pcm16

PCM, ALAW = 1, 6
SENTENCE = "c03"


def wav(coding: int, sound: bytes, *, channels: int = 1, rate_hz: int = RATE_HZ) -> bytes:
    width = channels * (1 if coding == ALAW else 2)
    layout = struct.pack(
        "<HHIIHH", coding, channels, rate_hz, rate_hz * width, width, 8 * width // channels
    )
    body = b"WAVEfmt " + struct.pack("<I", len(layout)) + layout
    body += b"data" + struct.pack("<I", len(sound)) + sound
    return b"RIFF" + struct.pack("<I", len(body)) + body


def alaw(pcm16: bytes) -> bytes:
    """G.711: the byte whose sample is nearest, by the product's own table of samples."""
    table = to_float(parse_wav(wav(ALAW, bytes(range(256)))).pcm16)
    order = np.argsort(table)
    places = np.searchsorted(table[order], to_float(pcm16)).clip(0, 255)
    return bytes(order[places].astype(np.uint8).tobytes())


def stereo(pcm16: bytes) -> bytes:
    """Left the voice, right silence, as a recorder with a channel for each side leaves it."""
    left = np.frombuffer(pcm16, "<i2")
    return np.stack([left, np.zeros_like(left)], axis=1).tobytes()


def made(kind: str) -> bytes:
    voice = need_voice(SENTENCE)
    match kind:
        case "8 kHz A-law":
            return wav(ALAW, alaw(voice))
        case "stereo":
            return wav(PCM, stereo(voice), channels=2)
        case "48 kHz":
            high = to_pcm16(resample(to_float(voice), RATE_HZ, 48_000))
            return wav(PCM, high, rate_hz=48_000)
        case _:
            raise AssertionError(kind)


@pytest.mark.parametrize("kind", ["8 kHz A-law", "stereo", "48 kHz"])
def test_recordings_of_other_makes_are_understood(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    need_model("demo-zh", "vosk")
    file = tmp_path / "other.wav"
    file.write_bytes(made(kind))
    assert main(["transcribe", str(file), "--model", "demo-zh", "--json"]) == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    said = next(line.text for line in demo_sentences() if line.id == SENTENCE)
    assert character_error_rate(said, found["text"]) <= 0.15
    assert found["is_demo_model"] is True
    assert "demo model" in printed.err


def test_a_recording_without_sound_in_it_gives_no_words_and_no_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    need_model("demo-zh", "vosk")
    for name, sound in (("none", b""), ("silence", bytes(RATE_HZ * 4))):
        file = tmp_path / f"{name}.wav"
        file.write_bytes(wav(PCM, sound))
        assert main(["transcribe", str(file), "--model", "demo-zh", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["text"], found["segments"]) == ("", [])


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("empty", b"", "not a WAV file"),
        ("mp3", b"ID3\x04" + bytes(400), "not a WAV file"),
        ("cut", wav(PCM, bytes(4000))[:-1000], "cut short"),
        ("strange", wav(85, bytes(4000)), "not known"),
    ],
)
def test_what_is_no_whole_wav_is_refused_with_a_reason_and_a_fix(
    name: str, data: bytes, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / f"{name}.wav"
    file.write_bytes(data)
    assert main(["transcribe", str(file), "--json"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("FAIL ")
    assert reason in printed.err
    assert "fix: " in printed.err


def test_a_missing_file_and_a_folder_are_refused_the_same_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (tmp_path / "none.wav", tmp_path):
        assert main(["transcribe", str(path)]) == 2
        assert "cannot be opened" in capsys.readouterr().err


def test_an_unknown_model_is_refused_with_a_fix(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "whole.wav"
    file.write_bytes(wav(PCM, bytes(4000)))
    assert main(["transcribe", str(file), "--model", "no-such-model"]) != 0
    assert "fix: " in capsys.readouterr().err
