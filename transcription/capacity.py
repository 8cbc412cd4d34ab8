"""Which decoder takes a stream, or that none does. Pure: numbers in, a choice out.

A stream is admitted or refused at once, never queued: eight paced streams on a machine good for
four ran 5–7 s late, sixteen ran 40 s late; a stream of the demo model takes a tenth of a core
(measured 2026-11, ``./hotline bench speech``). A refused leg is transcribed from the recording
after the call.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from base.errors import HotlineError

LAG_MOST_S: Final = 1.5
"""A decoder so far behind takes no more streams, whatever room it should have: the machine has
other work. At 6 s its streams would break."""
LAG_LEARNT_S: Final = 2.0
LATE_FOR_S: Final = 3.0
"""So far behind for so long a decoder has too many streams; a moment's hiccup is made up for."""
RELAX_EVERY_S: Final = 30.0
PACE_MOST: Final = 0.8
"""Work for a second of sound that a decoder's slowest stream may need once another has joined. At 1
it falls behind; the rest is for the moments in which everybody speaks at once."""


class SpeechBusy(HotlineError):
    """No decoder has room for another stream."""

    code: ClassVar[str] = "speech_busy"
    http_status: ClassVar[int] = 503
    retryable: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Load:
    """One decoder process as admission sees it."""

    streams: int
    is_usable: bool
    lag_s: float = 0.0
    """Sound that waits inside, as the process told last."""
    pace: float = 0.0
    """Seconds of work for a second of sound, of the stream that is slowest; waiting for a
    processor counts. Measured by the process over the last seconds."""

    most: int | None = None
    """Streams that it was seen to keep up with (``LearntLimit``); None: never seen to fail."""

    @property
    def has_time(self) -> bool:
        """Whether all its streams would keep up with one more, were they to share what there is."""
        grown = self.pace * (self.streams + 1) / max(1, self.streams)
        is_within = self.most is None or self.streams < self.most
        return is_within and self.lag_s < LAG_MOST_S and grown < PACE_MOST


class LearntLimit:
    """How many streams a decoder can hold on this machine, from having fallen behind with more.

    A burst of calls comes before anything can be measured; the next one is met with less. The
    limit rises again, a stream at a time: other work on the machine may be gone.
    """

    def __init__(self) -> None:
        self._most: int | None = None
        self._since_mono = 0.0
        self._late_since_mono: float | None = None

    def note(self, streams: int, lag_s: float, now_mono: float) -> None:
        """What was seen just now."""
        if lag_s < LAG_LEARNT_S or streams < 2:
            self._late_since_mono = None
            return
        late_since_mono = self._late_since_mono = self._late_since_mono or now_mono
        if now_mono - late_since_mono >= LATE_FOR_S:
            self._most = min(streams - 1, self.most(now_mono) or streams)
            self._since_mono = now_mono
            self._late_since_mono = None

    def most(self, now_mono: float) -> int | None:
        """The limit now."""
        if self._most is None:
            return None
        return self._most + int((now_mono - self._since_mono) / RELAX_EVERY_S)


def choose(loads: Sequence[Load], streams_per_worker: int) -> int:
    """The index of the least loaded usable decoder; raises SpeechBusy where none has room."""
    free = [
        (load.streams, index)
        for index, load in enumerate(loads)
        if load.is_usable and load.streams < streams_per_worker and load.has_time
    ]
    if not free:
        raise SpeechBusy
    return min(free)[1]


def is_worn(*, streams_served: int, age_s: float, rss_bytes: int, limits: "RecycleLimits") -> bool:
    """Whether a decoder should be replaced: a long-lived one grows (559 → 797 MB in 4 minutes)."""
    return (
        streams_served >= limits.streams or age_s >= limits.age_s or rss_bytes >= limits.rss_bytes
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecycleLimits:
    """When a decoder is replaced by a fresh one, after its streams have ended."""

    streams: int = 500
    age_s: float = 6 * 3600.0
    rss_bytes: int = 4 << 30
