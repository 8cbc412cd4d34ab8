"""Build ``rules/data/calendar/YEAR.toml`` from the libraries chinesecalendar and holidays.

    pip install chinesecalendar holidays && python -m bench.build_calendar rules/data/calendar

Years that chinesecalendar knows are announced, and ``holidays`` must agree on each day or nothing
is written. Later years have the statutory days of ``holidays`` only and are marked provisional:
nobody knows their make-up days before the State Council's notice.
"""

import sys
from collections.abc import Iterable
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path

import holidays
from chinese_calendar import constants

from rules.announcement import Announcement, DaysOff, Status, as_toml

FIRST, LAST = 2018, 2035
DAY = timedelta(days=1)

Named = dict[date, str]


def main(folder: Path) -> None:
    last_announced = max(constants.holidays).year
    off = {day: CHINESE[name] for day, name in constants.holidays.items()}
    make_up = {day: CHINESE[name] for day, name in constants.workdays.items()}
    disagree = list(_disagreements(last_announced))
    if disagree:
        raise SystemExit(f"the libraries disagree on {disagree}; nothing written")
    both = (
        f"chinesecalendar {version('chinesecalendar')}, "
        f"holidays {version('holidays')} agrees on every day"
    )
    for year in range(FIRST, LAST + 1):
        if year <= last_announced:
            periods = _periods(_of_notice(off, year), _of_notice(make_up, year))
            announcement = Announcement(year, Status.ANNOUNCED, both, periods)
        else:
            source = f"holidays {version('holidays')}, statutory days only"
            announcement = Announcement(
                year, Status.PROVISIONAL, source, _periods(_statutory(year), {})
            )
        (folder / f"{year}.toml").write_text(as_toml(announcement), "utf-8")


CHINESE = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "National Day": "国庆节",
    "Mid-autumn Festival": "中秋节",
    "Anti-Fascist 70th Day": "抗战胜利纪念日",
}


def _disagreements(last_announced: int) -> Iterable[date]:
    other = holidays.country_holidays("CN", years=range(FIRST, last_announced + 1))
    day = date(FIRST, 1, 1)
    while day.year <= last_announced:
        is_working = day in constants.workdays or (
            day.weekday() < 5 and day not in constants.holidays
        )
        if is_working != other.is_working_day(day):
            yield day
        day += DAY


def _of_notice(days: Named, year: int) -> Named:
    """The days that the notice for a year names: its New Year may begin in December before."""
    return {
        day: name
        for day, name in days.items()
        if (day.year + 1 if day.month == 12 and name == "元旦" else day.year) == year
    }


def _statutory(year: int) -> Named:
    found = holidays.country_holidays("CN", years=year, language="zh_CN")
    plain = {
        day: name.replace("（补假）", "").replace("农历除夕", "春节").split("; ")
        for day, name in found.items()
    }
    return {day: "国庆节" if "国庆节" in names else names[0] for day, names in plain.items()}


def _periods(off: Named, make_up: Named) -> tuple[DaysOff, ...]:
    runs: list[list[date]] = []
    for day in sorted(off):
        if runs and day - runs[-1][-1] == DAY:
            runs[-1].append(day)
        else:
            runs.append([day])
    periods = []
    for run in runs:
        names = list(dict.fromkeys(off[day] for day in run))
        periods.append(
            DaysOff(
                "、".join(names),
                run[0],
                run[-1],
                tuple(sorted(day for day, name in make_up.items() if name in names)),
            )
        )
    given = {day for period in periods for day in period.make_up}
    assert given == set(make_up), sorted(set(make_up) - given)
    return tuple(periods)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
