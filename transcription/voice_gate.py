"""Tells a human voice from noise, so that noise and silence give no words.

A recogniser always answers with the nearest words it knows; on a street's noise they are wrong
words. A voice has a pitch (the wave repeats 70–400 times a second) and changes; noise has none, a
line's tone never changes, and an instrument holds its notes. Pure arithmetic on samples; no clock,
no model.
"""

import math
from dataclasses import replace
from typing import Final

import numpy as np

from transcription.engine import Session, SpeechEvent, SpeechEventKind, Word
from transcription.sound import FloatSamples, to_float
from transcription.spoken_text import join_words, mean_confidence

FRAME_S: Final = 0.04
"""Two of a switch's packets: no packet is cut, and words need not wait for a frame's end."""
LEVEL_LEAST: Final = 0.002
"""Root mean square, −54 dB: below it a frame is silence on any telephone line."""
PEAK_MOST: Final = 9.0
"""Of a frame's level. A voice: 3, in one frame of a thousand above 7.6; a lone click: 18."""
REPEAT_LEAST: Final = 0.45
"""Share of a frame's energy that repeats a pitch period later. White noise: 0.2; voices: 0.5–1."""
TONE_SHARE: Final = 0.97
"""Share of energy in the two strongest lines of the spectrum above which a frame is tones."""
HELD_STEP: Final = 0.002
"""A pitch that changes by less from frame to frame is held. With ``HELD_FRAMES`` in succession: of
66 recordings of people at most 10 % of the voiced frames, of a melody 78 % (2026-11-27)."""
HELD_FRAMES: Final = 3
HELD_MOST: Final = 0.4
"""Share of held frames above which an utterance is music."""
VOICED_LEAST_S: Final = 0.16
"""Voiced time that an utterance needs; the shortest answer (“是”, “喂”) has about 0.2 s."""
CONFIDENCE_LEAST: Final = 0.45
"""Mean confidence of an utterance; measured on the demo model: speech ≥ 0.9, noise ≤ 0.4."""

_PITCH_LEAST_HZ: Final = 70
_PITCH_MOST_HZ: Final = 400
_MARGIN_S: Final = 0.3
_LINE_WIDTH: Final = 9
"""Steps of the spectrum that one pure tone covers in a frame, cut by its window."""


class VoiceActivity:
    """Remembers which frames of a stream held a voice."""

    def __init__(self, rate_hz: int) -> None:
        self._frame = int(FRAME_S * rate_hz)
        self.frame_bytes = self._frame * 2
        self._voiced: list[bool] = []
        self._held: list[bool] = []
        self._lag = 0.0
        self._held_run = 0
        self._forgotten = 0
        self._window = np.hanning(self._frame).astype(np.float32)
        fading = np.fft.irfft(np.abs(np.fft.rfft(self._window, n=2 * self._frame)) ** 2)
        self._pitches = slice(rate_hz // _PITCH_MOST_HZ, rate_hz // _PITCH_LEAST_HZ)
        self._fading = fading[self._pitches] / fading[0]

    def take(self, frame: bytes) -> bool:
        """Whether the stream's next whole frame holds a voice."""
        before, self._lag = self._lag, self._pitch_lag(to_float(frame))
        self._voiced.append(self._lag > 0)
        self._held.append(False)
        is_step = not (self._lag and before) or abs(math.log(self._lag / before)) > HELD_STEP
        self._held_run = 1 if is_step else self._held_run + 1
        if self._held_run >= HELD_FRAMES:
            self._held[-HELD_FRAMES:] = [True] * len(self._held[-HELD_FRAMES:])
        return self._voiced[-1]

    def voiced_s(self, start_s: float, end_s: float) -> float:
        """Voiced time between two instants of the stream, held notes included."""
        return sum(self._voiced[self._between(start_s, end_s)]) * FRAME_S

    def held_s(self, start_s: float, end_s: float) -> float:
        """Of this, the time in which an instrument's note was held."""
        return sum(self._held[self._between(start_s, end_s)]) * FRAME_S

    def _between(self, start_s: float, end_s: float) -> slice:
        first, last = int(start_s / FRAME_S), int(end_s / FRAME_S) + 1
        return slice(max(first - self._forgotten, 0), max(last - self._forgotten, 0))

    def forget_before(self, at_s: float) -> None:
        """Drop what no later question can be about, so that a long call keeps little."""
        count = min(max(int(at_s / FRAME_S) - self._forgotten, 0), len(self._voiced))
        del self._voiced[:count], self._held[:count]
        self._forgotten += count

    def _pitch_lag(self, frame: FloatSamples) -> float:
        """Samples from one wave of the voice to the next; 0 where there is no voice."""
        frame = frame - frame.mean()
        level = np.sqrt(frame @ frame / len(frame))
        if level <= LEVEL_LEAST or np.abs(frame).max() > PEAK_MOST * level:
            return 0.0
        spectrum = np.abs(np.fft.rfft(frame * self._window, n=2 * self._frame)) ** 2
        repeats = np.fft.irfft(spectrum)
        shares = repeats[self._pitches] / self._fading
        place = int(shares.argmax())
        if shares[place] <= REPEAT_LEAST * (repeats[0] + 1e-12):
            return 0.0
        if _two_lines(spectrum) > TONE_SHARE * (spectrum.sum() + 1e-12):
            return 0.0
        return float(self._pitches.start) + place + _peak_offset(shares, place)


def _peak_offset(shares: FloatSamples, place: int) -> float:
    """Where between samples a peak is, by the parabola through its neighbours."""
    if not 0 < place < len(shares) - 1:
        return 0.0
    left, top, right = (float(share) for share in shares[place - 1 : place + 2])
    bend = left - 2 * top + right
    return 0.5 * (left - right) / bend if bend else 0.0


def _two_lines(spectrum: FloatSamples) -> float:
    """Energy of the two strongest lines: a line's tones and a key's pair have no more."""
    found = 0.0
    for _ in range(2):
        sums = np.cumsum(spectrum)
        widths = sums[_LINE_WIDTH:] - sums[:-_LINE_WIDTH]
        place = int(widths.argmax())
        found += float(widths[place])
        spectrum = spectrum.copy()
        spectrum[place + 1 : place + 1 + _LINE_WIDTH] = 0
    return found


class GatedSession:
    """A session that passes on only what a voice said; keeps the port's numbering unbroken.

    ``activity`` is kept by the inner session, which looks for voices as well.
    """

    def __init__(self, inner: Session, activity: VoiceActivity) -> None:
        self._inner = inner
        self._activity = activity
        self._number = 0
        self._revision = 0

    def accept(self, pcm16: bytes) -> list[SpeechEvent]:
        return self._pass(self._inner.accept(pcm16))

    def finish(self) -> list[SpeechEvent]:
        return self._pass(self._inner.finish())

    def close(self) -> None:
        self._inner.close()

    def _pass(self, events: list[SpeechEvent]) -> list[SpeechEvent]:
        return [passed for event in events if (passed := self._judge(event)) is not None]

    def _judge(self, event: SpeechEvent) -> SpeechEvent | None:
        is_final = event.kind is SpeechEventKind.FINAL
        event = self._without_voiceless_ends(event)
        if not self._is_speech(event):
            if not (is_final and self._revision):
                return None
            event = replace(event, text="", words=(), confidence=None)
        passed = replace(event, utterance=self._number, revision=self._revision)
        self._revision += 1
        if is_final:
            self._number += 1
            self._revision = 0
            self._activity.forget_before(event.end_s - 2 * _MARGIN_S)
        return passed

    def _without_voiceless_ends(self, event: SpeechEvent) -> SpeechEvent:
        """Drop first and last words that stand where nobody spoke (guesses made of silence)."""
        words = event.words
        while words and not self._has_voice(words[-1]):
            words = words[:-1]
        while words and not self._has_voice(words[0]):
            words = words[1:]
        if len(words) == len(event.words):
            return event
        return replace(
            event,
            words=words,
            text=join_words(word.text for word in words),
            start_s=words[0].start_s if words else event.start_s,
            end_s=words[-1].end_s if words else event.end_s,
            confidence=mean_confidence(words),
        )

    def _has_voice(self, word: Word) -> bool:
        held_s = self._activity.held_s(word.start_s, word.end_s)
        return self._activity.voiced_s(word.start_s, word.end_s) > held_s

    def _is_speech(self, event: SpeechEvent) -> bool:
        if not event.text:
            return False
        if event.confidence is not None and event.confidence < CONFIDENCE_LEAST:
            return False
        around = (event.start_s - _MARGIN_S, event.end_s + _MARGIN_S)
        voiced_s, held_s = self._activity.voiced_s(*around), self._activity.held_s(*around)
        return voiced_s >= VOICED_LEAST_S and held_s <= HELD_MOST * voiced_s
