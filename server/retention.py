"""Drops what was kept long enough, rows and attachments, a little at a time, beside the web role.

Asterisk's own files are ``telephony.log_rotation``'s.
"""

import asyncio
from datetime import UTC, datetime
from typing import Final

import asyncpg
import structlog

from base.database import Database, DatabaseUnavailable
from base.outbox import forget_sent
from server.once import forget_answers
from tickets.attachment_files import AttachmentFiles
from tickets.attachments import erase_one, remove_strays

log = structlog.get_logger(__name__)

LOOK_EVERY_S: Final = 3600.0
AT_A_TIME: Final = 1000


async def drop_what_is_old(
    database: Database,
    files: AttachmentFiles,
    *,
    keep_days: int,
    look_every_s: float = LOOK_EVERY_S,
) -> None:
    """Look every hour, for ever; any number of processes may."""
    while True:
        try:
            while dropped := await forget_sent(database, days=keep_days, most=AT_A_TIME):
                log.info("sent_messages_forgotten", messages=dropped, keep_days=keep_days)
            while await forget_answers(database, most=AT_A_TIME):
                pass
            while await erase_one(database, files, datetime.now(UTC)):
                pass
            await remove_strays(database, files, datetime.now(UTC))
        except DatabaseUnavailable:
            pass  # the next hour will do
        except asyncpg.PostgresError as error:
            log.error("retention_failed", sqlstate=error.sqlstate)
        except OSError as error:
            log.error("retention_failed", errno=error.errno)
        await asyncio.sleep(look_every_s)
