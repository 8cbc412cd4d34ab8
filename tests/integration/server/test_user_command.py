"""``hotline user`` against a real PostgreSQL."""

import argparse
import asyncio
import io
import json
from collections.abc import Callable

import pytest

from base.database import Database
from base.errors import SetupError
from server.auth import SignIn
from server.commands import user as user_command
from server.connections import database_url
from server.settings import Settings

Run = Callable[..., None]


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``hotline user …`` with ``typed`` on standard input."""
    monkeypatch.setattr(user_command, "load_settings", lambda: settings)

    def run(*words: str, typed: str = "") -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        parser = argparse.ArgumentParser()
        user_command.add_parser(parser.add_subparsers(required=True))
        args = parser.parse_args(["user", *words])
        assert args.run(args) == 0

    return run


async def test_account_is_made_signs_in_gets_a_new_password_and_is_put_out(
    run: Run, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("add", "agent2001", "--agent", "2001", "--name", "小李")
    await asyncio.to_thread(run, *words, typed="a long password\n")
    database = await Database.open(database_url(settings, "web"), name="test")
    sign_in = SignIn(database)
    user = await sign_in.authenticate("agent2001", "a long password", "192.0.2.1")
    assert (user.agent, user.display_name) == ("2001", "小李")

    capsys.readouterr()
    await asyncio.to_thread(run, "passwd", "agent2001", "--made")
    made = capsys.readouterr().out.strip().rpartition("password: ")[2]
    await sign_in.authenticate("agent2001", made, "192.0.2.1")

    await asyncio.to_thread(run, "off", "agent2001")
    capsys.readouterr()
    await asyncio.to_thread(run, "list", "--json")
    [listed] = json.loads(capsys.readouterr().out)
    assert listed == {
        "username": "agent2001",
        "display_name": "小李",
        "role": "agent",
        "agent": "2001",
        "phone": None,
        "is_active": False,
    }
    await asyncio.to_thread(run, "add", "boss", "--role", "leader", typed="a long password\n")
    await asyncio.to_thread(run, "phone", "boss", "1900")
    assert (await sign_in.authenticate("boss", "a long password", "192.0.2.1")).phone == "1900"
    await database.close()


@pytest.mark.parametrize(
    ("words", "typed", "what"),
    [
        (("add", "x y", "--agent", "2001"), "a long password", "username"),
        (("add", "boss"), "a long password", "agent's number"),
        (("add", "agent2001", "--agent", "2001"), "short", "too short"),
        (("passwd", "nobody"), "a long password", "no such user"),
        (("off", "nobody"), "", "no such user"),
        (("phone", "nobody", "1900"), "", "no such leader"),
        (("phone", "nobody", "1977"), "", "none of the leaders' phones"),
    ],
)
async def test_refusal_says_what_to_do(
    run: Run, words: tuple[str, ...], typed: str, what: str
) -> None:
    with pytest.raises(SetupError, match=what) as refused:
        await asyncio.to_thread(run, *words, typed=typed)
    assert refused.value.fix
