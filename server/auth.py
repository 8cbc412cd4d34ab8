"""Signing in: who somebody is, by password, then by the token of a session.

Owns sessions and the brake on guessing. A session's token is random, stays in the browser's cookie
and is known here by its hash alone. Rights are taken from the users table at each request, so a
person who is put out is out at once. Accounts themselves are made in ``server.accounts``.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

import asyncpg
import structlog

from base.database import Database, storable
from base.errors import HotlineError
from base.ids import AgentId, UnitId, UserId
from base.sql_files import load_sql
from server.passwords import Passwords

log = structlog.get_logger(__name__)

SQL = load_sql(Path(__file__).parent / "sql" / "sign_in")

SESSION_LIFE = timedelta(hours=12)
"""A shift; nobody is signed out in the middle of a call by sitting still."""
FREE_ATTEMPTS_PER_NAME_AND_ADDRESS = 5
FREE_ATTEMPTS_PER_NAME = 30
"""Higher: a stranger elsewhere must not lock an agent out cheaply."""
FREE_ATTEMPTS_PER_ADDRESS = 100
"""A whole office may come from one address."""
FORGET_AFTER_S = 900
_MOST_NAME_CHARACTERS = 64
_MOST_TOKEN_CHARACTERS = 128


class Role(StrEnum):
    """What a person is here for."""

    AGENT = "agent"
    """Answers calls."""
    LEADER = "leader"
    """Leads a team of agents."""
    ADMIN = "admin"
    """Looks after the installation."""
    DISPATCHER = "dispatcher"
    """Checks tickets, finds their units, dispatches."""
    REVIEWER = "reviewer"
    """Decides what units ask for; reviews what they answer."""
    FOLLOW_UP = "follow_up"
    """Asks callers how it went."""
    SUPERVISOR = "supervisor"
    """Supervises units; alone sees locked lanes."""
    HEAD = "head"
    """Heads the centre: designates, escalates, verifies."""
    UNIT = "unit"
    """Handles tickets at the unit that ``User.unit`` names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person who has signed in."""

    id: UserId
    username: str
    display_name: str
    role: Role
    agent: AgentId | None
    unit: UnitId | None = None
    phone: str | None = None
    """Of a leader: the phone that rings when they listen in, join or take over."""


class NotSignedIn(HotlineError):
    """Sign in first."""

    code = "not_signed_in"
    http_status = 401


class WrongCredentials(HotlineError):
    """The name or the password is wrong."""

    code = "wrong_credentials"
    http_status = 401


class TooManyAttempts(HotlineError):
    """Too many wrong passwords or codes; ``wait_s`` says for how long."""

    code = "too_many_attempts"
    http_status = 429


class SignIn:
    """Authenticates and keeps sessions, as ``hotline_web``."""

    def __init__(
        self,
        database: Database,
        passwords: Passwords | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._passwords = passwords or Passwords()
        self._now = now

    async def authenticate(self, username: str, password: str, address: str) -> User:
        """The user, or ``WrongCredentials``, or ``TooManyAttempts`` before any look at it."""
        username = storable(username.strip().lower()[:_MOST_NAME_CHARACTERS])
        pair = _key("pair", username, address)
        name = _key("name", username)
        whole_address = _key("address", address)
        await self._count(whole_address, FREE_ATTEMPTS_PER_ADDRESS)
        await self._count(pair, FREE_ATTEMPTS_PER_NAME_AND_ADDRESS)
        await self._count(name, FREE_ATTEMPTS_PER_NAME)
        row = await self._database.fetchrow(SQL["user_to_sign_in"], username)
        password_hash = None if row is None else row["password_hash"]
        is_right = await self._passwords.matches(password_hash, password)
        if row is None or not is_right:
            log.info("sign_in_refused", is_known=row is not None)
            raise WrongCredentials
        await self._database.execute(SQL["forget_attempts"], [pair, name])
        # Not forgotten as a whole: who knows one password could guess others' for ever.
        await self._database.execute(SQL["give_attempt_back"], whole_address)
        return _user(row)

    async def open_session(self, user: User) -> str:
        """A new token for the browser's cookie."""
        token = secrets.token_urlsafe(32)
        now = self._now()
        await self._database.execute(SQL["forget_old_sessions"], now)
        await self._database.execute(
            SQL["forget_old_attempts"], now - timedelta(seconds=FORGET_AFTER_S)
        )
        await self._database.execute(
            SQL["open_session"], _token_hash(token), user.id, now, now + SESSION_LIFE
        )
        log.info("signed_in", user=user.username)
        return token

    async def session_user(self, token: str | None) -> User:
        """Who the token belongs to now, or ``NotSignedIn``."""
        if not token or len(token) > _MOST_TOKEN_CHARACTERS:
            raise NotSignedIn
        # Looked up by its hash: no comparison whose time could tell anything of the token.
        row = await self._database.fetchrow(SQL["session_user"], _token_hash(token), self._now())
        if row is None:
            raise NotSignedIn
        return _user(row)

    async def close_session(self, token: str) -> None:
        await self._database.execute(SQL["close_session"], _token_hash(token))

    async def brake(self, kind: str, what: str, free_attempts: int) -> None:
        """Count an attempt at guessing something else; ``TooManyAttempts`` when it is too many."""
        await self._count(_key(kind, what), free_attempts)

    async def release(self, kind: str, what: str) -> None:
        """It was known, not guessed."""
        await self._database.execute(SQL["forget_attempts"], [_key(kind, what)])

    async def give_back(self, kind: str, what: str) -> None:
        """That one attempt was none; those before it stay counted."""
        await self._database.execute(SQL["give_attempt_back"], _key(kind, what))

    async def _count(self, key: bytes, free_attempts: int) -> None:
        now = self._now()
        counted = await self._database.fetchval(
            SQL["count_attempt"], key, now, free_attempts, FORGET_AFTER_S
        )
        if counted is None:
            until = await self._database.fetchval(SQL["blocked_until"], key)
            wait_s = 1 if until is None else max(1, round((until - now).total_seconds()))
            log.warning("sign_in_throttled", wait_s=wait_s)
            raise TooManyAttempts(wait_s=wait_s)


def _key(kind: str, *parts: str) -> bytes:
    return hashlib.sha256("\0".join((kind, *parts)).encode(errors="replace")).digest()


def _token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()


def _user(row: asyncpg.Record) -> User:
    return User(
        id=UserId(str(row["id"])),
        username=row["username"],
        display_name=row["display_name"],
        role=Role(row["role"]),
        agent=None if row["agent"] is None else AgentId(row["agent"]),
        unit=None if row["unit"] is None else UnitId(row["unit"]),
        phone=row["phone"],
    )
