"""``hotline draft``: text in, draft out, for a person or a program."""

import argparse
import json

import pytest

from base.errors import SetupError
from server.commands import draft
from transcription.draft_ticket import Speaker


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    draft.add_parser(parser.add_subparsers())
    return parser.parse_args(["draft", *arguments])


def test_json_has_every_field_and_evidence_by_characters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = "文昌路四十六号的路灯坏了，请派人来修。"
    assert draft.run(parse("--text", text, "--json"), None) == 0
    printed = json.loads(capsys.readouterr().out)
    assert set(printed) >= {"type", "topic", "place", "time", "demand", "urgency", "phone"}
    assert printed["place"]["value"] == "文昌路四十六号"
    piece = printed["place"]["evidence"][0]
    assert text[piece["start"] : piece["end"]] == piece["text"]
    assert printed["phone"] is None


def test_the_table_shows_values_and_their_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert draft.run(parse("--text", "请问老年卡怎么办理"), None) == 0
    printed = capsys.readouterr().out
    assert "consult" in printed
    assert "from: " in printed


def test_a_dash_reads_standard_input() -> None:
    assert draft.read_text(parse("-"), lambda: "从管道来") == "从管道来"
    assert draft.read_text(parse("--text", "-"), lambda: "从管道来") == "从管道来"


def test_no_text_is_refused_with_the_fix() -> None:
    with pytest.raises(SetupError) as refusal:
        draft.read_text(parse())
    assert "hotline draft" in refusal.value.fix


def test_lines_with_names_are_two_speakers() -> None:
    found = draft.utterances_of("坐席：您好\n市民：路灯坏了\n三天了\n坐席：好的")
    assert [(u.speaker, u.number, u.text) for u in found] == [
        (Speaker.AGENT, 0, "您好"),
        (Speaker.CITIZEN, 0, "路灯坏了"),
        (Speaker.CITIZEN, 1, "三天了"),
        (Speaker.AGENT, 1, "好的"),
    ]


def test_an_empty_text_is_an_empty_draft(capsys: pytest.CaptureFixture[str]) -> None:
    assert draft.run(parse("--text", "  ", "--json"), None) == 0
    assert all(value is None for value in json.loads(capsys.readouterr().out).values())
