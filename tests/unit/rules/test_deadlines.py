"""What a pack's clocks say about a ticket: what stands beside what, and what is refused."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.announcement import Status
from rules.calendar import shipped
from rules.deadlines import (
    KINDS,
    Answer,
    Asked,
    ClockFactMissing,
    ClockUnknown,
    ExtensionUsedUp,
    LawPeriod,
    PeriodFixed,
    PromiseBeforeStart,
    ask,
)
from rules.library import load_pack
from rules.moved import OpenClock, moved
from rules.pack import RuleNotGivenError
from rules.pack_file import parse_pack
from rules.values import Told, Unit, WorkingHours
from rules.worktime import LOCAL
from tests.unit.rules.recompute import recompute

CALENDAR = shipped()
JINAN = load_pack("jinan_2018")
SAME_PACK = load_pack("jinan_2018", version=JINAN.version)
SAME_CALENDAR = shipped()
START = datetime.fromisoformat("2026-09-28T10:00:00+08:00")

PLAIN = """
[pack]
id = "somewhere"
title = "某市热线条例"
city = "某市"
status = "law"
version = 2026-03-01
from = 2025-01-01

[clock.working_hours]
value = { periods = [["09:00", "12:00"], ["13:00", "17:00"]] }
force = "may"
origin = "own"
summary = "作息"
reason = "例"
"""

WITH_EXTENSION = (
    PLAIN
    + """
[clock.base]
value = { amount = 5, unit = "working_day", starts = "arrival_at_unit" }
force = "must"
article = "3"
summary = "五个工作日"

[clock.extension]
value = { amount = 5, unit = "working_day", starts = "due" }
force = "may"
article = "4"
summary = "延长五个工作日"

[reply.extension]
value = { approved_by_centre = true, tell_caller = ["reason"], most = 1 }
force = "may"
article = "4"
summary = "经批准延长一次"
"""
)


def china(instant: datetime) -> str:
    return instant.astimezone(LOCAL).strftime("%Y-%m-%dT%H:%M")


def reworked(answer: Answer) -> datetime:
    return recompute([(each.code.value, each.params) for each in answer.due.working])


# ---- trap 2: Jinan art. 24 -----------------------------------------------------------------------


def test_reply_and_feedback_are_due_on_the_fifth_working_day() -> None:
    answer = ask(JINAN, CALENDAR, Asked("base", START))
    assert china(answer.due.due_at) == "2026-10-10T17:30"
    assert answer.card.articles == ("24.1",)
    assert JINAN.must("reply.centre")
    assert JINAN.must("reply.caller", {"reply": "asked"})


@pytest.mark.parametrize(
    ("asked", "completion", "article"),
    [
        (
            Asked("statutory", START, law=LawPeriod(60, Unit.CALENDAR_DAY, "some law art. 1")),
            "2026-11-27T17:30",
            "24.1(2)",
        ),
        (Asked("promised", START, promised_on=date(2026, 12, 1)), "2026-12-01T17:30", "24.1(3)"),
    ],
)
def test_a_completion_date_stands_beside_the_reply_due_and_replaces_nothing(
    asked: Asked, completion: str, article: str
) -> None:
    answer = ask(JINAN, CALENDAR, asked)
    assert china(answer.due.due_at) == completion
    assert article in answer.card.articles
    (reply,) = answer.beside
    assert reply == ask(JINAN, CALENDAR, Asked("base", START))


def test_the_caller_is_told_progress_and_the_laws_period() -> None:
    law = LawPeriod(30, Unit.WORKING_DAY, "some law art. 2")
    answer = ask(JINAN, CALENDAR, Asked("statutory", START, law=law))
    assert set(answer.tell_caller) == {Told.PROGRESS, Told.PERIOD}
    assert answer.law == "some law art. 2"


# ---- trap 1: no plain extension under Jinan's law ------------------------------------------------


def test_a_plain_extension_is_refused_under_the_law_of_jinan() -> None:
    with pytest.raises(RuleNotGivenError) as refusal:
        ask(JINAN, CALENDAR, Asked("extension", START, {"extension": 5}))
    assert refusal.value.params["rule"] == "clock.extension"
    assert refusal.value.card is not None
    assert "第二十四条" in refusal.value.card.place + refusal.value.card.summary


def test_neither_way_out_goes_without_its_fact() -> None:
    for kind in ("statutory", "promised"):
        with pytest.raises(ClockFactMissing):
            ask(JINAN, CALENDAR, Asked(kind, START))
    with pytest.raises(PromiseBeforeStart):
        ask(JINAN, CALENDAR, Asked("promised", START, promised_on=date(2026, 9, 27)))


# ---- extension -----------------------------------------------------------------------------------


def test_an_extension_goes_on_from_the_due_time_and_only_as_often_as_the_pack_says() -> None:
    pack = parse_pack(WITH_EXTENSION)
    answer = ask(pack, CALENDAR, Asked("extension", START))
    # Due on Saturday 10 October, which is worked; 12 to 16 October are five more.
    assert china(answer.due.due_at) == "2026-10-16T17:00"
    assert reworked(answer) == answer.due.due_at
    assert answer.tell_caller == (Told.REASON,)
    with pytest.raises(ExtensionUsedUp):
        ask(pack, CALENDAR, Asked("extension", START, extended=1, due_at=answer.due.due_at))


def test_a_number_that_the_law_fixes_is_not_set_anew() -> None:
    with pytest.raises(PeriodFixed):
        ask(JINAN, CALENDAR, Asked("base", START, {"base": 7}))
    set_by_centre = ask(JINAN, CALENDAR, Asked("contact", START, {"contact": 2}))
    assert china(set_by_centre.due.due_at) == "2026-09-30T17:30"


@pytest.mark.requirement("R049")
def test_a_unit_with_a_shift_of_its_own_has_its_own_hours() -> None:
    shift = WorkingHours(periods=(("07:00", "11:00"), ("12:00", "15:30")))
    answer = ask(JINAN, CALENDAR, Asked("base", START, hours=shift))
    assert china(answer.due.due_at) == "2026-10-10T15:30"
    sign = ask(JINAN, CALENDAR, Asked("sign", START, hours=shift))
    # 10-11 is one hour, 12-15 three more.
    assert china(sign.due.due_at) == "2026-09-28T15:00"


@pytest.mark.requirement("R049")
def test_whether_the_day_of_the_event_counts_is_the_packs_to_say() -> None:
    counts = WITH_EXTENSION.replace(
        'starts = "arrival_at_unit" }', 'starts = "arrival_at_unit", day_of_event_counts = true }'
    )
    assert china(ask(parse_pack(counts), CALENDAR, Asked("base", START)).due.due_at) == (
        "2026-10-09T17:00"
    )


# ---- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_pack_without_the_rule_refuses_by_its_name(kind: str) -> None:
    asked = Asked(kind, START, law=LawPeriod(30), promised_on=date(2026, 12, 1), due_at=START)
    with pytest.raises(RuleNotGivenError) as refusal:
        ask(parse_pack(PLAIN), CALENDAR, asked)
    assert refusal.value.params["rule"] == f"clock.{kind}"


def test_a_clock_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ClockUnknown):
        ask(JINAN, CALENDAR, Asked("tea", START))
    with pytest.raises(ClockUnknown):
        ask(JINAN, CALENDAR, Asked("working_hours", START))


# ---- cards and parts -----------------------------------------------------------------------------


def test_yellow_comes_before_and_red_after_the_due_time_of_the_base_clock() -> None:
    yellow = ask(JINAN, CALENDAR, Asked("urge_yellow", START))
    red = ask(JINAN, CALENDAR, Asked("urge_red", START))
    assert china(yellow.due.due_at) == "2026-10-09T08:30"
    assert china(red.due.due_at) == "2026-10-12T08:30"


def test_a_unit_below_owes_its_part_before_the_ticket_and_never_after() -> None:
    parent = ask(JINAN, CALENDAR, Asked("base", START)).due.due_at
    early = ask(JINAN, CALENDAR, Asked("child", START, due_at=parent))
    assert china(early.due.due_at) == "2026-10-09T17:30"
    sent_on_the_last_day = datetime.fromisoformat("2026-10-10T09:00:00+08:00")
    late = ask(JINAN, CALENDAR, Asked("child", sent_on_the_last_day, due_at=parent))
    assert late.due.due_at == parent
    assert reworked(late) == parent


# ---- invariants 9 and 10 -------------------------------------------------------------------------

instants = st.datetimes(datetime(2024, 1, 1), datetime(2030, 12, 31)).map(
    lambda moment: moment.replace(tzinfo=UTC)
)


@given(st.sampled_from(("base", "sign", "contact", "urge_yellow", "urge_red")), instants)
def test_same_pack_calendar_and_facts_give_the_same_answer(kind: str, start_at: datetime) -> None:
    asked = Asked(kind, start_at)
    answer = ask(JINAN, CALENDAR, asked)
    assert answer == ask(SAME_PACK, SAME_CALENDAR, asked)
    assert (answer.pack_version, answer.calendar_version) == (JINAN.version, CALENDAR.version)
    assert reworked(answer) == answer.due.due_at


def test_a_ticket_keeps_the_pack_it_began_with_when_the_pack_changes() -> None:
    first = parse_pack(WITH_EXTENSION)
    second = parse_pack(WITH_EXTENSION.replace("amount = 5", "amount = 3", 1))
    asked = Asked("base", START)
    begun = ask(first, CALENDAR, asked)
    changed = ask(second, CALENDAR, asked)
    assert begun.pack_version != changed.pack_version
    assert china(changed.due.due_at) == "2026-10-08T17:00"
    # The text that the ticket kept gives what it gave, whatever came after.
    assert ask(parse_pack(first.text), CALENDAR, asked) == begun


# ---- a new notice --------------------------------------------------------------------------------


def test_an_announcement_says_which_due_times_move() -> None:
    expected = CALENDAR.announcement(2027)
    *others, national = expected.days_off
    notice = replace(
        expected,
        status=Status.ANNOUNCED,
        days_off=(
            *others,
            replace(national, last=date(2027, 10, 7), make_up=(date(2027, 10, 9),)),
        ),
    )
    after = CALENDAR.with_announcement(notice)
    clocks = [
        OpenClock("moves", JINAN, Asked("base", datetime(2027, 9, 29, 2, tzinfo=UTC))),
        OpenClock("settles", JINAN, Asked("base", datetime(2027, 11, 1, 2, tzinfo=UTC))),
        OpenClock("stays", JINAN, Asked("base", START)),
        OpenClock(
            "promised",
            JINAN,
            Asked("promised", START, promised_on=date(2027, 10, 8)),
        ),
    ]
    found = {each.id: each for each in moved(CALENDAR, after, clocks)}
    assert set(found) == {"moves", "settles"}
    # 30 September; then 6-8, 11 October under the statute, but 8, 9, 11, 12 under the notice.
    assert china(found["moves"].before.due.due_at) == "2027-10-11T17:30"
    assert china(found["moves"].after.due.due_at) == "2027-10-12T17:30"
    assert found["moves"].is_due_changed
    assert not found["settles"].is_due_changed
    assert found["settles"].before.due.provisional
    assert not found["settles"].after.due.provisional
