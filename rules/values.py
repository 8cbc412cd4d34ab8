"""What rules say: the words and shapes that a pack's values are made of.

The members' texts are what a TOML file holds. They are stored with tickets and never renamed.
"""

from datetime import date, time
from enum import StrEnum
from typing import Annotated

import msgspec


class Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A rule's value that has parts."""


class Force(StrEnum):
    MUST = "must"
    """应当: a duty."""
    MAY = "may"
    """可以: a power; somebody chooses."""
    NOT_GIVEN = "not_given"
    """The law gives neither. To ask for it is refused."""


class Origin(StrEnum):
    LAW = "law"
    """Stands in the city's own text."""
    CENTRE = "centre"
    """The text leaves it to the centre: our default, with its reason."""
    STANDARD = "standard"
    """Stands in a standard or paper outside the text, which is named."""
    OWN = "own"
    """Our own practice; the text is silent."""


# Clocks ---------------------------------------------------------------------------------------


class Unit(StrEnum):
    WORKING_DAY = "working_day"
    """Ends with the working hours of its last day."""
    CALENDAR_DAY = "calendar_day"
    """Ends with the working hours of its last day; off, of the next working day."""
    WORKING_HOUR = "working_hour"
    """To the minute, inside working hours only."""
    HOUR = "hour"
    """To the minute, day and night."""


class Start(StrEnum):
    REGISTRATION = "registration"
    """The ticket got its number."""
    DISPATCH = "dispatch"
    """The centre sent it."""
    ARRIVAL_AT_UNIT = "arrival_at_unit"
    """It reached the unit."""
    SIGN = "sign"
    """The unit took it."""
    FEEDBACK = "feedback"
    """The unit fed back."""
    REQUEST = "request"
    """Somebody asked for something: an extension, a return, an explanation."""
    ORDER = "order"
    """The centre ordered something: a redo, a supervision."""
    DUE = "due"
    """Another clock's due time: an extension goes on from it, a card counts back from it."""


class Pause(StrEnum):
    WAITING_FOR_CALLER = "waiting_for_caller"
    """The caller was asked to bring something."""
    RETURN_REVIEW = "return_review"
    """The centre is judging a return."""


class Term(Value, frozen=True):
    """A period of time. Without ``amount`` the ticket names it: a law's days, a promised date."""

    unit: Unit
    starts: Start
    amount: Annotated[int, msgspec.Meta(ge=1, le=3650)] | None = None
    before: bool = False
    """Counted back from another clock's due time."""
    day_of_event_counts: bool = False
    """Of a period in days from an event."""
    pause: tuple[Pause, ...] = ()

    def __post_init__(self) -> None:
        if self.before and self.starts is not Start.DUE:
            raise ValueError("only from a due time is counted back")
        is_in_days = self.unit in (Unit.WORKING_DAY, Unit.CALENDAR_DAY)
        if self.day_of_event_counts and (self.before or not is_in_days):
            raise ValueError("the day of the event counts in periods of days from an event alone")


Clock = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class WorkingHours(Value, frozen=True):
    """The working hours of a working day, in order, as pairs of ``HH:MM``."""

    periods: tuple[tuple[Clock, Clock], ...]
    half_days: tuple[date, ...] = ()
    """Working days of which only the first period is worked."""

    @property
    def spans(self) -> tuple[tuple[time, time], ...]:
        return tuple((time.fromisoformat(a), time.fromisoformat(b)) for a, b in self.periods)


# Scope ----------------------------------------------------------------------------------------


class Channel(StrEnum):
    PHONE = "phone"
    MAILBOX = "mailbox"
    """A letter box on the web: 市长信箱, 邮箱."""
    SMS = "sms"
    APP = "app"
    WEIBO = "weibo"
    WECHAT = "wechat"
    WEB = "web"
    EMAIL = "email"


class Medium(StrEnum):
    VOICE = "voice"
    TEXT = "text"
    PICTURE = "picture"
    VIDEO = "video"


class DemandType(StrEnum):
    CONSULT = "consult"
    HELP = "help"
    SUGGEST = "suggest"
    COMPLAIN = "complain"
    REPORT = "report"
    CRITICISE = "criticise"
    """Criticism and advice to bodies and their staff."""
    OTHER = "other"


class DemandKind(Value, frozen=True):
    """A demand type with the city's own word for it."""

    code: DemandType
    title: str


class Domain(Value, frozen=True):
    """A field above the topics, with the city's word for it."""

    code: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z_]*$")]
    title: str


class Level(StrEnum):
    CITY = "city"
    COUNTY = "county"
    TOWNSHIP = "township"
    UNIT = "unit"


class Seat(StrEnum):
    LEGAL = "legal"
    ENTERPRISE = "enterprise"
    EXPERT = "expert"


# The caller -----------------------------------------------------------------------------------


class Secret(StrEnum):
    STATE = "state"
    WORK = "work"
    TRADE = "trade"
    PRIVACY = "privacy"
    PERSONAL_INFORMATION = "personal_information"
    NATIONAL_SECURITY = "national_security"
    ETHNIC_AFFAIRS = "ethnic_affairs"
    POLITICALLY_SENSITIVE = "politically_sensitive"


class IdentityField(StrEnum):
    NAME = "name"
    PHONE = "phone"
    ADDRESS = "address"
    EVIDENCE = "evidence"


class Identity(Value, frozen=True):
    """Which particulars the caller gives, and when they must."""

    fields: tuple[IdentityField, ...]
    needed: "IdentityNeed"


class IdentityNeed(StrEnum):
    FOR_HANDLING = "for_handling"
    """Only where the matter cannot be handled without."""
    FOR_REPLY = "for_reply"
    """Only where the caller wants a reply."""


class ReplyWish(StrEnum):
    ASKED = "asked"
    UNSAID = "unsaid"
    DECLINED = "declined"


class ExplanationGround(StrEnum):
    REPLY_OVERDUE = "reply_overdue"
    RESULT_DISPUTED = "result_disputed"


# Intake ---------------------------------------------------------------------------------------


class Outside(StrEnum):
    """Who joins a call that the agent cannot settle alone."""

    EXPERT_SEAT = "expert_seat"
    TRANSFER = "transfer"
    THREE_WAY = "three_way"


class DirectAnswer(StrEnum):
    WHATEVER_CAN_BE = "whatever_can_be"
    """All that can be answered or settled at once."""
    FROM_KNOWLEDGE = "from_knowledge"
    """What the knowledge base answers."""
    CONSULT_FROM_KNOWLEDGE = "consult_from_knowledge"
    """Consultation that the knowledge base answers."""


class Urgent(StrEnum):
    LIFE_OR_PROPERTY = "life_or_property"
    UTILITIES = "utilities"
    DISASTER = "disaster"
    PUBLIC_EMERGENCY = "public_emergency"


class Route(StrEnum):
    """Ways of settling that the law provides outside the hotline."""

    RECONSIDERATION = "reconsideration"
    ARBITRATION = "arbitration"
    LITIGATION = "litigation"
    DISCIPLINE = "discipline"
    """纪检监察."""
    DISCLOSURE = "disclosure"
    """政府信息公开."""
    PETITION = "petition"
    """信访."""
    OTHER = "other"


class RouteStage(StrEnum):
    ENTERED = "entered"
    SHOULD_ENTER = "should_enter"


class RefusalOutcome(StrEnum):
    SHOW_ROUTE = "show_route"
    """Tell the caller the other route."""
    SHOW_PLACE = "show_place"
    """Tell the caller the city that is competent."""
    EXPLAIN = "explain"
    """Explain why not."""
    ANSWER = "answer"
    """Tell progress or result of the earlier ticket."""


class Refusal(Value, frozen=True):
    """A ground on which a demand is not put into handling."""

    outcome: RefusalOutcome
    reason_first: bool = False
    """Reason and information come before the refusal takes effect, with proof."""


class Repeat(Value, frozen=True):
    """What happens with a demand raised again without new facts or reasons.

    Another citizen with the same problem is never a repeat: ``same_caller`` cannot be false.
    """

    outcome: "RepeatOutcome"
    same_caller: bool = True

    def __post_init__(self) -> None:
        if not self.same_caller:
            raise ValueError("another citizen with the same problem is never a repeat")


class RepeatOutcome(StrEnum):
    ANSWER = "answer"
    """The desk tells progress or result."""
    NOT_ACCEPTED = "not_accepted"
    """Not accepted, with guidance and explanation."""
    NOT_DISPATCHED = "not_dispatched"
    """Informed, and not dispatched any more."""


# Dispatch -------------------------------------------------------------------------------------


class Basis(StrEnum):
    DUTY = "duty"
    PLACE = "place"
    SECTOR = "sector"


class Decider(StrEnum):
    CENTRE = "centre"
    GENERAL_OFFICE = "general_office"
    EXECUTIVE_MEETING = "executive_meeting"
    JOINT_MEETING = "joint_meeting"
    COORDINATION_MECHANISM = "coordination_mechanism"
    GOVERNMENT = "government"
    LEADER = "leader"


class LeadAssist(Value, frozen=True):
    """One unit leads, others assist; who names the lead."""

    decided_by: Decider


class UnclearStep(StrEnum):
    STUDY = "study"
    CONSULT_DEPARTMENTS = "consult_departments"
    JOINT_MEETING = "joint_meeting"
    """联席会议."""
    EXPERT_BODIES_MEETING = "expert_bodies_meeting"
    """With 机构编制 and 司法行政."""
    REPORT_TO_GOVERNMENT = "report_to_government"
    COORDINATE = "coordinate"


class ReturnGround(StrEnum):
    NOT_OUR_DUTY = "not_our_duty"
    NOT_FOR_THE_HOTLINE = "not_for_the_hotline"


class Return(Value, frozen=True):
    """A unit gives a ticket back."""

    grounds: tuple[ReturnGround, ...]
    basis_needed: bool
    """A reason is always needed; here a legal basis too."""
    reviewed: bool
    """The text has the centre judge it: granted, dispatched anew; refused, back to the unit."""


class Designation(Value, frozen=True):
    after_dispatches: Annotated[int, msgspec.Meta(ge=1, le=20)]


class Ladder(Value, frozen=True):
    steps: tuple[Decider, ...]


# Handling -------------------------------------------------------------------------------------


class Told(StrEnum):
    """What the caller is told."""

    REASON = "reason"
    PROGRESS = "progress"
    PERIOD = "period"
    """The new or the legal period."""
    MEASURES = "measures"
    RESULT = "result"
    CONSEQUENCES = "consequences"


class Extension(Value, frozen=True):
    """How a unit gets more time."""

    approved_by_centre: bool
    tell_caller: tuple[Told, ...]
    basis_needed: bool = False
    most: Annotated[int, msgspec.Meta(ge=1, le=20)] | None = None
    """How often; none: the centre decides each time."""

    def __post_init__(self) -> None:
        if not self.approved_by_centre:
            raise ValueError("an extension is always the centre's to approve")


class Telling(Value, frozen=True):
    tell_caller: tuple[Told, ...]


class Promise(Value, frozen=True):
    """What stands in the way is outside the unit's power: measures and a date."""

    tell_caller: tuple[Told, ...]
    date_needed: bool


class Termination(Value, frozen=True):
    """Handling ends without a result. The unit alone can never do it."""

    evidence_needed: bool
    reviewed: bool

    def __post_init__(self) -> None:
        if not (self.evidence_needed and self.reviewed):
            raise ValueError("termination always needs evidence and the centre's review")


class Stop(Value, frozen=True):
    """The unit stops on a repeat: explained to the caller, written to the centre, not approved."""

    explain: bool = True
    written_note: bool = True

    def __post_init__(self) -> None:
        if not (self.explain and self.written_note):
            raise ValueError("a stop is always explained and written down")


class FinalEnd(Value, frozen=True):
    verified_by_centre: bool
    after: tuple["EndedBy", ...]

    def __post_init__(self) -> None:
        if not self.verified_by_centre:
            raise ValueError("what ends for good is always verified by the centre")


class EndedBy(StrEnum):
    REDO = "redo"
    SUPERVISION = "supervision"


# Follow-up ------------------------------------------------------------------------------------


class Question(StrEnum):
    RESOLVED = "resolved"
    SATISFIED = "satisfied"


class FollowUpChannel(StrEnum):
    """Never the unit itself."""

    AGENT = "agent"
    SMS_LINK = "sms_link"
    ROBOT = "robot"


# Supervision ----------------------------------------------------------------------------------


class OverdueOf(StrEnum):
    HANDLING = "handling"
    STATUTORY = "statutory"
    FEEDBACK = "feedback"


class Overdue(Value, frozen=True):
    of: tuple[OverdueOf, ...]
    reason_check: bool
    """Only "without proper reason": somebody must judge the reason before it counts."""


class Means(StrEnum):
    PHONE = "phone"
    SYSTEM = "system"
    WRITTEN = "written"
    ON_SITE = "on_site"
    INSPECT_FILES = "inspect_files"
    QUESTION_STAFF = "question_staff"
    JOINT_MEETING = "joint_meeting"


# Order on the line ----------------------------------------------------------------------------


class Misuse(StrEnum):
    DISTORTION = "distortion"
    SLANDER = "slander"
    REPEATED_USE = "repeated_use"
    LONG_OCCUPATION = "long_occupation"
    HARASSMENT = "harassment"
    IMPROPER_GAIN = "improper_gain"
    HARM_TO_OTHERS = "harm_to_others"
    OTHER_DISORDER = "other_disorder"


# Knowledge, disclosure, keeping ---------------------------------------------------------------


class Promptness(StrEnum):
    REAL_TIME = "real_time"
    TIMELY = "timely"


class Disclosed(StrEnum):
    CHANNELS = "channels"
    STANDARDS_AND_FLOW = "standards_and_flow"
    MONTHLY_ACCEPTANCE = "monthly_acceptance"
    COMPLETION_BY_UNIT = "completion_by_unit"
    TYPICAL_CASES = "typical_cases"
    PROCESS_AND_RESULT = "process_and_result"
    OTHER = "other"


class Every(StrEnum):
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    PERIODICALLY = "periodically"


class Keep(Value, frozen=True):
    years: Annotated[int, msgspec.Meta(ge=1, le=100)]


class Suspension(Value, frozen=True):
    """How long a suspension lasts; it always ends, and other ways stay open."""

    hours: Annotated[int, msgspec.Meta(ge=1, le=720)]


class Minutes(Value, frozen=True):
    minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)]


class Seconds(Value, frozen=True):
    seconds: Annotated[int, msgspec.Meta(ge=1, le=3600)]


class Hours(Value, frozen=True):
    hours: Annotated[int, msgspec.Meta(ge=1, le=720)]


class Share(Value, frozen=True):
    per_cent: Annotated[int, msgspec.Meta(ge=1, le=100)]


class Fault(StrEnum):
    """Faults for which a person or unit may have to answer: evidence is kept findable."""

    REFUSED = "refused"
    NOT_DONE_AFTER_SUPERVISION = "not_done_after_supervision"
    OPEN_AFTER_REDO_AND_SUPERVISION = "open_after_redo_and_supervision"
    FALSE_REPLY = "false_reply"
    FALSE_REPORT = "false_report"
    ATTITUDE = "attitude"
    LEAK = "leak"
    SHIRKING = "shirking"
    INACTION = "inaction"
    WRONG_ACTION = "wrong_action"
    INTERFERENCE = "interference"
    RETALIATION = "retaliation"
    ABUSE = "abuse"
    FALSE_ASSESSMENT = "false_assessment"
