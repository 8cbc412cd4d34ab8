"""Leaders' acts on agents and their conversations, and the list of them."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar, Final, Literal

import msgspec
from aiohttp import web
from redis.asyncio import Redis

from base.errors import HotlineError
from server.auth import Role
from server.http.identity import Identity, NotAllowed
from server.http.problems import body, json_response
from server.live.commands import Supervise, ask
from server.live.supervision import ON_THE_PHONE
from server.records.supervision import Acts

SHOWN: Final = timedelta(days=31)
MOST_SHOWN: Final = 500


class PhoneUnknown(HotlineError):
    """The leader's account has no phone, or one that is none of the leaders' phones."""

    code: ClassVar[str] = "supervision_phone_unknown"
    http_status: ClassVar[int] = 409


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``confirmed``: sign out although a citizen talks, as soon as they have gone.

    Which phone rings is not asked: the leader's own, as their account has it.
    """

    act: Literal["listen", "whisper", "join", "take_over", "pause", "sign_out"]
    agent: Annotated[str, msgspec.Meta(min_length=1, max_length=8)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"\S")]
    call: Annotated[str, msgspec.Meta(max_length=128)] | None = None
    confirmed: bool = False


class SupervisionRoutes:
    """/api/supervision"""

    def __init__(
        self,
        identity: Identity,
        redis: Redis,
        acts: Acts,
        phones: tuple[str, ...],
        *,
        is_shown: bool,
    ) -> None:
        self._identity = identity
        self._redis = redis
        self._acts = acts
        self._phones = phones
        self._is_shown = is_shown
        """Whether the house shows agents what was done to their conversations."""

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/api/supervision", self.act),
            web.get("/api/supervision", self.list),
        ]

    async def act(self, request: web.Request) -> web.Response:
        """``outcome``: done, ringing (the leader's phone), after_call (a sign-out that waits)."""
        leader = await self._identity.leader(request)
        wish = await body(request, Wish)
        if wish.act in ON_THE_PHONE and leader.phone not in self._phones:
            raise PhoneUnknown(phone=leader.phone or "")
        outcome = await ask(
            self._redis,
            Supervise(
                leader=leader.id,
                leader_name=leader.display_name,
                phone=leader.phone,
                act=wish.act,
                agent=wish.agent,
                call=wish.call,
                reason=wish.reason.strip(),
                confirmed=wish.confirmed,
            ),
        )
        return json_response({"outcome": msgspec.Raw(outcome)})

    async def list(self, request: web.Request) -> web.Response:
        """A leader sees all; an agent, where the house shows them, those on their own desk."""
        user = await self._identity.user(request)
        is_agent = user.role is Role.AGENT and self._is_shown
        if user.role is not Role.LEADER and not is_agent:
            raise NotAllowed(role=user.role.value)
        since = datetime.now(UTC) - SHOWN
        agent = user.agent if is_agent else None
        acts = await self._acts.since(since, agent=agent, most=MOST_SHOWN)
        return json_response({"acts": acts})
