"""Signing in and out."""

import msgspec
from aiohttp import web
from redis.asyncio import Redis

from base.errors import HotlineError
from server.auth import SESSION_LIFE, SignIn, User
from server.http.client_address import braked_as
from server.http.identity import COOKIE, Identity
from server.http.problems import body, json_response, refuse_foreign_origin
from server.live.commands import SetAgentState, ask


class Credentials(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person types."""

    username: str
    password: str


class SessionRoutes:
    """/api/session"""

    def __init__(self, sign_in: SignIn, identity: Identity, redis: Redis) -> None:
        self._sign_in = sign_in
        self._identity = identity
        self._redis = redis

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/api/session", self.open),
            web.get("/api/session", self.show),
            web.delete("/api/session", self.close),
        ]

    async def open(self, request: web.Request) -> web.Response:
        given = await body(request, Credentials)
        user = await self._sign_in.authenticate(given.username, given.password, braked_as(request))
        token = await self._sign_in.open_session(user)
        response = json_response({"user": user_json(user)})
        response.set_cookie(
            COOKIE,
            token,
            max_age=int(SESSION_LIFE.total_seconds()),
            httponly=True,
            samesite="Strict",
            secure=request.secure,
            path="/",
        )
        return response

    async def show(self, request: web.Request) -> web.Response:
        return json_response({"user": user_json(await self._identity.user(request))})

    async def close(self, request: web.Request) -> web.Response:
        """Sign out; an agent's calls stop first, and that is refused during a call."""
        refuse_foreign_origin(request)
        user = await self._identity.user(request)
        if user.agent is not None:
            await self._leave_queues(user.agent)
        token = request.cookies[COOKIE]
        self._identity.forget(token)
        await self._sign_in.close_session(token)
        response = web.Response(status=204)
        response.del_cookie(COOKIE, path="/")
        return response

    async def _leave_queues(self, agent: str) -> None:
        try:
            await ask(self._redis, SetAgentState(agent=agent, wish="sign_out"))
        except HotlineError as error:
            if not error.retryable:
                raise  # in a call: said so; a bridge that is away must not keep anybody here


def user_json(user: User) -> dict[str, str | None]:
    """The user as the browser knows them."""
    return {
        "id": user.id,
        "username": user.username,
        "display_name": user.display_name,
        "role": user.role.value,
        "agent": user.agent,
        "unit": user.unit,
        "phone": user.phone,
    }
