"""The dangers of one call: what a dismissal is about, and how long it holds."""

from datetime import UTC, datetime, timedelta

import pytest

from base.ids import CallId
from server.live.dangers import CallDangers
from transcription.draft_ticket import Speaker, Utterance

HEARD = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = HEARD + timedelta(minutes=1)


def said(*texts: str) -> list[Utterance]:
    """The citizen says these, one after the other."""
    return [
        Utterance(Speaker.CITIZEN, number, text, number * 10.0, number * 10.0 + 2.0)
        for number, text in enumerate(texts)
    ]


def dismissed(*texts: str) -> CallDangers:
    """Of a call in which these words were heard and all dangers in them dismissed."""
    dangers = CallDangers(CallId("call-1"))
    assert dangers.read(said(*texts), HEARD)
    dangers.dismiss({danger.kind for danger in dangers.shown})
    return dangers


@pytest.mark.parametrize("is_restored", [False, True], ids=["same bridge", "new bridge"])
def test_dismissed_danger_is_shown_anew_when_later_words_tell_of_it(is_restored: bool) -> None:
    dangers = dismissed("三楼着火了")
    if is_restored:
        former, dangers = dangers, CallDangers(CallId("call-1"))
        dangers.restore(former.shown)
    assert dangers.read(said("三楼着火了", "真的着火了"), LATER)
    assert [(shown.is_dismissed, shown.since_at) for shown in dangers.shown] == [(False, LATER)]


def test_dismissal_holds_while_nothing_later_tells_of_the_danger() -> None:
    dangers = dismissed("三楼着火了")
    dangers.read(said("三楼着火了。", "我想问公交车几点"), LATER)
    assert [(shown.is_dismissed, shown.since_at) for shown in dangers.shown] == [(True, HEARD)]


def test_later_words_count_also_where_the_banner_has_no_room_for_them() -> None:
    many = ("三楼着火了", "四楼着火了", "五楼着火了", "六楼着火了", "七楼着火了")
    dangers = dismissed(*many)
    assert dangers.read(said(*many, "真的着火了"), LATER)
    assert [shown.is_dismissed for shown in dangers.shown] == [False]
