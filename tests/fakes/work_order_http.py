"""The driver's backend over HTTP: what people do goes through the real routes.

Everybody is signed in already, by a header that only this door reads; a unit's session is a real
one, since the database looks at it. Refusals come back as the errors they were.
"""

import hashlib
import io
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.test_utils import TestClient

from base.database import Connection
from base.errors import HotlineError
from base.ids import AgentId, TicketId, UnitId, UserId
from server.auth import NotSignedIn, Role, User
from server.http.identity import COOKIE, Identity
from server.http.operations import Operation
from tests.fakes.city import centre, person
from tickets import moves as m
from tickets.facts import Actor, ActorRole, TicketFacts
from tickets.intake import Demand

Http = TestClient[web.Request, web.Application]
AS = "X-Test-As"
AGENTS = {person(1): AgentId("1001"), person(2): AgentId("1002")}
SUPERVISOR = centre(ActorRole.SUPERVISOR, 5)
CITIZENS_PATHS: dict[type[m.Move], str] = {m.AskExplanation: "explanation", m.Rate: "rating"}


class Door(Identity):
    """Takes the header's word for who asks."""

    def __init__(self) -> None:
        """Asks nobody."""

    async def user(self, request: web.Request) -> User:
        said = request.headers.get(AS)
        if said is None:
            raise NotSignedIn
        role, user, unit = said.split("|")
        return User(
            id=UserId(user),
            username=role,
            display_name=role,
            role=Role(role),
            agent=AGENTS.get(UserId(user)) if role == Role.AGENT else None,
            unit=UnitId(unit) if unit else None,
        )


class Clock:
    """The server's time of day, set by the test."""

    def __init__(self) -> None:
        self.at = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


class Asking:
    """Requests of whoever the test says; no operation refuses but as its declaration says."""

    def __init__(
        self, http: Http, owner: Connection, clock: Clock, operations: Sequence[Operation]
    ) -> None:
        self.http = http
        self.clock = clock
        self._owner = owner
        self._operations = operations
        self._sessions: dict[str, str] = {}

    async def ask(
        self,
        by: Actor,
        method: str,
        path: str,
        said: object = None,
        **headers: str,
    ) -> tuple[int, Any]:
        """Status and decoded JSON."""
        signed_in = {} if by.roles == {ActorRole.CALLER} else await self.signed_in(by)
        sent = {
            **signed_in,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        data = None if said is None else msgspec.json.encode(said)
        if data is not None:
            sent["Content-Type"] = "application/json"
        async with self.http.request(method, path, data=data, headers=sent) as answer:
            read = await answer.read()
            told = msgspec.json.decode(read) if read else None
            self._check_declared(method, path, answer.status, told)
            return answer.status, told

    async def send(
        self, by: Actor | None, path: str, content: bytes | AsyncIterator[bytes], **headers: str
    ) -> tuple[int, Any]:
        """A file as the body; status and decoded JSON."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent |= {} if by is None else await self.signed_in(by)
        data = io.BytesIO(content) if isinstance(content, bytes) else content
        async with self.http.post(path, data=data, headers=sent) as answer:
            told = msgspec.json.decode(await answer.read())
            self._check_declared("POST", path, answer.status, told)
            return answer.status, told

    async def fetch(self, by: Actor, path: str) -> tuple[int, bytes]:
        """Status and the body as it is."""
        async with self.http.get(path, headers=await self.signed_in(by)) as answer:
            return answer.status, await answer.read()

    async def must(
        self, by: Actor, method: str, path: str, said: object = None, **headers: str
    ) -> Any:
        """The JSON of an answer that is none of a refusal; a refusal is raised as what it was."""
        status, told = await self.ask(by, method, path, said, **headers)
        if status >= 400:
            raise _refusal(told)
        return told

    def _check_declared(self, method: str, path: str, status: int, told: Any) -> None:
        if status < 400:
            return
        for operation in self._operations:
            form = re.sub(r"\{\w+\}", "[^/]+", operation.path)
            if operation.method == method and re.fullmatch(form, path.partition("?")[0]):
                named = {(each.http_status, each.code) for each in operation.refusals()}
                assert status == 500 or (status, told["code"]) in named, (operation.name, told)

    async def signed_in(self, by: Actor) -> dict[str, str]:
        """The headers of a request by them."""
        role = next(iter(by.roles)).value
        return {
            AS: f"{role}|{by.user}|{by.unit or ''}",
            "Cookie": f"{COOKIE}={await self._session(by)}",
        }

    async def _session(self, by: Actor) -> str:
        token = self._sessions.get(by.user)
        if token is None:
            token = self._sessions[by.user] = secrets.token_urlsafe(32)
            await self._owner.execute(
                "INSERT INTO sessions (token_hash, user_id, expires_at) VALUES ($1, $2, $3)",
                hashlib.sha256(token.encode()).digest(),
                by.user,
                datetime.now(UTC) + timedelta(hours=1),
            )
        return token


class HttpBackend:
    """Carries a driver's moves out over HTTP; the caller's own by the ticket's code."""

    def __init__(self, start: Callable[[], Awaitable[Asking]]) -> None:
        self._start = start
        self._asking: Asking | None = None
        self._numbers: dict[TicketId, str] = {}
        self.codes: dict[str, str] = {}

    async def register(self, demand: Demand, by: Actor, at: datetime) -> TicketFacts:
        asking = await self._at(at)
        made = await asking.must(by, "POST", "/api/work-orders", demand)
        self.codes[made["number"]] = made["code"]
        return await self._facts(made["number"])

    async def move(self, ticket: TicketId, move: m.Move, by: Actor, at: datetime) -> TicketFacts:
        asking = await self._at(at)
        number = self._numbers[ticket]
        if by.roles == {ActorRole.CALLER}:
            path = f"/api/citizen/work-orders/{number}/{CITIZENS_PATHS[type(move)]}"
            await asking.must(by, "POST", path, move, X_Code=self.codes[number])
        else:
            await asking.must(by, "POST", f"/api/work-orders/{number}/moves", move)
        return await self._facts(number)

    async def facts(self, ticket: TicketId) -> TicketFacts:
        return await self._facts(self._numbers[ticket])

    async def _at(self, at: datetime) -> Asking:
        self._asking = self._asking or await self._start()
        self._asking.clock.at = at
        return self._asking

    async def _facts(self, number: str) -> TicketFacts:
        self._asking = self._asking or await self._start()
        shown = await self._asking.must(SUPERVISOR, "GET", f"/api/work-orders/{number}")
        facts = msgspec.convert(shown["facts"], TicketFacts)
        self._numbers[facts.id] = number
        return facts


def _refusal(told: dict[str, Any]) -> HotlineError:
    for kind in _kinds():
        if kind.code == told["code"]:
            error = kind.__new__(kind)
            HotlineError.__init__(error, told["title"], **told["params"])
            return error
    raise AssertionError(f"a problem of no known kind: {told}")


def _kinds(of: type[HotlineError] = HotlineError) -> Iterator[type[HotlineError]]:
    for kind in of.__subclasses__():
        yield from _kinds(kind)
        yield kind
