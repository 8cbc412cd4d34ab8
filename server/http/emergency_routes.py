"""The agent's emergency button, and the leaders' list of hand-overs.

The button is a convenience: the phone's code does the same with all of this dead.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal

import msgspec
from aiohttp import web
from redis.asyncio import Redis

from server.http.identity import Identity
from server.http.problems import body, json_response
from server.live.commands import BringInEmergency, DismissDangers, ask
from server.records.handovers import Handovers
from server.records.trunk_tests import TrunkTests

SHOWN: Final = timedelta(days=7)
MOST_SHOWN: Final = 500


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The line to bring in."""

    line: Literal["110", "119", "120", "122"]


class NoDanger(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Kinds of danger that the agent says are none."""

    kinds: Annotated[
        list[Annotated[str, msgspec.Meta(max_length=32)]], msgspec.Meta(min_length=1, max_length=20)
    ]


class EmergencyRoutes:
    """/api/calls/{call}/emergency, …/dangers/dismiss and /api/emergencies"""

    def __init__(
        self, identity: Identity, redis: Redis, handovers: Handovers, trunk_tests: TrunkTests
    ) -> None:
        self._identity = identity
        self._redis = redis
        self._handovers = handovers
        self._trunk_tests = trunk_tests

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/api/calls/{call}/emergency", self.bring_in),
            web.post("/api/calls/{call}/dangers/dismiss", self.dismiss),
            web.get("/api/emergencies", self.handovers),
        ]

    async def bring_in(self, request: web.Request) -> web.Response:
        """Asterisk dials; what becomes of it is heard on the line."""
        _user, agent = await self._identity.agent(request)
        wish = await body(request, Line)
        command = BringInEmergency(agent=agent, call=request.match_info["call"], line=wish.line)
        await ask(self._redis, command)
        return web.Response(status=204)

    async def dismiss(self, request: web.Request) -> web.Response:
        """The banner goes, from the desk and from the leaders' wall."""
        _user, agent = await self._identity.agent(request)
        wish = await body(request, NoDanger)
        call = request.match_info["call"]
        await ask(self._redis, DismissDangers(agent=agent, call=call, kinds=wish.kinds))
        return web.Response(status=204)

    async def handovers(self, request: web.Request) -> web.Response:
        """The last days' hand-overs, the newest first, and each trunk's latest test."""
        await self._identity.leader(request)
        since = datetime.now(UTC) - SHOWN
        return json_response(
            {
                "handovers": await self._handovers.since(since, most=MOST_SHOWN),
                "trunk_tests": await self._trunk_tests.latest(),
            }
        )
