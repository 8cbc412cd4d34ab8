"""The prompts' voice: what is rendered when, in a process of its own."""

import wave
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.speech_parts import TOOLS
from transcription import voice
from transcription.sound import FloatSamples
from transcription.voice import render, render_here, voice_packages


class Whistle:
    """Says everything the same way."""

    name = "whistle"
    rate_hz = 24_000

    def __init__(self) -> None:
        self.said: list[str] = []

    def speak(self, text: str) -> FloatSamples:
        self.said.append(text)
        return np.sin(np.arange(24_000) / 10).astype(np.float32)


@pytest.fixture
def whistle(monkeypatch: pytest.MonkeyPatch) -> Whistle:
    found = Whistle()
    monkeypatch.setattr(voice, "_voice_name", lambda **_: found.name)
    monkeypatch.setattr(voice, "_open_voice", lambda **_: found)
    return found


def test_files_are_telephone_sound(whistle: Whistle, tmp_path: Path) -> None:
    assert render_here({"a": "您好"}, tmp_path) == 1
    with wave.open(str(tmp_path / "a.wav")) as made:
        assert (made.getframerate(), made.getsampwidth(), made.getnchannels()) == (8000, 2, 1)
        assert made.getnframes() == 8000


def test_only_what_changed_is_spoken_again(whistle: Whistle, tmp_path: Path) -> None:
    render_here({"a": "您好", "b": "再见"}, tmp_path)
    assert render_here({"a": "您好", "b": "谢谢"}, tmp_path) == 1
    assert whistle.said == ["您好", "再见", "谢谢"]
    (tmp_path / "a.wav").unlink()
    assert render_here({"a": "您好", "b": "谢谢"}, tmp_path) == 1


def test_a_persons_own_recording_is_kept(whistle: Whistle, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"mine")
    render_here({"a": "您好", "b": "再见"}, tmp_path)
    (tmp_path / "b.wav").write_bytes(b"mine too")
    render_here({"a": "欢迎", "b": "走好"}, tmp_path)
    assert (tmp_path / "a.wav").read_bytes() == b"mine"
    assert (tmp_path / "b.wav").read_bytes() == b"mine too"


def test_the_real_voice_says_the_same_twice(tmp_path: Path) -> None:
    if not voice_packages(TOOLS).is_dir():
        pytest.skip("the Mandarin voice is not installed; `hotline test` installs it")
    for name in ("one", "two"):
        render({"a": "您好，这里是政务服务热线。"}, tmp_path / name, TOOLS, needs_mandarin=True)
    first, second = (tmp_path / name / "a.wav" for name in ("one", "two"))
    assert len(first.read_bytes()) > 16_000
    assert first.read_bytes() == second.read_bytes()
