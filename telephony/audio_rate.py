"""Watches how much sound a leg brings for each second in which it flows. Pure, asks no clock.

A leg that flows brings its whole rate; less means that Asterisk or the network loses sound (two
forks a call at 30 calls/s: half was lost while every call went well). A pause is not counted:
a phone on hold, or one that sends no silence, brings nothing for a while and is whole otherwise.
"""

from typing import Final

WINDOW_S: Final = 5.0
"""So much flowing time is judged at once."""
PAUSE_S: Final = 0.5
"""No sound for so long is a pause. Of lost frames hardly ever so many are lost in succession."""
SHARE_LEAST: Final = 0.8
"""Of the whole rate. 95–97 % came on a machine near its limit."""


class RateWatch:
    """Of one leg."""

    def __init__(self) -> None:
        self._last_mono: float | None = None
        self._flowing_s = 0.0
        self._sound_s = 0.0

    def take(self, sound_s: float, at_mono: float) -> float | None:
        """Sound came; the share of the whole rate at the end of each window, else None."""
        gap_s = 0.0 if self._last_mono is None else at_mono - self._last_mono
        self._last_mono = at_mono
        self._sound_s += sound_s
        if gap_s < PAUSE_S:
            self._flowing_s += gap_s
        if self._flowing_s < WINDOW_S:
            return None
        share = self._sound_s / self._flowing_s
        self._flowing_s = self._sound_s = 0.0
        return share
