"""A request that is sent again is carried out once: ``Idempotency-Key``.

The key is claimed in the transaction of what the request does, and the answer kept in it: either
both are there or neither. The same key with another content is refused, not guessed about.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from base.database import Connection, Database
from base.errors import HotlineError
from base.ids import UserId
from base.sql_files import load_sql

SQL = load_sql(Path(__file__).parent / "sql" / "once")
KEPT_DAYS: Final = 7
MOST_KEY_CHARACTERS: Final = 200


class KeyReused(HotlineError):
    """This idempotency key was used for another request."""

    code: ClassVar[str] = "idempotency_key_reused"
    http_status: ClassVar[int] = 422


class KeyUnfit(HotlineError):
    """An idempotency key is 1 to 200 printable characters."""

    code: ClassVar[str] = "idempotency_key_unfit"
    http_status: ClassVar[int] = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was answered the first time."""

    status: int
    body: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """One request of one person."""

    user: UserId
    key: str
    digest: str

    @classmethod
    def of(cls, user: UserId, key: str, *parts: bytes) -> "Once":
        """``parts``: what the request is about; they decide whether it is the same one."""
        if not (0 < len(key) <= MOST_KEY_CHARACTERS and key.isascii() and key.isprintable()):
            raise KeyUnfit
        digest = hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts))
        return cls(user=user, key=key, digest=digest.hexdigest())

    async def claim(self, connection: Connection) -> Answer | None:
        """None: it is new, and ours to carry out in this transaction."""
        if await connection.fetchval(SQL["claim"], self.user, self.key, self.digest):
            return None
        row = await connection.fetchrow(SQL["answer_of"], self.user, self.key)
        assert row is not None  # a claim that lost sees the row that won
        if row["digest"] != self.digest:
            raise KeyReused
        return Answer(status=row["status"], body=row["body"])

    async def keep(self, connection: Connection, answer: Answer) -> None:
        await connection.execute(
            SQL["keep_answer"], self.user, self.key, answer.status, answer.body
        )


async def forget_answers(database: Database, *, most: int) -> int:
    """Drop answers that nobody asks for again; returns how many."""
    return len(await database.fetch(SQL["forget"], KEPT_DAYS, most))
