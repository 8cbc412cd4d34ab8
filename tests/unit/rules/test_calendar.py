"""Which days are worked, as the notices say; what is not announced is told apart."""

from dataclasses import replace
from datetime import date, timedelta

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.errors import SetupError
from rules.announcement import Announcement, DaysOff, Status, as_toml, parse
from rules.calendar import Calendar, DayKind, OutsideCalendar, changed_days, shipped

CALENDAR = shipped()

some_day = st.dates(date(2020, 1, 1), date(2033, 12, 31))


def test_ten_days_over_national_day_2026_are_what_the_notice_says() -> None:
    kinds = [day.kind for day in CALENDAR.days(date(2026, 9, 30), date(2026, 10, 12))]
    assert kinds == [
        DayKind.WORKING_DAY,
        *[DayKind.HOLIDAY] * 7,
        DayKind.WORKING_DAY,
        DayKind.WORKING_DAY,
        DayKind.MAKE_UP_DAY,
        DayKind.WEEKEND,
        DayKind.WORKING_DAY,
    ]


def test_a_new_year_that_began_in_december_takes_days_of_the_year_before() -> None:
    assert CALENDAR.day(date(2018, 12, 29)).kind is DayKind.MAKE_UP_DAY
    assert CALENDAR.day(date(2018, 12, 31)).kind is DayKind.HOLIDAY


def test_the_eve_of_spring_festival_2024_is_worked_and_that_of_2025_is_not() -> None:
    assert CALENDAR.is_working(date(2024, 2, 9))
    assert not CALENDAR.is_working(date(2025, 1, 28))


def test_years_without_a_notice_are_provisional() -> None:
    assert CALENDAR.first.year <= 2020
    assert CALENDAR.last.year >= 2027
    assert min(CALENDAR.provisional_years) == 2027
    assert CALENDAR.provisional_between(date(2026, 12, 30), date(2027, 1, 4)) == (2027,)
    assert CALENDAR.provisional_between(date(2026, 1, 1), date(2026, 12, 31)) == ()


def test_every_announced_day_is_what_the_maintained_library_says() -> None:
    day = date(CALENDAR.first.year, 1, 1)
    compared = 0
    while day.year not in CALENDAR.provisional_years:
        assert CALENDAR.is_working(day) == chinese_calendar.is_workday(day), day
        day += timedelta(days=1)
        compared += 1
    assert compared > 3000


def test_each_announcement_names_its_source_and_version() -> None:
    for announcement in CALENDAR.announcements:
        assert any(char.isdigit() for char in announcement.source), announcement.year


def test_a_day_outside_the_table_is_refused_and_not_guessed() -> None:
    for day in (CALENDAR.last + timedelta(days=1), CALENDAR.first - timedelta(days=1)):
        with pytest.raises(OutsideCalendar):
            CALENDAR.is_working(day)
    with pytest.raises(OutsideCalendar):
        CALENDAR.working_day_after(CALENDAR.last, 1)
    with pytest.raises(OutsideCalendar):
        CALENDAR.working_day_before(CALENDAR.first, 1)


@given(some_day, st.integers(1, 80))
def test_counting_by_index_is_counting_day_by_day(on: date, count: int) -> None:
    day, left = on, count
    while left:
        day += timedelta(days=1)
        left -= CALENDAR.is_working(day)
    assert CALENDAR.working_day_after(on, count) == day
    assert CALENDAR.working_days_between(on, day) == count
    first = CALENDAR.working_day_from(on)
    assert CALENDAR.working_day_before(day, count) <= first


@given(some_day, st.integers(1, 80))
def test_before_is_the_mirror_of_after(on: date, count: int) -> None:
    day, left = on, count
    while left:
        day -= timedelta(days=1)
        left -= CALENDAR.is_working(day)
    assert CALENDAR.working_day_before(on, count) == day


def test_an_announcement_is_read_back_as_written() -> None:
    for announcement in CALENDAR.announcements:
        assert parse(as_toml(announcement), "x") == announcement


def test_an_announcement_replaces_its_year_and_changes_the_version() -> None:
    notice = Announcement(
        2027,
        Status.ANNOUNCED,
        "a notice",
        (
            *CALENDAR.announcement(2027).days_off[:-1],
            DaysOff("国庆节", date(2027, 10, 1), date(2027, 10, 7), (date(2027, 10, 9),)),
        ),
    )
    after = CALENDAR.with_announcement(notice)
    changed = {str(each.after.on): each.after.kind for each in changed_days(CALENDAR, after)}
    assert changed == {
        "2027-10-06": DayKind.HOLIDAY,
        "2027-10-07": DayKind.HOLIDAY,
        "2027-10-09": DayKind.MAKE_UP_DAY,
    }
    assert 2027 not in after.provisional_years
    assert after.version != CALENDAR.version
    back = after.with_announcement(CALENDAR.announcement(2027))
    assert back.version == CALENDAR.version


def test_a_gap_between_years_is_no_calendar() -> None:
    one = CALENDAR.announcement(2026)
    with pytest.raises(ValueError, match="year by year"):
        Calendar((one, replace(one, year=2028)))


GOOD = """\
year = 2027
status = "announced"
source = "a notice"
[[days_off]]
name = "元旦"
from = 2027-01-01
to = 2027-01-03
make_up = [2027-01-09]
"""


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (GOOD.replace("2027-01-09", "2027-01-08"), "no Saturday or Sunday"),
        (GOOD.replace("to = 2027-01-03", "to = 2026-12-31"), "shortly after"),
        (GOOD.replace("to = 2027-01-03", "to = 2027-02-28"), "shortly after"),
        (GOOD.replace("to = 2027-01-03", "to = 2028-01-03"), "shortly after"),
        (GOOD.replace("2027-01-09", "2027-01-02"), "named twice"),
        (GOOD.replace("2027-01-09", "2028-02-05"), "does not belong to a notice for 2027"),
        (GOOD.replace("announced", "known"), "status must be one of announced, provisional"),
        (GOOD.replace("source", "sauce"), "unknown keys: sauce"),
        (GOOD.replace('"a notice"', '""'), "source must say"),
        (GOOD.replace("from = 2027-01-01", 'from = "2027-01-01"'), "without quotes"),
        (GOOD.replace("year = 2027", 'year = "2027"'), "year must be a whole number"),
        (GOOD.split("[[")[0], "at least one"),
        (GOOD.replace("[[days_off]]", "days_off = 3\n[x]"), "unknown keys"),
        (GOOD.replace("year = 2027", "year = "), "not TOML"),
        (GOOD.replace("[2027-01-09]", "2027-01-09"), "must be a list"),
    ],
)
def test_a_wrong_announcement_is_refused_with_the_place_and_a_fix(wrong: str, said: str) -> None:
    with pytest.raises(SetupError) as refused:
        parse(wrong, "notice.toml")
    assert said in refused.value.message
    assert refused.value.message.startswith("notice.toml")
    assert "rules/data/calendar/2026.toml" in refused.value.fix


def test_the_good_announcement_is_taken() -> None:
    assert parse(GOOD, "notice.toml").days_off[0].make_up == (date(2027, 1, 9),)
