"""The file of everybody outside: what it may say, and what is said about one that cannot work."""

from pathlib import Path

import pytest

from base.errors import SetupError
from base.ids import UnitId
from server.outside.endpoints import NOBODY, read_outside
from tickets.public_moves import PUBLIC_MOVES

WHOLE = """
[sms]
gateway = "10.0.0.9:7890"
account = "901234"
number = "106512345"

[[unit]]
unit = "city.water"
url = "https://oa.water.example/hotline"

[[subscriber]]
name = "city_data"
url = "http://127.0.0.1:8000/events"
moves = ["dispatch", "close"]
"""


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "outside.toml"
    file.write_text(WHOLE, "utf-8")
    outside = read_outside(file)
    assert outside.sms is not None
    assert outside.sms.address == ("10.0.0.9", 7890)
    assert outside.units[UnitId("city.water")].secret_name == "webhook_city.water"
    (subscriber,) = outside.subscribers
    assert subscriber.moves == {"dispatch", "close"}
    assert [each.name for each in outside.everybody()] == ["city.water", "city_data"]


def test_without_a_file_there_is_nobody(tmp_path: Path) -> None:
    assert read_outside(tmp_path / "outside.toml") == NOBODY


def test_a_subscriber_who_names_no_moves_gets_the_public_ones(tmp_path: Path) -> None:
    file = tmp_path / "outside.toml"
    file.write_text('[[subscriber]]\nname = "a"\nurl = "https://a.example/"\n', "utf-8")
    (subscriber,) = read_outside(file).subscribers
    assert subscriber.moves == PUBLIC_MOVES


@pytest.mark.parametrize(
    "said",
    [
        "not toml",
        "[post]",
        '[sms]\ngateway = "x"\naccount = "9"\nnumber = "106512345"',
        '[[unit]]\nunit = "a"\nurl = "http://10.0.0.1/"',
        '[[unit]]\nunit = "a"\nurl = "https://user:secret@a.example/"',
        '[[unit]]\nunit = "a"\nurl = "file:///etc/passwd"',
        '[[unit]]\nunit = "../a"\nurl = "https://a.example/"',
        '[[unit]]\nunit = "a"\nurl = "https://a.example/"\n'
        '[[subscriber]]\nname = "a"\nurl = "https://a.example/"',
        '[[subscriber]]\nname = "a"\nurl = "https://a.example/"\nmoves = ["recuse"]',
    ],
)
def test_a_file_that_cannot_work_is_refused_by_name(said: str, tmp_path: Path) -> None:
    file = tmp_path / "outside.toml"
    file.write_text(said, "utf-8")
    with pytest.raises(SetupError, match=r"outside\.toml"):
        read_outside(file)
