"""``hotline clock`` and ``hotline calendar``: what people see, and what they are told to mend."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from server import cli
from tests.unit.rules.recompute import recompute

pytestmark = pytest.mark.usefixtures("own_logging")

FROM = "2026-09-28T10:00:00+08:00"
CLOCK = ["clock", "--pack", "jinan_2018", "--from", FROM]

NOTICE = """\
year = 2027
status = "announced"
source = "a notice made up for this test"

[[days_off]]
name = "元旦"
from = 2027-01-01
to = 2027-01-03
make_up = [2027-01-09]
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOTLINE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def shown(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    value = json.loads(capsys.readouterr().out)
    assert isinstance(value, dict)
    return value


@pytest.mark.requirement("R049")
def test_the_due_time_is_printed_with_a_working_that_leads_to_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main([*CLOCK, "--kind", "base", "--json"]) == 0
    answer = shown(capsys)
    assert answer["due_at"] == "2026-10-10T17:30:00+08:00"
    assert answer["article"] == "24.1"
    assert answer["provisional"] is False
    lines = answer["lines"]
    assert isinstance(lines, list)
    told = [(line.pop("code"), line) for line in lines]
    assert recompute(told) == datetime.fromisoformat("2026-10-10T17:30:00+08:00")
    working = answer["working"]
    assert isinstance(working, list)
    assert "Thu 2026-10-01 to Wed 2026-10-07: holiday 国庆节, not counted" in working


def test_text_shows_the_completion_and_the_reply_beside_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = ["--law-days", "60", "--law-unit", "calendar_day", "--law", "some law art. 9"]
    assert cli.main([*CLOCK, "--kind", "statutory", *options]) == 0
    text = capsys.readouterr().out
    assert "statutory: due Fri 2026-11-27 17:30" in text
    assert "by some law art. 9" in text
    assert "base: due Sat 2026-10-10 17:30" in text.split("beside it, and not replaced:")[1]


def test_a_year_without_a_notice_is_shown_as_provisional(
    capsys: pytest.CaptureFixture[str],
) -> None:
    late = ["clock", "--pack", "jinan_2018", "--from", "2026-12-30T10:00:00+08:00"]
    assert cli.main([*late, "--kind", "base"]) == 0
    text = capsys.readouterr().out
    assert "(provisional)" in text
    assert "the holidays of 2027 are not announced yet" in text


@pytest.mark.parametrize(
    "arguments", [["--kind", "extension"], ["--kind", "base", "--extend", "5"]]
)
def test_a_plain_extension_is_refused_and_the_two_ways_out_are_named(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*CLOCK, *arguments]) == 1
    said = capsys.readouterr().err
    assert "jinan_2018 does not provide clock.extension" in said
    assert "第二十四条" in said
    assert "--kind statutory" in said
    assert "--kind promised" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--kind", "tea"], "there is no clock 'tea'"),
        (["--kind", "statutory"], "--law-days N"),
        (["--kind", "statutory", "--law-days", "0"], "law-days is '0'"),
        (["--kind", "statutory", "--law-days", "5", "--law-unit", "moon"], "law-unit is 'moon'"),
        (["--kind", "promised", "--promised", "soon"], "promised is 'soon'"),
        (["--kind", "promised", "--promised", "2026-09-01"], "before the ticket began"),
        (["--kind", "base", "--days", "7"], "leave the number out"),
        (["--kind", "sign", "--extend"], "sign cannot be extended"),
        (["--kind", "base", "--fact", "tea=yes"], "there is no fact 'tea'"),
        (["--kind", "base", "--fact", "urgent=yes"], "fact urgent is 'yes'"),
        (["--kind", "base", "--hours", "17:00-09:00"], "hours is '17:00-09:00'"),
        (["--kind", "base", "--paused", "tea"], "paused: 'tea' is no reason"),
        (["--kind", "base", "--paused", f"return_review={FROM}/{FROM}"], "the clock runs on"),
        (["--kind", "base", "--hours", "nine"], "hours is 'nine'"),
        (["--kind", "base", "--from", "2026-09-28T10:00:00"], "without an offset"),
        (["--kind", "base", "--from", "yesterday"], "from is 'yesterday'"),
        (["--kind", "base", "--from", "2099-01-01T10:00:00+08:00"], "calendar import"),
        (["--kind", "base", "--pack", "atlantis"], "no pack is called atlantis"),
    ],
)
def test_what_cannot_be_worked_out_is_said_with_a_fix(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*CLOCK, *arguments]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert "\nfix: " in captured.err


# ---- calendar ------------------------------------------------------------------------------------


@pytest.fixture
def notice(tmp_path: Path) -> Path:
    file = tmp_path / "notice.toml"
    file.write_text(NOTICE, "utf-8")
    return file


@pytest.fixture
def clocks(tmp_path: Path) -> Path:
    file = tmp_path / "clocks.csv"
    file.write_text(
        "id,pack,kind,from,promised\n"
        "T1,jinan_2018,base,2027-01-04T10:00:00+08:00,\n"
        "T2,jinan_2018,base,2026-10-12T10:00:00+08:00,\n"
        "T3,jinan_2018,promised,2026-12-30T10:00:00+08:00,2027-01-20\n",
        "utf-8",
    )
    return file


def test_a_year_is_shown_with_its_status_source_and_days(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["calendar", "show", "2026"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("2026: announced (chinesecalendar ")
    assert "Sat 2026-10-10 worked for 国庆节" in text
    assert cli.main(["calendar", "show", "2027", "--json"]) == 0
    assert shown(capsys)["status"] == "provisional"
    assert cli.main(["calendar", "show", "1999"]) == 1
    assert "fix: a year from" in capsys.readouterr().err


@pytest.mark.requirement("R049")
def test_importing_a_notice_says_what_moves_and_then_counts_by_it(
    notice: Path, clocks: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["calendar", "diff", str(notice), "--clocks", str(clocks), "--json"]) == 0
    seen = shown(capsys)
    assert not home.exists() or not list(home.rglob("2027*"))
    # The made-up notice names one holiday only, and Saturday 9 January is worked for it.
    assert seen["moved"] == [
        {
            "id": "T1",
            "kind": "base",
            "before": "2027-01-11T17:30:00+08:00",
            "after": "2027-01-09T17:30:00+08:00",
            "moved": True,
            "provisional": False,
        }
    ]
    assert cli.main(["calendar", "import", str(notice), "--clocks", str(clocks)]) == 0
    text = capsys.readouterr().out
    assert "T1 base: 2027-01-11 17:30 → 2027-01-09 17:30, settled now" in text
    assert (
        cli.main([*CLOCK, "--kind", "base", "--from", "2027-01-04T10:00:00+08:00", "--json"]) == 0
    )
    after = shown(capsys)
    assert (after["due_at"], after["provisional"]) == ("2027-01-09T17:30:00+08:00", False)
    assert after["calendar_version"] == seen["after"]


def test_a_second_notice_keeps_the_first(
    notice: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["calendar", "import", str(notice)]) == 0
    notice.write_text(NOTICE.replace("2027-01-09", "2027-01-10"), "utf-8")
    assert cli.main(["calendar", "import", str(notice)]) == 0
    (kept,) = (home / "calendar" / "earlier").iterdir()
    assert kept.read_text("utf-8") == NOTICE
    capsys.readouterr()
    assert cli.main(["calendar", "show", "2027"]) == 0
    assert "Sun 2027-01-10 worked for 元旦" in capsys.readouterr().out


def test_what_was_announced_is_not_made_provisional_again(
    notice: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notice.write_text(NOTICE.replace("2027", "2026").replace("announced", "provisional"), "utf-8")
    notice.write_text(notice.read_text("utf-8").replace("2026-01-09", "2026-01-10"), "utf-8")
    assert cli.main(["calendar", "import", str(notice)]) == 1
    assert "2026 is announced already" in capsys.readouterr().err


def test_a_wrong_list_of_clocks_names_the_row(
    notice: Path, clocks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clocks.write_text("id,pack,kind,from\nT9,jinan_2018,tea,2027-01-04T10:00:00+08:00\n", "utf-8")
    assert cli.main(["calendar", "diff", str(notice), "--clocks", str(clocks)]) == 1
    assert "clocks.csv, clock T9: there is no clock 'tea'" in capsys.readouterr().err
    clocks.write_text("id,tea\nT9,green\n", "utf-8")
    assert cli.main(["calendar", "diff", str(notice), "--clocks", str(clocks)]) == 1
    assert "unknown columns tea" in capsys.readouterr().err
    other = clocks.with_suffix(".json")
    other.write_text('{"id": 1}', "utf-8")
    assert cli.main(["calendar", "diff", str(notice), "--clocks", str(other)]) == 1
    assert "no list of objects" in capsys.readouterr().err
