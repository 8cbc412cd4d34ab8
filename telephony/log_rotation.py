"""Keeps Asterisk's log files short: Asterisk rotates them when asked to, and never by itself.

Of the message log only the newest few parts are kept. The books (CDR, CEL, queue_log) fill the
product's gaps and hold callers' numbers: a part is dropped when its last line is older than the
installation keeps them. CDR and CEL are opened by Asterisk for each line, so they are put aside
without its help.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from telephony import process
from telephony.books import CDR, CEL, QUEUE_LOG, Book, first_at, parts_of
from telephony.config import AsteriskConfig

log = structlog.get_logger(__name__)

MESSAGES = "messages.log"
MOST_BYTES = {MESSAGES: 10_000_000, QUEUE_LOG.path: 50_000_000}
MESSAGES_KEPT = 10
MOST_BOOK_BYTES = 50_000_000
BOOK_FOR: Final = timedelta(days=7)
"""A new part is begun after so long: what is kept too long is at most this."""


def rotate_if_long(config: AsteriskConfig) -> bool:
    """Begin new files if one is too long, drop the oldest messages; True where it rotated.

    Blocking; raises ``SetupError`` where Asterisk does not answer.
    """
    if not any(_size(config.log_dir / name) > most for name, most in MOST_BYTES.items()):
        return False
    process.cli(config, "logger rotate")
    for old in parts_of(config.log_dir / MESSAGES)[MESSAGES_KEPT:]:
        old.unlink(missing_ok=True)
    log.info("asterisk_logs_rotated")
    return True


def keep_books(log_dir: Path, *, keep_days: int, now: datetime) -> None:
    """Begin new books where they are long or old, drop parts that are too old. Blocking."""
    for book in (CDR, CEL):
        if _is_full(log_dir, book, now):
            _put_aside(log_dir / book.path)
    too_old_s = (now - timedelta(days=keep_days)).timestamp()
    for book in (CDR, CEL, QUEUE_LOG):
        for part in parts_of(log_dir / book.path):
            if part.stat().st_mtime < too_old_s:
                part.unlink(missing_ok=True)
                log.info("book_dropped", book=book.path, keep_days=keep_days)


def _is_full(log_dir: Path, book: Book, now: datetime) -> bool:
    if _size(log_dir / book.path) > MOST_BOOK_BYTES:
        return True
    began_at = first_at(log_dir, book)
    return began_at is not None and now - began_at > BOOK_FOR


def _put_aside(path: Path) -> None:
    """As Asterisk does with its logs: the newest is .0, each older one moves up."""
    for part in reversed(parts_of(path)):
        part.rename(path.with_name(f"{path.name}.{int(part.suffix[1:]) + 1}"))
    path.rename(path.with_name(f"{path.name}.0"))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
