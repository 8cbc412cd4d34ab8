"""The five cities' clocks, each by its own pack: what is due when, and what is refused."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.calendar import shipped
from rules.clock import Due
from rules.deadlines import Asked, ExtensionUsedUp, LawPeriod, PeriodFixed, ask
from rules.library import load_packs
from rules.pack import RuleNotGivenError
from rules.values import Start, Told, Unit
from rules.worktime import LOCAL
from tests.unit.rules.recompute import recompute

CALENDAR = shipped()
PACKS = load_packs()
# Monday. 29, 30 September, 8, 9 October and the worked Saturday 10 are five working days; 12 to 16
# October are five more.
START = datetime.fromisoformat("2026-09-28T10:00:00+08:00")
FIFTH, TENTH = "2026-10-10 17:30", "2026-10-16 17:30"
REFUSED = "refused"

BY_CITY = {
    #                   base   extension  law's period  promised  return
    "jinan_2018": (FIFTH, REFUSED, "2026-10-28 17:30", "2026-12-01 17:30", REFUSED),
    "jinan_draft_2018": (FIFTH, TENTH, "2026-10-28 17:30", REFUSED, REFUSED),
    "taian_draft": (FIFTH, TENTH, REFUSED, REFUSED, REFUSED),
    "hangzhou_2024": (FIFTH, TENTH, "2026-10-28 17:30", REFUSED, "2026-09-29 17:30"),
    "tongliao_2024": (FIFTH, TENTH, REFUSED, REFUSED, "2026-09-29 17:30"),
}
KINDS = ("base", "extension", "statutory", "promised", "return")


def asked(kind: str) -> Asked:
    # 28 October is the thirtieth day after 28 September.
    law = LawPeriod(30, Unit.CALENDAR_DAY)
    return Asked(kind, START, law=law, promised_on=date(2026, 12, 1))


def shown(due: Due) -> str:
    return due.due_at.astimezone(LOCAL).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize("pack", BY_CITY)
def test_each_city_has_its_own_clocks_and_refuses_the_others(pack: str) -> None:
    for kind, wanted in zip(KINDS, BY_CITY[pack], strict=True):
        if wanted == REFUSED:
            with pytest.raises(RuleNotGivenError, match=f"clock.{kind}"):
                ask(PACKS[pack], CALENDAR, asked(kind))
        else:
            assert shown(ask(PACKS[pack], CALENDAR, asked(kind)).due) == wanted, kind


@pytest.mark.parametrize("pack", ["jinan_2018", "jinan_draft_2018", "hangzhou_2024"])
def test_a_laws_period_leaves_the_reply_due_where_it_is(pack: str) -> None:
    answer = ask(PACKS[pack], CALENDAR, asked("statutory"))
    (reply,) = answer.beside
    assert (reply.kind, shown(reply.due)) == ("base", FIFTH)


def test_the_draft_of_jinan_extends_by_five_days_and_once() -> None:
    pack = PACKS["jinan_draft_2018"]
    answer = ask(pack, CALENDAR, asked("extension"))
    assert answer.tell_caller == (Told.REASON,)
    with pytest.raises(PeriodFixed):
        ask(pack, CALENDAR, Asked("extension", START, {"extension": 7}))
    again = Asked("extension", START, extended=1, due_at=answer.due.due_at)
    with pytest.raises(ExtensionUsedUp):
        ask(pack, CALENDAR, again)


def test_a_law_asked_about_another_time_says_so() -> None:
    before = datetime.fromisoformat("2024-01-31T10:00:00+08:00")
    since = datetime.fromisoformat("2024-02-01T10:00:00+08:00")
    assert not ask(PACKS["hangzhou_2024"], CALENDAR, Asked("base", before)).is_in_force
    assert ask(PACKS["hangzhou_2024"], CALENDAR, Asked("base", since)).is_in_force


def test_the_draft_of_jinan_counts_from_the_arrival_at_the_unit() -> None:
    for pack, event in (
        ("jinan_2018", Start.DISPATCH),
        ("jinan_draft_2018", Start.ARRIVAL_AT_UNIT),
    ):
        starts = ask(PACKS[pack], CALENDAR, asked("base")).due.working[1]
        assert starts.params["event"] == event.value


@pytest.mark.parametrize("pack", ["taian_draft", "hangzhou_2024", "tongliao_2024"])
def test_where_the_law_leaves_the_number_to_the_centre_it_may_set_one(pack: str) -> None:
    three = Asked("base", START, {"base": 3})
    assert shown(ask(PACKS[pack], CALENDAR, three).due) == "2026-10-08 17:30"
    ten = Asked("extension", START, {"base": 3, "extension": 2})
    assert shown(ask(PACKS[pack], CALENDAR, ten).due) == FIFTH


def test_what_the_caller_is_told_of_an_extension_is_the_citys() -> None:
    told = {
        name: set(ask(PACKS[name], CALENDAR, asked("extension")).tell_caller)
        for name in ("hangzhou_2024", "tongliao_2024")
    }
    assert told["hangzhou_2024"] == {Told.PERIOD}
    assert told["tongliao_2024"] == {Told.REASON, Told.PROGRESS, Told.PERIOD}


@given(
    st.sampled_from(sorted(PACKS)),
    st.sampled_from(("base", "sign", "contact", "redo", "follow_up", "child", "urge_yellow")),
    st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 1)),
)
def test_every_citys_working_recomputes(pack: str, kind: str, start: datetime) -> None:
    answer = ask(PACKS[pack], CALENDAR, Asked(kind, start.replace(tzinfo=LOCAL)))
    lines = [(each.code.value, each.params) for each in answer.due.working]
    assert recompute(lines) == answer.due.due_at
