"""A recogniser without a model: "hears" one word a second of sound that is not silent.

The model's name scripts trouble: ``dies`` ends the process at the first sound, ``slow`` takes two
seconds for each piece, ``busy`` works 6 s on 10 s of sound, ``fails`` raises, ``chokes`` does so
after two seconds, ``unusable`` cannot be opened.
"""

import os
import time
from pathlib import Path
from typing import Final

from base.errors import SetupError
from transcription.engine import Capabilities, SpeechEvent, SpeechEventKind, Word
from transcription.spoken_text import join_words

VOCABULARY: Final = ("您好", "我要", "投诉", "工地", "噪音")
UTTERANCE_WORDS: Final = 3


class FakeEngine:
    """Stands where Vosk stands."""

    name: Final = "fake"
    capabilities: Final = Capabilities(
        streaming=True,
        partials=True,
        word_times=True,
        confidence=True,
        hotwords=False,
        native_rates_hz=(8_000,),
    )

    def __init__(self, model_name: str = "fake-model") -> None:
        self._model_name = model_name

    @property
    def model_name(self) -> str:
        return self._model_name

    def warmup(self) -> None:
        """Nothing to warm."""

    def session(self, rate_hz: int, hotwords: tuple[str, ...] = ()) -> "FakeSession":
        return FakeSession(self._model_name, rate_hz)

    def close(self) -> None:
        """Nothing to free."""


class FakeSession:
    """Counts the seconds that hold any sound at all."""

    def __init__(self, model_name: str, rate_hz: int) -> None:
        self._trouble = model_name
        self._rate_hz = rate_hz
        self._rest = b""
        self._seconds = 0
        self._said = 0
        self._words: list[Word] = []
        self._utterance = 0
        self._revision = 0

    def accept(self, pcm16: bytes) -> list[SpeechEvent]:
        self._make_trouble(len(pcm16) / 2 / self._rate_hz)
        self._rest += pcm16
        size = self._rate_hz * 2
        events: list[SpeechEvent] = []
        while len(self._rest) >= size:
            second, self._rest = self._rest[:size], self._rest[size:]
            events += self._hear(second)
        return events

    def finish(self) -> list[SpeechEvent]:
        return self._event(SpeechEventKind.FINAL) if self._words else []

    def close(self) -> None:
        self._words.clear()

    def _make_trouble(self, sound_s: float) -> None:
        match self._trouble:
            case "dies":
                os._exit(7)
            case "slow":
                time.sleep(2)
            case "busy":
                time.sleep(0.6 * sound_s)
            case "fails":
                raise RuntimeError("scripted")
            case "chokes":
                time.sleep(2)
                raise RuntimeError("scripted")
            case _:
                pass

    def _hear(self, second: bytes) -> list[SpeechEvent]:
        at, self._seconds = float(self._seconds), self._seconds + 1
        if not any(second):
            return self._event(SpeechEventKind.FINAL) if self._words else []
        text = VOCABULARY[self._said % len(VOCABULARY)]
        self._said += 1
        self._words.append(Word(text, at, at + 1.0, 0.9))
        is_over = len(self._words) >= UTTERANCE_WORDS
        return self._event(SpeechEventKind.FINAL if is_over else SpeechEventKind.PARTIAL)

    def _event(self, kind: SpeechEventKind) -> list[SpeechEvent]:
        event = SpeechEvent(
            kind=kind,
            utterance=self._utterance,
            revision=self._revision,
            text=join_words(word.text for word in self._words),
            start_s=self._words[0].start_s,
            end_s=self._words[-1].end_s,
            words=tuple(self._words),
            confidence=0.9,
        )
        self._revision += 1
        if kind is SpeechEventKind.FINAL:
            self._utterance += 1
            self._revision = 0
            self._words = []
        return [event]


def open_fake(engine: str, model_dir: Path, model: str) -> FakeEngine:
    """What a decoder process calls instead of ``open_engine``."""
    if model == "unusable":
        raise SetupError("scripted: no engine", fix="none")
    return FakeEngine(model)
