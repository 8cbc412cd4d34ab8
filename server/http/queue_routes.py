"""What leaders see and do about the queues: return calls, satisfaction, experts."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar, Final, Literal

import msgspec
import structlog
from aiohttp import web

from base.errors import HotlineError
from base.ids import CallId
from routing.queues import Plan
from routing.return_call import ReturnTrigger
from server.http.identity import Identity
from server.http.problems import body, json_response
from server.records.postgres import PostgresRecords
from server.records.return_calls import ReturnCalls

log = structlog.get_logger(__name__)

MOST_ROWS: Final = 500
Words = Annotated[str, msgspec.Meta(max_length=200)]


class ReturnCallUnknown(HotlineError):
    """There is no such return call, or its state does not allow this."""

    code: ClassVar[str] = "return_call_not_open"
    http_status: ClassVar[int] = 409


class Settlement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A return call taken off the list by hand."""

    how: Literal["done", "cancelled"]
    note: Words = ""


class QueueRoutes:
    """/api/return-calls, /api/satisfaction, /api/experts"""

    def __init__(
        self,
        identity: Identity,
        plan: Plan,
        returns: ReturnCalls,
        records: PostgresRecords,
    ) -> None:
        self._identity = identity
        self._plan = plan
        self._returns = returns
        self._records = records

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/return-calls", self.return_calls),
            web.post("/api/return-calls/{number:[0-9]{1,15}}/settle", self.settle),
            web.get("/api/satisfaction", self.satisfaction),
            web.get("/api/experts", self.experts),
        ]

    # ---- return calls --------------------------------------------------------------------------

    async def return_calls(self, request: web.Request) -> web.Response:
        """The open ones and those of the last days; of a message, what was understood of it."""
        await self._identity.leader(request)
        rows = await self._returns.since(_ago(request, days=1), most=MOST_ROWS)
        found = []
        for row in rows:
            one = dict(row)
            if row["reason"] == "voicemail":
                stored = await self._records.find_call(CallId(row["origin_call"]))
                draft = None if stored is None or stored.draft is None else stored.draft.machine
                one["draft"] = None if draft is None else draft.fields
                one["transcript"] = [] if stored is None else stored.lines
            found.append(one)
        return json_response({"return_calls": found})

    async def settle(self, request: web.Request) -> web.Response:
        user = await self._identity.leader(request)
        wish = await body(request, Settlement)
        trigger = ReturnTrigger.SETTLE if wish.how == "done" else ReturnTrigger.CANCEL
        number = int(request.match_info["number"])
        if not await self._returns.settle(number, trigger, by=user.username, note=wish.note):
            raise ReturnCallUnknown(return_call=number)
        log.info("return_call_settled", return_call=number, how=wish.how, user=user.username)
        return web.Response(status=204)

    # ---- figures and lists ---------------------------------------------------------------------

    async def satisfaction(self, request: web.Request) -> web.Response:
        """How often each answer was given in the last days: 1 (very satisfied) to 5."""
        await self._identity.leader(request)
        now = datetime.now(UTC)
        counts = await self._returns.satisfaction(_ago(request, days=7), now)
        return json_response({"counts": {str(n): counts.get(str(n), 0) for n in range(1, 6)}})

    async def experts(self, request: web.Request) -> web.Response:
        """Expert seats by topic; with ``now`` only those who are there at this moment."""
        await self._identity.user(request)
        at = datetime.now(UTC) if "now" in request.query else None
        found = self._plan.experts_on(request.query.get("topic", ""), at)
        return json_response(
            {
                "experts": [
                    {
                        "name": each.name,
                        "unit": each.unit,
                        "topics": each.topics,
                        "agent": each.agent,
                        "number": each.number,
                    }
                    for each in found
                ]
            }
        )


def _ago(request: web.Request, *, days: int) -> datetime:
    asked = request.query.get("days", "")
    return datetime.now(UTC) - timedelta(
        days=int(asked) if re.fullmatch(r"[0-9]{1,3}", asked) else days
    )
