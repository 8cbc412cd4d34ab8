"""The names of all rules a pack may hold, what each decides, and the shape of its value.

Closed on purpose: each name is something the program knows how to carry out. A new city fills in
values; it needs no new name. Names are stored with tickets and never renamed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from rules import values as v

T_co = TypeVar("T_co", covariant=True)
GROUPS_RESERVED = frozenset({"pack"})


@dataclass(frozen=True, slots=True)
class Rule(Generic[T_co]):
    """One question a city's law answers; ``kind`` is the type of the answer's value."""

    name: str
    kind: type[T_co]
    means: str


@dataclass(frozen=True, slots=True)
class Fact:
    """Something about a ticket that a rule may depend on (its ``when``)."""

    kind: type[bool] | type[StrEnum]
    means: str


FACTS: dict[str, Fact] = {
    "type": Fact(v.DemandType, "the demand's type"),
    "urgent": Fact(v.Urgent, "what kind of urgency"),
    "route": Fact(v.Route, "which other legal route"),
    "stage": Fact(v.RouteStage, "already in that route, or only meant for it"),
    "reply": Fact(v.ReplyWish, "whether the caller wants a reply"),
    "contact_given": Fact(bool, "the caller gave a name and a valid contact"),
    "ended": Fact(bool, "the earlier ticket ended for good"),
    "unhandled": Fact(bool, "what should have been done was not"),
    "dissatisfied": Fact(bool, "the caller is dissatisfied with the handling"),
    "reasonable": Fact(bool, "the demand, or the reason of the dissatisfaction, is reasonable"),
    "lawful": Fact(bool, "the demand is lawful"),
    "verified": Fact(bool, "the centre has verified it"),
    "handled_lawfully": Fact(bool, "the handling was lawful"),
    "handled_reasonably": Fact(bool, "the handling was reasonable"),
    "proper_reason": Fact(bool, "the unit has a proper reason for being late"),
    "warned": Fact(bool, "the caller was warned"),
    "many_times": Fact(bool, "it happened many times"),
    "waited": Fact(bool, "a reasonable time has passed since the warning"),
    "misuse": Fact(v.Misuse, "how the line is misused"),
    "illegal": Fact(bool, "the misuse is, or is suspected to be, an offence"),
    "satisfied": Fact(bool, "the caller is satisfied with the handling"),
    "hard_matter": Fact(bool, "new without law, truly disputed, or assigned by the centre"),
    "dutiful": Fact(bool, "the unit did its duty although the caller is dissatisfied"),
    "decision_stands": Fact(bool, "the unit's decision is neither revoked nor found unlawful"),
    "attention_high": Fact(bool, "many ask about the matter"),
    "direct_answers_rare": Fact(bool, "few of them are answered at once"),
}

_Words = tuple[str, ...]

# Scope
CHANNELS = Rule("scope.channels", tuple[v.Channel, ...], "ways a demand may come")
MEDIA = Rule("scope.media", tuple[v.Medium, ...], "what a demand may consist of")
DEMAND_TYPES = Rule("scope.demand_types", tuple[v.DemandKind, ...], "types of demand")
DOMAINS = Rule("scope.domains", tuple[v.Domain, ...], "fields above the topics")
NON_EMERGENCY = Rule("scope.non_emergency", bool, "only what is no emergency is accepted")
ALWAYS_OPEN = Rule("scope.always_open", bool, "day and night, holidays included")
SPECIAL_SEATS = Rule("scope.special_seats", tuple[v.Seat, ...], "seats with a queue of their own")
BRAND = Rule("scope.brand", _Words, "protected names the platform goes by")
NO_SUBSTITUTE = Rule("scope.no_substitute", bool, "the hotline replaces no department's duty")

# Organisation
LEVELS = Rule("organisation.levels", tuple[v.Level, ...], "levels a demand is handed down")
HAND_ON = Rule("organisation.hand_on", bool, "the county level hands on within its area")
RESPONSIBLE = Rule("organisation.first_responsible", bool, "head of a unit answers for its tickets")
HANDLERS = Rule("organisation.named_handlers", bool, "units name their hotline staff")
ROUND_THE_CLOCK = Rule("organisation.round_the_clock", bool, "utilities serve day and night")
SOCIETY = Rule("organisation.society_assists", bool, "mass and grass-roots bodies assist")
TRAINING = Rule("organisation.training", bool, "staff are trained")
STUDY = Rule("organisation.special_study", bool, "clusters become a study with measures")
STUDY_REPORT = Rule("organisation.study_report", bool, "a study needing the city is reported to it")

# The caller
PROGRESS = Rule("caller.progress", tuple[v.Secret, ...], "may ask how it goes; what is withheld")
REPLY_RIGHT = Rule("caller.asks_reply", bool, "may ask to be replied to")
CONFIDENTIAL = Rule("caller.confidential", bool, "may ask that contact details be kept secret")
EXPLANATION = Rule(
    "caller.explanation", tuple[v.ExplanationGround, ...], "may ask for an explanation; when"
)
TRUTH_NOTICE = Rule("caller.truth", bool, "answers for the truth; told so")
IDENTITY = Rule("caller.identity", v.Identity, "particulars to be given, and when")
REAL_NAME = Rule("caller.real_name_encouraged", bool, "real names are encouraged, not demanded")
STAFF_COMPLAINT = Rule("caller.staff_complaint", bool, "may complain about hotline staff")
RETALIATION = Rule("caller.no_retaliation", bool, "retaliation is answered for")
RATING = Rule("caller.rates", bool, "rates the handling")

# Intake
DIRECT_ANSWER = Rule("intake.direct_answer", v.DirectAnswer, "what is answered at once")
ONLINE_ANSWER = Rule(
    "intake.online_answer", tuple[v.Outside, ...], "the unit answers on the line, before a ticket"
)
CONSENT = Rule("intake.consent", tuple[v.Outside, ...], "before whom the caller must agree")
SPLIT = Rule("intake.split", bool, "several demands are registered apart")
UNCLEAR = Rule("intake.unclear", bool, "what stays unclear after asking is not registered")
ONE_TICKET = Rule("intake.one_ticket", bool, "one ticket from acceptance to supervision")
INCIDENT = Rule("intake.incident", bool, "units inform the hotline of an incident and its course")

# Emergencies
# Where both are a duty, one of the two is enough.
EMERGENCY_TRANSFER = Rule("emergency.transfer", _Words, "lines a caller is put through to")
EMERGENCY_GUIDE = Rule("emergency.guide", _Words, "lines a caller may be told to dial")
EMERGENCY_NOTIFY = Rule("emergency.notify", _Words, "lines the centre itself tells at once")
EMERGENCY_SIGN = Rule("emergency.unit_signs", bool, "the unit is told, signs and handles")
DISPATCH_AT_ONCE = Rule("emergency.dispatch_at_once", tuple[v.Urgent, ...], "sent to units at once")

# Not put into handling
REFUSE_ROUTE = Rule("refuse.route", v.Refusal, "another legal route")
REFUSE_SECRET = Rule("refuse.secret", v.Refusal, "touches a secret or privacy")
REFUSE_PUBLIC_ORDER = Rule("refuse.public_order", v.Refusal, "offends public order and morals")
REFUSE_UNLAWFUL = Rule("refuse.unlawful", v.Refusal, "does not accord with law or rules")
REFUSE_OUTSIDE = Rule("refuse.outside_area", v.Refusal, "another city is competent")
REFUSE_NOT_SERVICE = Rule("refuse.not_public_service", v.Refusal, "no matter of public service")
REFUSE_OTHER = Rule("refuse.other", v.Refusal, "another ground in law, stated")
REFUSE_SECRETS = Rule("refuse.secret_kinds", tuple[v.Secret, ...], "which secrets are meant")
REPEAT = Rule("refuse.repeat", v.Repeat, "the same again without new facts or reasons")

# Dispatch
DISPATCH_BASIS = Rule("dispatch.basis", tuple[v.Basis, ...], "by what the unit is found")
LEAD_ASSIST = Rule("dispatch.lead_assist", v.LeadAssist, "one unit leads, others assist")
SEPARATE = Rule("dispatch.separate", bool, "each unit gets its own part")
PRE_CONSULT = Rule("dispatch.pre_consult", bool, "unusual or hard: the unit is asked before")
RETURN = Rule("dispatch.return", v.Return, "a unit gives a ticket back")
DESIGNATE = Rule("dispatch.designate", v.Designation, "after how many dispatches a unit is named")
DESIGNATED_STAYS = Rule("dispatch.designated_stays", bool, "what was designated is not returned")
UNCLEAR_UNIT = Rule("dispatch.unclear_unit", tuple[v.UnclearStep, ...], "whose duty is unclear")
LADDER = Rule("dispatch.ladder", v.Ladder, "who decides what stays unsettled, upwards")
FEEDBACK_PERIOD = Rule("dispatch.period_by_centre", bool, "the centre sets the period")

# Clocks
BASE = Rule("clock.base", v.Term, "reply to the caller and feedback to the centre")
STATUTORY = Rule("clock.statutory", v.Term, "a law's own period, beside the first")
PROMISED = Rule("clock.promised", v.Term, "the date promised to the caller, beside the first")
EXTENSION_TERM = Rule("clock.extension", v.Term, "what an extension adds")
SIGN = Rule("clock.sign", v.Term, "the unit takes the ticket")
URGENT = Rule("clock.urgent", v.Term, "an urgent ticket leaves the centre; the unit takes it")
CONTACT = Rule("clock.contact", v.Term, "the unit first reaches the caller")
RETURN_TERM = Rule("clock.return", v.Term, "until when a unit may give it back")
RETURN_REVIEW = Rule("clock.return_review", v.Term, "until when the centre judges a return")
CHILD = Rule("clock.child", v.Term, "a unit below; never later than the parent's")
REDO_TERM = Rule("clock.redo", v.Term, "handling again")
SUPERVISION_TERM = Rule("clock.supervision", v.Term, "answer to a supervision")
EXPLANATION_TERM = Rule("clock.explanation", v.Term, "answer to a caller who asks why")
FOLLOW_UP_TERM = Rule("clock.follow_up", v.Term, "follow-up after feedback")
URGE_YELLOW = Rule("clock.urge_yellow", v.Term, "yellow card")
URGE_RED = Rule("clock.urge_red", v.Term, "red card")
WORKING_HOURS = Rule("clock.working_hours", v.WorkingHours, "working hours of a working day")

# Handling
REPLY_CALLER = Rule("reply.caller", bool, "the unit replies to the caller")
REPLY_CENTRE = Rule("reply.centre", bool, "the unit feeds back to the centre")
REPLY_CONTACT = Rule("reply.contact", bool, "the unit first gets in touch and listens")
PROGRESS_BEFORE_DUE = Rule("reply.progress_before_due", bool, "progress or result before the due")
STATUTORY_PREVAILS = Rule("reply.statutory", v.Telling, "a law's own period goes; what is told")
OBJECTIVE_LIMITS = Rule("reply.objective_limits", v.Promise, "cannot be solved now: what is told")
TRACKED = Rule("reply.tracked", bool, "the centre tracks these until they are done")
EXTENSION = Rule("reply.extension", v.Extension, "more time on request")
REJECT = Rule("reply.reject", bool, "cannot be done by law or policy: explained")
THIRD_PARTIES = Rule("reply.third_parties", bool, "others' rights are protected alike")

# End
TERMINATE_REFUSAL = Rule("end.terminate_refusal", v.Termination, "the caller will not cooperate")
TERMINATE_UNREACHABLE = Rule("end.terminate_unreachable", v.Termination, "nobody can be reached")
TERMINATE_UNLAWFUL = Rule(
    "end.terminate_unlawful", v.Termination, "unlawful, explained, unsatisfied"
)
STOP_HANDLED = Rule("end.stop_handled", v.Stop, "handled by the rules and raised again")
STOP_IMPOSSIBLE = Rule("end.stop_impossible", v.Stop, "impossible by the rules and raised again")
FINAL = Rule("end.final", v.FinalEnd, "ended for good after redo or supervision")

# Review, follow-up, redo
REVIEW = Rule("follow_up.review", bool, "each feedback is reviewed")
FOLLOW_UP = Rule("follow_up.call", bool, "the caller is asked how it went")
QUESTIONS = Rule("follow_up.questions", tuple[v.Question, ...], "what is asked, answers apart")
FOLLOW_UP_CHANNELS = Rule("follow_up.channels", tuple[v.FollowUpChannel, ...], "by which way")
UNIT_ASKS = Rule("follow_up.unit_asks", bool, "the unit asks before it feeds back")
REDO = Rule("follow_up.redo", bool, "handled again")

# Supervision: grounds
ON_OVERDUE = Rule("trigger.overdue", v.Overdue, "past its period")
ON_REFUSED = Rule("trigger.refused", bool, "a unit refuses what is its duty")
ON_REPEATED = Rule("trigger.repeated", bool, "raised again and again, or by many, unsolved")
ON_UNSOLVED = Rule("trigger.unsolved", bool, "should be solved by law and is not")
ON_KNOWLEDGE = Rule("trigger.knowledge", bool, "knowledge late or wrong")
ON_IMPACT = Rule("trigger.impact", bool, "poor handling with bad effects")
ON_LIFE = Rule("trigger.life_or_property", bool, "life or property, at once")
ON_SHIRKING = Rule("trigger.shirking", bool, "several units, sent often or pushed about")
ON_LEADER = Rule("trigger.leader", bool, "a leader's instruction")
ON_OTHER = Rule("trigger.other", bool, "what else needs it")

# Supervision: means
MEANS = Rule("supervise.means", tuple[v.Means, ...], "how")
GRADED = Rule("supervise.graded", bool, "city and county each at their level")
JOINT = Rule("supervise.joint", bool, "together with departments")
INSPECTION = Rule("supervise.inspection", bool, "handed to government inspection")
DISCIPLINE = Rule("supervise.discipline", bool, "leads handed to discipline inspection")
INSTRUCTIONS = Rule("supervise.instructions", bool, "leaders' instructions are kept and answered")
URGING_CARDS = Rule("supervise.cards", bool, "yellow before, red after the due time")

# Order on the line
MISUSES = Rule("nuisance.kinds", tuple[v.Misuse, ...], "what counts as misuse")
WARN = Rule("nuisance.warn", bool, "the caller is warned or dissuaded")
REASONABLE_TIME = Rule("nuisance.reasonable_time", v.Minutes, "time to come up with a demand")
SUSPEND = Rule("nuisance.suspend", bool, "the use of the line is suspended")
SUSPENSION = Rule("nuisance.suspension", v.Suspension, "for how long; other ways stay open")
CONSEQUENCES = Rule("nuisance.consequences", bool, "educated, and told the consequences in law")
POLICE = Rule("nuisance.police", bool, "the police deal with it; evidence is put together")

# Secrecy
SECRETS = Rule("secrecy.kinds", tuple[v.Secret, ...], "what is not disclosed")
NO_DISCLOSURE = Rule("secrecy.consent_to_disclose", bool, "personal data only with consent")
ACCUSED = Rule("secrecy.accused", bool, "nothing goes to the unit or person accused")
RECUSAL = Rule("secrecy.recusal", bool, "who is concerned withdraws, also on request")
DATA_SECURITY = Rule("secrecy.data_security", bool, "data is protected through its life")

# Assessment
SCHEME = Rule("assess.scheme", bool, "the scheme is approved by the city government")
EVALUATION = Rule("assess.evaluation", bool, "units are assessed")
INCENTIVE = Rule("assess.incentive", bool, "bonus for a hard matter")
EXEMPT_HARD = Rule("assess.exempt_hard", bool, "no minus for a hard matter, duty done")
EXEMPT_DISPUTE = Rule(
    "assess.exempt_dispute", bool, "no minus where others' dispute was the matter"
)
EXEMPT_INTEREST = Rule("assess.exempt_interest", bool, "no minus after a lawful decision")
CIRCULAR = Rule("assess.circular", v.Every, "results are circulated")
RECTIFY = Rule("assess.rectify", bool, "poor units are told to mend, then reported")
COUNTY_ASSESSES = Rule("assess.county", bool, "the county centre assesses its own units")
FAULTS = Rule("assess.faults", tuple[v.Fault, ...], "faults with evidence to be kept findable")

# Knowledge
UPDATE = Rule("knowledge.update", v.Promptness, "how soon units bring their articles up to date")
COUNTY_REVIEW = Rule("knowledge.county_review", bool, "the county centre reviews articles")
SELF_SERVICE = Rule("knowledge.self_service", bool, "the public looks things up")
BEFORE_PUBLICATION = Rule(
    "knowledge.before_publication", bool, "answers before a rule is published"
)
FROM_REPLIES = Rule("knowledge.from_replies", bool, "replies become articles")
STATIONED = Rule("knowledge.stationed", bool, "a unit's people sit in the centre")

# Data
DISCLOSURE = Rule("data.disclosure", tuple[v.Disclosed, ...], "what is published")
ACCEPTANCE_EVERY = Rule("data.acceptance_every", v.Every, "how often acceptance is published")
REPORTS = Rule("data.reports", v.Every, "reports of analysis")
WARNING = Rule("data.warning", bool, "watched for risks and bursts")
FORECAST = Rule("data.forecast", bool, "seasonal forecasts and plans")
SHARING = Rule("data.sharing", bool, "data is shared with departments")
OTHER_PROCEDURES = Rule("data.other_procedures", bool, "leads for mediation, public-interest suits")
SUGGESTIONS = Rule("data.public_supervision", bool, "suggestions are studied and answered")
PUBLICITY = Rule("data.publicity", bool, "what the hotline does and does not is made known")

# Keeping
KEEP_RECORDINGS = Rule("keep.recordings", v.Keep, "sound of the calls")
KEEP_WORDS = Rule("keep.transcripts", v.Keep, "words of the calls")
KEEP_TICKETS = Rule("keep.tickets", v.Keep, "tickets and ledger")

# Level of service
ANSWER = Rule("service.answer", v.Seconds, "a call is answered within")
CONNECTION = Rule("service.connection", v.Share, "share of calls answered over 24 h, at least")
OTHER_MEDIA = Rule("service.other_media", v.Minutes, "messages are answered within")
MAILBOX = Rule("service.mailbox", v.Hours, "letters are answered within")

SENT = frozenset({v.Start.DISPATCH, v.Start.ARRIVAL_AT_UNIT})
"""One moment: a ticket is in the unit's inbox with the commit that dispatches it."""
_BEFORE_SIGNED = SENT | {v.Start.REGISTRATION}
_REQUEST, _ORDER, _DUE = (
    frozenset({each}) for each in (v.Start.REQUEST, v.Start.ORDER, v.Start.DUE)
)
STARTS: Mapping[str, frozenset[v.Start]] = {
    BASE.name: _BEFORE_SIGNED | {v.Start.SIGN},
    STATUTORY.name: SENT,
    PROMISED.name: SENT,
    EXTENSION_TERM.name: _DUE,
    SIGN.name: _BEFORE_SIGNED,
    URGENT.name: _BEFORE_SIGNED,
    CONTACT.name: _BEFORE_SIGNED | {v.Start.SIGN},
    RETURN_TERM.name: SENT,
    RETURN_REVIEW.name: _REQUEST,
    CHILD.name: _DUE,
    REDO_TERM.name: _ORDER,
    SUPERVISION_TERM.name: _ORDER,
    EXPLANATION_TERM.name: _REQUEST,
    FOLLOW_UP_TERM.name: frozenset({v.Start.FEEDBACK}),
    URGE_YELLOW.name: _DUE,
    URGE_RED.name: _DUE,
}
"""With what each clock may begin; another start would be written down and not obeyed."""
COUNTED_BACK = frozenset({CHILD.name, URGE_YELLOW.name, URGE_RED.name})
"""Which clocks may count back from their due time."""

RULES: dict[str, Rule[Any]] = {
    rule.name: rule for rule in list(globals().values()) if isinstance(rule, Rule)
}
"""Every rule by its name."""
