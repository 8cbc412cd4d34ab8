"""A sixth, made-up city: one new file in the installation's folder, and no code."""

import json
import shutil
from pathlib import Path

import pytest

from server import cli

CITY = Path(__file__).parents[2] / "data" / "packs" / "haizhou_2026.toml"

pytestmark = pytest.mark.usefixtures("own_logging")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOTLINE_HOME", str(tmp_path))
    (tmp_path / "packs").mkdir()
    shutil.copy(CITY, tmp_path / "packs")
    return tmp_path


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> object:
    assert cli.main(["packs", *arguments, "--json"]) == 0
    answer: object = json.loads(capsys.readouterr().out)
    return answer


@pytest.mark.usefixtures("home")
def test_new_city_is_checked_listed_shown_and_compared(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["packs", "check"]) == 0
    assert "haizhou_2026.toml: 6 rules" in capsys.readouterr().out
    listed = _json(capsys, "list")
    assert isinstance(listed, list)
    assert next(each for each in listed if each["id"] == "haizhou_2026")["city"] == "海州市"
    shown = _json(capsys, "show", "haizhou_2026", "clock.base")
    assert isinstance(shown, dict)
    assert shown["entries"]["clock.base"][0]["card"]["place"] == "第十一条第一款"
    compared = _json(capsys, "diff", "haizhou_2026", "jinan_2018")
    assert isinstance(compared, dict)
    base = next(d for d in compared["differences"] if d["rule"] == "clock.base")
    assert [answer["value"]["amount"] for answer in (*base["left"], *base["right"])] == [10, 5]


def test_new_city_is_simulated_against_another(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = home / "cases.json"
    facts = {"dissatisfied": True, "verified": True, "unhandled": False}
    cases.write_text(json.dumps([{"id": "1", "on": "2026-09-01", "facts": facts}]), "utf-8")
    found = _json(
        capsys, "simulate", str(cases), "--pack", "haizhou_2026", "--against", "jinan_2018"
    )
    assert isinstance(found, dict)
    redo = next(d for d in found["differences"] if d["rule"] == "follow_up.redo")
    assert (redo["under"]["force"], redo["against"]["force"]) == ("must", "may")


@pytest.mark.usefixtures("home")
def test_new_city_decides_by_facts_and_day_and_refuses_with_code_3(
    capsys: pytest.CaptureFixture[str],
) -> None:
    redo = ("decide", "haizhou_2026", "follow_up.redo", "--fact", "dissatisfied=yes")
    decided = _json(capsys, *redo, "--fact", "verified=yes")
    assert isinstance(decided, dict)
    assert (decided["force"], decided["card"]["place"]) == ("must", "第十九条第（二）项")
    assert decided["card"]["facts"] == {"dissatisfied": True, "verified": True}
    assert cli.main(["packs", *redo, "--fact", "verified=no", "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["code"] == "rule_not_given"
    assert cli.main(["packs", *redo, "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["params"]["fact"] == "verified"
    sign = _json(capsys, "decide", "haizhou_2026", "clock.sign", "--on", "2027-01-04")
    assert isinstance(sign, dict)
    assert sign["value"]["unit"] == "working_hour"


def test_fault_of_a_new_city_is_told_with_file_and_line(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = home / "packs" / "haizhou_2026.toml"
    file.write_text(file.read_text("utf-8").replace("amount = 10", "amount = ten"), "utf-8")
    assert cli.main(["packs", "check", str(file)]) == 1
    told = capsys.readouterr().out
    assert told.startswith(f"{file}:21: ")
    assert "\n  fix: " in told


@pytest.mark.usefixtures("home")
def test_city_that_is_silent_refuses_in_two_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["packs", "show", "haizhou_2026", "secrecy.recusal"]) == 1
    assert capsys.readouterr().err.startswith("FAIL nothing is called secrecy.recusal\nfix: ")
