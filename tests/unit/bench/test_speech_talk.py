"""What the speech bench measures: each word's way from the mouth to the page."""

import pytest

from bench.speech_talk import FRAME_BYTES, Text, delays, figures, frames, heard


def test_a_word_is_as_late_as_the_first_text_that_holds_it() -> None:
    texts = [
        Text(1.2, "水管"),
        Text(1.4, "水管爆"),
        Text(2.5, "水管爆了", (("水管", 1.0), ("爆了", 1.6))),
        Text(5.0, "谢谢", (("谢谢", 4.5),)),
    ]
    assert [(end_s, round(late_s, 3)) for end_s, late_s in delays(texts)] == [
        (1.0, 0.2),
        (1.6, 0.9),
        (4.5, 0.5),
    ]


def test_a_guess_that_was_wrong_does_not_count() -> None:
    texts = [Text(1.2, "睡觉"), Text(2.0, "水管", (("水管", 1.0),))]
    assert delays(texts) == [(1.0, 1.0)]


def test_growth_is_told_and_cpu_is_of_one_stream() -> None:
    words = [Text(n + 0.1 * n, "好", (("好", float(n)),)) for n in range(1, 10)]
    run = heard([words, words, []], cpu_s=4.0, seconds=10.0, refused=1)
    found = figures([run, run])
    assert found.refused == 2
    assert found.cpu == pytest.approx(0.2)
    assert found.p50_s == pytest.approx(0.5)
    assert found.growth_s == pytest.approx(0.6)
    with pytest.raises(ValueError, match="hardly a word"):
        figures([heard([[]], cpu_s=1.0, seconds=1.0)])


def test_sound_goes_out_in_pieces_of_twenty_milliseconds() -> None:
    assert [len(frame) for frame in frames(bytes(800))] == [FRAME_BYTES, FRAME_BYTES, 160]
