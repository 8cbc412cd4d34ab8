"""A small server that speaks the web role's contract and does what a script tells it.

It serves the committed bundle with the product's own page routes and problem documents, keeps one
agent's desk with the product's own ``apply``, and can be told to cut lines, lose history, refuse
and be slow. What it was asked is kept in ``asked``.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

import msgspec
from aiohttp import WSMsgType, web

from base.ids import CallId, UserId
from base.task_set import TaskSet
from routing.nuisance import StepKind, Wish, law_of_suspension, take
from rules.library import load_pack
from server.http.app import Part
from server.http.event_routes import AnswerThese
from server.http.nuisance_routes import Decide, Do, EvidenceWish, card_json
from server.http.page import add_page, add_security_headers
from server.http.problems import json_response, problem, problems
from server.live.calls import CallerUse
from server.nuisance import KeptStep, case_of
from server.nuisance_callers import Reveal
from server.push.protocol import (
    AgentStateChanged,
    Beat,
    CallCard,
    CallChanged,
    DangerShown,
    DeskEvent,
    DeskView,
    Dialled,
    DraftChanged,
    DraftView,
    Emergency,
    FieldView,
    Hello,
    Numbered,
    PartyCard,
    Paused,
    Snapshot,
    WallChanged,
    WallNumbered,
    WallSnapshot,
    WallView,
)
from server.push.view import apply, empty_view
from server.push.wall_view import apply as apply_to_wall
from tests.fakes import desk_samples as samples
from tests.fakes import nuisance_samples, wall_samples
from tests.fakes.page_phone import ScriptedPhone

AGENT_NAME = "agent1001"
LEADER_NAME = "leader"
ADMIN_NAME = "admin"
PASSWORD = "right horse battery"
FREE_ATTEMPTS = 3
BEAT_EVERY_S = 1.0
COOKIE = "fake_session"


USERS: dict[str, dict[str, str | None]] = {
    AGENT_NAME: {
        "id": "u1",
        "username": AGENT_NAME,
        "display_name": "李敏",
        "role": "agent",
        "agent": "1001",
    },
    LEADER_NAME: {
        "id": "u2",
        "username": LEADER_NAME,
        "display_name": "赵班长",
        "role": "leader",
        "agent": None,
        "phone": "1900",
    },
    ADMIN_NAME: {
        "id": "u3",
        "username": ADMIN_NAME,
        "display_name": "钱管理员",
        "role": "admin",
        "agent": None,
    },
}


@dataclass
class Asked:
    """What browsers have asked."""

    hellos: list[Hello] = field(default_factory=list)
    states: list[dict[str, str]] = field(default_factory=list)
    edits: list[tuple[str, str]] = field(default_factory=list)
    confirmations: list[dict[str, str]] = field(default_factory=list)
    emergencies: list[str] = field(default_factory=list)
    actions: list[dict[str, str]] = field(default_factory=list)
    dialled: list[dict[str, str | None]] = field(default_factory=list)
    intervals: list[tuple[str, str]] = field(default_factory=list)
    """Of reports."""
    messages: list[dict[str, Any]] = field(default_factory=list)
    decisions: list[tuple[str, str]] = field(default_factory=list)
    evidence: list[EvidenceWish] = field(default_factory=list)
    tagged: list[tuple[int, str]] = field(default_factory=list)
    event_answers: list[tuple[str, str, list[str]]] = field(default_factory=list)
    """Key, text and tickets of each request."""
    acts: list[dict[str, object]] = field(default_factory=list)
    """Of leaders."""
    page_loads: int = 0


class DeskBackend:
    """One desk, any number of browsers. Use as an async context manager; ``url`` is its page."""

    def __init__(self, *, is_demo: bool = False, phones: Part | None = None) -> None:
        """``phones``: what answers for the page as a telephone, where not ``phone`` does."""
        self.phone = ScriptedPhone()
        self._phones = phones or self.phone
        self.view: DeskView = empty_view(samples.me("paused", reason="signed_in"), samples.ALL_UP)
        self.wall: WallView = wall_samples.busy_wall()
        self.messages = wall_samples.messages()
        self.events: list[dict[str, object]] = []
        self.event_tickets = wall_samples.event_tickets()
        self.suspensions = [nuisance_samples.proposed()]
        self.callers = [nuisance_samples.caller()]
        self.asked = Asked()
        self.is_demo = is_demo
        self.is_accepting = True
        """False: websockets are refused, as while the web role restarts."""
        self.edits_fail = False
        self.is_paused = False
        self.keeps_on_disk = False
        self.pack = load_pack("hangzhou_2024")
        self.steps: list[KeptStep] = []
        """With the caller, as the ladder has it."""
        self.url = ""
        self._epoch = "epoch-1"
        self._seq = 0
        self._history: list[Numbered] = []
        self._sockets: set[web.WebSocketResponse] = set()
        self._wall_seq = 0
        self._wall_sockets: set[web.WebSocketResponse] = set()
        self._wrong_attempts = 0
        self._runner = web.AppRunner(self._app(), shutdown_timeout=0.5)
        self._tasks = TaskSet("desk_backend")

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/"
        self._tasks.spawn(self._beat(), name="beats")
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._tasks.close()
        await self.cut()
        await self._runner.cleanup()

    # ---- the script's side ---------------------------------------------------------------------

    async def happen(self, *events: DeskEvent) -> None:
        """Apply events and tell every browser."""
        for event in events:
            self.view = apply(self.view, event)
            self._seq += 1
            numbered = Numbered(epoch=self._epoch, seq=self._seq, event=event)
            self._history.append(numbered)
            await self._tell(self._sockets, numbered)

    async def happen_on_wall(self, event: WallChanged) -> None:
        """Apply an event to the leaders' wall and tell their browsers."""
        self.wall = apply_to_wall(self.wall, event)
        self._wall_seq += 1
        numbered = WallNumbered(epoch=self._epoch, seq=self._wall_seq, event=event)
        await self._tell(self._wall_sockets, numbered)

    def lose_history(self) -> None:
        """As when the bridge begins anew: another epoch, nothing to resume from."""
        self._epoch += "x"
        self._seq = 0
        self._history.clear()

    async def pause(self) -> None:
        """As when the bridge or Redis is away: the line is good, nothing can come."""
        self.is_paused = True
        await self._tell_all(Paused(at=datetime.now(UTC)))

    async def cut(self) -> None:
        """End every line without a word, as a dead network does."""
        sockets = [*self._sockets, *self._wall_sockets]
        self._sockets, self._wall_sockets = set(), set()
        for socket in sockets:
            await socket.close()

    @property
    def line_count(self) -> int:
        return len(self._sockets)

    async def _tell_all(self, frame: msgspec.Struct) -> None:
        for sockets in (self._sockets, self._wall_sockets):
            await self._tell(sockets, frame)

    async def _tell(self, sockets: set[web.WebSocketResponse], frame: msgspec.Struct) -> None:
        text = msgspec.json.encode(frame).decode()
        for socket in list(sockets):
            try:
                await socket.send_str(text)
            except ConnectionError:
                sockets.discard(socket)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_EVERY_S)
            if self.is_paused:
                continue
            await self._tell_all(Beat(at=datetime.now(UTC)))

    # ---- the browser's side --------------------------------------------------------------------

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[problems, self._count_pages])
        app.router.add_get("/api/info", self._info)
        app.router.add_post("/api/session", self._sign_in)
        app.router.add_get("/api/session", self._session)
        app.router.add_delete("/api/session", self._sign_out)
        app.router.add_post("/api/agent/state", self._set_state)
        app.router.add_patch("/api/calls/{call}/draft", self._edit)
        app.router.add_post("/api/calls/{call}/confirm", self._confirm)
        app.router.add_post("/api/calls/{call}/emergency", self._bring_in)
        app.router.add_post("/api/calls/{call}/dangers/dismiss", self._dismiss)
        app.router.add_post("/api/calls/{call}/control", self._control)
        app.router.add_post("/api/calls/{call}/consent", self._consent)
        app.router.add_post("/api/dial", self._dial)
        app.router.add_get("/api/directory", self._directory)
        app.router.add_get("/api/calls/{call}/nuisance", self._nuisance)
        app.router.add_post("/api/calls/{call}/nuisance", self._take_step)
        app.router.add_get("/api/tickets/{number}", self._ticket)
        app.router.add_get("/api/figures", self._figures)
        app.router.add_get("/api/staff", self._staff)
        app.router.add_get("/api/supervision", self._acts)
        app.router.add_post("/api/supervision", self._supervise)
        app.router.add_get("/api/suspensions", self._suspensions)
        app.router.add_post("/api/suspensions/{id}", self._decide)
        app.router.add_get("/api/nuisance/callers", self._callers)
        app.router.add_post("/api/nuisance/callers/{step}/reveal", self._reveal_caller)
        app.router.add_post("/api/calls/{call}/evidence", self._evidence)
        app.router.add_get("/api/events", self._events)
        app.router.add_post("/api/events/{number}/calls", self._tag_call)
        app.router.add_get("/api/events/{number}/tickets", self._event_tickets)
        app.router.add_post("/api/events/{number}/answer", self._answer_event)
        app.router.add_get("/api/messages", self._messages)
        app.router.add_post("/api/messages/{call}/confirm", self._confirm_message)
        app.router.add_get("/ws", self._socket)
        app.router.add_routes(self._phones.routes())
        add_page(app)
        app.on_response_prepare.append(add_security_headers)
        return app

    @web.middleware
    async def _count_pages(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        if request.path == "/":
            self.asked.page_loads += 1
        return await handler(request)

    async def _info(self, request: web.Request) -> web.Response:
        return json_response(
            {
                "product": "hotline12345",
                "version": "0.1.0",
                "engine": "vosk",
                "model": "demo-zh" if self.is_demo else "vosk-model-small-cn-0.22",
                "is_demo_model": self.is_demo,
            }
        )

    async def _sign_in(self, request: web.Request) -> web.Response:
        given = await request.json()
        if self._wrong_attempts >= FREE_ATTEMPTS:
            return problem(429, "too_many_attempts", "Too many wrong passwords", {"wait_s": 240})
        user = USERS.get(given["username"])
        if user is None or given["password"] != PASSWORD:
            self._wrong_attempts += 1
            return problem(401, "wrong_credentials", "Wrong", {})
        response = json_response({"user": user})
        response.set_cookie(COOKIE, given["username"], httponly=True, samesite="Strict")
        return response

    async def _session(self, request: web.Request) -> web.Response:
        user = USERS.get(request.cookies.get(COOKIE, ""))
        if user is None:
            return problem(401, "not_signed_in", "Sign in first", {})
        return json_response({"user": user})

    async def _sign_out(self, request: web.Request) -> web.Response:
        if self.view.me.state == "talking":
            return problem(409, "agent_state_illegal", "Not now", {"state": "talking"})
        response = web.Response(status=204)
        response.del_cookie(COOKIE)
        return response

    async def _set_state(self, request: web.Request) -> web.Response:
        wish = await request.json()
        self.asked.states.append(wish)
        state = samples.me(wish["state"], reason=wish.get("reason"))
        await self.happen(AgentStateChanged(me=state))
        return web.Response(status=204)

    async def _nuisance(self, request: web.Request) -> web.Response:
        return json_response(self._nuisance_card(CallId(request.match_info["call"])))

    async def _take_step(self, request: web.Request) -> web.Response:
        """As the product would, under the law of ``pack``."""
        call, now = CallId(request.match_info["call"]), datetime.now(UTC)
        asked = msgspec.json.decode(await request.read(), type=Do)
        wish = Wish(kind=StepKind(asked.step), misuse=asked.misuse, call=call, by=UserId("u1"))
        taken = take(case_of(self.steps, now), wish, self.pack, now)
        self.steps.append(KeptStep(taken.step, "李敏", asked.reason, taken.script, None))
        return json_response({**self._nuisance_card(call), "script": taken.script})

    def _nuisance_card(self, call: CallId) -> dict[str, object]:
        use, now = CallerUse(day_calls=6, calls=31, silent_calls=2), datetime.now(UTC)
        card = card_json(self.steps, use, pack=self.pack, call=call, at=now)
        return {"has_number": True, **card}

    async def _bring_in(self, request: web.Request) -> web.Response:
        line = (await request.json())["line"]
        if self.edits_fail:
            return problem(503, "bridge_unavailable", "Try again", {})
        self.asked.emergencies.append(line)
        card = samples.card(emergency=Emergency(line=line, state="dialling"))
        await self.happen(CallChanged(call=card))
        return web.Response(status=204)

    async def _dismiss(self, request: web.Request) -> web.Response:
        kinds = (await request.json())["kinds"]
        dangers = [
            msgspec.structs.replace(each, is_dismissed=each.is_dismissed or each.kind in kinds)
            for each in self.view.dangers
        ]
        await self.happen(DangerShown(call=request.match_info["call"], dangers=dangers))
        return web.Response(status=204)

    async def _edit(self, request: web.Request) -> web.Response:
        edit = await request.json()
        if self.edits_fail:
            return problem(503, "bridge_unavailable", "Try again", {})
        self.asked.edits.append((edit["field"], edit["value"]))
        draft = self._draft()
        below = draft.fields.get(edit["field"])
        evidence = [] if below is None else below.evidence
        value = FieldView(value=edit["value"], by="agent", confidence=1.0, evidence=evidence)
        draft = msgspec.structs.replace(
            draft, version=draft.version + 1, fields={**draft.fields, edit["field"]: value}
        )
        await self.happen(DraftChanged(draft=draft))
        return json_response({"draft": draft})

    async def _confirm(self, request: web.Request) -> web.Response:
        self.asked.confirmations.append((await request.json())["fields"])
        draft, is_kept = self._draft(), self.keeps_on_disk
        number = None if is_kept else samples.TICKET
        settled = msgspec.structs.replace(
            draft,
            version=draft.version + 1,
            saved="kept_on_disk" if is_kept else "entered",
            ticket_number=number,
        )
        await self.happen(DraftChanged(draft=settled))
        if is_kept:
            return json_response({"ticket": None, "saved": "kept_on_disk"}, status=202)
        return json_response({"ticket": {"number": number}, "saved": "entered"})

    async def _suspensions(self, request: web.Request) -> web.Response:
        has_power, card = law_of_suspension(self.pack)
        rows = self.suspensions if has_power else []
        return json_response({"suspensions": rows, "has_power": has_power, "law": card})

    async def _decide(self, request: web.Request) -> web.Response:
        wish = msgspec.json.decode(await request.read(), type=Decide)
        self.asked.decisions.append((wish.step, wish.reason))
        (row,) = self.suspensions
        self.suspensions = [nuisance_samples.decided(row, wish.step, wish.reason)]
        return json_response({"step": {}, "card": None})

    async def _callers(self, request: web.Request) -> web.Response:
        return json_response({"callers": self.callers})

    async def _reveal_caller(self, request: web.Request) -> web.Response:
        reason = (await request.json())["reason"]
        looked = Reveal(at=datetime.now(UTC), by="赵班长", reason=reason)
        self.callers = [replace(each, reveals=[*each.reveals, looked]) for each in self.callers]
        return json_response({"caller_number": "13800000001"})

    async def _evidence(self, request: web.Request) -> web.Response:
        wish = msgspec.json.decode(await request.read(), type=EvidenceWish)
        self.asked.evidence.append(wish)
        if not wish.is_illegal:
            return problem(409, "rule_not_given", "Not given", {"rule": "nuisance.police"})
        return web.Response(body=b"PK", content_type="application/zip")

    async def _events(self, request: web.Request) -> web.Response:
        return json_response({"events": self.events})

    async def _tag_call(self, request: web.Request) -> web.Response:
        call = (await request.json())["call"]
        self.asked.tagged.append((int(request.match_info["number"]), call))
        return web.Response(status=204)

    async def _event_tickets(self, request: web.Request) -> web.Response:
        return json_response({"tickets": self.event_tickets})

    async def _answer_event(self, request: web.Request) -> web.Response:
        wish = msgspec.json.decode(await request.read(), type=AnswerThese)
        key = request.headers["Idempotency-Key"]
        self.asked.event_answers.append((key, wish.text, wish.tickets))
        if self.edits_fail:
            return problem(503, "bridge_unavailable", "Try again", {})
        outcomes = [wall_samples.answered(each) for each in wish.tickets]
        done = {each.ticket for each in outcomes if each.is_answered}
        self.event_tickets = [
            {**each, "state": "answered"} if each["number"] in done else each
            for each in self.event_tickets
        ]
        return json_response({"outcomes": outcomes})

    async def _messages(self, request: web.Request) -> web.Response:
        return json_response({"messages": self.messages})

    async def _confirm_message(self, request: web.Request) -> web.Response:
        wish = await request.json()
        self.asked.messages.append(wish)
        if not wish["fields"].get("demand"):
            return problem(422, "ticket_field_missing", "Missing", {"field": "demand"})
        (message,) = (each for each in self.messages if each.call == request.match_info["call"])
        done = replace(message, ticket=samples.TICKET)
        if wish["is_return_done"]:
            done = replace(done, return_state="done")
        self.messages = [done if each is message else each for each in self.messages]
        answer = {"ticket": {"number": samples.TICKET}, "saved": "entered"}
        return json_response({**answer, "is_return_settled": wish["is_return_done"]})

    async def _control(self, request: web.Request) -> web.Response:
        wish = await request.json()
        self.asked.actions.append(wish)
        card = self._card()
        number = wish.get("number", "")
        if card.consent_for and card.consent != "given" and number and not number.startswith("1"):
            params: dict[str, object] = {"article": "第十五条", "wish": "transfer"}
            return problem(409, "consent_missing", "Ask first", params)
        match wish["action"]:
            case "hold":
                await self._show(is_held=True)
            case "resume":
                await self._show(is_held=False, party=None)
            case "consult":
                party = PartyCard(number=number, kind="unit", state="ringing")
                await self._show(is_held=True, party=party)
            case "three_way":
                assert card.party is not None
                joined = msgspec.structs.replace(card.party, state="joined")
                await self._show(is_held=False, party=joined)
            case "pause_recording" | "resume_recording":
                await self._show(is_recording_paused=wish["action"] == "pause_recording")
            case _:
                pass
        return web.Response(status=204)

    async def party_answers(self) -> None:
        """Whoever is asked takes the call."""
        party = self._card().party
        assert party is not None
        await self._show(party=msgspec.structs.replace(party, state="talking"))

    async def _consent(self, request: web.Request) -> web.Response:
        is_given = (await request.json())["is_given"]
        await self._show(consent="given" if is_given else "refused")
        return web.Response(status=204)

    async def _dial(self, request: web.Request) -> web.Response:
        wish = await request.json()
        self.asked.dialled.append(wish)
        dialled = Dialled(attempt="a1", number=wish["number"], state="calling")
        me = msgspec.structs.replace(self.view.me, dialled=dialled)
        await self.happen(AgentStateChanged(me=me))
        return json_response({"attempt": "a1"}, status=202)

    async def _directory(self, request: web.Request) -> web.Response:
        return json_response(samples.DIRECTORY)

    def _card(self) -> CallCard:
        assert self.view.call is not None
        return self.view.call

    async def _show(self, **changes: Any) -> None:
        await self.happen(CallChanged(call=msgspec.structs.replace(self._card(), **changes)))

    async def _ticket(self, request: web.Request) -> web.Response:
        if request.cookies.get(COOKIE) not in USERS:
            return problem(401, "not_signed_in", "Sign in first", {})
        number = request.match_info["number"]
        if number not in (samples.TICKET, samples.FORMER_TICKETS[0].number):
            return problem(404, "ticket_unknown", "No such ticket", {})
        return json_response(samples.ticket_file(number))

    def _draft(self) -> DraftView:
        assert self.view.draft is not None
        return self.view.draft

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if not self.is_accepting:
            return problem(503, "bridge_unavailable", "Restarting", {})
        if request.cookies.get(COOKIE) not in USERS:
            return problem(401, "not_signed_in", "Sign in first", {})
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        hello = msgspec.json.decode(await socket.receive_str(timeout=10), type=Hello)
        self.asked.hellos.append(hello)
        is_leader = request.cookies[COOKIE] == LEADER_NAME
        for frame in self._wall() if is_leader else self._answer(hello):
            await socket.send_str(msgspec.json.encode(frame).decode())
        sockets = self._wall_sockets if is_leader else self._sockets
        sockets.add(socket)
        async for message in socket:
            if message.type is WSMsgType.ERROR:
                break
        sockets.discard(socket)
        return socket

    def _wall(self) -> list[WallSnapshot | Beat]:
        snapshot = WallSnapshot(epoch=self._epoch, seq=self._wall_seq, view=self.wall)
        return [snapshot, Beat(at=datetime.now(UTC))]

    async def _figures(self, request: web.Request) -> web.Response:
        self.asked.intervals.append((request.query["from"], request.query["to"]))
        return json_response(wall_samples.report())

    async def _acts(self, request: web.Request) -> web.Response:
        return json_response({"acts": wall_samples.acts()})

    async def _supervise(self, request: web.Request) -> web.Response:
        wish = await request.json()
        self.asked.acts.append(wish)
        if wish["act"] == "sign_out" and not wish["confirmed"]:
            return problem(409, "supervision_citizen_talks", "Confirm", {"agent": wish["agent"]})
        outcome = "after_call" if wish["act"] == "sign_out" else "ringing"
        return json_response({"outcome": outcome})

    async def _staff(self, request: web.Request) -> web.Response:
        return json_response({"names": wall_samples.NAMES})

    def _answer(self, hello: Hello) -> list[Snapshot | Numbered | Beat]:
        beat = Beat(at=datetime.now(UTC))
        if hello.epoch == self._epoch and hello.seq is not None:
            return [*(each for each in self._history if each.seq > hello.seq), beat]
        return [Snapshot(epoch=self._epoch, seq=self._seq, view=self.view), beat]
