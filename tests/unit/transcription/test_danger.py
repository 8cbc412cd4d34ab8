"""Dangers to life are told from fears, denials, old stories and names of things."""

import time
import tomllib
from collections.abc import Sequence
from importlib import resources

import pytest

from bench.danger_accuracy import SENTENCES, Case, cases, measure
from tests.unit.transcription.talks import talk
from transcription.danger import Danger, DangerKind, find_danger
from transcription.draft_ticket import Speaker, Utterance


def found(*lines: str) -> list[Danger]:
    return find_danger(talk(*lines))


def kinds(*lines: str) -> list[str]:
    return [danger.kind.value for danger in found(*lines)]


@pytest.mark.parametrize("case", cases(SENTENCES), ids=lambda case: case.text)
def test_each_of_our_sentences_gives_its_dangers_and_no_others(case: Case) -> None:
    assert case.found == case.expected


def test_sentences_never_tuned_on_stay_above_what_the_document_states() -> None:
    figures = measure(None)["held_out"]
    assert figures["alarm_recall"] >= 0.85
    assert figures["alarm_precision"] >= 0.85


def test_a_danger_carries_the_line_and_the_very_words() -> None:
    (danger,) = found("你好我在文昌路", "我们楼上着火了")
    assert (danger.kind, danger.proposed_line) == (DangerKind.FIRE, "119")
    (span,) = danger.evidence
    assert (span.speaker, span.utterance, span.text) == (Speaker.CITIZEN, 1, "着火")
    assert "我们楼上着火了"[span.start : span.end] == "着火"


def test_words_cut_apart_by_a_breath_are_put_together() -> None:
    (danger,) = found("我家的煤气", "漏了")
    assert danger.kind is DangerKind.GAS_LEAK
    assert [(span.utterance, span.text) for span in danger.evidence] == [(0, "煤气"), (1, "漏了")]


def test_words_far_apart_in_time_are_not_put_together() -> None:
    early = Utterance(Speaker.CITIZEN, 0, "我家的煤气", 0.0, 2.0)
    late = Utterance(Speaker.CITIZEN, 1, "漏了", 30.0, 31.0)
    assert find_danger([early, late]) == []


def test_what_the_agent_says_counts_only_where_the_citizen_agrees() -> None:
    assert kinds("坐席：是家里着火了吗", "对对对") == ["fire"]
    assert kinds("坐席：是家里着火了吗", "不是") == []
    assert kinds("坐席：着火了要打幺幺九", "我想投诉物业") == []


def test_a_danger_taken_back_is_dropped_and_told_anew_comes_back() -> None:
    assert kinds("楼上着火了", "看错了没有着火") == []
    assert kinds("没有着火", "哎呀真的着火了") == ["fire"]


def test_a_plain_no_to_a_question_about_it_takes_nothing_back() -> None:
    assert kinds("着火了", "坐席：着火的是您家吗", "不是是隔壁") == ["fire"]


def test_what_is_said_twice_or_of_now_is_surer() -> None:
    (once,), (twice,) = found("楼上着火了"), found("楼上着火了", "楼上着火了")
    (now,) = found("楼上着火了快来人")
    assert once.confidence < twice.confidence < now.confidence <= 1


def test_two_dangers_are_both_told_the_surer_first() -> None:
    dangers = found("着火了我妈晕倒了快来人")
    assert {danger.kind for danger in dangers} == {DangerKind.FIRE, DangerKind.ILLNESS}
    assert [d.confidence for d in dangers] == sorted((d.confidence for d in dangers), reverse=True)


def test_the_table_names_every_kind_once_with_a_line_that_exists() -> None:
    file = resources.files("transcription").joinpath("data/dangers.toml")
    rows: Sequence[dict[str, str]] = tomllib.loads(file.read_text("utf-8"))["danger"]
    assert sorted(row["kind"] for row in rows) == sorted(DangerKind)
    assert {row["line"] for row in rows} <= {"110", "119", "120", "122"}


def test_an_hour_of_talk_is_read_again_in_a_moment() -> None:
    lines = [f"坐席：好的请讲{n}" if n % 2 else f"我们小区第{n}栋路灯坏了" for n in range(600)]
    find_danger(talk(*lines))
    began = time.process_time()
    find_danger(talk(*lines))
    assert time.process_time() - began < 0.2
