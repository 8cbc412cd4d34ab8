"""The process that hears recordings: the real model on a stereo file, and its faults."""

import os
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.speech_parts import need_model, need_voice
from tests.fakes.telephone_line import character_error_rate
from transcription.audio_file import Recording
from transcription.demo_sentences import demo_sentences
from transcription.models import ModelInfo
from transcription.recording_ears import RecordingEars, RecordingNotHeard, recording_model
from transcription.recording_process import last_part

WAITING_S = 6.0


@pytest.fixture
async def ears() -> AsyncIterator[RecordingEars]:
    made = RecordingEars(need_model("demo-zh", "vosk"))
    yield made
    await made.close()


def stereo(path: Path, left: bytes, right: bytes) -> float:
    """Write a call: waiting, then both people at once; returns the seconds of talk."""
    talk = max(len(left), len(right)) // 2
    frames = np.zeros((int(WAITING_S * 8000) + talk, 2), "<i2")
    for channel, sound in enumerate((left, right)):
        samples = np.frombuffer(sound, "<i2")
        frames[-talk : len(frames) - talk + len(samples), channel] = samples
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(frames.tobytes())
    return talk / 8000


def sentence(name: str) -> str:
    return next(line.text for line in demo_sentences() if line.id == name)


async def test_each_person_is_heard_on_their_own_channel_from_the_answer_on(
    ears: RecordingEars, tmp_path: Path
) -> None:
    talk_s = stereo(tmp_path / "call.wav", need_voice("c04"), need_voice("c01"))
    for channel, name in enumerate(("c04", "c01")):
        answer = await ears.hear(
            tmp_path / "call.wav", channel=channel, talk_s=talk_s, timeout_s=60
        )
        heard = "".join(event.text for event in answer.utterances)
        assert character_error_rate(sentence(name), heard) < 0.1
        assert all(0 <= event.start_s < talk_s for event in answer.utterances)
    assert ears.pid is not None
    assert os.sched_getscheduler(ears.pid) == os.SCHED_IDLE


async def test_a_file_that_cannot_be_read_fails_alone(ears: RecordingEars, tmp_path: Path) -> None:
    with pytest.raises(RecordingNotHeard, match="audio_unreadable"):
        await ears.hear(tmp_path / "none.wav", channel=0, talk_s=1, timeout_s=60)
    talk_s = stereo(tmp_path / "call.wav", bytes(16_000), bytes(16_000))
    answer = await ears.hear(tmp_path / "call.wav", channel=0, talk_s=talk_s, timeout_s=60)
    assert answer.utterances == ()


async def test_a_leg_that_takes_too_long_is_given_up_with_its_process(
    ears: RecordingEars, tmp_path: Path
) -> None:
    with pytest.raises(RecordingNotHeard, match="too long"):
        await ears.hear(tmp_path / "call.wav", channel=0, talk_s=1, timeout_s=0.05)
    assert ears.pid is None


async def test_an_engine_that_cannot_be_opened_is_a_refusal(tmp_path: Path) -> None:
    ears = RecordingEars(ModelInfo("none", "vosk", tmp_path, is_demo=False, note=""))
    with pytest.raises(RecordingNotHeard, match="process ended"):
        await ears.hear(tmp_path / "call.wav", channel=0, talk_s=1, timeout_s=60)
    await ears.close()


def test_a_recording_shorter_than_the_conversation_is_heard_whole_and_later() -> None:
    sound = Recording(bytes(16_000), 8000)
    assert last_part(sound, 3.0) == (sound, 2.0)
    part, shift_s = last_part(sound, 0.25)
    assert (part.seconds, shift_s) == (0.25, 0.0)


def test_a_model_asked_for_by_name_hears_recordings_too(tmp_path: Path) -> None:
    live = ModelInfo("demo-zh", "vosk", tmp_path, is_demo=True, note="")
    assert recording_model(tmp_path, live, "demo-zh") is live
    assert recording_model(tmp_path, live, "auto") is live  # no whisper model is installed
