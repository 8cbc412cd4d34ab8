"""Logs: numbers masked in every value, one JSON object a line, bounded files."""

import json
import logging
from pathlib import Path

import pytest
import structlog

from server.logging_setup import configure_logging, mask_numbers


@pytest.fixture
def log_file(tmp_path: Path, own_logging: None) -> Path:
    configure_logging("tried", "info", tmp_path)
    return tmp_path / "tried.log"


@pytest.mark.parametrize(
    ("plain", "masked"),
    [
        ("13812348000", "138****8000"),
        ("+8613812348000", "+86138****8000"),
        ("call of 13812348000, again", "call of 138****8000, again"),
        ("053112345678", "053*****5678"),
        ("hotline-1763780000.12", "hotline-1763780000.12"),
        ("0.13812348000", "0.13812348000"),
        ("1001", "1001"),
        ("12345", "12345"),
    ],
)
def test_telephone_numbers_are_masked_and_nothing_else(plain: str, masked: str) -> None:
    assert mask_numbers(plain) == masked


def test_masking_reaches_every_depth() -> None:
    value = {"a": ["13812348000", {"b": 13812348000}], "c": ("x",)}
    assert mask_numbers(value) == {"a": ["138****8000", {"b": "138****8000"}], "c": ["x"]}


def test_line_is_json_with_the_number_masked(log_file: Path) -> None:
    structlog.get_logger("here").info("call_arrived", caller="13812348000", call="hotline-1.2")
    line = json.loads(log_file.read_text())
    assert line["event"] == "call_arrived"
    assert line["caller"] == "138****8000"
    assert line["process"] == "tried"
    assert line["level"] == "info"


def test_traceback_of_a_library_is_masked_too(log_file: Path) -> None:
    try:
        raise ValueError("no route to 13812348000")
    except ValueError:
        logging.getLogger("library").exception("failed for %s", "13812348000")
    text = log_file.read_text()
    assert "13812348000" not in text
    assert text.count("138****8000") == 2


def test_a_crash_tells_where_it_was_and_nothing_of_what_was_said_there(log_file: Path) -> None:
    def keep(caller_name: str) -> None:
        raise ValueError(f"query argument $2: {caller_name!r}")

    try:
        try:
            keep("张三丰")
        except ValueError as error:
            raise RuntimeError("check failed\nDETAIL: row (张三丰)") from error
    except RuntimeError:
        structlog.get_logger("here").exception("request_crashed")
    text = log_file.read_text()
    assert "张三丰" not in text
    [last, first] = json.loads(text)["exception"]
    assert (last["exc_value"], first["exc_value"]) == ("check failed", "query argument $2")
    assert first["frames"][-1]["name"] == "keep"


def test_quieter_level_is_not_written(log_file: Path) -> None:
    structlog.get_logger("here").debug("detail")
    assert log_file.read_text() == ""
