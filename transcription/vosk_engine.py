"""Vosk behind the port: live words with times and confidence, while people talk.

Every call may take over a second of CPU (measured 1.35 s), so this runs in worker processes only.
Never import ``kaldifst``, ``wetext`` or ``pynini`` into a process that runs this: they hang or
crash it.
"""

import json
from pathlib import Path
from typing import Any, Final

import vosk

from base.errors import SetupError
from transcription.engine import Capabilities, SpeechEvent, SpeechEventKind, Word
from transcription.spoken_text import join_words, mean_confidence

PARTIAL_EVERY_S: Final = 0.04
"""Words show as soon as they are decoded: asked every 0.2 s they came 0.09 s later in the middle,
and an answer costs 0.14 ms (measured 2026-11-27). What has not changed is not passed on."""

_RATE_HZ: Final = 8_000


class VoskEngine:
    """One loaded Vosk model; serves many sessions, one a thread."""

    name: Final = "vosk"
    capabilities: Final = Capabilities(
        streaming=True,
        partials=True,
        word_times=True,
        confidence=True,
        hotwords=False,
        native_rates_hz=(8_000, 16_000),
    )

    def __init__(self, model_dir: Path, model_name: str | None = None) -> None:
        check_model_dir(model_dir)
        vosk.SetLogLevel(-1)
        # Vosk wants a str; a Path fails. The path is absolute, so it can never be taken for a
        # model's name, with which vosk would go to the network or call sys.exit.
        self._model: Any = vosk.Model(str(model_dir.resolve()))
        self._model_name = model_name or model_dir.name

    @property
    def model_name(self) -> str:
        return self._model_name

    def warmup(self) -> None:
        """Decode half a second of silence."""
        session = self.session(_RATE_HZ)
        session.accept(bytes(_RATE_HZ))
        session.finish()
        session.close()

    def session(self, rate_hz: int, hotwords: tuple[str, ...] = ()) -> "VoskSession":
        """Begin a stream. Hot words are not supported and are ignored, as ``capabilities`` says."""
        return VoskSession(self._model, rate_hz)

    def close(self) -> None:
        self._model = None


class VoskSession:
    """One recogniser for one leg of one call; a long-lived one would grow without end."""

    def __init__(self, model: Any, rate_hz: int) -> None:
        self._recognizer: Any = vosk.KaldiRecognizer(model, float(rate_hz))
        self._recognizer.SetWords(True)
        self._rate_hz = rate_hz
        self._odd_byte = b""
        self._samples = 0
        self._partial_due_at = 0
        self._utterance = 0
        self._revision = 0
        self._begun_at = 0
        self._shown = ""

    def accept(self, pcm16: bytes) -> list[SpeechEvent]:
        """Decode; a byte that is half a sample waits for its other half."""
        # bytes(): cffi refuses bytearray and memoryview. An odd byte would be dropped silently.
        sound = self._odd_byte + bytes(pcm16)
        cut = len(sound) & ~1
        sound, self._odd_byte = sound[:cut], sound[cut:]
        if not sound:
            return []
        self._samples += len(sound) // 2
        if self._recognizer.AcceptWaveform(sound):
            return self._final(self._recognizer.Result())
        if self._samples < self._partial_due_at:
            return []
        self._partial_due_at = self._samples + int(PARTIAL_EVERY_S * self._rate_hz)
        return self._partial(self._recognizer.PartialResult())

    def finish(self) -> list[SpeechEvent]:
        """Flush the last utterance."""
        return self._final(self._recognizer.FinalResult())

    def close(self) -> None:
        self._recognizer = None

    def _partial(self, answer: str) -> list[SpeechEvent]:
        text = join_words(json.loads(answer)["partial"].split())
        if text == self._shown:
            return []
        self._shown = text
        event = SpeechEvent(
            kind=SpeechEventKind.PARTIAL,
            utterance=self._utterance,
            revision=self._revision,
            text=text,
            start_s=self._begun_at / self._rate_hz,
            end_s=self._samples / self._rate_hz,
        )
        self._revision += 1
        return [event]

    def _final(self, answer: str) -> list[SpeechEvent]:
        found = json.loads(answer)
        words = tuple(_word(entry) for entry in found.get("result", ()))
        text = join_words([word.text for word in words])
        begun_at, self._begun_at = self._begun_at, self._samples
        was_shown, self._shown = self._revision > 0, ""
        if not text and not was_shown:
            return []
        event = SpeechEvent(
            kind=SpeechEventKind.FINAL,
            utterance=self._utterance,
            revision=self._revision,
            text=text,
            start_s=words[0].start_s if words else begun_at / self._rate_hz,
            end_s=words[-1].end_s if words else self._samples / self._rate_hz,
            words=words,
            confidence=mean_confidence(words),
        )
        self._utterance += 1
        self._revision = 0
        return [event]


def check_model_dir(model_dir: Path) -> None:
    """Refuse a directory that is no Vosk model, in words, before vosk does it by abort."""
    if not model_dir.is_dir():
        raise SetupError(
            f"the speech model {model_dir} does not exist",
            fix="run `hotline model install cn-small`, or `hotline set-up` for the demo model",
        )
    if missing := _missing_files(model_dir):
        raise SetupError(
            f"{model_dir} is not a whole Vosk model: {', '.join(missing)} missing",
            fix="remove the directory and install the model again",
        )


def _missing_files(model_dir: Path) -> list[str]:
    if (model_dir / "final.mdl").is_file():  # The older, flat layout.
        graph, needed = model_dir, ["mfcc.conf"]
    else:
        graph, needed = model_dir / "graph", ["am/final.mdl", "conf/mfcc.conf"]
    missing = [name for name in needed if not (model_dir / name).is_file()]
    is_static = (graph / "HCLG.fst").is_file() and (graph / "words.txt").is_file()
    is_dynamic = (graph / "HCLr.fst").is_file() and (graph / "Gr.fst").is_file()
    if not (is_static or is_dynamic):
        missing.append("graph (HCLG.fst with words.txt, or HCLr.fst with Gr.fst)")
    return missing


def _word(entry: dict[str, Any]) -> Word:
    return Word(
        text=str(entry["word"]),
        start_s=float(entry["start"]),
        end_s=float(entry["end"]),
        confidence=float(entry["conf"]),
    )
