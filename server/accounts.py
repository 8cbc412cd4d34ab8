"""Making accounts and changing passwords, as the schema's owner; never by a running role."""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import structlog

from base.database import Connection
from base.errors import HotlineError
from base.ids import AgentId, UnitId
from base.sql_files import load_sql
from server.auth import Role
from server.passwords import Passwords
from server.secrets_store import secrets_of
from server.settings import Settings

log = structlog.get_logger(__name__)

SQL = load_sql(Path(__file__).parent / "sql" / "accounts")

USERNAME = re.compile(r"[a-z][a-z0-9._-]{1,31}")
AGENT = re.compile(r"[0-9]{2,8}")
FIRST_LEADER = "leader"
FIRST_NAMES = {Role.AGENT: "坐席", Role.LEADER: "班长", Role.ADMIN: "管理员"}
"""As whom the first accounts are shown, until somebody gives them their own names."""


class AccountRefused(HotlineError):
    """The account cannot be made like this."""

    code = "account_refused"
    http_status = 422


class UserUnknown(HotlineError):
    """There is no such user."""

    code = "user_unknown"
    http_status = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """An account to be made."""

    username: str
    display_name: str
    role: Role
    agent: AgentId | None = None
    unit: UnitId | None = None
    phone: str | None = None
    """A leader's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account as listed."""

    username: str
    display_name: str
    role: Role
    agent: AgentId | None
    phone: str | None
    is_active: bool


def first_users(agents: Sequence[str], phones: Sequence[str] = ()) -> list[NewUser]:
    """Whom every new installation knows: its agents, a leader with a phone, an administrator."""
    people = [
        NewUser(
            username=f"agent{agent}",
            display_name=f"{FIRST_NAMES[Role.AGENT]}{agent}",
            role=Role.AGENT,
            agent=AgentId(agent),
        )
        for agent in agents
    ]
    leader = NewUser(
        username=FIRST_LEADER,
        display_name=FIRST_NAMES[Role.LEADER],
        role=Role.LEADER,
        phone=next(iter(phones), None),
    )
    admin = NewUser(username="admin", display_name=FIRST_NAMES[Role.ADMIN], role=Role.ADMIN)
    return [*people, leader, admin]


async def ensure_users(
    owner: Connection,
    users: Sequence[NewUser],
    passwords: Mapping[str, str],
    hasher: Passwords | None = None,
) -> list[str]:
    """Make those who are missing, with these initial passwords; returns their names.

    Existing accounts, and passwords people have changed, stay as they are.
    """
    known = {row["username"] for row in await owner.fetch(SQL["usernames"])}
    made = []
    for user in users:
        if user.username not in known:
            await add_user(owner, user, passwords[user.username], hasher)
            made.append(user.username)
    return made


async def ensure_first_users(owner: Connection, settings: Settings) -> list[str]:
    """``ensure_users`` with ``first_users`` and the passwords that set-up made for them."""
    users = first_users(settings.agents, settings.leader_phones)
    store = secrets_of(settings)
    passwords = {user.username: store.read(f"user-{user.username}") for user in users}
    made = await ensure_users(owner, users, passwords)
    await give_first_phone(owner, settings.leader_phones)
    return made


async def give_first_phone(owner: Connection, phones: Sequence[str]) -> None:
    """To the first leader of an installation from before leaders had phones of their own."""
    if phones:
        await owner.execute(SQL["give_first_phone"], FIRST_LEADER, phones[0])


async def add_user(
    owner: Connection, user: NewUser, password: str, hasher: Passwords | None = None
) -> None:
    """Make an account, or raise ``AccountRefused`` or ``PasswordUnfit``."""
    if not USERNAME.fullmatch(user.username):
        raise AccountRefused("a username is 2 to 32 of a–z, 0–9, . _ -, a letter first")
    if user.agent is not None and not AGENT.fullmatch(user.agent):
        raise AccountRefused("an agent's number is 2 to 8 digits")
    if (user.role is Role.AGENT) != (user.agent is not None):
        raise AccountRefused("an agent, and nobody else, has an agent's number")
    if user.phone is not None and (user.role is not Role.LEADER or not AGENT.fullmatch(user.phone)):
        raise AccountRefused("a phone is a leader's alone, 2 to 8 digits")
    if (user.role is Role.UNIT) != (user.unit is not None):
        raise AccountRefused("who works for a unit, and nobody else, has a unit")
    if not 1 <= len(user.display_name) <= 64:
        raise AccountRefused("a display name is 1 to 64 characters")
    password_hash = await (hasher or Passwords()).hash(password)
    made = await owner.fetchval(
        SQL["insert_user"],
        uuid.uuid4(),
        user.username,
        user.display_name,
        user.role.value,
        user.agent,
        user.unit,
        user.phone,
        password_hash,
    )
    if made is None:
        taken = "the username, the agent's number or the phone is taken"
        raise AccountRefused(taken, user=user.username)
    log.info("user_added", user=user.username, role=user.role.value)


async def set_password(
    owner: Connection, username: str, password: str, hasher: Passwords | None = None
) -> None:
    """Change a password and end all sessions of that user."""
    password_hash = await (hasher or Passwords()).hash(password)
    async with owner.transaction():
        user = await owner.fetchval(SQL["set_password"], username, password_hash)
        if user is None:
            raise UserUnknown(user=username)
        await owner.execute(SQL["close_sessions_of_user"], user)
    log.info("password_changed", user=username)


async def set_phone(owner: Connection, username: str, phone: str | None) -> None:
    """Give a leader the phone that is theirs from now on; None: none."""
    if phone is not None and not AGENT.fullmatch(phone):
        raise AccountRefused("a phone is 2 to 8 digits")
    try:
        user = await owner.fetchval(SQL["set_phone"], username, phone)
    except asyncpg.UniqueViolationError as error:
        raise AccountRefused("the phone is another leader's", user=username) from error
    if user is None:
        raise AccountRefused("there is no such leader", user=username)
    log.info("phone_given", user=username, phone=phone)


async def set_active(owner: Connection, username: str, *, is_active: bool) -> None:
    """Let a user in, or put them out at once; accounts are never deleted: tickets name them."""
    async with owner.transaction():
        user = await owner.fetchval(SQL["set_active"], username, is_active)
        if user is None:
            raise UserUnknown(user=username)
        await owner.execute(SQL["close_sessions_of_user"], user)
    log.info("user_let_in" if is_active else "user_put_out", user=username)


async def list_users(owner: Connection) -> list[Account]:
    rows = await owner.fetch(SQL["list_users"])
    return [
        Account(
            username=row["username"],
            display_name=row["display_name"],
            role=Role(row["role"]),
            agent=row["agent"],
            phone=row["phone"],
            is_active=row["is_active"],
        )
        for row in rows
    ]
