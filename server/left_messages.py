"""Messages that callers left, with what was understood of them and what came of them.

Read as ``hotline_web``. What makes a message a draft is the bridge's (``server.live.messages``); a
ticket is made as of every call, once (``tickets.registration``).
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar

import msgspec

from base.database import Database, storable
from base.errors import HotlineError
from base.ids import CallId
from base.sql_files import load_sql
from tickets.masking import masked_number
from tickets.registration import MachineField

SQL = load_sql(Path(__file__).parent / "sql" / "left_messages")


class MessageUnknown(HotlineError):
    """Nobody left a message in that call."""

    code: ClassVar[str] = "message_unknown"
    http_status: ClassVar[int] = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftMessage:
    """One message."""

    call: CallId
    left_at: datetime
    caller_number: str
    """Masked; empty: withheld."""
    queue: str
    lines: list[str]
    """What was heard; empty while it is not written down yet."""
    draft: dict[str, str] | None
    """By field; None: there are no words yet."""
    version: int
    has_recording: bool
    ticket: str | None
    """The number of its one ticket."""
    return_call: int | None
    return_state: str | None


@dataclass(frozen=True, slots=True)
class Leaver:
    """Whose message it is, and the return call that was opened for it."""

    number: str
    name: str
    return_call: int | None


class LeftMessages:
    """As ``hotline_web``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def since(self, start: datetime, *, most: int) -> list[LeftMessage]:
        """Those without a ticket first."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(SQL["messages_since"], start, most)
            calls = [row["call"] for row in rows]
            heard = await connection.fetch(SQL["lines_of_messages"], calls)
        lines: dict[str, list[str]] = {call: [] for call in calls}
        for line in heard:
            lines[line["call"]].append(line["text"])
        return [
            LeftMessage(
                **{
                    **dict(row),
                    "caller_number": masked_number(row["caller_number"]),
                    "draft": _values(row["draft"]),
                    "lines": lines[row["call"]],
                }
            )
            for row in rows
        ]

    async def leaver(self, call: CallId) -> Leaver:
        """Who left it, or ``MessageUnknown``."""
        row = await self._database.fetchrow(SQL["message"], storable(call))
        if row is None:
            raise MessageUnknown(call=call)
        return Leaver(row["caller_number"], row["caller_name"], row["return_call"])


def _values(draft: object) -> dict[str, str] | None:
    if draft is None:
        return None
    fields = msgspec.convert(draft, dict[str, MachineField])
    return {name: field.value for name, field in fields.items()}
