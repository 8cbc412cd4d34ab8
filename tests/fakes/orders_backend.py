"""The scripted desk with a pool of tickets, for the pages of dispatchers and units.

Bodies are read by the product's own ``read_move``, so that a form which asks for the wrong thing is
refused here as it is there; what comes of a move is scripted.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from aiohttp import web

from base.ids import AssignmentId, RequestId, TicketId, UnitId, UserId
from rules.values import Fault
from server.http.oversight_routes import FaultsListed, Refusals
from server.http.problems import body, json_response, problem
from server.http.work_order_routes import Moved, MoveOpen, Page, Shown, ShownToUnit, Why
from tests.fakes.desk_backend import COOKIE, USERS, DeskBackend
from tickets import board
from tickets import moves as m
from tickets.access import Access, CallerShown
from tickets.assignment import Assignment, AssignmentState, Part
from tickets.facts import PackId, RequestKind, TicketFacts, UnitRequest
from tickets.ledger import FIRST_PREV_HASH, LedgerEntry
from tickets.outages import Notice, Outage
from tickets.oversight import Evidence
from tickets.studies import Measures, Study
from tickets.suggesting import Proposal
from tickets.ticket import Channel, Matter, TicketState, TicketType, Urgency
from tickets.units import OrganisationUnit, Suggestion, UnitKind

DISPATCHER, REVIEWER, UNIT_PERSON = "dispatcher", "reviewer", "water"
SUPERVISOR = "supervisor"
WATER, URBAN, HEAT = UnitId("city.water"), UnitId("city.urban"), UnitId("city.heat")
NUMBER = "20260302-000042"
ORDER_USERS: dict[str, dict[str, str | None]] = {
    name: {
        "id": f"00000000-0000-0000-0000-00000000000{at}",
        "username": name,
        "display_name": shown,
        "role": role,
        "agent": None,
        "unit": unit,
    }
    for at, (name, shown, role, unit) in enumerate(
        [
            (DISPATCHER, "周婷", "dispatcher", None),
            (REVIEWER, "吴静", "reviewer", None),
            (UNIT_PERSON, "水务集团 郑强", "unit", WATER),
            (SUPERVISOR, "孙敏", "supervisor", None),
        ],
        1,
    )
}
UNITS = [
    OrganisationUnit(id=WATER, name="市水务集团", kind=UnitKind.UTILITY),
    OrganisationUnit(id=URBAN, name="市城市管理局"),
    OrganisationUnit(id=HEAT, name="市热力集团", kind=UnitKind.UTILITY),
    OrganisationUnit(id=UnitId("lixia"), name="历下区政府", kind=UnitKind.LOCAL),
]
CARD = {
    "rule": "return.unit",
    "articles": ["18"],
    "place": "第十八条",
    "summary": "不属于本单位职责的，应当说明理由和依据退回，由中心审核。",
    "title": "样例市热线办法",
}
S, A = TicketState, AssignmentState


def soon(hours: float) -> datetime:
    return datetime.now(UTC) + timedelta(hours=hours)


def line(
    at: int, title: str, state: TicketState, due_h: float | None, *units: UnitId
) -> board.Line:
    """One ticket of the pool, due so many hours from now."""
    return board.Line(
        number=f"20260302-{at:06}",
        version=3,
        state=state,
        channel=Channel.PHONE,
        type=TicketType.COMPLAIN if at % 2 else TicketType.HELP,
        topic="environment" if at % 2 else "urban_construction",
        title=title,
        domain="",
        region="",
        urgency=Urgency.URGENT if at % 5 == 0 else Urgency.NORMAL,
        matter=Matter.UTILITY if at % 2 == 0 else Matter.ORDINARY,
        created_at=soon(-30 - at),
        reply_due_at=None if due_h is None else soon(due_h),
        completion_due_at=None,
        is_supervised=at == 40,
        is_confidential=at == 39,
        units=list(units),
    )


POOL = [
    line(42, "文化东路自来水管爆裂，路面积水", S.TO_DISPATCH, 20),
    line(41, "工地夜间施工噪声扰民", S.REGISTERED, None),
    line(40, "三天没有自来水，多次报修无人来", S.WITH_UNITS, -7, WATER),
    line(39, "反映窗口工作人员态度", S.WITH_UNITS, 5, WATER, URBAN),
    line(38, "小区暖气不热", S.IN_REVIEW, 60, HEAT),
    line(37, "占道经营影响通行", S.FOLLOWING_UP, 90, URBAN),
    line(36, "水费账单重复扣款", S.WITH_UNITS, 100, WATER),
    line(35, "路灯不亮", S.CLOSED, -200, URBAN),
]


STUDY = Study(
    id=1,
    unit=WATER,
    topic="urban_construction",
    reason="一个月内集中反映水管爆裂",
    article="第二十六条",
    numbers=[NUMBER],
    opened_at=soon(-40),
    measures="",
    lasting="",
    measured_at=None,
    report="",
    reported_to="",
    reported_at=None,
)


def assignment(state: AssignmentState = A.SIGNED) -> Assignment:
    return Assignment(
        id=AssignmentId("a1"),
        unit=WATER,
        part=Part.SINGLE,
        state=state,
        dispatched_at=soon(-20),
        dispatched_by=UserId("u"),
        sign_due_at=soon(-18),
        contact_due_at=soon(4),
        feedback_due_at=soon(30),
        signed_at=soon(-19),
    )


ASKED = UnitRequest(
    id=RequestId("r1"),
    assignment=AssignmentId("a1"),
    kind=RequestKind.RETURN,
    ground="not_our_duty",
    reason="漏水管段属小区内部管网，由物业负责维护。",
    asked_at=soon(-3),
    asked_by=UserId("u"),
)


def facts() -> TicketFacts:
    return TicketFacts(
        id=TicketId("t1"),
        number=NUMBER,
        version=3,
        state=S.TO_DISPATCH,
        pack=PackId(name="sample", version="1", hash="0"),
        type=TicketType.HELP,
        urgency=Urgency.URGENT,
        matter=Matter.UTILITY,
        contact="c1",
        created_at=soon(-2),
        created_by=UserId("u"),
        reply_due_at=soon(20),
    )


TEXTS = board.Texts(
    number=NUMBER,
    title="文化东路自来水管爆裂，路面积水",
    content="早上七点发现路面冒水，水已漫到人行道，附近三栋楼停水。",
    demand="请尽快派人抢修，并告知恢复供水的时间。",
    place="历下区文化东路 88 号门前",
    occurred="今天早上七点左右",
    topic="urban_construction",
    channel=Channel.PHONE,
)


def entry(seq: int, action: str, hours: float, said: dict[str, object]) -> LedgerEntry:
    cards = [CARD] if action == "ask_return" else []
    return LedgerEntry(
        ticket=TicketId("t1"),
        seq=seq,
        at=soon(hours),
        actor="00000000-0000-0000-0000-000000000001",
        action=action,
        body={"said": said, "cards": cards},
        prev_hash=FIRST_PREV_HASH,
        hash=f"{seq:064x}",
    )


LEDGER = [
    entry(1, "registered", -2, {}),
    entry(
        2,
        "pass_check",
        -1.5,
        {"elements": dict.fromkeys(("who", "what", "where", "when", "want"), True), "note": ""},
    ),
    entry(3, "ask_return", -1, {"ground": "not_our_duty", "reason": "属小区内部管网", "basis": ""}),
]


class OrdersBackend(DeskBackend):
    """``moves`` are the buttons; ``refuse`` answers the next move."""

    def __init__(self) -> None:
        self.facts = facts()
        self.moves = ["amend", "dispatch", "study", "not_accept", "consult_unit", "urge"]
        self.attachments: list[board.Attachment] = []
        self.refuse: Callable[[], web.Response] | None = None
        self.moved: list[m.Move] = []
        self.keys: list[tuple[str, str]] = []
        self.told: list[Notice | Measures] = []
        self.lists: list[dict[str, str]] = []
        self.has_proposals = asyncio.Event()
        """Until it is set, nobody hears whom a ticket could go to."""
        self.has_proposals.set()
        USERS.update(ORDER_USERS)
        super().__init__()

    def _app(self) -> web.Application:
        app = super()._app()
        order = "/api/work-orders/{number}"
        app.router.add_get("/api/work-orders", self._page)
        app.router.add_get(order, self._show_order)
        app.router.add_post(f"{order}/moves", self._move)
        app.router.add_post(f"{order}/reveal", self._reveal)
        app.router.add_get(f"{order}/accesses", self._accesses)
        app.router.add_get("/api/units", self._units)
        app.router.add_post(f"{order}/attachments", self._attach)
        app.router.add_get("/api/work-orders/{number}/proposals", self._proposals)
        app.router.add_get(f"{order}/similar", self._similar)
        app.router.add_get("/api/outages", self._outages)
        app.router.add_post("/api/outages", self._told)
        app.router.add_get("/api/studies", self._studies)
        app.router.add_post("/api/studies/{study}/measures", self._told)
        app.router.add_get("/api/faults", self._faults)
        app.router.add_get("/api/faults/{fault}", self._evidence)
        app.router.add_get("/api/refusals", self._refusals)
        return app

    def at_unit(self) -> None:
        """Dispatched to the water works, which handles it."""
        self.facts = replace(self.facts, state=S.WITH_UNITS, assignments=(assignment(),))
        self.moves = ["contact", "ask_return", "ask_extension", "progress", "feedback", "recuse"]

    def return_asked(self) -> None:
        """The water works says that it is not its duty."""
        given = assignment(A.RETURN_ASKED)
        self.facts = replace(
            self.facts, state=S.WITH_UNITS, assignments=(given,), requests=(ASKED,)
        )
        self.moves = ["decide_return", "withdraw", "urge", "amend"]

    def refuse_by_law(self) -> web.Response:
        params = {key: CARD[key] for key in ("rule", "summary")}
        return problem(
            422,
            "ticket_move_incomplete",
            "Say it",
            {**params, "field": "basis", "article": CARD["place"]},
        )

    async def _page(self, request: web.Request) -> web.Response:
        asked = dict(request.query)
        self.lists.append(asked)
        states = [each for each in asked.get("state", "").split(",") if each]
        of_unit = self._user(request)["unit"]
        found = [
            each
            for each in POOL
            if (not states or each.state in states)
            and (of_unit is None or of_unit in each.units)
            and asked.get("words", "") in each.title
        ]
        return json_response(Page(items=found, next=None))

    async def _show_order(self, request: web.Request) -> web.Response:
        if request.match_info["number"] != NUMBER:
            return problem(404, "ticket_unseen", "No such ticket", {})
        caller = CallerShown(name="王**", number="138****8000")
        unit = self._user(request)["unit"]
        about = self.facts.assignments[0].id if self.facts.assignments else None
        moves = [
            MoveOpen(move=each, assignment=about if "decide" in each or unit else None)
            for each in self.moves
        ]
        if unit is None:
            return json_response(
                Shown(
                    facts=self.facts,
                    former_texts=[],
                    texts=TEXTS,
                    caller=caller,
                    moves=moves,
                    ledger=LEDGER if self.facts.requests else LEDGER[:2],
                    attachments=self.attachments,
                    watermark="样例",
                )
            )
        ticket = board.UnitTicket(
            **{name: getattr(self.facts, name) for name in board.UnitTicket.__slots__}
        )
        part = board.UnitPart(
            ticket=ticket,
            assignments=list(self.facts.assignments),
            requests=[],
            consults=[],
            explanations=[],
            history=[board.Act(seq=each.seq, at=each.at, action=each.action) for each in LEDGER],
        )
        return json_response(
            ShownToUnit(
                part=part,
                texts=TEXTS,
                caller=None,
                moves=moves,
                attachments=[],
                duty_note="热线不代替承办单位履行法定职责。",
                watermark="样例",
            )
        )

    async def _move(self, request: web.Request) -> web.Response:
        move = m.read_move(await body(request, dict))
        self.keys.append((request.headers["If-Match"], request.headers["Idempotency-Key"]))
        if self.refuse is not None:
            answer, self.refuse = self.refuse(), None
            return answer
        self.moved.append(move)
        self.facts = replace(self.facts, version=self.facts.version + 1)
        if isinstance(move, m.Dispatch):
            self.at_unit()
        return json_response(
            Moved(number=NUMBER, version=self.facts.version, state=self.facts.state)
        )

    async def _attach(self, request: web.Request) -> web.Response:
        content = await request.read()
        self.attachments.append(
            board.Attachment(
                id=f"a{len(self.attachments)}",
                assignment=None,
                source=request.query.get("source", "centre"),
                is_for_units=False,
                name=request.query["name"],
                media_type="image/png",
                size_bytes=len(content),
                sha256="0" * 64,
                added_at=soon(0),
                added_by="x",
                withdrawn_at=None,
                withdrawn_reason="",
            )
        )
        return json_response({"id": "a1", "is_new": True}, status=201)

    async def _reveal(self, request: web.Request) -> web.Response:
        await body(request, Why)
        return json_response(CallerShown(name="王小明", number="13800138000"))

    async def _accesses(self, _request: web.Request) -> web.Response:
        none: list[Access] = []
        return json_response(none)

    async def _proposals(self, _request: web.Request) -> web.Response:
        await self.has_proposals.wait()
        duty = Proposal(unit=WATER, name="市水务集团", by=Suggestion.DUTY, basis="城市供水条例")
        idle = Proposal(
            unit=HEAT,
            name="市热力集团",
            by=Suggestion.PLACE,
            basis="属地",
            why_not="nobody_on_duty",
        )
        return json_response([duty, idle])

    async def _similar(self, _request: web.Request) -> web.Response:
        double = board.Similar(
            number="20260302-000041",
            state=S.TO_DISPATCH,
            title="幸福小区停水",
            created_at=datetime(2026, 3, 2, 1, tzinfo=UTC),
            likeness=0.5,
            is_same_caller=True,
        )
        return json_response([double])

    async def _outages(self, _request: web.Request) -> web.Response:
        none: list[Outage] = []
        return json_response(none)

    async def _studies(self, _request: web.Request) -> web.Response:
        return json_response([STUDY])

    async def _told(self, request: web.Request) -> web.Response:
        """Read by the product's own types."""
        kind = Notice if request.path.endswith("outages") else Measures
        self.told.append(await body(request, kind))
        return json_response({"id": 1}, status=201)

    async def _faults(self, _request: web.Request) -> web.Response:
        return json_response(
            FaultsListed(faults=(Fault.FALSE_REPLY,), article="第四十条", summary="弄虚作假。")
        )

    async def _evidence(self, _request: web.Request) -> web.Response:
        line = Evidence(at=soon(-3), number=NUMBER, unit=WATER, who="", what="copied")
        return json_response([line])

    async def _refusals(self, _request: web.Request) -> web.Response:
        return json_response(Refusals(rates=[], sample=[]))

    async def _units(self, _request: web.Request) -> web.Response:
        return json_response(UNITS)

    def _user(self, request: web.Request) -> dict[str, str | None]:
        return USERS[request.cookies[COOKIE]]
