"""Hours of the week."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.hours import (
    ALWAYS,
    DAY_MIN,
    DAYS,
    LOCAL,
    HoursInvalid,
    gaps,
    minute_of_week,
    parse_hours,
)

MONDAY = datetime(2026, 11, 23, tzinfo=LOCAL)


def test_office_hours_are_told_in_chinese_time_whatever_the_clock_says() -> None:
    hours = parse_hours("mon-fri 08:30-17:30")
    assert hours.is_open(datetime(2026, 11, 23, 0, 30, tzinfo=UTC))  # 08:30 in China
    assert not hours.is_open(datetime(2026, 11, 23, 9, 30, tzinfo=UTC))
    assert not hours.is_open(MONDAY + timedelta(days=5, hours=10))


def test_a_night_ends_on_the_next_day() -> None:
    hours = parse_hours("sun 20:00-08:00")
    assert hours.is_open(MONDAY + timedelta(days=6, hours=23))
    assert hours.is_open(MONDAY + timedelta(hours=7, minutes=59))
    assert not hours.is_open(MONDAY + timedelta(hours=8))


@pytest.mark.parametrize(
    "text", ["", "8-17", "mon", "25:00-26:00", "xxx 08:00-09:00", "08:00-08:00"]
)
def test_what_is_no_hours_is_refused(text: str) -> None:
    with pytest.raises(HoursInvalid):
        parse_hours(text)


def test_gaps_are_what_nobody_covers() -> None:
    day, night = parse_hours("08:00-20:00"), parse_hours("mon-sat 20:00-08:00")
    assert gaps([ALWAYS]) == []
    (first, last) = gaps([day, night])
    assert [minute_of_week(minute) for minute in first] == ["mon 00:00", "mon 08:00"]
    assert [minute_of_week(minute) for minute in last] == ["sun 20:00", "mon 00:00"]


times = st.integers(0, DAY_MIN - 1)


@given(st.sampled_from(DAYS), st.sampled_from(DAYS), times, times, st.integers(0, 7 * DAY_MIN - 1))
def test_open_and_gap_agree_at_every_minute(
    first: str, last: str, begin: int, end: int, minute: int
) -> None:
    if begin == end:
        return
    clock = f"{begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}"
    hours = parse_hours(f"{first}-{last} {clock}")
    is_gap = any(a <= minute < b for a, b in gaps([hours]))
    assert hours.is_open(MONDAY + timedelta(minutes=minute)) is not is_gap
