"""One period, from its start to its due time: by hand, by property, and told line by line."""

import csv
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rules import day_periods
from rules.announcement import DaysOff
from rules.calendar import Calendar, OutsideCalendar, shipped
from rules.clock import (
    AmountMissing,
    ClockNeverStops,
    Due,
    before,
    card,
    due,
    not_later_than,
    on_day,
    part,
    when_due,
)
from rules.values import Pause, Start, Term, Unit, WorkingHours
from rules.working import text
from rules.worktime import LOCAL, Paused, WorkTime
from tests.unit.rules.recompute import recompute

HOURS = WorkingHours(periods=(("09:00", "12:00"), ("13:00", "17:00")))
CALENDAR = shipped()
WORK = WorkTime(CALENDAR, HOURS)
AGAIN = WorkTime(Calendar(CALENDAR.announcements), HOURS)
FIVE_DAYS = Term(unit=Unit.WORKING_DAY, starts=Start.ARRIVAL_AT_UNIT, amount=5)

TABLE = Path(__file__).with_name("worked_by_hand.tsv")
EXAMPLES = list(
    csv.DictReader(
        (row for row in TABLE.read_text("utf-8").splitlines() if not row.startswith("#")),
        delimiter="\t",
        quoting=csv.QUOTE_NONE,
    )
)


def china(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=LOCAL)


def reworked(found: Due) -> datetime:
    """The due time from the lines, as they are printed."""
    return recompute([(each.code.value, each.params) for each in found.working])


def term_of(example: dict[str, str]) -> Term:
    return Term(
        unit=Unit(example["unit"]),
        starts=Start.ARRIVAL_AT_UNIT,
        amount=int(example["amount"]),
        day_of_event_counts=example["counts"] == "yes",
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda row: f"{row['start']}-{row['unit']}")
@pytest.mark.requirement("R049")
def test_due_time_is_the_one_worked_by_hand(example: dict[str, str]) -> None:
    found = due("clock.base", term_of(example), WORK, china(example["start"]))
    assert found.due_at == china(example["due"]), example["working"]
    assert found.due_at.tzinfo is UTC
    assert [str(year) for year in found.provisional] == (
        [] if example["provisional"] == "no" else [example["provisional"]]
    )
    assert reworked(found) == found.due_at


def test_forty_examples_and_more_are_worked_by_hand_in_every_year() -> None:
    assert len(EXAMPLES) >= 40
    years = {row["due"][:4] for row in EXAMPLES}
    assert {"2024", "2025", "2026", "2027"} <= years
    holidays = {row["about"] for row in EXAMPLES}
    assert {"new-year", "spring", "may-day", "national"} <= holidays


def test_the_working_reads_line_by_line() -> None:
    found = due("clock.base", FIVE_DAYS, WORK, china("2026-09-28T10:00"))
    assert [text(each) for each in found.working] == [
        "clock.base: 5 working days",
        "from arrival_at_unit at 2026-09-28T10:00:00+08:00",
        "2026-09-28: the day of the event does not count",
        "Tue 2026-09-29 to Wed 2026-09-30: working day, days 1 to 2",
        "Thu 2026-10-01 to Wed 2026-10-07: holiday 国庆节, not counted",
        "Thu 2026-10-08 to Fri 2026-10-09: working day, days 3 to 4",
        "Sat 2026-10-10: make-up day for 国庆节, day 5",
        "due 2026-10-10T17:00:00+08:00, when the working hours end",
    ]


# ---- properties ----------------------------------------------------------------------------------

instants = st.datetimes(datetime(2019, 1, 1), datetime(2033, 12, 31)).map(
    lambda moment: moment.replace(tzinfo=UTC)
)
amounts = st.integers(1, 60)


@st.composite
def terms(draw: st.DrawFn) -> Term:
    unit = draw(st.sampled_from(Unit))
    return Term(
        unit=unit,
        starts=Start.ARRIVAL_AT_UNIT,
        amount=draw(amounts),
        day_of_event_counts=unit in day_periods.UNITS and draw(st.booleans()),
        pause=tuple(Pause),
    )


@st.composite
def pauses(draw: st.DrawFn, start: datetime) -> list[Paused]:
    found = []
    for _ in range(draw(st.integers(0, 3))):
        from_at = start + timedelta(minutes=draw(st.integers(0, 20_000)))
        to_at = from_at + timedelta(minutes=draw(st.integers(0, 20_000)))
        found.append(Paused(draw(st.sampled_from(Pause)), from_at, to_at))
    return found


@given(terms(), instants, st.timedeltas(timedelta(), timedelta(days=20)))
def test_a_later_start_is_never_due_earlier(
    term: Term, start_at: datetime, later: timedelta
) -> None:
    first = when_due("r", term, WORK, start_at)
    assert first <= when_due("r", term, WORK, start_at + later)


@given(terms(), instants, st.data())
def test_the_working_recomputes_to_the_due_time(
    term: Term, start_at: datetime, data: st.DataObject
) -> None:
    paused = data.draw(pauses(start_at))
    found = due("r", term, WORK, start_at, paused)
    assert reworked(found) == found.due_at
    assert found.due_at == when_due("r", term, WORK, start_at, paused)


@cache
def with_holiday(on: date) -> Calendar:
    year = CALENDAR.announcement(on.year)
    extra = DaysOff("another", on, on)
    return CALENDAR.with_announcement(replace(year, days_off=(*year.days_off, extra)))


@given(
    terms(),
    st.datetimes(datetime(2025, 12, 1), datetime(2026, 12, 31)).map(
        lambda moment: moment.replace(tzinfo=UTC)
    ),
    st.dates(date(2026, 1, 1), date(2026, 12, 31)),
)
def test_another_holiday_never_shortens(term: Term, start_at: datetime, on: date) -> None:
    assume(CALENDAR.is_working(on))
    with_it = WorkTime(with_holiday(on), HOURS)
    assert when_due("r", term, WORK, start_at) <= when_due("r", term, with_it, start_at)


@given(terms(), instants, st.data())
def test_standing_still_never_shortens(term: Term, start_at: datetime, data: st.DataObject) -> None:
    paused = data.draw(pauses(start_at))
    plain = when_due("r", term, WORK, start_at)
    assert plain <= when_due("r", term, WORK, start_at, paused)


@given(terms(), instants)
def test_the_same_facts_give_the_same_due_time(term: Term, start_at: datetime) -> None:
    assert due("r", term, WORK, start_at) == due("r", term, AGAIN, start_at)


@given(instants, amounts)
def test_a_period_in_days_ends_when_its_last_day_closes(start_at: datetime, amount: int) -> None:
    found = when_due("r", msgspec.structs.replace(FIVE_DAYS, amount=amount), WORK, start_at)
    assert found.astimezone(LOCAL).strftime("%H:%M") == "17:00"


# ---- pauses, half days, cards, parts -------------------------------------------------------------


def test_a_clock_never_stops_where_the_pack_does_not_say_so() -> None:
    wait = Paused(Pause.WAITING_FOR_CALLER, china("2026-09-29T10:00"), china("2026-09-30T10:00"))
    with pytest.raises(ClockNeverStops):
        due("clock.base", FIVE_DAYS, WORK, china("2026-09-28T10:00"), [wait])


def test_days_after_a_pause_began_do_not_count_where_the_pack_says_so() -> None:
    term = msgspec.structs.replace(FIVE_DAYS, pause=(Pause.WAITING_FOR_CALLER,))
    wait = Paused(Pause.WAITING_FOR_CALLER, china("2026-09-29T10:00"), china("2026-09-30T10:00"))
    found = due("clock.base", term, WORK, china("2026-09-28T10:00"), [wait])
    # 29 Sept counts, on 30 it stands still; 8, 9, 10, 12 October.
    assert found.due_at == china("2026-10-12T17:00")
    assert reworked(found) == found.due_at


def test_hours_stand_still_to_the_minute() -> None:
    term = Term(
        unit=Unit.WORKING_HOUR,
        starts=Start.SIGN,
        amount=3,
        pause=(Pause.WAITING_FOR_CALLER,),
    )
    wait = Paused(Pause.WAITING_FOR_CALLER, china("2026-09-28T10:10"), china("2026-09-28T11:25"))
    found = due("clock.contact", term, WORK, china("2026-09-28T10:00"), [wait])
    # 10 min, then 11:25-12:00 is 35 min, then 2 h 15 min after the noon break.
    assert found.due_at == china("2026-09-28T15:15")


def test_a_half_day_ends_at_noon_and_counts() -> None:
    hours = WorkingHours(periods=HOURS.periods, half_days=(date(2026, 10, 10),))
    half = WorkTime(CALENDAR, hours)
    found = due("clock.base", FIVE_DAYS, half, china("2026-09-28T10:00"))
    assert found.due_at == china("2026-10-10T12:00")
    hour = Term(unit=Unit.WORKING_HOUR, starts=Start.SIGN, amount=4)
    assert when_due("r", hour, half, china("2026-10-10T11:00")) == china("2026-10-12T12:00")


def test_yellow_is_shown_on_the_working_day_before_and_red_on_the_first_after() -> None:
    yellow = Term(unit=Unit.WORKING_DAY, starts=Start.DUE, amount=1, before=True)
    red = Term(unit=Unit.WORKING_DAY, starts=Start.DUE, amount=1)
    due_at = china("2026-10-08T17:00")
    early = card("clock.urge_yellow", yellow, WORK, due_at)
    late = card("clock.urge_red", red, WORK, due_at)
    assert early.due_at == china("2026-09-30T09:00")
    assert late.due_at == china("2026-10-09T09:00")
    assert reworked(early) == early.due_at
    assert reworked(late) == late.due_at


@given(instants, st.sampled_from(Unit), st.integers(1, 30))
def test_cards_stand_on_either_side_of_the_due_time(
    due_at: datetime, unit: Unit, amount: int
) -> None:
    yellow = Term(unit=unit, starts=Start.DUE, amount=amount, before=True)
    red = Term(unit=unit, starts=Start.DUE, amount=amount)
    early, late = card("y", yellow, WORK, due_at), card("r", red, WORK, due_at)
    assert early.due_at < due_at < late.due_at
    assert reworked(early) == early.due_at
    assert reworked(late) == late.due_at


def test_hours_are_counted_back_over_the_noon_break_and_the_weekend() -> None:
    term = Term(unit=Unit.WORKING_HOUR, starts=Start.DUE, amount=6, before=True)
    # Monday 9-10 is one hour; Friday 13-17 four, 11-12 the sixth.
    found = before("r", term, WORK, china("2026-10-19T10:00"))
    assert found.due_at == china("2026-10-16T11:00")
    assert reworked(found) == found.due_at


def test_a_promised_day_is_due_that_day_even_if_it_is_off() -> None:
    found = on_day("clock.promised", WORK, date(2026, 10, 4))
    assert found.due_at == china("2026-10-04T17:00")
    assert found.provisional == ()


@given(instants, instants, amounts, amounts)
def test_a_part_is_never_due_later_than_its_ticket(
    start_at: datetime, sent_at: datetime, amount: int, below: int
) -> None:
    parent = due("p", msgspec.structs.replace(FIVE_DAYS, amount=amount), WORK, start_at)
    child = due("c", msgspec.structs.replace(FIVE_DAYS, amount=below), WORK, sent_at)
    capped = not_later_than(child, parent)
    assert capped.due_at == min(child.due_at, parent.due_at)
    assert reworked(capped) == capped.due_at


@given(
    instants,
    st.timedeltas(timedelta(), timedelta(days=12)),
    st.sampled_from(Unit),
    st.integers(1, 4),
)
def test_a_part_counted_back_lies_between_its_sending_and_the_ticket(
    start_at: datetime, later: timedelta, unit: Unit, amount: int
) -> None:
    parent = due("p", FIVE_DAYS, WORK, start_at)
    sent_at = min(start_at + later, parent.due_at)
    back = Term(unit=unit, starts=Start.DUE, amount=amount, before=True)
    found = part("clock.child", back, WORK, sent_at, parent)
    assert sent_at <= found.due_at <= parent.due_at
    assert reworked(found) == found.due_at


def test_a_period_without_a_number_is_refused() -> None:
    with pytest.raises(AmountMissing):
        due(
            "clock.statutory",
            Term(unit=Unit.CALENDAR_DAY, starts=Start.DISPATCH),
            WORK,
            china("2026-09-28T10:00"),
        )


def test_a_period_that_leaves_the_calendar_is_refused() -> None:
    late = datetime(CALENDAR.last.year, 12, 30, tzinfo=UTC)
    for unit in Unit:
        term = Term(unit=unit, starts=Start.DISPATCH, amount=100)
        with pytest.raises(OutsideCalendar):
            due("r", term, WORK, late)
