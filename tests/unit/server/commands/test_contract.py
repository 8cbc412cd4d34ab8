"""The browser's types are the server's own."""

import argparse
from pathlib import Path

import pytest

from server import order_contract
from server.commands import contract


def test_the_committed_contract_is_current() -> None:
    stale = "stale: run ./hotline contract, then build web/"
    assert contract.CONTRACT_FILE.read_text("utf-8") == contract.contract_text(), stale
    assert order_contract.FILE.read_text("utf-8") == order_contract.text(), stale


def test_check_fails_on_a_stale_file_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = tmp_path / "contract.ts"
    stale.write_text("// old\n")
    monkeypatch.setattr(contract, "CONTRACT_FILE", stale)
    assert contract.run(argparse.Namespace(check=True)) == 1
    assert stale.read_text() == "// old\n"
    assert "fix: ./hotline contract" in capsys.readouterr().err


def test_contract_writes_the_file_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "contract.ts"
    monkeypatch.setattr(contract, "CONTRACT_FILE", target)
    assert contract.run(argparse.Namespace(check=False)) == 0
    assert contract.run(argparse.Namespace(check=True)) == 0
    assert "export type DeskEvent = " in target.read_text()
