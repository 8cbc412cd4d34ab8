"""The live desk as the browser sees it: one schema for server and browser.

`web/src/contract.ts` is generated from this module (`hotline contract`), so that a name can never
differ on the two sides. The websocket speaks JSON, one message a frame:

* client → server, once, first: ``Hello``. ``epoch``/``seq`` are what the client last applied, or
  null on the first connect.
* server → client: ``Snapshot`` (epoch unknown, or its history lost), then ``Numbered`` events with
  ``seq`` rising by one. A client that resumes gets the events it missed and no snapshot. Then one
  ``Beat`` at once ("you are up to date"; it also tells the browser the server's clock), and one
  every 15 s, so that each side notices a silent line. While nothing can come, ``Paused`` takes the
  beat's place.

Scopes come from the signed-in identity alone: a client cannot ask for another agent's desk.
The view after ``apply(view, event)`` equals a fresh snapshot (``server.push.view`` and its
TypeScript twin, tested with the same vectors).
"""

from datetime import UTC, datetime
from typing import Literal

import msgspec

AgentStateName = Literal[
    "offline",
    "ready",
    "reserved",
    "ringing",
    "talking",
    "holding",
    "wrap_up",
    "paused",
    "lost",
]
PauseReason = Literal[
    "rest", "meal", "training", "back_office", "signed_in", "missed_call", "phone", "other"
]
DialledState = Literal["calling", "ringing", "talking"]
PartyState = Literal["ringing", "talking", "joined"]
PartyKind = Literal["colleague", "unit", "expert", "outside"]
ConsentState = Literal["unasked", "given", "refused"]
OutsideKind = Literal["expert_seat", "transfer", "three_way"]
SpeakerName = Literal["citizen", "agent"]
LinkState = Literal["up", "down"]
SpeechState = Literal["waiting", "live", "refused", "broken", "off", "ended"]
"""waiting: forks are being made; live: words come; refused/broken: words follow later from the
recording; off: no engine; ended: the call is over."""

WallFlag = Literal["emergency", "danger", "return_call"]
"""emergency: an emergency line was asked for; danger: the words tell of a danger to life;
return_call: nobody waits on the line, it is the place of somebody who is called back."""
WallWindow = Literal["half_hour", "today", "day"]
"""The last 30 minutes; since midnight in China; the last 24 hours."""


class Wire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of everything on the wire."""


def _now() -> datetime:
    return datetime.now(UTC)


# ---- what is shown -------------------------------------------------------------------------------


class Dialled(Wire, frozen=True):
    """A call out for the agent. calling: the agent's own phone rings; ringing: the number does."""

    attempt: str
    number: str
    state: DialledState


class AgentState(Wire, frozen=True):
    """The agent's own state. ``phone_registered`` false: no call can be offered."""

    agent: str
    state: AgentStateName
    pause_reason: PauseReason | None
    phone_registered: bool
    since_at: datetime
    dialled: Dialled | None = None


class FormerCall(Wire, frozen=True):
    """One earlier call of the same number."""

    call: str
    started_at: datetime
    outcome: str
    agent: str | None
    ticket_number: str | None


class FormerTicket(Wire, frozen=True):
    """One earlier ticket of the same number."""

    number: str
    title: str
    type: str
    state: str
    created_at: datetime


class CallerWarning(Wire, frozen=True):
    """Something the agent must know before answering.

    ``kind``: ``repeat_caller`` (params: calls, days), ``open_ticket`` (params: number),
    ``history_unavailable`` (the database did not answer in time), ``number_withheld``.
    """

    kind: str
    params: dict[str, str] = {}


class Pop(Wire, frozen=True):
    """The card shown when the phone rings. Complete in the ringing event: no second fetch."""

    ring: str
    call: str
    caller_number: str
    caller_name: str
    called_number: str
    queue: str
    rang_at: datetime
    waited_s: float
    former_calls: list[FormerCall]
    former_tickets: list[FormerTicket]
    warnings: list[CallerWarning]


class Emergency(Wire, frozen=True):
    """The emergency line that was asked for last in this call, and how far it is."""

    line: str
    state: Literal["dialling", "connected", "unreached"]


class PartyCard(Wire, frozen=True):
    """Somebody whom the agent asks while the caller is held, or has joined in."""

    number: str
    kind: PartyKind
    state: PartyState


class CallCard(Wire, frozen=True):
    """The call the agent is in, or has just finished (wrap-up).

    The caller's history goes on from the pop, so that it stays in sight during the call.
    """

    call: str
    caller_number: str
    caller_name: str
    queue: str
    answered_at: datetime
    ended_at: datetime | None
    speech: SpeechState
    engine: str | None
    model: str | None
    former_calls: list[FormerCall] = []
    former_tickets: list[FormerTicket] = []
    warnings: list[CallerWarning] = []
    emergency: Emergency | None = None
    is_held: bool = False
    party: PartyCard | None = None
    consent: ConsentState = "unasked"
    consent_for: list[OutsideKind] = []
    """Before whom the city's law asks for the caller's consent; empty: it does not."""
    consent_script: str = ""
    is_recording_paused: bool = False


class Line(Wire, frozen=True):
    """One utterance. ``id`` is ``<speaker>-<number>``; a higher ``revision`` replaces a lower."""

    id: str
    speaker: SpeakerName
    number: int
    revision: int
    text: str
    start_s: float
    end_s: float
    is_final: bool
    confidence: float | None


class EvidenceSpan(Wire, frozen=True):
    """Characters ``start``..``end`` of the line ``line`` behind a field."""

    line: str
    start: int
    end: int
    text: str


class FieldView(Wire, frozen=True):
    """A draft field. ``by`` agent: corrected by hand, the machine no longer touches it."""

    value: str
    by: Literal["machine", "agent"]
    confidence: float
    evidence: list[EvidenceSpan]


class DangerView(Wire, frozen=True):
    """A danger to life in the words, with the emergency line to propose.

    ``kind`` is a ``transcription.danger.DangerKind`` value.
    """

    kind: str
    line: str
    confidence: float
    evidence: list[EvidenceSpan]
    since_at: datetime = msgspec.field(default_factory=_now)
    """Of a desk that an older version stored: when it was read."""
    is_dismissed: bool = False
    """The agent said that it is none: no banner shows it."""
    last_told: dict[SpeakerName, int] = {}
    """Each speaker's last utterance that tells of it; a dismissal holds up to there."""


class DraftView(Wire, frozen=True):
    """The draft ticket of one call; keys of ``fields`` are ``FieldName`` values."""

    call: str
    version: int
    fields: dict[str, FieldView]
    ticket_number: str | None
    saved: Literal["draft", "kept_on_disk", "entered"]


class Links(Wire, frozen=True):
    """What the desk depends on; ``down`` shows a banner that says what still works."""

    telephony: LinkState
    speech: LinkState
    database: LinkState
    emergency_trunks: LinkState = "up"
    """down: an emergency trunk did not answer its last test."""


class DeskView(Wire, frozen=True):
    """Everything on one agent's desk."""

    me: AgentState
    pop: Pop | None
    call: CallCard | None
    lines: list[Line]
    draft: DraftView | None
    links: Links
    dangers: list[DangerView] = []


# ---- what happens --------------------------------------------------------------------------------


class AgentStateChanged(Wire, frozen=True, tag="agent_state", tag_field="kind"):
    me: AgentState


class PopShown(Wire, frozen=True, tag="pop_shown", tag_field="kind"):
    pop: Pop


class PopWithdrawn(Wire, frozen=True, tag="pop_withdrawn", tag_field="kind"):
    """``reason`` is a ``telephony.events.RingEnd`` value, or ``answered`` by this very agent."""

    ring: str
    reason: str


class CallOpened(Wire, frozen=True, tag="call_opened", tag_field="kind"):
    """The agent answered: transcript and draft start empty."""

    call: CallCard
    draft: DraftView


class CallChanged(Wire, frozen=True, tag="call_changed", tag_field="kind"):
    """End of the call, or a change of its speech state."""

    call: CallCard


class LineChanged(Wire, frozen=True, tag="line", tag_field="kind"):
    line: Line


class DraftChanged(Wire, frozen=True, tag="draft", tag_field="kind"):
    draft: DraftView


class DangerShown(Wire, frozen=True, tag="dangers", tag_field="kind"):
    """All dangers that the call's words tell of now, the surest first; none: taken back.

    They propose a line; nothing is dialled by itself.
    """

    call: str
    dangers: list[DangerView]


class DeskCleared(Wire, frozen=True, tag="desk_cleared", tag_field="kind"):
    """Wrap-up is over: no call, no lines, no draft."""

    call: str


class LinksChanged(Wire, frozen=True, tag="links", tag_field="kind"):
    links: Links


DeskEvent = (
    AgentStateChanged
    | PopShown
    | PopWithdrawn
    | CallOpened
    | CallChanged
    | LineChanged
    | DraftChanged
    | DangerShown
    | DeskCleared
    | LinksChanged
)

# ---- frames --------------------------------------------------------------------------------------


class Hello(Wire, frozen=True, tag="hello", tag_field="type"):
    epoch: str | None = None
    seq: int | None = None


class Snapshot(Wire, frozen=True, tag="snapshot", tag_field="type"):
    epoch: str
    seq: int
    view: DeskView


class Numbered(Wire, frozen=True, tag="event", tag_field="type"):
    epoch: str
    seq: int
    event: DeskEvent


# ---- the leaders' wall ---------------------------------------------------------------------------


class WallCaller(Wire, frozen=True):
    """Somebody who waits for an agent. ``caller_number`` is masked; empty: withheld."""

    call: str
    caller_number: str
    queue: str
    since_at: datetime
    flags: list[WallFlag]


class WallAgent(Wire, frozen=True):
    """An agent, and whom they talk with."""

    agent: str
    state: AgentStateName
    pause_reason: PauseReason | None
    phone_registered: bool
    since_at: datetime
    call: str | None
    caller_number: str
    queue: str
    flags: list[WallFlag]


class DangerHeard(Wire, frozen=True):
    """A kind of danger, the line to propose, and a few of the words, numbers in them masked."""

    kind: str
    line: str
    heard: str


class WallDanger(Wire, frozen=True):
    """A call whose words tell of a danger to life: until it ends, an emergency line has answered,
    or the agent has said that it is none."""

    call: str
    agent: str
    caller_number: str
    """Masked; empty: withheld."""
    queue: str
    since_at: datetime
    told: list[DangerHeard]
    """The surest first; never empty."""
    emergency: Emergency | None
    """The line that was asked for, and has not answered."""


class WallQueue(Wire, frozen=True):
    """One queue; ``waiting`` counts also those who are not listed."""

    queue: str
    title: str
    waiting: int
    longest_since_at: datetime | None


class WallFigures(Wire, frozen=True):
    """The figures of one window, by code (docs/METRICS.md). The report of ``start_at`` to
    ``end_at`` gives the same."""

    window: WallWindow
    start_at: datetime
    end_at: datetime
    total: dict[str, float | None]
    staff: dict[str, float | None]
    queues: dict[str, dict[str, float | None]]


class WallAlarm(Wire, frozen=True):
    """Something that a leader must know now; ``kind`` and ``about`` are one alarm's name."""

    kind: str
    about: str
    since_at: datetime
    params: dict[str, str] = {}


class WallView(Wire, frozen=True):
    """The whole wall. ``figures`` is empty until the event log has been read."""

    callers: list[WallCaller]
    queues: list[WallQueue]
    agents: list[WallAgent]
    figures: list[WallFigures]
    alarms: list[WallAlarm]
    links: Links
    dangers: list[WallDanger] = []
    """The longest known first."""


class WallChanged(Wire, frozen=True, tag="wall", tag_field="kind"):
    """What became different since the event before: rows by their key, ``gone`` callers, and as a
    whole what is not null."""

    callers: list[WallCaller] = []
    gone: list[str] = []
    agents: list[WallAgent] = []
    queues: list[WallQueue] | None = None
    figures: list[WallFigures] | None = None
    alarms: list[WallAlarm] | None = None
    dangers: list[WallDanger] | None = None
    links: Links | None = None


class WallSnapshot(Wire, frozen=True, tag="snapshot", tag_field="type"):
    epoch: str
    seq: int
    view: WallView


class WallNumbered(Wire, frozen=True, tag="event", tag_field="type"):
    epoch: str
    seq: int
    event: WallChanged


class Beat(Wire, frozen=True, tag="beat", tag_field="type"):
    """You are up to date, and the line lives."""

    at: datetime


class Paused(Wire, frozen=True, tag="paused", tag_field="type"):
    """What you show may be old: this server hears nothing from the bridge. A beat, an event or a
    snapshot ends it."""

    at: datetime


ServerFrame = Snapshot | Numbered | Beat | Paused
WallFrame = WallSnapshot | WallNumbered | Beat | Paused
ClientFrame = Hello
