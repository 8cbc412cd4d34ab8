"""Changed packs: every kind of value, and marked tests that notice a few chosen ones."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from rules.library import OURS, load_pack
from rules.pack_file import parse_pack
from rules.values import Force
from server.coverage import MutationOutcome
from server.settings_loader import REPOSITORY
from tests.plugins.pack_mutations import in_force, variants

CHOSEN = ("jinan_2018/clock.base", "taian_draft/refuse.outside_area", "hangzhou_2024/clock.base")


def test_each_given_answer_is_taken_away_and_each_part_of_it_changed() -> None:
    [base] = load_pack("jinan_2018").entries["clock.base"]
    parts = {part: entry for part, entry, _, _ in variants(base)}
    assert parts["force"].force is Force.NOT_GIVEN
    assert {"force", "unit", "amount", "starts"} <= parts.keys()
    assert all(not entry.decides_as(base) for entry in parts.values())


def test_nothing_is_tried_that_no_pack_may_say() -> None:
    pack = load_pack("hangzhou_2024")
    [rates], [redo] = pack.entries["caller.rates"], pack.entries["clock.redo"]
    assert [part for part, *_ in variants(rates)] == ["force"]
    assert "starts" not in [part for part, *_ in variants(redo)]
    for rule, never in (
        ("refuse.repeat", "same_caller"),
        ("reply.extension", "approved_by_centre"),
        ("clock.extension", "before"),
        ("clock.sign", "day_of_event_counts"),
    ):
        [entry] = pack.entries[rule]
        assert never not in [part for part, *_ in variants(entry)]


def test_a_changed_pack_is_read_everywhere_while_it_is_in_force() -> None:
    [base] = load_pack("jinan_2018").entries["clock.base"]
    amount = next(entry for part, entry, _, _ in variants(base) if part == "amount")
    with in_force(("jinan_2018", "clock.base", 0), amount):
        assert load_pack("jinan_2018").entries["clock.base"] == (amount,)
        assert load_pack("tongliao_2024") == parse_pack(
            (OURS / "tongliao_2024.toml").read_text("utf-8"), "tongliao_2024.toml"
        )
    assert load_pack("jinan_2018").entries["clock.base"] == (base,)


@pytest.mark.timeout(60)
def test_marked_tests_notice_a_few_chosen_values(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    variables = {"PACK_MUTATIONS_REPORT": str(report), "PACK_MUTATIONS_ONLY": ",".join(CHOSEN)}
    done = subprocess.run(
        [
            *(sys.executable, "-P", "-m", "pytest", "-q", "-p", "tests.plugins.pack_mutations"),
            *("-p", "no:cacheprovider", "-m", "requirement"),
            "tests/unit/rules/test_deadlines.py",
            "tests/unit/server/commands/test_clock.py",
        ],
        cwd=REPOSITORY,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert report.exists(), done.stdout + done.stderr
    outcomes = msgspec.json.decode(report.read_bytes(), type=list[MutationOutcome])
    assert {each.mutation.part for each in outcomes} >= {"force", "amount", "unit"}
    killed = {(each.mutation.pack, each.mutation.part) for each in outcomes if each.killed_by}
    assert {("jinan_2018", "force"), ("jinan_2018", "amount"), ("jinan_2018", "unit")} <= killed
