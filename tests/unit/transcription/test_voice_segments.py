"""A recogniser hears only stretches of speech, each afresh; time and numbers run on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transcription.engine import SpeechEvent, SpeechEventKind, Word
from transcription.voice_gate import VoiceActivity
from transcription.voice_segments import HANG_S, LEAD_S, SegmentedSession

RATE_HZ = 8_000


class Counting:
    """A session that says how much sound it got, once at its end."""

    opened = 0

    def __init__(self) -> None:
        Counting.opened += 1
        self.samples = 0

    def accept(self, pcm16: bytes) -> list[SpeechEvent]:
        self.samples += len(pcm16) // 2
        return []

    def finish(self) -> list[SpeechEvent]:
        end_s = self.samples / RATE_HZ
        word = Word(text="话", start_s=0.0, end_s=end_s)
        return [
            SpeechEvent(SpeechEventKind.FINAL, 0, 0, "话", 0.0, end_s, words=(word,), confidence=1)
        ]

    def close(self) -> None:
        """Nothing to free."""


@pytest.fixture(autouse=True)
def _counted_anew() -> None:
    Counting.opened = 0


def quiet(seconds: float) -> bytes:
    return bytes(int(seconds * RATE_HZ) * 2)


def voice(seconds: float) -> bytes:
    """A buzz with the pitch and the overtones of a voice, rising a little."""
    at = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    phase = 2 * np.pi * (120 * at + 10 * at**2)
    overtones = np.arange(1, 12)[:, np.newaxis]
    sound = (np.sin(overtones * phase) / overtones).sum(axis=0)
    return bytes((3000 * sound).astype("<i2").tobytes())


def heard(sound: bytes, piece: int = 320) -> list[SpeechEvent]:
    session = SegmentedSession(Counting, VoiceActivity(RATE_HZ))
    events = [
        e for at in range(0, len(sound), piece) for e in session.accept(sound[at : at + piece])
    ]
    return events + session.finish()


def test_silence_opens_nothing() -> None:
    assert heard(quiet(20)) == []
    assert Counting.opened == 0


def test_a_stretch_stands_where_it_was_spoken() -> None:
    (event,) = heard(quiet(5) + voice(1.0) + quiet(3))
    assert event.start_s == pytest.approx(5.0 - LEAD_S, abs=0.1)
    assert event.end_s == pytest.approx(6.0 + HANG_S, abs=0.15)
    assert event.words[0].start_s == event.start_s


def test_a_long_pause_makes_two_stretches_and_a_short_one_none() -> None:
    apart = heard(voice(1.0) + quiet(HANG_S + 1) + voice(1.0) + quiet(2))
    assert [event.utterance for event in apart] == [0, 1]
    assert apart[1].start_s > apart[0].end_s
    assert len(heard(voice(1.0) + quiet(0.4) + voice(1.0) + quiet(2))) == 1


def test_speech_until_the_very_end_is_not_lost() -> None:
    (event,) = heard(quiet(1) + voice(0.5))
    assert event.end_s == pytest.approx(1.5, abs=0.01)


@settings(max_examples=25)
@given(piece=st.integers(min_value=1, max_value=500).map(lambda n: 2 * n))
def test_however_the_sound_is_cut_the_words_are_the_same(piece: int) -> None:
    sound = quiet(1) + voice(0.6) + quiet(1.5) + voice(0.4)
    assert heard(sound, piece) == heard(sound)
