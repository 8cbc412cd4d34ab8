"""A version is a day and a hash of the text, and stays loadable when the pack changes."""

from pathlib import Path

import pytest

from rules import catalogue as law
from rules.library import load_pack
from rules.pack_file import PackInvalidError, content_hash, parse_pack

TEXT = """
[pack]
id = "somewhere"
title = "某市热线条例"
city = "某市"
status = "law"
version = 2026-03-01
from = 2025-01-01

[clock.base]
value = { amount = 5, unit = "working_day", starts = "dispatch" }
force = "must"
article = "24"
summary = "五个工作日。"
"""


def test_ticket_is_decided_by_the_version_it_began_with_after_the_pack_changed(
    tmp_path: Path,
) -> None:
    current = tmp_path / "somewhere.toml"
    current.write_text(TEXT, "utf-8")
    began_with = load_pack("somewhere", folders=[tmp_path]).version

    earlier = tmp_path / "earlier"
    earlier.mkdir()
    (earlier / "somewhere-2026-03.toml").write_text(TEXT, "utf-8")
    current.write_text(TEXT.replace("amount = 5", "amount = 3"), "utf-8")

    now = load_pack("somewhere", folders=[tmp_path])
    then = load_pack("somewhere", version=began_with, folders=[tmp_path])
    assert now.version != began_with
    assert now.decide(law.BASE).value.amount == 3
    assert then.decide(law.BASE).value.amount == 5
    assert then.decide(law.BASE).card.version == began_with


def test_pack_read_back_from_its_kept_text_is_the_same() -> None:
    pack = parse_pack(TEXT)
    assert parse_pack(pack.text) == pack
    assert pack.digest == content_hash(pack.text)
    assert pack.version == f"2026-03-01.{pack.digest[:12]}"


@pytest.mark.parametrize("changed", [TEXT + "# a remark\n", TEXT.replace("五个", "5个")])
def test_any_change_of_the_text_is_another_version(changed: str) -> None:
    assert parse_pack(changed).version != parse_pack(TEXT).version


def test_line_ends_of_another_system_are_the_same_version() -> None:
    assert parse_pack(TEXT.replace("\n", "\r\n")) == parse_pack(TEXT)


def test_fault_in_one_citys_file_is_no_other_citys_trouble(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.toml").write_text("[pack", "utf-8")
    (tmp_path / "somewhere.toml").write_text(TEXT, "utf-8")
    assert load_pack("somewhere", folders=[tmp_path]).id == "somewhere"


def test_file_that_is_not_named_as_its_id_is_refused(tmp_path: Path) -> None:
    (tmp_path / "another.toml").write_text(TEXT, "utf-8")
    with pytest.raises(PackInvalidError, match="not named as its id"):
        load_pack("another", folders=[tmp_path])
