"""Counts the sound that flows into this role, for its heartbeat; decides nothing."""

from collections.abc import Collection

from telephony.audio import AudioLeg


class FlowMeter:
    """Bytes per second and stalls over all legs, the ended ones' stalls included."""

    def __init__(self) -> None:
        self._ended_bytes = 0
        self._ended_stalls = 0
        self._last_bytes = 0
        self._last_mono: float | None = None

    def forget(self, leg: AudioLeg) -> None:
        """The leg has ended."""
        self._ended_bytes += leg.bytes_received
        self._ended_stalls += leg.stalls

    def quiet_times(self, legs: Collection[AudioLeg]) -> int:
        """How often a leg fell quiet."""
        return self._ended_stalls + sum(leg.stalls for leg in legs)

    def bytes_per_s(self, legs: Collection[AudioLeg], now_mono: float) -> int:
        """Since the last time this was asked; 0 the first time."""
        total = self._ended_bytes + sum(leg.bytes_received for leg in legs)
        last_mono, last_bytes = self._last_mono, self._last_bytes
        self._last_mono, self._last_bytes = now_mono, total
        if last_mono is None or now_mono <= last_mono:
            return 0
        return round((total - last_bytes) / (now_mono - last_mono))
