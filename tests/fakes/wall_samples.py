"""A busy afternoon on the leaders' wall, and its report."""

from datetime import UTC, datetime, timedelta

from base.ids import AgentId, CallId
from insight.facts import CallFact, Interval, Step
from insight.figures import Figures, count
from insight.measures import AGENT, CALLS, STAFF
from server.event_answers import Outcome
from server.http.figure_routes import said
from server.left_messages import LeftMessage
from server.push.protocol import (
    AgentStateName,
    DangerHeard,
    Links,
    WallAgent,
    WallCaller,
    WallDanger,
    WallFigures,
    WallFlag,
    WallQueue,
    WallView,
    WallWindow,
)
from server.records.supervision import ActRow

_PEOPLE = (
    *("李敏", "王强", "张静", "刘洋", "陈杰", "杨帆", "赵磊", "黄丽", "周涛"),
    *("吴芳", "徐波", "孙悦", "朱琳", "马超", "胡婷", "郭亮", "何静", "高峰"),
)
NAMES = {str(1001 + place): name for place, name in enumerate(_PEOPLE)}
TITLES = {
    "hotline": "12345 热线",
    "law": "法律专席",
    "enterprise": "企业专席",
    "dialect": "方言与外语",
}
_STATES: tuple[AgentStateName, ...] = (
    "talking", "talking", "ready", "wrap_up", "talking", "paused", "ringing", "talking", "holding",
    "ready", "talking", "lost", "talking", "offline", "wrap_up", "reserved", "talking", "paused",
)  # fmt: skip


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


def agent(number: int, state: AgentStateName, flags: list[WallFlag] | None = None) -> WallAgent:
    has_call = state in ("talking", "holding", "wrap_up")
    return WallAgent(
        agent=str(1001 + number),
        state=state,
        pause_reason="meal" if state == "paused" else None,
        phone_registered=state != "lost",
        since_at=ago(17 + 41 * number),
        call=f"c{number}" if has_call else None,
        caller_number=f"138****{8000 + number}" if has_call else "",
        queue="law" if number % 5 == 3 else "hotline",
        flags=flags or [],
    )


def caller(number: int, waited_s: float, flags: list[WallFlag] | None = None) -> WallCaller:
    return WallCaller(
        call=f"w{number}",
        caller_number="" if number == 3 else f"139****{4000 + 7 * number}",
        queue="law" if number % 3 == 2 else "hotline",
        since_at=ago(waited_s),
        flags=flags or [],
    )


DANGER = WallDanger(
    call="c4",
    agent="1005",
    caller_number="138****8004",
    queue="hotline",
    since_at=ago(8),
    told=[
        DangerHeard(kind="fire", line="119", heard="三楼着火了"),
        DangerHeard(kind="illness", line="120", heard="老人喘不上气"),
    ],
    emergency=None,
)


def facts(calls: int) -> Figures:
    """Computed by the product itself, from a made-up day."""
    begin = ago(6 * 3600)
    made, steps = [], []
    for number in range(calls):
        queued_at = begin + timedelta(seconds=number * 6 * 3600 / calls)
        wait_s = 3 + number * 7 % 19 + (30 if number % 23 == 0 else 0)
        answered_at = queued_at + timedelta(seconds=wait_s)
        is_lost = number % 29 == 0
        ended_at = answered_at + timedelta(seconds=90 + number * 13 % 200)
        agent, call = AgentId(str(1001 + number % 17)), CallId(str(number))
        made.append(
            CallFact(
                call, list(TITLES)[number % 11 % 4], queued_at, None if is_lost else agent,
                None if is_lost else answered_at, answered_at if is_lost else ended_at,
                "abandoned" if is_lost else "answered",
            )
        )  # fmt: skip
        if not is_lost:
            wrapped_at = ended_at + timedelta(seconds=40)
            steps += [
                Step(4 * number, agent, answered_at, "answer", "talking", call),
                Step(4 * number + 1, agent, ended_at, "call_over", "wrap_up", call),
                Step(4 * number + 2, agent, wrapped_at, "wrapped_up", "ready"),
            ]
    return count(made, steps, Interval(begin, ago(0))).figures()


def window(name: WallWindow, calls: int) -> WallFigures:
    found = facts(calls)
    return WallFigures(
        window=name,
        start_at=found.start_at,
        end_at=found.end_at,
        total=found.total,
        staff=found.staff,
        queues=dict(found.queues),
    )


def busy_wall() -> WallView:
    return WallView(
        callers=[caller(1, 47, ["emergency"]), caller(2, 21), caller(3, 12), caller(4, 3)],
        queues=[
            WallQueue(
                queue=name,
                title=title,
                waiting=(3, 1, 0, 0)[place],
                longest_since_at=ago((47, 21)[place]) if place < 2 else None,
            )
            for place, (name, title) in enumerate(TITLES.items())
        ],
        agents=[agent(n, state, ["danger"] if n == 4 else []) for n, state in enumerate(_STATES)],
        figures=[window("half_hour", 61), window("today", 640), window("day", 1204)],
        alarms=[],
        dangers=[DANGER],
        links=Links(telephony="up", speech="up", database="up"),
    )


def messages() -> list[LeftMessage]:
    """One that was understood, one that is still being written down."""
    return [
        LeftMessage(
            call=CallId("m1"),
            left_at=ago(7 * 3600),
            caller_number="138****0007",
            queue="hotline",
            lines=["我要投诉人民路的路灯坏了三天没人修"],
            draft={
                "type": "complain",
                "topic": "urban_construction",
                "summary": "人民路路灯坏了三天",
                "demand": "我要投诉人民路的路灯坏了三天没人修",
                "place": "人民路",
            },
            version=1,
            has_recording=True,
            ticket=None,
            return_call=7,
            return_state="requested",
        ),
        LeftMessage(
            call=CallId("m2"),
            left_at=ago(90),
            caller_number="",
            queue="law",
            lines=[],
            draft=None,
            version=0,
            has_recording=False,
            ticket=None,
            return_call=None,
            return_state=None,
        ),
    ]


LOCKED_BY_OTHERS = "20260302-000042"


def event() -> dict[str, object]:
    """A storm's card."""
    return {
        "id": 3,
        "title": "城东自来水主管爆裂",
        "text": "文化东路主管破裂，影响约 2 万户。",
        "announce": "",
        "unit": "city.water",
        "since_at": ago(2700),
        "changed_at": ago(2700),
        "closed_at": None,
        "calls": 37,
        "callers": 35,
        "tickets": 4,
        "updates": [{"text": "抢修中，约十八时恢复。", "unit": "city.water", "told_at": ago(600)}],
    }


def event_tickets() -> list[dict[str, object]]:
    """What is about it: three that can be answered, one that is with a unit."""
    return [
        {
            "number": f"20260302-0000{at}",
            "title": title,
            "type": "report",
            "state": "with_units" if at == 45 else "registered",
            "created_at": ago(60 * at),
        }
        for at, title in (
            (42, "文化东路停水"),
            (43, "小区停水何时恢复"),
            (44, "全楼没有自来水"),
            (45, "路面积水结冰"),
        )
    ]


def answered(ticket: str) -> Outcome:
    """What comes of one: another person is just at the first of them."""
    if ticket == LOCKED_BY_OTHERS:
        return Outcome(ticket=ticket, is_answered=False, code="ticket_version_conflict")
    return Outcome(ticket=ticket, is_answered=True, is_told=not ticket.endswith("44"))


def report() -> dict[str, object]:
    """What /api/figures answers."""
    return {
        "figures": facts(640),
        "names": NAMES,
        "queues": TITLES,
        "measures": {"calls": said(CALLS), "staff": said(STAFF), "agent": said(AGENT)},
    }


def acts() -> list[ActRow]:
    """What leaders did lately."""
    return [
        ActRow(
            id="act-2",
            at=ago(900),
            leader_name="赵班长",
            act="whisper",
            agent=AgentId("1005"),
            call=CallId("c4"),
            reason="新员工带教",
            answered_at=ago(890),
            ended_at=ago(700),
        ),
        ActRow(
            id="act-1",
            at=ago(4000),
            leader_name="赵班长",
            act="pause",
            agent=AgentId("1012"),
            call=None,
            reason="话机故障，报修",
            answered_at=None,
            ended_at=None,
        ),
    ]
