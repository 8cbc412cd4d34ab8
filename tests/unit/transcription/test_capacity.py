"""Who takes a stream: the least loaded decoder that has room and keeps up."""

import pytest

from transcription.capacity import (
    LAG_LEARNT_S,
    LAG_MOST_S,
    LATE_FOR_S,
    PACE_MOST,
    RELAX_EVERY_S,
    LearntLimit,
    Load,
    SpeechBusy,
    choose,
)


def test_the_least_loaded_decoder_with_room_takes_the_stream() -> None:
    loads = [Load(3, is_usable=True), Load(1, is_usable=True), Load(0, is_usable=False)]
    assert choose(loads, 4) == 1


def test_a_decoder_that_falls_behind_takes_no_more() -> None:
    late = Load(0, is_usable=True, lag_s=LAG_MOST_S)
    assert choose([late, Load(3, is_usable=True, lag_s=0.5)], 4) == 1
    with pytest.raises(SpeechBusy):
        choose([late], 4)


def test_a_full_machine_refuses() -> None:
    with pytest.raises(SpeechBusy):
        choose([Load(4, is_usable=True), Load(4, is_usable=True)], 4)


def test_one_more_that_would_slow_the_others_too_much_is_refused() -> None:
    assert choose([Load(2, is_usable=True, pace=PACE_MOST * 0.6)], 8) == 0
    with pytest.raises(SpeechBusy):
        choose([Load(2, is_usable=True, pace=PACE_MOST * 0.7)], 8)


def test_many_quick_streams_have_room_for_one_more() -> None:
    assert choose([Load(7, is_usable=True, pace=0.3)], 8) == 0


def fall_behind(limit: LearntLimit, streams: int, at_mono: float) -> None:
    """Late from ``at_mono`` on, for long enough to be learnt from."""
    limit.note(streams, LAG_LEARNT_S, at_mono)
    limit.note(streams, LAG_LEARNT_S, at_mono + LATE_FOR_S)


def test_a_decoder_that_fell_behind_gets_fewer_streams_for_a_while() -> None:
    limit = LearntLimit()
    fall_behind(limit, 8, 10.0)
    assert limit.most(13.0) == 7
    fall_behind(limit, 6, 14.0)
    assert limit.most(17.0) == 5
    with pytest.raises(SpeechBusy):
        choose([Load(5, is_usable=True, most=limit.most(17.0))], 8)
    assert limit.most(17.0 + 2 * RELAX_EVERY_S) == 7


def test_a_hiccup_that_is_made_up_for_teaches_nothing() -> None:
    limit = LearntLimit()
    for at_mono in range(100):
        limit.note(8, LAG_LEARNT_S if at_mono % 3 else 0.0, float(at_mono))
    assert limit.most(100.0) is None


def test_the_last_stream_is_never_learnt_away() -> None:
    limit = LearntLimit()
    fall_behind(limit, 1, 10.0)
    assert limit.most(20.0) is None
    fall_behind(limit, 2, 20.0)
    assert choose([Load(0, is_usable=True, most=limit.most(23.0))], 8) == 0
