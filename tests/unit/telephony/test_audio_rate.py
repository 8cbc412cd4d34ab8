"""Lost sound is told from pauses, holds and bursts."""

import random

import pytest

from telephony.audio_rate import PAUSE_S, SHARE_LEAST, WINDOW_S, RateWatch

FRAME_S = 0.02


def shares(arrivals: list[tuple[float, float]]) -> list[float]:
    watch = RateWatch()
    told = [watch.take(sound_s, at) for at, sound_s in arrivals]
    return [share for share in told if share is not None]


def frames(seconds: float, *, lost: float = 0.0, begin: float = 0.0) -> list[tuple[float, float]]:
    chance = random.Random(7)
    count = round(seconds / FRAME_S)
    return [(begin + n * FRAME_S, FRAME_S) for n in range(count) if chance.random() >= lost]


def test_a_whole_stream_is_whole() -> None:
    found = shares(frames(30))
    assert len(found) >= 5
    assert found == pytest.approx([1.0] * len(found), abs=0.01)


@pytest.mark.parametrize("lost", [0.25, 0.5, 0.7])
def test_a_stream_that_loses_frames_is_thin_by_that_much(lost: float) -> None:
    found = shares(frames(30, lost=lost))
    assert found
    assert found == pytest.approx([1 - lost] * len(found), abs=0.06)
    assert max(found) < SHARE_LEAST


def test_a_few_lost_frames_are_borne() -> None:
    assert min(shares(frames(30, lost=0.05))) > SHARE_LEAST


def test_pauses_of_a_hold_or_of_a_phone_that_sends_no_silence_are_not_counted() -> None:
    spoken = [frames(1.5, begin=n * 4.0) for n in range(20)]
    found = shares([frame for part in spoken for frame in part])
    assert found
    assert min(found) > 0.95


def test_sound_that_was_held_up_and_comes_at_once_is_not_thin() -> None:
    late = [(10.0 + n * 0.0001, FRAME_S) for n in range(200)]  # four seconds of it
    found = shares([*frames(6), *late, *frames(8, begin=10.02)])
    assert min(found) > 0.95


def test_a_leg_that_sends_twice_as_fast_is_not_thin() -> None:
    assert min(shares([(n * FRAME_S, 2 * FRAME_S) for n in range(1000)])) > 1.9


def test_the_window_is_longer_than_a_pause() -> None:
    assert PAUSE_S < WINDOW_S / 5
