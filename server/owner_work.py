"""Runs one piece of a verb's work as the schema's owner."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from base.database import Connection, DatabaseUnavailable, Patience, connect
from base.errors import SetupError
from server.connections import database_url
from server.settings import Settings

T = TypeVar("T")


def as_owner(
    settings: Settings,
    work: Callable[[Connection], Awaitable[T]],
    *,
    name: str,
    patience: Patience | None = None,
) -> T:
    """Return what ``work`` gives; ``name`` is what PostgreSQL shows of the connection.

    Raises ``SetupError`` while the database cannot be reached.
    """

    async def run() -> T:
        url = database_url(settings, "owner")
        owner = await connect(url, name=name, patience=patience)
        try:
            return await work(owner)
        finally:
            await owner.close()

    try:
        return asyncio.run(run())
    except DatabaseUnavailable as error:
        raise SetupError("the database does not answer", fix="./hotline up") from error
