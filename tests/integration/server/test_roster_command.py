"""``hotline roster`` against a real PostgreSQL."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from base.database import Connection
from server.cli import main
from tests.conftest import TestDatabase

PLAN = """
[[queue]]
name = "hotline"
title = "综合"
[[shift]]
hours = "08:00-20:00"
agents = ["1001"]
[[shift]]
hours = "mon-sat 20:00-08:00"
agents = ["1002"]
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "queues.toml").write_text(PLAN, encoding="utf-8")
    monkeypatch.setenv("HOTLINE_HOME", str(tmp_path))
    return tmp_path


def test_check_names_the_hours_for_which_nobody_is_planned(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["roster", "check"]) == 1
    shown = capsys.readouterr().out
    assert "sun 20:00 – mon 00:00" in shown
    assert "mon 00:00 – mon 08:00" in shown


@pytest.mark.requirement("R003")
async def test_report_lists_the_hours_in_which_nobody_was_there(
    home: Path,
    owner: Connection,
    database: TestDatabase,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("server.commands.roster.database_url", lambda *_: database.url("owner"))
    now = datetime.now(UTC)
    course = [(30, "ready"), (10, "offline"), (8, "ready")]
    for number, (hours_ago, state) in enumerate(course):
        await owner.execute(
            "INSERT INTO agent_moves (number, agent, at, old, event, new, reason, by)"
            " VALUES ($1, '1001', $2, 'x', 'x', $3, '', 'test')",
            number,
            now - timedelta(hours=hours_ago),
            state,
        )
    code = await asyncio.to_thread(main, ["roster", "report", "--days", "1", "--json"])
    told = json.loads(capsys.readouterr().out)
    (absence,) = told["absences"]
    assert code == 1
    begin, end = (datetime.fromisoformat(absence[each]) for each in ("begin", "end"))
    assert (begin, end) == (now - timedelta(hours=10), now - timedelta(hours=8))
    assert 2 <= len(told["hours"]) <= 3
    await owner.execute("UPDATE agent_moves SET new = 'talking' WHERE new = 'offline'")
    assert await asyncio.to_thread(main, ["roster", "report", "--days", "1"]) == 0
    assert "0 hours" in capsys.readouterr().out
