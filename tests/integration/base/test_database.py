"""The pool on a real PostgreSQL."""

import asyncpg
import pytest

from base.database import Database, DatabaseUnavailable
from tests.conftest import TestDatabase


async def test_a_connection_that_asyncpg_has_lost_count_of_is_away_and_the_next_one_works(
    database: TestDatabase,
) -> None:
    """Seen with a frozen PostgreSQL: it ended the bridge."""
    pool = await Database.open(database.url("bridge"), name="test")
    try:
        with pytest.raises(DatabaseUnavailable):
            async with pool.connection():
                raise asyncpg.InternalClientError("cannot switch to state 12")
        assert await pool.is_up()
    finally:
        await pool.close()
