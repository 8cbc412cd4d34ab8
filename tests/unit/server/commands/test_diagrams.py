"""The pictures of the documents are the tables of the code."""

import argparse
from pathlib import Path

import pytest

from base.errors import SetupError
from routing.agents import TABLE
from server.commands import diagrams


@pytest.mark.parametrize("name", diagrams.pages())
def test_the_committed_pages_are_current(name: str) -> None:
    committed = (diagrams.FOLDER / name).read_text("utf-8")
    assert committed == diagrams.pages()[name], "stale: run ./hotline diagrams"


def test_every_move_of_the_table_is_on_the_page() -> None:
    page = diagrams.agents_page()
    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}
    moves = sum(bool(cell.strip()) for row in rows.values() for cell in row.split("|")[2:-1])
    assert moves == len(TABLE)
    for (state, trigger), (following, _mark) in TABLE.items():
        assert following.value in rows[trigger.value]
        if following is not state:
            assert f"    {state} --> {following}: " in page


def test_check_fails_on_a_stale_page_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = tmp_path / "agents.md"
    stale.write_text("old\n")
    monkeypatch.setattr(diagrams, "FOLDER", tmp_path)
    assert diagrams.run(argparse.Namespace(check=True)) == 1
    assert stale.read_text() == "old\n"
    assert "fix: ./hotline diagrams" in capsys.readouterr().err
    assert diagrams.run(argparse.Namespace(check=False)) == 0
    assert diagrams.run(argparse.Namespace(check=True)) == 0


def test_without_the_documents_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagrams, "FOLDER", tmp_path / "none")
    with pytest.raises(SetupError, match="docs/diagrams"):
        diagrams.run(argparse.Namespace(check=False))
