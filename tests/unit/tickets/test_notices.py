"""The texts of messages: whole, checked, overridden by city and centre, naming nobody."""

import ast
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rules.library import load_packs
from tickets.acts.registration import GROUNDS
from tickets.assignment import CompletionBasis, Part
from tickets.notices import CALLER, UNIT, NoticesInvalid, load_notices
from tickets.timers import TimerKind

TICKETS = Path(__file__).parents[3] / "tickets"


@pytest.fixture(params=sorted(load_packs()))
def city(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_message_that_an_act_sends_has_its_text() -> None:
    sent: dict[str, set[str]] = {"to_caller": set(), "to_unit": set()}
    for path in (TICKETS / "acts").glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
                named = [each.value for each in call.args[1:2] if isinstance(each, ast.Constant)]
                sent.get(call.func.id, set()).update(map(str, named))
    assert sent["to_caller"] <= CALLER.keys()
    assert sent["to_unit"] == UNIT.keys()
    assert len(sent["to_caller"]) > 4


def test_every_code_that_a_message_may_carry_has_its_word(city: str) -> None:
    notices = load_notices(city)
    assert notices.words["reason"].keys() == GROUNDS.keys()
    assert notices.words["basis"].keys() == {*CompletionBasis} - {CompletionBasis.NONE}
    assert notices.words["part"].keys() == {*Part}
    assert notices.words["timer"].keys() == {*TimerKind}


def test_a_message_is_filled_with_words_and_local_time(city: str) -> None:
    notices = load_notices(city)
    told = notices.to_caller(
        "completion_dated",
        {
            "number": "20261019-000001",
            "basis": "promised",
            "completion_due": datetime(2026, 11, 2, 9, 5, tzinfo=UTC),
        },
    )
    assert told.startswith("【12345热线】您的诉求（编号20261019-000001）")
    assert "已承诺办结日期" in told
    assert "2026年11月2日17时05分" in told
    assert notices.to_unit("dispatched", {"number": "1", "part": "lead"}).count("牵头承办") == 1


def test_no_text_can_name_a_person_a_number_or_what_was_said() -> None:
    may_name = frozenset().union(*CALLER.values(), *UNIT.values())
    assert not may_name & {"name", "caller_name", "phone", "contact_number", "demand", "title"}
    assert not frozenset().union(*UNIT.values()) & {"code"}


def test_a_centre_overrides_one_text_and_keeps_the_others(tmp_path: Path) -> None:
    own = tmp_path / "notices.toml"
    own.write_text('signature = "【某市】"\n[caller]\nclosed = "{number}已办结。"\n', "utf-8")
    notices = load_notices("jinan_2018", own)
    assert notices.to_caller("closed", {"number": "1"}) == "【某市】1已办结。"
    assert "查询码7" in notices.to_caller("registered", {"number": "1", "code": "7"})


@pytest.mark.parametrize(
    "said",
    [
        '[caller]\nclosed = "{caller_name}先生"',
        '[caller]\nclosed = "{number.__class__}"',
        '[caller]\nclosed = "{number!r}"',
        '[caller]\nclosed = "{"',
        '[caller]\nclosed = ""',
        f'[caller]\nclosed = "{"长" * 301}"',
        '[caller]\nfarewell = "再见"',
        '[unit]\ndispatched = "{code}"',
        "[caller]\nclosed = 7",
        "caller = 7",
        "[words.colour]\nred = '红'",
        "not toml",
    ],
)
def test_a_text_that_cannot_be_sent_is_refused_at_the_start(said: str, tmp_path: Path) -> None:
    own = tmp_path / "notices.toml"
    own.write_text(said, "utf-8")
    with pytest.raises(NoticesInvalid):
        load_notices("jinan_2018", own)
