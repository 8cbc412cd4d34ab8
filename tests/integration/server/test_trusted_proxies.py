"""Attempts behind proxies, by HTTP on a real PostgreSQL: whose they are, and who cannot say so."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher
from redis.asyncio import Redis

from base.database import Connection, Database
from server.accounts import add_user, first_users
from server.auth import FREE_ATTEMPTS_PER_NAME_AND_ADDRESS, SignIn
from server.citizen_code import CitizenCodes
from server.http.citizen_routes import FREE_ATTEMPTS_PER_ADDRESS, CitizenRoutes
from server.http.client_address import TrustedProxies, as_from_the_client
from server.http.identity import Identity
from server.http.problems import problems
from server.http.session_routes import SessionRoutes
from server.passwords import Passwords
from tickets.work_orders import WorkOrders

Http = TestClient[web.Request, web.Application]
Console = Callable[[Sequence[str]], Awaitable[Http]]
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
HERE = "127.0.0.1"
AT = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)
GUESSES = FREE_ATTEMPTS_PER_NAME_AND_ADDRESS + 1
"""The last of so many is one too many."""


@pytest.fixture
async def console(web: Database) -> AsyncIterator[Console]:
    """Sign-in and the citizens' door behind these proxies, in an instant; asked from ``HERE``."""
    sign_in = SignIn(web, Passwords(QUICK), lambda: AT)
    sessions = SessionRoutes(sign_in, Identity(sign_in), cast(Redis, None))
    citizens = CitizenRoutes(sign_in, web, cast(WorkOrders, None), CitizenCodes("test"))
    async with AsyncExitStack() as stack:

        async def behind(proxies: Sequence[str]) -> Http:
            app = _app([*sessions.routes(), *(op.route() for op in citizens.operations())], proxies)
            return await stack.enter_async_context(TestClient(TestServer(app)))

        yield behind


def _app(routes: Sequence[web.RouteDef], proxies: Sequence[str]) -> web.Application:
    app = web.Application(middlewares=[as_from_the_client(TrustedProxies(proxies)), problems])
    app.add_routes(routes)
    return app


async def guess(http: Http, said: str) -> int:
    wrong = {"username": "zhao", "password": "wrong"}
    headers = {"X-Forwarded-For": said}
    async with http.post("/api/session", json=wrong, headers=headers) as answer:
        return answer.status


async def guess_code(http: Http, ticket: int, said: str) -> int:
    headers = {"X-Forwarded-For": said, "X-Code": "000000"}
    path = f"/api/citizen/work-orders/20260302-{ticket:06}"
    async with http.get(path, headers=headers) as answer:
        return answer.status


async def test_behind_a_proxy_of_ours_each_client_has_attempts_of_their_own(
    console: Console,
) -> None:
    http = await console([HERE])
    one = [await guess(http, "203.0.113.9") for _ in range(GUESSES)]
    assert one == [401] * (GUESSES - 1) + [429]
    assert await guess(http, "203.0.113.10") == 401
    assert await guess(http, "203.0.113.10, 203.0.113.9") == 429


async def test_who_is_behind_no_proxy_of_ours_cannot_say_to_be_somebody_else(
    console: Console,
) -> None:
    http = await console(["192.0.2.80"])
    guesses = [await guess(http, f"203.0.113.{number}") for number in range(GUESSES)]
    assert guesses == [401] * (GUESSES - 1) + [429]


async def test_citizens_behind_a_proxy_of_ours_have_wrong_codes_of_their_own(
    console: Console,
) -> None:
    http = await console([HERE])
    most = FREE_ATTEMPTS_PER_ADDRESS
    one = [await guess_code(http, ticket, "203.0.113.9") for ticket in range(most + 1)]
    assert one == [403] * most + [429]
    assert await guess_code(http, most + 2, "203.0.113.10") == 403


async def test_a_stranger_guesses_no_more_codes_under_ever_other_names(console: Console) -> None:
    http = await console([])
    most = FREE_ATTEMPTS_PER_ADDRESS
    guesses = [await guess_code(http, each, f"203.0.113.{each}") for each in range(most + 1)]
    assert guesses == [403] * most + [429]


@pytest.mark.parametrize(
    ("proxies", "header", "said", "is_secure"),
    [
        ([HERE], "X-Forwarded-Proto", "https", True),
        ([HERE], "Forwarded", "for=203.0.113.9;proto=https", True),
        ([HERE], "X-Forwarded-Proto", "http", False),
        ([], "X-Forwarded-Proto", "https", False),
    ],
)
async def test_the_session_is_for_tls_alone_where_a_proxy_of_ours_speaks_it(
    console: Console,
    owner: Connection,
    proxies: Sequence[str],
    header: str,
    said: str,
    is_secure: bool,
) -> None:
    user = first_users(["1001"])[0]
    await add_user(owner, user, "correct horse", Passwords(QUICK))
    http = await console(proxies)
    right = {"username": user.username, "password": "correct horse"}
    async with http.post("/api/session", json=right, headers={header: said}) as answer:
        assert answer.status == 200
        assert ("Secure" in answer.headers["Set-Cookie"].split("; ")) is is_secure
