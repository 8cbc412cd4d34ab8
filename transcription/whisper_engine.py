"""faster-whisper behind the port: better words for finished utterances and recordings.

It needs the whole sound before the first word, so ``capabilities.streaming`` is False and every
word comes from ``finish``. Safe in one process with Vosk. Offline: the model is a directory.
"""

from pathlib import Path
from typing import Any, Final

from base.errors import HotlineError, SetupError
from transcription.engine import Capabilities, SpeechEvent, SpeechEventKind, Word
from transcription.sound import FloatSamples, resample, to_float

RATE_HZ: Final = 16_000
LONGEST_S: Final = 4 * 3600
THREADS: Final = 2
LEAST_S: Final = 0.1
PAUSE_MS: Final = 700
"""Silence that parts two utterances."""
STRETCH_MOST_S: Final = 28.0
"""The model hears thirty seconds at once."""

SYLLABLES_MOST_PER_S: Final = 10
"""Nobody speaks faster; a longer answer is the model repeating itself."""
SPARE_TOKENS: Final = 12
SCRIPT_HINT: Final = "以下是普通话的句子。"
"""Makes the model write simplified script; a longer hint makes it repeat itself."""


class SoundTooLong(HotlineError):
    """A sound of more than four hours is not transcribed in one piece."""

    code = "sound_too_long"
    http_status = 413


class WhisperEngine:
    """One loaded whisper model."""

    name: Final = "whisper"
    capabilities: Final = Capabilities(
        streaming=False,
        partials=False,
        word_times=True,
        confidence=True,
        hotwords=True,
        native_rates_hz=(RATE_HZ,),
    )

    def __init__(self, model_dir: Path, model_name: str | None = None) -> None:
        from faster_whisper import WhisperModel

        if not (model_dir / "model.bin").is_file():
            raise SetupError(
                f"{model_dir} is not a whisper model: model.bin missing",
                fix="run `hotline model install whisper-base`",
            )
        self._model: Any = WhisperModel(
            str(model_dir.resolve()),
            device="cpu",
            compute_type="int8",
            cpu_threads=THREADS,
            local_files_only=True,
        )
        self._model_name = model_name or model_dir.name
        self._traditional = _traditional_tokens(self._model.hf_tokenizer)

    @property
    def model_name(self) -> str:
        return self._model_name

    def warmup(self) -> None:
        """Nothing: the first sound is a whole recording, nobody waits for the first word."""

    def session(self, rate_hz: int, hotwords: tuple[str, ...] = ()) -> "WhisperSession":
        return WhisperSession(self._model, self._traditional, rate_hz, hotwords)

    def close(self) -> None:
        self._model = None


class WhisperSession:
    """Collects one sound and recognises it at the end."""

    def __init__(
        self, model: Any, traditional: list[int], rate_hz: int, hotwords: tuple[str, ...]
    ) -> None:
        self._model = model
        self._unwanted = [-1, *traditional]  # −1: the model's own list of signs.
        self._rate_hz = rate_hz
        self._hotwords = " ".join(hotwords) or None
        self._sound = bytearray()

    def accept(self, pcm16: bytes) -> list[SpeechEvent]:
        self._sound += pcm16
        if len(self._sound) > LONGEST_S * self._rate_hz * 2:
            raise SoundTooLong
        return []

    def finish(self) -> list[SpeechEvent]:
        samples = resample(to_float(bytes(self._sound)), self._rate_hz, RATE_HZ)
        self._sound.clear()
        if len(samples) < LEAST_S * RATE_HZ:
            return []
        events: list[SpeechEvent] = []
        for begin, end in _spoken_parts(samples):
            found = self._recognise(samples[begin:end])
            if found is not None:
                events.append(_event(len(events), found, begin / RATE_HZ))
        return events

    def _recognise(self, samples: FloatSamples) -> Any | None:
        seconds = len(samples) / RATE_HZ
        segments, _ = self._model.transcribe(
            samples,
            language="zh",
            beam_size=5,
            temperature=0.0,
            condition_on_previous_text=False,
            max_new_tokens=SPARE_TOKENS + int(SYLLABLES_MOST_PER_S * min(seconds, 20.0)),
            hotwords=self._hotwords,
            initial_prompt=SCRIPT_HINT,
            suppress_tokens=self._unwanted,
            # With time tokens the model goes on after a short stretch's end and invents a second
            # sentence; the words' times come from its attention instead.
            without_timestamps=True,
            word_timestamps=True,
        )
        # A stretch is one segment. The model would go on with the quiet after its last word.
        segment = next(iter(segments), None)
        return segment if segment is not None and segment.text.strip() else None

    def close(self) -> None:
        self._sound.clear()
        self._model = None


def _traditional_tokens(tokenizer: Any) -> list[int]:
    """Tokens of traditional script; GB 2312 holds the simplified characters in common use."""
    count = int(tokenizer.get_vocab_size())
    return [n for n in range(count) if any(map(_is_traditional, tokenizer.decode([n])))]


def _is_traditional(character: str) -> bool:
    if not "\u4e00" <= character <= "\u9fff":
        return False
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return True
    return False


def _spoken_parts(samples: FloatSamples) -> list[tuple[int, int]]:
    """Where somebody speaks, from sample to sample, cut at pauses.

    Silence never reaches the model, which would invent words for it; and it hears one stretch at a
    time, since of a sentence said twice in a row it writes only one.
    """
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(
        min_silence_duration_ms=PAUSE_MS, max_speech_duration_s=STRETCH_MOST_S, speech_pad_ms=300
    )
    parts = get_speech_timestamps(samples, options, sampling_rate=RATE_HZ)
    return [(int(part["start"]), int(part["end"])) for part in parts]


def _event(number: int, segment: Any, offset_s: float) -> SpeechEvent:
    words = tuple(
        Word(
            text=word.word.strip(),
            start_s=offset_s + float(word.start),
            end_s=offset_s + float(word.end),
            confidence=float(word.probability),
        )
        for word in segment.words or ()
    )
    known = [word.confidence for word in words if word.confidence is not None]
    return SpeechEvent(
        kind=SpeechEventKind.FINAL,
        utterance=number,
        revision=0,
        text=segment.text.strip(),
        start_s=offset_s + float(segment.start),
        end_s=offset_s + float(segment.end),
        words=words,
        confidence=sum(known) / len(known) if known else None,
    )
