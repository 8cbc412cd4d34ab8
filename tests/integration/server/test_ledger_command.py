"""``hotline ledger`` and ``hotline units`` as a person types them, on a real PostgreSQL."""

import argparse
import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from base.database import Connection, Database
from server.commands import ledger as ledger_command
from server.commands import units as units_command
from server.settings import Settings
from tests.integration.tickets.test_registration import confirmation
from tests.integration.tickets.test_units_command import FILE, written
from tickets.registration import register
from tickets.store import SQL

Run = Callable[..., int]


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(ledger_command, "load_settings", lambda: settings)
    monkeypatch.setattr(units_command, "load_settings", lambda: settings)
    monkeypatch.setattr(ledger_command, "MARGIN", timedelta(seconds=0))

    def run(*words: str) -> int:
        parser = argparse.ArgumentParser()
        verbs = parser.add_subparsers(required=True)
        ledger_command.add_parser(verbs)
        units_command.add_parser(verbs)
        args = parser.parse_args(words)
        code: int = args.run(args)
        return code

    return run


@pytest.mark.requirement("R122")
async def test_a_sealed_ledger_verifies_and_a_tampered_one_is_told_by_name_and_exit_code(
    run: Run,
    web: Database,
    agent: str,
    superuser: Connection,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ticket = (await register(web, confirmation(agent))).ticket
    # Older than any transaction that could still be under way.
    await superuser.execute("SET session_replication_role = 'replica'")
    await superuser.execute("UPDATE ledger SET entered_at = entered_at - interval '1 minute'")
    assert await asyncio.to_thread(run, "ledger", "seal") == 0
    assert "seal 1: 1 entries" in capsys.readouterr().out
    assert await asyncio.to_thread(run, "ledger", "seal") == 0
    assert "nothing new" in capsys.readouterr().out
    assert await asyncio.to_thread(run, "ledger", "verify") == 0
    assert "no faults" in capsys.readouterr().out

    await web.execute(SQL["log_access"], agent, None, ticket.id, "view", ["texts"], "")
    assert await asyncio.to_thread(run, "ledger", "verify") == 0
    assert "1 looks (0 from before their chain)" in capsys.readouterr().out
    await superuser.execute("DELETE FROM access_log")
    assert await asyncio.to_thread(run, "ledger", "verify") == 1
    assert f"FAIL {ticket.number}: accesses_missing (entry 1)" in capsys.readouterr().out
    await superuser.execute("DELETE FROM access_heads")

    await superuser.execute("UPDATE ledger SET actor = 'somebody'")
    assert await asyncio.to_thread(run, "ledger", "verify", "--json") == 1
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["faults"] == [{"where": ticket.number, "what": "changed", "seq": 1}]
    key = settings.secrets_dir / "ledger_signing_key"
    assert key.stat().st_mode & 0o077 == 0


async def test_units_are_put_listed_and_ended(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(written(tmp_path, FILE))
    assert await asyncio.to_thread(run, "units", "put", file) == 0
    assert "2 units changed" in capsys.readouterr().out
    await asyncio.to_thread(run, "units", "list")
    told = capsys.readouterr().out.splitlines()
    assert ["nobody responsible" in line for line in told] == [False, True]
    await asyncio.to_thread(run, "units", "end", "city.water.east")
    capsys.readouterr()
    await asyncio.to_thread(run, "units", "list", "--json")
    assert [unit["id"] for unit in json.loads(capsys.readouterr().out)] == ["city.water"]
