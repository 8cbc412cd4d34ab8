"""A pytest plugin: writes which requirement marks passed, for ``./hotline coverage requirements``.

Loaded by that verb alone, with ``HOTLINE_REQUIREMENTS_REPORT`` naming the file to write.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path

import pytest

REPORT_VARIABLE = "HOTLINE_REQUIREMENTS_REPORT"

_marks: dict[str, list[dict[str, object]]] = {}
_failed: set[str] = set()
_passed: set[str] = set()


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    for item in items:
        for mark in item.iter_markers("requirement"):
            city = mark.kwargs.get("city")
            cities = [city] if isinstance(city, str) else list(city or ())
            entry: dict[str, object] = {"rows": list(mark.args), "cities": cities}
            _marks.setdefault(item.nodeid, []).append(entry)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A test passes when its call did and neither set-up nor clean-up failed."""
    if report.failed:
        _failed.add(report.nodeid)
    elif report.when == "call" and report.passed:
        _passed.add(report.nodeid)


def pytest_sessionfinish() -> None:
    tests = [
        {"test": name, "passed": name in _passed - _failed, "marks": marks}
        for name, marks in _marks.items()
    ]
    Path(os.environ[REPORT_VARIABLE]).write_text(json.dumps(tests), encoding="utf-8")
