"""Seals ledger and access log by the hour, in the web role; any number of them may run."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import structlog

from base.database import Database, DatabaseUnavailable
from base.errors import SetupError
from server.settings import Settings
from server.signing import Signer
from tickets.seal_store import Book, SealFile, seal

log = structlog.get_logger(__name__)

EVERY_S = 3600.0
RETRY_S = 60.0


def ledger_folder(settings: Settings) -> Path:
    """Seals and public key; to be copied elsewhere, best onto what can be written once."""
    return settings.home / "ledger"


def signer_of(settings: Settings) -> Signer:
    return Signer(settings.secrets_dir, ledger_folder(settings))


async def keep_sealing(settings: Settings, database: Database) -> None:
    """Seal for ever; what hinders it is logged and tried again."""
    signer, folder = signer_of(settings), ledger_folder(settings)
    while True:
        wait_s = EVERY_S
        try:
            await asyncio.to_thread(signer.ensure_key)
            for book in Book:
                async with database.connection() as connection:
                    file = SealFile(folder, book)
                    made = await seal(connection, file, signer.sign, datetime.now(UTC))
                if made is not None:
                    log.info(
                        "ledger_sealed", book=book.value, seal=made.number, entries=made.entries
                    )
        except (DatabaseUnavailable, SetupError, OSError) as error:
            log.error("ledger_not_sealed", cause=type(error).__name__)
            wait_s = RETRY_S
        await asyncio.sleep(wait_s)
