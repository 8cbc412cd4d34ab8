"""The command line: failures in two lines, arguments passed on whole, help for every verb."""

import argparse

import pytest

from base.errors import SetupError
from server import cli
from server.commands import test as test_verb

pytestmark = pytest.mark.usefixtures("own_logging")


def test_failure_is_told_in_two_lines_and_ends_with_a_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_BIND", "nowhere")
    assert cli.main(["settings"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[0] == "FAIL bind is 'nowhere'"
    assert captured.err.splitlines()[1].startswith("fix: ")


def test_everything_after_test_goes_to_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def run(args: argparse.Namespace) -> int:
        seen.extend(args.passed_on)
        return 7

    monkeypatch.setattr(test_verb, "run", run)
    assert cli.main(["test", "-x", "--json", "tests/unit", "-h"]) == 7
    assert seen == ["-x", "--json", "tests/unit", "-h"]


def test_help_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    shown = capsys.readouterr().out
    for verb in ("demo", "up", "down", "status", "doctor", "test", "check", "coverage"):
        assert verb in shown


def test_interrupted_verb_ends_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_args: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(test_verb, "run", interrupted)
    assert cli.main(["test"]) == 130


def test_setup_error_always_has_a_fix() -> None:
    with pytest.raises(TypeError):
        SetupError("something")  # type: ignore[call-arg]
