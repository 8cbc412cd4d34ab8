import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.database import Database, DatabaseUnavailable, Patience, connect, storable


@pytest.fixture
def refusing_port() -> Iterator[int]:
    """Taken, so that nobody else can begin to listen there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


async def test_process_starts_without_postgres_and_each_use_says_that_it_is_away(
    refusing_port: int,
) -> None:
    dsn = f"postgresql://hotline_web:secret@127.0.0.1:{refusing_port}/hotline"
    database = await Database.open(dsn, name="test")
    assert not await database.is_up()
    with pytest.raises(DatabaseUnavailable) as away:
        await database.fetch("SELECT 1")
    assert away.value.retryable
    assert "secret" not in str(away.value)
    with pytest.raises(DatabaseUnavailable):
        await connect(dsn, name="test")
    await database.close()


async def test_server_that_takes_connections_and_says_nothing_is_away_in_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        dsn = f"postgresql://u:p@127.0.0.1:{silent.getsockname()[1]}/hotline"
        patience = Patience(connect_s=0.1, acquire_s=0.2)
        database = await Database.open(dsn, name="test", patience=patience)
        with pytest.raises(DatabaseUnavailable):
            await database.fetch("SELECT 1")
        await database.close()


ROOT = Path(__file__).parents[3]
OUTLIVES_ITS_TRANSACTION = re.compile(
    r"(^|\n)\s*(SET\s(?!LOCAL)|LISTEN\s|PREPARE\s|DECLARE\s[^;]*WITH HOLD|CREATE\s+TEMP)"
    r"|pg_(try_)?advisory_(un)?lock(_shared)?\("
    r"|set_config\([^)]*,\s*false",
    re.IGNORECASE,
)


def test_no_statement_leaves_anything_behind_on_a_connection_that_is_given_back() -> None:
    rooms = ("base", "server", "tickets")
    files = [file for room in rooms for file in ROOT.glob(f"{room}/**/*.sql")]
    # The connections of migrations are closed; the SET of an UPDATE may begin a line.
    said = {
        file: re.sub(r"(UPDATE\s[\w.]+(\s+\w+)?)\s+SET\s", r"\1 ", file.read_text())
        for file in files
        if "migrations" not in file.parts
    }
    assert len(said) > 20
    assert [file for file, text in said.items() if OUTLIVES_ITS_TRANSACTION.search(text)] == []
    for bad in (
        "SET ROLE x",
        "x;\nLISTEN a",
        "SELECT pg_advisory_lock(1)",
        "set_config('a', $1, false)",
    ):
        assert OUTLIVES_ITS_TRANSACTION.search(bad), bad


@given(st.text(st.characters(codec=None, categories=None)))
def test_storable_text_is_utf8_without_nul(text: str) -> None:
    stored = storable(text)
    assert "\0" not in stored
    stored.encode("utf-8")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_storable_leaves_good_text_alone(text: str) -> None:
    assert storable(text) == text


def test_storable_marks_what_cannot_be_kept() -> None:
    assert "\ufffd" in storable("王\ud800明")
    assert storable("a\0b") == "a\ufffdb"
