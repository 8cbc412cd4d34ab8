"""One caller, one conversation, one draft: what the scripted desk shows in tests and pictures.

The words are our own; they are no sentence of the demo.
"""

from datetime import UTC, datetime, timedelta
from typing import Literal

from server.push.protocol import (
    AgentState,
    AgentStateName,
    CallCard,
    CallerWarning,
    DangerView,
    DraftView,
    Emergency,
    EvidenceSpan,
    FieldView,
    FormerCall,
    FormerTicket,
    Line,
    Links,
    PauseReason,
    Pop,
    SpeakerName,
    SpeechState,
)

CALL = "node1-1772420000.17"
NUMBER = "13800138000"
TICKET = "20260302-000018"
ALL_UP = Links(telephony="up", speech="up", database="up")


def ago(seconds: float) -> datetime:
    """An instant before now, so that the page's timers show something likely."""
    return datetime.now(UTC) - timedelta(seconds=seconds)


DIRECTORY = {
    "entries": [
        {"number": "057188880001", "name": "市公积金中心", "kind": "expert"},
        {"number": "057188880002", "name": "市城市管理局", "kind": "unit"},
        {"number": "057188880003", "name": "市水务集团", "kind": "unit"},
    ],
    "colleagues": ["1002", "1003"],
}

FORMER_CALLS = [
    FormerCall(
        call="node1-1771980000.5",
        started_at=datetime(2026, 2, 25, 13, 20, tzinfo=UTC),
        outcome="answered",
        agent="1003",
        ticket_number="20260225-000131",
    ),
    FormerCall(
        call="node1-1771900000.2",
        started_at=datetime(2026, 2, 24, 14, 2, tzinfo=UTC),
        outcome="abandoned",
        agent=None,
        ticket_number=None,
    ),
]
FORMER_TICKETS = [
    FormerTicket(
        number="20260225-000131",
        title="夜间施工噪声影响休息",
        type="complain",
        state="registered",
        created_at=datetime(2026, 2, 25, 13, 31, tzinfo=UTC),
    )
]
WARNINGS = [
    CallerWarning(kind="repeat_caller", params={"calls": "2", "days": "30"}),
    CallerWarning(kind="open_ticket", params={"number": "20260225-000131"}),
]


def me(
    state: AgentStateName = "ready",
    *,
    reason: PauseReason | None = None,
    registered: bool = True,
    for_s: float = 0.0,
) -> AgentState:
    """Agent 1001 in a state since ``for_s`` seconds."""
    return AgentState(
        agent="1001",
        state=state,
        pause_reason=reason,
        phone_registered=registered,
        since_at=ago(for_s),
    )


def pop(ring: str = "ring-1", number: str = NUMBER) -> Pop:
    """The card of a caller who has called before."""
    return Pop(
        ring=ring,
        call=CALL,
        caller_number=number,
        caller_name="",
        called_number="12345",
        queue="hotline",
        rang_at=ago(2),
        waited_s=11.0,
        former_calls=FORMER_CALLS,
        former_tickets=FORMER_TICKETS,
        warnings=WARNINGS,
    )


def stranger(ring: str = "ring-1") -> Pop:
    """The card of somebody who withholds the number, while the history cannot be read."""
    kinds = ("number_withheld", "history_unavailable")
    return Pop(
        ring=ring,
        call=CALL,
        caller_number="",
        caller_name="",
        called_number="12345",
        queue="hotline",
        rang_at=ago(1),
        waited_s=0.0,
        former_calls=[],
        former_tickets=[],
        warnings=[CallerWarning(kind=kind) for kind in kinds],
    )


def card(
    speech: SpeechState = "live",
    *,
    answered_s: float = 6.0,
    ended_s: float | None = None,
    emergency: Emergency | None = None,
) -> CallCard:
    """The call, answered and perhaps ended so many seconds ago."""
    return CallCard(
        call=CALL,
        caller_number=NUMBER,
        caller_name="",
        queue="hotline",
        answered_at=ago(answered_s),
        ended_at=None if ended_s is None else ago(ended_s),
        speech=speech,
        engine="vosk",
        model="demo-zh",
        former_calls=FORMER_CALLS,
        former_tickets=FORMER_TICKETS,
        warnings=WARNINGS,
        emergency=emergency,
    )


def line(
    speaker: SpeakerName,
    number: int,
    text: str,
    start_s: float,
    *,
    is_final: bool = True,
    revision: int = 9,
) -> Line:
    """One utterance at four characters a second."""
    return Line(
        id=f"{speaker}-{number}",
        speaker=speaker,
        number=number,
        revision=revision,
        text=text,
        start_s=start_s,
        end_s=start_s + len(text) / 4,
        is_final=is_final,
        confidence=0.94 if is_final else None,
    )


TALK = [
    line("agent", 0, "您好，这里是热线中心，请讲", 0.6),
    line("citizen", 0, "你好我想投诉一个工地，每天夜里十一点以后还在打桩", 4.2),
    line("agent", 1, "请问工地在什么位置", 16.8),
    line("citizen", 1, "在槐荫区经十路，就是省立医院对面那个", 20.1),
    line("agent", 2, "需要给您回复处理结果吗", 30.0),
    line("citizen", 2, "要的，打这个电话就行，希望赶紧让他们停下来", 33.4),
]
PARTIAL = line("citizen", 3, "家里老人和孩子都", 45.3, is_final=False, revision=2)


FIRE = line("citizen", 3, "不好了，三楼着火了，还有老人被困在里面", 45.3)


def danger(kind: str, words: str, confidence: float = 0.9) -> DangerView:
    """A danger that ``FIRE`` tells of; 119 is proposed."""
    start = FIRE.text.index(words)
    span = EvidenceSpan(line=FIRE.id, start=start, end=start + len(words), text=words)
    return DangerView(
        kind=kind,
        line="119",
        confidence=confidence,
        evidence=[span],
        since_at=datetime.now(UTC) - timedelta(seconds=4),
    )


DANGERS = [danger("fire", "三楼着火了", 0.95), danger("trapped", "老人被困")]


def empty_draft() -> DraftView:
    """As the call begins."""
    return DraftView(call=CALL, version=0, fields={}, ticket_number=None, saved="draft")


def field(
    value: str,
    confidence: float = 0.92,
    words: tuple[Line, str] | None = None,
    by: Literal["machine", "agent"] = "machine",
) -> FieldView:
    """A field that came from ``words`` of a line."""
    evidence = []
    if words is not None:
        start = words[0].text.index(words[1])
        span = EvidenceSpan(line=words[0].id, start=start, end=start + len(words[1]), text=words[1])
        evidence = [span]
    return FieldView(value=value, by=by, confidence=confidence, evidence=evidence)


def full_draft(
    version: int = 7,
    *,
    saved: Literal["draft", "kept_on_disk", "entered"] = "draft",
    number: str | None = None,
) -> DraftView:
    """What the rules make of the talk."""
    fields = {
        "type": field("complain", 0.97, (TALK[1], "投诉")),
        "topic": field("environment", 0.81, (TALK[1], "打桩")),
        "summary": field("投诉工地夜间打桩", 0.74, (TALK[1], "工地，每天夜里十一点以后还在打桩")),
        "demand": field("希望赶紧让他们停下来", 0.78, (TALK[5], "希望赶紧让他们停下来")),
        "place": field("槐荫区经十路省立医院对面", 0.88, (TALK[3], "槐荫区经十路")),
        "time": field("每天夜里十一点以后", 0.52, (TALK[1], "每天夜里十一点以后")),
        "wants_reply": field("yes", 0.9, (TALK[5], "要的")),
    }
    return DraftView(call=CALL, version=version, fields=fields, ticket_number=number, saved=saved)


def ticket_file(number: str = TICKET) -> dict[str, object]:
    """A ticket with all that led to it, as ``/api/tickets/{number}`` tells it."""
    at = datetime(2026, 3, 2, 1, 15, tzinfo=UTC)
    ticket = {
        "id": "t1",
        "number": number,
        "call": CALL,
        "channel": "phone",
        "type": "complain",
        "topic": "environment",
        "title": "投诉工地夜间打桩",
        "content": "希望赶紧让他们停下来",
        "demand": "希望赶紧让他们停下来",
        "place": "槐荫区经十路省立医院对面",
        "occurred": "每天夜里十一点以后",
        "urgency": "normal",
        "caller_name": "",
        "caller_number": NUMBER,
        "contact_number": "",
        "wants_reply": True,
        "confidential": False,
        "state": "registered",
        "created_by": "u1",
        "created_at": at,
        "entered_at": at,
        "version": 1,
    }
    facts = {"answered_at": at, "ended_at": at, "arrived_at": at}
    call = {
        "facts": facts,
        "agent": "1001",
        "engine": "vosk",
        "model": "demo-zh",
        "recording": {"sha256": "0" * 64},
        "transcript": TALK,
        "emergencies": [
            {
                "handover": "h1",
                "call": CALL,
                "line": "110",
                "source": "button",
                "agent": "1001",
                "caller_number": NUMBER,
                "caller_name": "",
                "asked_at": at,
                "tries": [],
                "trunk": "emergency",
                "answered_at": at + timedelta(seconds=6),
                "ended_at": at + timedelta(seconds=96),
                "outcome": "answered",
            }
        ],
    }
    attempt = {
        "id": "a1",
        "agent": "1001",
        "number": NUMBER,
        "wanted_at": at,
        "rang_s": 21.4,
        "talked_s": 0.0,
        "result": "no_answer",
        "sha256": "0" * 64,
    }
    correction = {
        "field": "place",
        "machine_value": "槐荫区经十路",
        "final_value": "槐荫区经十路省立医院对面",
        "evidence": [],
    }
    entry = {
        "ticket": "t1",
        "seq": 1,
        "at": at,
        "actor": "u1",
        "action": "registered",
        "reason": "",
        "article": "",
        "body": {},
        "prev_hash": "0" * 64,
        "hash": "9f2c41d07be5" + "0" * 52,
    }
    return {
        "ticket": ticket,
        "call": call,
        "corrections": [correction],
        "attempts": [attempt],
        "ledger": [entry],
    }
