"""Callers who misuse the line: what agents do in a call, and what leaders decide.

Decides no right: steps are asked of ``routing.nuisance`` under the city's pack, ending a call of
the bridge. A number is never in an address; everything goes by the call or the suspension.
"""

import asyncio
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import structlog
from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import RedisError

from base.errors import HotlineError
from base.ids import CallId
from routing.nuisance import Offer, StepKind, Wish, law_of_suspension, misuses, offers
from rules.pack import Pack
from rules.values import Misuse
from server.auth import Role, User
from server.evidence import EvidenceMaker
from server.http.downloads import give
from server.http.identity import Identity
from server.http.own_calls import NotYourCall
from server.http.problems import body, json_response
from server.live.calls import CallerUse
from server.live.commands import EndByRules, ask
from server.live.stored_view import agent_scope, find_view
from server.nuisance import KeptStep, NuisanceDesk, case_of
from server.nuisance_callers import NuisanceCallers
from server.records.postgres import PostgresRecords
from server.suspensions import SuspensionBook
from tickets.masking import masked_number

log = structlog.get_logger(__name__)

Reason = Annotated[str, msgspec.Meta(max_length=500)]


class Do(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step of an agent in a call."""

    step: Literal["mark", "warn", "inform", "propose", "end_call"]
    misuse: Misuse
    reason: Reason = ""


class Decide(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a leader decides of a suspension."""

    step: Literal["approve", "refuse", "object", "review", "lift"]
    """object: the caller objected, other than by the key in a call."""
    reason: Reason


class Why(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The reason for seeing a number."""

    reason: Reason


class EvidenceWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For the police: of what, and a leader's judgement that it may be an offence."""

    misuse: Misuse
    is_illegal: bool
    reason: Reason
    days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 90


class NuisanceRoutes:
    """/api/calls/{call}/nuisance and …/evidence, /api/suspensions, /api/nuisance/callers"""

    def __init__(
        self,
        identity: Identity,
        redis: Redis,
        records: PostgresRecords,
        desk: NuisanceDesk,
        book: SuspensionBook,
        evidence: EvidenceMaker,
        callers: NuisanceCallers,
    ) -> None:
        self._identity = identity
        self._redis = redis
        self._records = records
        self._desk = desk
        self._book = book
        self._evidence = evidence
        self._callers = callers

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/calls/{call}/nuisance", self.card),
            web.post("/api/calls/{call}/nuisance", self.do),
            web.post("/api/calls/{call}/evidence", self.evidence),
            web.get("/api/suspensions", self.suspensions),
            web.post("/api/suspensions/{suspension}", self.decide),
            web.get("/api/nuisance/callers", self.callers),
            web.post("/api/nuisance/callers/{step:[0-9]{1,15}}/reveal", self.reveal),
        ]

    async def card(self, request: web.Request) -> web.Response:
        """History and, for each misuse this city knows, what may be done in which words."""
        user = await self._identity.user(request)
        call = CallId(request.match_info["call"])
        number = await self._number(user, call)
        return json_response(await self._card(number, call))

    async def do(self, request: web.Request) -> web.Response:
        """Do one step; the answer has the words to say and the card as it is now."""
        user, agent = await self._identity.agent(request)
        wish = await body(request, Do)
        call = CallId(request.match_info["call"])
        number = await self._number(user, call)
        step = Wish(kind=StepKind(wish.step), misuse=wish.misuse, call=call, by=user.id)
        command = EndByRules(agent=agent, call=call)
        is_end = step.kind is StepKind.END_CALL
        taken = await self._desk.take(
            number,
            step,
            reason=wish.reason,
            at=datetime.now(UTC),
            carry_out=partial(ask, self._redis, command) if is_end else None,
        )
        card = await self._card(number, call)
        return json_response({**card, "script": taken.script})

    async def callers(self, request: web.Request) -> web.Response:
        """The numbers that people have dealt with lately, masked."""
        await self._identity.leader(request)
        return json_response({"callers": await self._callers.lately(datetime.now(UTC))})

    async def reveal(self, request: web.Request) -> web.Response:
        """One number in clear; who looked and why is kept."""
        user = await self._identity.leader(request)
        why = await body(request, Why)
        step = int(request.match_info["step"])
        number = await self._callers.reveal(step, by=user.id, reason=why.reason)
        log.info("caller_revealed", step=step, user=user.username)
        return json_response({"caller_number": number})

    async def suspensions(self, request: web.Request) -> web.Response:
        """The newest, numbers masked; and whether this city's law gives the power at all."""
        user = await self._identity.leader(request)
        now = datetime.now(UTC)
        found = []
        for row in await self._desk.suspensions():
            steps = await self._desk.steps(str(row["caller_number"]))
            found.append(
                {
                    **row,
                    "caller_number": masked_number(str(row["caller_number"])),
                    "standing": case_of(steps, now).standing,
                    "is_mine": str(row["proposed_by"]) == user.id,
                    "steps": _told(steps),
                }
            )
        has_power, card = law_of_suspension(self._desk.pack)
        return json_response({"suspensions": found, "has_power": has_power, "law": card})

    async def decide(self, request: web.Request) -> web.Response:
        user = await self._identity.leader(request)
        wish = await body(request, Decide)
        step = Wish(kind=StepKind(wish.step), by=user.id)
        taken = await self._desk.decide(
            request.match_info["suspension"], step, reason=wish.reason, at=datetime.now(UTC)
        )
        try:
            await self._book.read()
        except HotlineError as error:  # it is read again in a moment
            log.info("suspensions_not_read", code=error.code)
        return json_response({"step": taken.step, "card": taken.card})

    async def evidence(self, request: web.Request) -> web.StreamResponse:
        """One signed file; kept as a step, with who asked and why."""
        user = await self._identity.leader(request)
        wish = await body(request, EvidenceWish)
        call, now = CallId(request.match_info["call"]), datetime.now(UTC)
        number = await self._number(user, call)
        step = Wish(
            kind=StepKind.EVIDENCE,
            misuse=wish.misuse,
            call=call,
            by=user.id,
            is_illegal=wish.is_illegal,
        )
        taken = await self._desk.check(number, step, at=now)
        file = await self._evidence.make(
            number, taken=taken, by=user.display_name, reason=wish.reason, days=wish.days
        )
        try:
            await self._desk.take(number, step, reason=wish.reason, at=now)
            log.warning("evidence_made", user=user.username, call=call)
            return await _send(request, file, f"evidence-{now:%Y%m%dT%H%M%SZ}.zip")
        finally:
            file.unlink(missing_ok=True)

    async def _number(self, user: User, call: CallId) -> str:
        """The number behind a call that this person may deal with."""
        if user.agent is not None:
            try:
                view = await find_view(self._redis, agent_scope(user.agent))
            except (RedisError, OSError, TimeoutError):
                view = None
            cards = [] if view is None else [view.view.call, view.view.pop]
            for card in cards:
                if card is not None and card.call == call:
                    return card.caller_number
        stored = await self._records.find_call(call)
        is_mine = stored is not None and user.agent and stored.facts.agent == user.agent
        if stored is None or not (is_mine or user.role is Role.LEADER):
            raise NotYourCall(call=call)
        return stored.facts.caller_number

    async def _card(self, number: str, call: CallId) -> dict[str, object]:
        steps = await self._desk.steps(number)
        use = await self._records.caller_use(number, call)
        now = datetime.now(UTC)
        card = card_json(steps, use, pack=self._desk.pack, call=call, at=now)
        return {"has_number": bool(number), **card}


def card_json(
    steps: list[KeptStep], use: CallerUse, *, pack: Pack, call: CallId, at: datetime
) -> dict[str, object]:
    """What an agent sees of a caller, and may do under this law."""
    case = case_of(steps, at)
    return {
        "standing": case.standing,
        "until": case.until,
        "use": use,
        "steps": _told(steps),
        "misuses": {
            misuse: [_offer(each) for each in offers(case, misuse, call, pack, at)]
            for misuse in misuses(pack)
        },
    }


async def _send(request: web.Request, file: Path, name: str) -> web.StreamResponse:
    size = (await asyncio.to_thread(file.stat)).st_size
    response = web.StreamResponse(
        headers={
            "Content-Type": "application/zip",
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Length": str(size),
            "Cache-Control": "private, no-store",
        }
    )
    with file.open("rb") as content:
        return await give(request, response, content)


def _offer(offer: Offer) -> dict[str, object]:
    refusal = offer.refusal
    return {
        "step": offer.kind,
        "script": offer.script,
        "article": None if offer.card is None else offer.card.place,
        "refusal": None if refusal is None else {"code": refusal.code, "params": refusal.params},
    }


def _told(steps: list[KeptStep]) -> list[dict[str, object]]:
    return [
        {
            "kind": kept.step.kind,
            "at": kept.step.at,
            "misuse": kept.step.misuse,
            "call": kept.step.call,
            "by": kept.by_name,
            "until": kept.step.until,
            "reason": kept.reason,
        }
        for kept in steps
    ]
