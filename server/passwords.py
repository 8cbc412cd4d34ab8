"""Passwords as argon2id hashes: made and checked off the event loop, few at a time."""

import asyncio
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from base.errors import HotlineError

LEAST_CHARACTERS = 10
MOST_CHARACTERS = 128
_AT_ONCE = 2
"""Each check takes 64 MiB and some 50 ms of a core; more at once would be a gift to an attacker."""
_WAIT_S = 5.0


class PasswordUnfit(HotlineError):
    """The password is too short or too long."""

    code = "password_unfit"
    http_status = 422


class SignInBusy(HotlineError):
    """Too many people are signing in at this moment."""

    code = "sign_in_busy"
    http_status = 503
    retryable = True


class Passwords:
    """Hashes and checks."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._free = asyncio.Semaphore(_AT_ONCE)
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        if not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
            raise PasswordUnfit(least=LEAST_CHARACTERS, most=MOST_CHARACTERS)
        return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether it is the password. A user who does not exist (None) takes as long as one who
        does, so that names cannot be found out by time."""
        if len(password) > MOST_CHARACTERS:
            password = ""
        try:
            async with asyncio.timeout(_WAIT_S):
                await self._free.acquire()
        except TimeoutError:
            raise SignInBusy from None
        try:
            return await asyncio.to_thread(self._matches, password_hash, password)
        finally:
            self._free.release()

    def _matches(self, password_hash: str | None, password: str) -> bool:
        if self._nobodys is None:
            self._nobodys = self._hasher.hash(secrets.token_urlsafe(16))
        try:
            self._hasher.verify(password_hash or self._nobodys, password)
        except (Argon2Error, InvalidHashError, UnicodeEncodeError):
            return False
        return password_hash is not None
