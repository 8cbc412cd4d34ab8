"""What people and timers may do with a ticket, each with what must be said to do it. Pure data.

A move's tag is its name in the table (``tickets.lifecycle``), in the ledger and in the API. What is
declared here is checked when a move is read (``msgspec.convert``): lengths, known values, nothing
left out. What the state, the law or the person forbid is refused by ``tickets.decision``.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, TypeAlias

import msgspec

from base.dates import check_dates
from base.ids import AssignmentId, TicketId, UnitId, UserId
from tickets.assignment import Outcome
from tickets.facts import DoubtGround, FollowUpChannel
from tickets.ticket import Matter, TicketType, Urgency

Text: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\S", min_length=1, max_length=10_000)]
Line: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\S", min_length=1, max_length=500)]
Code: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_.]{0,63}$")]
Instant: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]
Person: TypeAlias = Annotated[
    UserId, msgspec.Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
]
"""A user's id, as the ledger names who acted."""


class _Move(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="move", forbid_unknown_fields=True
):
    """What all have in common."""


# ---- registration --------------------------------------------------------------------------------


class Amend(_Move, tag="amend", frozen=True, kw_only=True):
    """Correct what was registered; only what is given changes.

    Texts as they were before are kept beside the ticket, not in the ledger. To lift confidentiality
    takes the caller's word; to accuse fewer, somebody who reviews, supervises or heads and has not
    registered it.
    """

    reason: Line
    callers_word: Annotated[str, msgspec.Meta(max_length=500)] = ""
    """What the caller said to being confidential no longer."""
    title: Annotated[str, msgspec.Meta(pattern=r"\S", max_length=100)] | None = None
    content: Text | None = None
    demand: Text | None = None
    place: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    occurred: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    caller_name: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    contact_number: Annotated[str, msgspec.Meta(pattern=r"^(\+?[0-9]{3,20})?$")] | None = None
    type: TicketType | None = None
    domain: Code | None = None
    region: Code | None = None
    urgency: Urgency | None = None
    matter: Matter | None = None
    is_confidential: bool | None = None
    wants_reply: bool | None = None
    accused_units: list[UnitId] | None = None
    accused_people: list[Line] | None = None


AMENDED_TEXTS = (
    "title", "content", "demand", "place", "occurred", "caller_name", "contact_number"
)  # fmt: skip
"""What ``Amend`` changes of what can be erased: the ledger keeps their names alone."""


class Answer(_Move, tag="answer", frozen=True, kw_only=True):
    """Answer on the spot."""

    article: Line
    """The knowledge item's id."""
    article_version: Line
    text: Text


class AnswerRepeat(_Move, tag="answer_repeat", frozen=True, kw_only=True):
    """Tell progress or result of the former ticket; there are no new facts."""

    said_then: Text
    said_now: Text
    why_not_new: Text
    told: Text


class AnswerEvent(_Move, tag="answer_event", frozen=True, kw_only=True):
    """Answer what is about an event (突发事件) with its facts; the caller is told by message."""

    event: Annotated[int, msgspec.Meta(ge=1)]
    facts_at: Instant
    """How new the facts were."""
    text: Line


class NotAccept(_Move, tag="not_accept", frozen=True, kw_only=True):
    """Leave it outside by a reason of the law, told first."""

    reason: Code
    """``tickets.acts.registration.GROUNDS``"""
    told: Text
    """What the caller was told: reason and way (the script as spoken)."""
    told_at: Instant
    refer_to: str = ""
    """Which city, number or authority was named."""
    route: str = ""
    """``rules.values.Route``, where the reason is one."""
    stage: str = ""
    secret: str = ""
    """``rules.values.Secret``, where the reason is one."""


class NotRegister(_Move, tag="not_register", frozen=True, kw_only=True):
    """Leave it unregistered: unclear after asking."""

    reason: Code
    questions: Annotated[list["Question"], msgspec.Meta(min_length=1, max_length=50)]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked, and what the caller said."""

    question: Line
    answer: str


class HandOver(_Move, tag="hand_over", frozen=True, kw_only=True):
    """Give an emergency to 110, 119, 120 or 122."""

    line: Annotated[str, msgspec.Meta(pattern="^(110|119|120|122)$")]
    means: Code
    """``transferred``, ``guided`` or ``notified``."""
    handed_at: Instant
    units: list[UnitId] = []
    """Who must sign and handle, where the law asks it (Tongliao 12)."""


class PassCheck(_Move, tag="pass_check", frozen=True, kw_only=True):
    """Reviewed before dispatch: it has what a unit needs."""

    elements: dict[str, bool]
    """Who, what, where, when, want: present?"""
    note: str = ""
    why_new: str = ""
    """What is new since the former ticket, where that one was ended for good."""


class Split(_Move, tag="split", frozen=True, kw_only=True):
    """Several demands become several tickets of one contact."""

    demands: Annotated[list["SplitDemand"], msgspec.Meta(min_length=1, max_length=20)]


class SplitDemand(msgspec.Struct, frozen=True, kw_only=True):
    """One of the demands that leave for a ticket of their own."""

    type: TicketType
    demand: Text
    content: str = ""
    topic: str = ""
    urgency: Urgency = Urgency.NORMAL
    matter: Matter = Matter.ORDINARY


# ---- dispatch ------------------------------------------------------------------------------------


class ConsultUnit(_Move, tag="consult_unit", frozen=True, kw_only=True):
    """Ask a unit before dispatching to it."""

    unit: UnitId
    question: Text


class AnswerConsult(_Move, tag="answer_consult", frozen=True, kw_only=True):
    """The unit's answer."""

    number: int
    answer: Text


class Study(_Move, tag="study", frozen=True, kw_only=True):
    """Whose duty it is, is unclear: study it."""

    reason: Text


class Meet(_Move, tag="meet", frozen=True, kw_only=True):
    """Record a meeting about it; a decision names the unit."""

    participants: Annotated[list[Line], msgspec.Meta(min_length=1, max_length=50)]
    minutes: Text
    decided_unit: UnitId | None = None


class Escalate(_Move, tag="escalate", frozen=True, kw_only=True):
    """Take it to the next rung of the city's ladder."""

    report: Text


class EndStudy(_Move, tag="end_study", frozen=True, kw_only=True):
    """The unit is settled; back to dispatch."""

    unit: UnitId
    reason: Text


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """One unit of a dispatch."""

    unit: UnitId
    part: Code
    """``single``, ``lead``, ``assist`` or ``separate``."""


class Dispatch(_Move, tag="dispatch", frozen=True, kw_only=True):
    """Give it to a unit or several; or a share that came back to another unit."""

    units: Annotated[list[Share], msgspec.Meta(min_length=1, max_length=20)]
    basis: Line
    """Which duty, place or sector makes it theirs."""
    feedback_days: Annotated[int, msgspec.Meta(ge=1, le=180)] | None = None
    """Where the centre sets the period: other than its table's, with a reason."""
    days_reason: str = ""


class Designate(_Move, tag="designate", frozen=True, kw_only=True):
    """Order a unit to take it after dispatches that did not settle whose it is."""

    unit: UnitId
    order: Text


class AddAssist(_Move, tag="add_assist", frozen=True, kw_only=True):
    """One more unit helps the lead."""

    unit: UnitId
    basis: Line


class Withdraw(_Move, tag="withdraw", frozen=True, kw_only=True):
    """Take it from a unit."""

    assignment: AssignmentId
    reason: Text


class Recuse(_Move, tag="recuse", frozen=True, kw_only=True):
    """Somebody with a direct interest steps back, or the reporter demands it."""

    users: list[Person] = []
    units: list[UnitId] = []
    interest: Text
    is_demanded: bool = False
    """By the person who reported."""


# ---- at the unit ---------------------------------------------------------------------------------


class Sign(_Move, tag="sign", frozen=True, kw_only=True):
    """The unit takes it."""


class AskReturn(_Move, tag="ask_return", frozen=True, kw_only=True):
    """Not its duty, or not the hotline's."""

    ground: Code
    """``rules.values.ReturnGround``"""
    reason: Text
    basis: str = ""


class DecideReturn(_Move, tag="decide_return", frozen=True, kw_only=True):
    """The centre's review of a return."""

    assignment: AssignmentId
    is_granted: bool
    decision: Text


class Contact(_Move, tag="contact", frozen=True, kw_only=True):
    """One attempt to reach the caller, with what proves it."""

    is_reached: bool
    result: Line
    call: str = ""
    """The outbound call through the platform: time, ringing and recording are its."""
    tried_at: Instant


class Progress(_Move, tag="progress", frozen=True, kw_only=True):
    """Where it stands, to the centre; and to the caller where told."""

    note: Text
    is_caller_told: bool = False


class DaysCounted(StrEnum):
    """How a law counts the days of its period; in ``rules.values.Unit``'s words."""

    WORKING_DAY = "working_day"
    CALENDAR_DAY = "calendar_day"


class StatutoryRoute(_Move, tag="statutory_route", frozen=True, kw_only=True):
    """A law sets a longer period; the caller was told progress and period."""

    law: Line
    article: Line
    days: Annotated[int, msgspec.Meta(ge=1, le=3650)]
    counted_in: DaysCounted | None = None
    """How that law counts its days; left out, as the city's pack reads such periods."""
    told: Text


class Promise(_Move, tag="promise", frozen=True, kw_only=True):
    """Circumstances hinder it now: measures and a date, told to the caller."""

    measures: Text
    progress: Text
    promised_on: date | None = None
    """Needed where the law wants an explicit date (Jinan 24(3))."""
    told: Text


class AskExtension(_Move, tag="ask_extension", frozen=True, kw_only=True):
    """The unit needs longer."""

    reason: Text
    basis: str = ""
    days: Annotated[int, msgspec.Meta(ge=1, le=180)] | None = None
    """Working days; where the law names them, none need be said."""


class DecideExtension(_Move, tag="decide_extension", frozen=True, kw_only=True):
    """The centre's decision."""

    assignment: AssignmentId
    is_granted: bool
    decision: Text


class TellExtension(_Move, tag="tell_extension", frozen=True, kw_only=True):
    """The caller was told reason, progress and new period; only now is it in force."""

    told: Text
    told_at: Instant
    assignment: AssignmentId | None = None
    """Whose it is, where the centre tells a confidential caller."""


class SubDispatch(_Move, tag="sub_dispatch", frozen=True, kw_only=True):
    """A unit gives it on to units below it; its own clock stays whole."""

    units: Annotated[list[UnitId], msgspec.Meta(min_length=1, max_length=20)]
    due_at: Instant | None = None


class Deliberate(_Move, tag="deliberate", frozen=True, kw_only=True):
    """Neighbours, bodies and grid workers talked it over: who took part, what came of it."""

    participants: Annotated[list[Line], msgspec.Meta(min_length=1, max_length=50)]
    minutes: Text


class AskTermination(_Move, tag="ask_termination", frozen=True, kw_only=True):
    """Ask the centre to end it."""

    ground: Code
    """``uncooperative``, ``unreachable`` or ``unlawful``."""
    evidence: Annotated[list[Line], msgspec.Meta(min_length=1, max_length=50)]
    """Ids of attachments or of contact attempts."""
    explanation: str = ""
    """What the caller was told, where it is unlawful."""


class DecideTermination(_Move, tag="decide_termination", frozen=True, kw_only=True):
    """The centre's review of it."""

    assignment: AssignmentId
    is_granted: bool
    decision: Text


class StopRepeat(_Move, tag="stop_repeat", frozen=True, kw_only=True):
    """Same facts and reasons again: explained to the caller, written to the centre, stopped."""

    case: Code
    """``handled`` (Jinan 25(1)) or ``impossible`` (25(2))."""
    explanation: Text
    written_note: Text


class InterimReply(_Move, tag="interim_reply", frozen=True, kw_only=True):
    """Reply and feedback in time, while completion goes on by law or promise."""

    reply: Text
    told_at: Instant | None = None


class RelayReply(_Move, tag="relay_reply", frozen=True, kw_only=True):
    """The centre tells a confidential caller what the unit replied, whom the unit cannot reach."""

    assignment: AssignmentId
    told: Text
    told_at: Instant


class Feedback(_Move, tag="feedback", frozen=True, kw_only=True):
    """The unit's answer."""

    outcome: Outcome
    reply: Text
    basis: str = ""
    told_at: Instant | None = None
    """When the caller was told."""
    asked_satisfied: bool | None = None
    """What the caller said to the unit's own question; None: not asked."""
    no_contact_reason: str = ""
    """Why nobody reached the caller."""


class Urge(_Move, tag="urge", frozen=True, kw_only=True):
    """Remind the units."""

    reason: Line


class Remind(_Move, tag="remind", frozen=True, kw_only=True):
    """A timer fell due."""

    timer: Code
    """``tickets.timers.TimerKind``"""
    assignment: AssignmentId | None = None
    due_at: Instant


class Supervise(_Move, tag="supervise", frozen=True, kw_only=True):
    """Put it under supervision."""

    trigger: Code
    """``tickets.acts.at_unit.TRIGGERS``; the city's law must know it."""
    opinion: Text


# ---- review, follow-up, end ----------------------------------------------------------------------


class ReviewFeedback(_Move, tag="review_feedback", frozen=True, kw_only=True):
    """One unit's feedback, checked: by the centre, or by the unit that gave it the task."""

    assignment: AssignmentId
    answers_all_demands: bool
    has_basis: bool
    is_contact_proved: bool
    is_accepted: bool
    verdict: Text


class DoubtReply(_Move, tag="doubt_reply", frozen=True, kw_only=True):
    """A unit's reply may not be what happened: look into it."""

    assignment: AssignmentId
    ground: DoubtGround
    note: Text


class SettleDoubt(_Move, tag="settle_doubt", frozen=True, kw_only=True):
    """What was found about a doubted reply."""

    number: int
    is_false: bool
    finding: Text


class TryFollowUp(_Move, tag="follow_up", frozen=True, kw_only=True):
    """One attempt to ask the caller."""

    channel: FollowUpChannel
    is_reached: bool
    is_solved: bool | None = None
    is_satisfied: bool | None = None
    reason: str = ""
    is_reasonable: bool | None = None
    is_lawful: bool | None = None
    is_unhandled: bool | None = None
    is_handling_faulty: bool | None = None


class Redo(_Move, tag="redo", frozen=True, kw_only=True):
    """Back to the units, to be handled again."""

    reason: Text
    is_verified: bool = False
    """The centre has looked into it itself (Jinan's draft)."""


class Close(_Move, tag="close", frozen=True, kw_only=True):
    """Settled; the caller is told result and how to object."""

    summary: Text
    left_out: str = ""
    """Why a share that a unit lost was given to nobody else."""


class End(_Move, tag="end", frozen=True, kw_only=True):
    """Final: redone or supervised, and verified."""

    verification: Text


class Archive(_Move, tag="archive", frozen=True, kw_only=True):
    """Put away."""


class Reopen(_Move, tag="reopen", frozen=True, kw_only=True):
    """New facts, or a refusal that was wrong."""

    said_then: Text
    said_now: Text
    why_new: Text


class AskExplanation(_Move, tag="ask_explanation", frozen=True, kw_only=True):
    """The caller asks why."""

    ground: Code
    """``overdue`` or ``disputed``."""
    question: Text


class Explain(_Move, tag="explain", frozen=True, kw_only=True):
    """The answer to it."""

    number: int
    answer: Text


class Rate(_Move, tag="rate", frozen=True, kw_only=True):
    """The caller's evaluation; never deleted."""

    stars: Annotated[int, msgspec.Meta(ge=1, le=5)]
    reasons: list[Code] = []
    text: str = ""


class Conclude(_Move, tag="conclude", frozen=True, kw_only=True):
    """A complaint about staff is settled: finding and consequence."""

    finding: Text
    consequence: Text
    told: Text


class Refer(_Move, tag="refer", frozen=True, kw_only=True):
    """A retaliation report goes to an authority, on record."""

    authority: Line
    record: Text
    related: TicketId | None = None


Move: TypeAlias = (
    Amend
    | Answer
    | AnswerRepeat
    | AnswerEvent
    | NotAccept
    | NotRegister
    | HandOver
    | PassCheck
    | Split
    | ConsultUnit
    | AnswerConsult
    | Study
    | Meet
    | Escalate
    | EndStudy
    | Dispatch
    | Designate
    | AddAssist
    | Withdraw
    | Recuse
    | Sign
    | AskReturn
    | DecideReturn
    | Contact
    | Progress
    | StatutoryRoute
    | Promise
    | AskExtension
    | DecideExtension
    | TellExtension
    | SubDispatch
    | Deliberate
    | AskTermination
    | DecideTermination
    | StopRepeat
    | InterimReply
    | RelayReply
    | Feedback
    | Urge
    | Remind
    | Supervise
    | ReviewFeedback
    | DoubtReply
    | SettleDoubt
    | TryFollowUp
    | Redo
    | Close
    | End
    | Archive
    | Reopen
    | AskExplanation
    | Explain
    | Rate
    | Conclude
    | Refer
)


def tag_of(move: type[Move]) -> str:
    """A kind of move's name in table, ledger and API."""
    return str(move.__struct_config__.tag)


def read_move(body: object) -> Move:
    """A move from decoded JSON; ``msgspec.ValidationError`` says where it is wrong."""
    read: Move = msgspec.convert(body, Move)
    try:
        check_dates(read)
    except ValueError as error:
        raise msgspec.ValidationError(str(error)) from error
    return read
