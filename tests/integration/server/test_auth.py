"""Signing in on a real PostgreSQL: passwords, sessions, and the brake on guessing."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher

from base.database import Connection, Database
from base.ids import AgentId
from server.accounts import (
    AccountRefused,
    NewUser,
    UserUnknown,
    add_user,
    ensure_users,
    first_users,
    give_first_phone,
    list_users,
    set_active,
    set_password,
    set_phone,
)
from server.auth import (
    FORGET_AFTER_S,
    FREE_ATTEMPTS_PER_ADDRESS,
    FREE_ATTEMPTS_PER_NAME_AND_ADDRESS,
    SESSION_LIFE,
    NotSignedIn,
    Role,
    SignIn,
    TooManyAttempts,
    WrongCredentials,
)
from server.passwords import Passwords, PasswordUnfit

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "correct horse"
HERE = "192.0.2.1"


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def sign_in(web: Database, owner: Connection, clock: Clock) -> SignIn:
    users = first_users(["1001"])
    passwords = {user.username: PASSWORD for user in users}
    await ensure_users(owner, users, passwords, Passwords(QUICK))
    return SignIn(web, Passwords(QUICK), clock)


async def test_right_password_opens_a_session_of_that_user(sign_in: SignIn) -> None:
    user = await sign_in.authenticate("Agent1001 ", PASSWORD, HERE)
    assert (user.username, user.role, user.agent) == ("agent1001", Role.AGENT, "1001")
    token = await sign_in.open_session(user)
    assert await sign_in.session_user(token) == user
    await sign_in.close_session(token)
    with pytest.raises(NotSignedIn):
        await sign_in.session_user(token)


@pytest.mark.parametrize("name", ["agent1001", "nobody", "", "a\0b", "\ud800", "x" * 10_000])
@pytest.mark.parametrize("password", ["wrong", "", "x" * 100_000, "\ud800", "a\0b"])
async def test_wrong_name_and_wrong_password_are_refused_alike(
    sign_in: SignIn, name: str, password: str
) -> None:
    with pytest.raises(WrongCredentials):
        await sign_in.authenticate(name, password, HERE)


async def test_only_a_hash_of_the_token_is_stored(sign_in: SignIn, owner: Connection) -> None:
    token = await sign_in.open_session(await sign_in.authenticate("leader", PASSWORD, HERE))
    stored = await owner.fetchval("SELECT token_hash FROM sessions")
    assert token.encode() not in stored
    with pytest.raises(NotSignedIn):
        await sign_in.session_user(stored.hex())


@pytest.mark.parametrize("token", [None, "", "x", "x" * 10_000, "\0", "\ud800"])
async def test_strange_token_is_nobodys(sign_in: SignIn, token: str | None) -> None:
    with pytest.raises(NotSignedIn):
        await sign_in.session_user(token)


async def test_session_ends_after_a_shift(sign_in: SignIn, clock: Clock, owner: Connection) -> None:
    user = await sign_in.authenticate("leader", PASSWORD, HERE)
    token = await sign_in.open_session(user)
    clock.advance(SESSION_LIFE.total_seconds() + 1)
    with pytest.raises(NotSignedIn):
        await sign_in.session_user(token)
    await sign_in.open_session(user)
    assert await owner.fetchval("SELECT count(*) FROM sessions") == 1


async def test_who_is_put_out_is_out_at_once(sign_in: SignIn, owner: Connection) -> None:
    token = await sign_in.open_session(await sign_in.authenticate("leader", PASSWORD, HERE))
    await set_active(owner, "leader", is_active=False)
    with pytest.raises(NotSignedIn):
        await sign_in.session_user(token)
    with pytest.raises(WrongCredentials):
        await sign_in.authenticate("leader", PASSWORD, HERE)
    await set_active(owner, "leader", is_active=True)
    await sign_in.authenticate("leader", PASSWORD, HERE)


async def test_changed_password_ends_the_sessions(sign_in: SignIn, owner: Connection) -> None:
    token = await sign_in.open_session(await sign_in.authenticate("admin", PASSWORD, HERE))
    await set_password(owner, "admin", "another password", Passwords(QUICK))
    with pytest.raises(NotSignedIn):
        await sign_in.session_user(token)
    with pytest.raises(WrongCredentials):
        await sign_in.authenticate("admin", PASSWORD, HERE)
    await sign_in.authenticate("admin", "another password", HERE)


async def guess(sign_in: SignIn, times: int, address: str = HERE) -> None:
    for _ in range(times):
        with pytest.raises(WrongCredentials):
            await sign_in.authenticate("agent1001", "wrong", address)


async def test_guessing_is_slowed_even_for_the_right_password(
    sign_in: SignIn, clock: Clock
) -> None:
    await guess(sign_in, FREE_ATTEMPTS_PER_NAME_AND_ADDRESS)
    with pytest.raises(TooManyAttempts) as refused:
        await sign_in.authenticate("agent1001", PASSWORD, HERE)
    assert refused.value.params["wait_s"] == 1
    clock.advance(1.1)
    await guess(sign_in, 1)
    clock.advance(1.1)
    with pytest.raises(TooManyAttempts):
        await sign_in.authenticate("agent1001", PASSWORD, HERE)
    clock.advance(1.1)
    await sign_in.authenticate("agent1001", PASSWORD, HERE)


async def test_agent_is_not_locked_out_by_a_stranger_elsewhere(sign_in: SignIn) -> None:
    await guess(sign_in, FREE_ATTEMPTS_PER_NAME_AND_ADDRESS, "198.51.100.9")
    await sign_in.authenticate("agent1001", PASSWORD, HERE)


async def test_guesses_at_the_same_moment_are_all_counted(sign_in: SignIn) -> None:
    results = await asyncio.gather(
        *(sign_in.authenticate("agent1001", "wrong", HERE) for _ in range(20)),
        return_exceptions=True,
    )
    looked_at = sum(isinstance(result, WrongCredentials) for result in results)
    assert looked_at == FREE_ATTEMPTS_PER_NAME_AND_ADDRESS


async def test_colleagues_who_sign_in_at_one_moment_are_all_let_in(
    sign_in: SignIn, clock: Clock
) -> None:
    await sign_in.authenticate("agent1001", PASSWORD, HERE)
    clock.advance(-0.01)  # asked first, counted second
    await sign_in.authenticate("leader", PASSWORD, HERE)


async def test_a_whole_office_signs_in_from_one_address(sign_in: SignIn) -> None:
    for _ in range(FREE_ATTEMPTS_PER_ADDRESS + 20):
        await sign_in.authenticate("agent1001", PASSWORD, HERE)


async def test_old_guesses_are_forgotten(sign_in: SignIn, clock: Clock, owner: Connection) -> None:
    await guess(sign_in, FREE_ATTEMPTS_PER_NAME_AND_ADDRESS)
    clock.advance(FORGET_AFTER_S + 1)
    user = await sign_in.authenticate("agent1001", PASSWORD, HERE)
    clock.advance(FORGET_AFTER_S + 1)
    await sign_in.open_session(user)
    assert await owner.fetchval("SELECT count(*) FROM login_attempts") == 0


async def test_setting_up_again_keeps_changed_passwords(sign_in: SignIn, owner: Connection) -> None:
    await set_password(owner, "admin", "another password", Passwords(QUICK))
    users = first_users(["1001", "1002"])
    passwords = {user.username: PASSWORD for user in users}
    assert await ensure_users(owner, users, passwords, Passwords(QUICK)) == ["agent1002"]
    await sign_in.authenticate("admin", "another password", HERE)
    names = [account.username for account in await list_users(owner)]
    assert names == ["admin", "agent1001", "agent1002", "leader"]


async def test_the_first_leader_of_an_older_installation_gets_the_first_phone_once(
    sign_in: SignIn, owner: Connection
) -> None:
    await give_first_phone(owner, ())
    assert (await sign_in.authenticate("leader", PASSWORD, HERE)).phone is None
    for phones in (("1900", "1901"), ("1901", "1900")):
        await give_first_phone(owner, phones)
        assert (await sign_in.authenticate("leader", PASSWORD, HERE)).phone == "1900"
    await set_phone(owner, "leader", None)
    another = NewUser(username="other", display_name="x", role=Role.LEADER, phone="1901")
    await add_user(owner, another, PASSWORD, Passwords(QUICK))
    await give_first_phone(owner, ("1900", "1901"))  # somebody has given them out by hand
    assert (await sign_in.authenticate("leader", PASSWORD, HERE)).phone is None
    with pytest.raises(AccountRefused):
        await set_phone(owner, "leader", "1901")


@pytest.mark.parametrize(
    "user",
    [
        NewUser(username="Agent", display_name="x", role=Role.ADMIN),
        NewUser(username="a b", display_name="x", role=Role.ADMIN),
        NewUser(username="new", display_name="", role=Role.ADMIN),
        NewUser(username="new", display_name="x", role=Role.AGENT),
        NewUser(username="new", display_name="x", role=Role.ADMIN, agent=AgentId("1009")),
        NewUser(username="new", display_name="x", role=Role.AGENT, agent=AgentId("1001")),
        NewUser(username="admin", display_name="x", role=Role.ADMIN),
        NewUser(username="new", display_name="x", role=Role.AGENT, agent=AgentId("1;x")),
    ],
)
async def test_bad_accounts_are_refused(user: NewUser, sign_in: SignIn, owner: Connection) -> None:
    with pytest.raises(AccountRefused):
        await add_user(owner, user, PASSWORD, Passwords(QUICK))


async def test_short_password_and_unknown_user_are_refused(owner: Connection) -> None:
    user = NewUser(username="new", display_name="x", role=Role.ADMIN)
    with pytest.raises(PasswordUnfit):
        await add_user(owner, user, "short", Passwords(QUICK))
    with pytest.raises(UserUnknown):
        await set_password(owner, "nobody", PASSWORD, Passwords(QUICK))
