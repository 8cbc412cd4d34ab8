"""The type rules on our own sentences: floors under what docs/DRAFT.md states."""

import pytest

from bench.draft_accuracy import main, measure_own


def test_types_of_our_own_sentences_stay_told_apart() -> None:
    figures = measure_own()
    assert figures["type_own_sentences"]["rows"] >= 120
    assert figures["type_own_sentences"]["accuracy"] >= 0.95
    assert figures["type_own_held_out"]["accuracy"] >= 0.68


def test_without_messages_the_bench_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("HOTLINE_SHARED", raising=False)
    monkeypatch.setattr("sys.argv", ["draft_accuracy"])
    assert main() == 2
    assert "HOTLINE_SHARED" in capsys.readouterr().err
