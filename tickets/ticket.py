"""What a work order is: its fields, their limits, and every refusal of a bad value.

Pure data and checks. Knows nothing of databases, and of a call nothing but its id.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final

from base.errors import HotlineError
from base.ids import CallId, TicketId, UserId


class TicketField(StrEnum):
    """What a person fills in; the first ten names are also the draft's."""

    TYPE = "type"
    """Demand type code (``TicketType``); mandatory (R005)."""
    TOPIC = "topic"
    """First-level topic code."""
    SUMMARY = "summary"
    """The title."""
    DEMAND = "demand"
    """What the caller wants; mandatory."""
    PLACE = "place"
    """Where it happens, as said."""
    TIME = "time"
    """When it happened or happens, as said."""
    URGENCY = "urgency"
    """``Urgency``; normal unless told."""
    PHONE = "phone"
    """A number for contact, where it is not the caller's own."""
    WANTS_REPLY = "wants_reply"
    """``yes`` unless the caller does not want one (R058)."""
    CONFIDENTIAL = "confidential"
    """``yes``: the caller's contact stays secret (R014); ``no`` unless told."""
    CONTENT = "content"
    """The matter in full; the demand where nothing is written."""
    CALLER_NAME = "caller_name"
    """How the caller wishes to be called."""


class TicketType(StrEnum):
    """The demand types of all cities (R005)."""

    CONSULT = "consult"
    """咨询: a question."""
    HELP = "help"
    """求助: help is asked for."""
    SUGGEST = "suggest"
    """建议: an opinion or a proposal."""
    COMPLAIN = "complain"
    """投诉: a wrong is complained of."""
    REPORT = "report"
    """举报: an offence is reported."""
    CRITICISE = "criticise"
    """批评: criticism of public bodies and their staff (Hangzhou)."""
    OTHER = "other"
    """其他: none of these."""


class Urgency(StrEnum):
    """How soon somebody must act."""

    NORMAL = "normal"
    """Within the usual time."""
    URGENT = "urgent"
    """Sooner than usual."""
    EMERGENCY = "emergency"
    """Danger to life."""


class TicketState(StrEnum):
    """Where a ticket is in its life; how it moves stands in ``tickets.lifecycle``."""

    REGISTERED = "registered"
    """Numbered and in the ledger; its disposal is not decided."""
    ANSWERED = "answered"
    """Answered on the spot, from the knowledge base."""
    REPEAT_ANSWERED = "repeat_answered"
    """A repeat without new facts: progress or result of the former ticket was told."""
    NOT_ACCEPTED = "not_accepted"
    """Outside the hotline by a reason of the law; the caller was told reason and way."""
    NOT_REGISTERED = "not_registered"
    """Still unclear after questions; questions and answers are kept."""
    HANDED_OVER = "handed_over"
    """Given to an emergency line or, from a locked lane, to an authority."""
    TO_DISPATCH = "to_dispatch"
    """Checked; waits for a unit."""
    UNDER_STUDY = "under_study"
    """Whose duty it is, is unclear: studied, met about, taken up the ladder."""
    WITH_UNITS = "with_units"
    """At one unit or several; each assignment has its own state."""
    IN_REVIEW = "in_review"
    """Every unit that must answer has; the centre reviews one by one."""
    FOLLOWING_UP = "following_up"
    """The caller is asked whether it is solved and whether they are satisfied."""
    CLOSED = "closed"
    """Settled; the caller was told result and how to object."""
    TERMINATED = "terminated"
    """Ended without result on a unit's request that the centre reviewed."""
    STOPPED = "stopped"
    """Same facts and reasons again: the unit explained, wrote to the centre and stopped."""
    ENDED = "ended"
    """Final: redone or supervised, and verified; opened again by new facts alone."""
    ARCHIVED = "archived"
    """Put away; read only, but for new facts."""


class Channel(StrEnum):
    """By which way a demand came (R001)."""

    PHONE = "phone"
    """A call to 12345."""
    MAILBOX = "mailbox"
    """The mayor's mailbox."""
    SMS = "sms"
    """A text message."""
    APP = "app"
    """A city's own application."""
    WECHAT = "wechat"
    """微信."""
    WEIBO = "weibo"
    """微博."""
    WEB = "web"
    """A form on a web page."""
    EMAIL = "email"
    """An e-mail box."""


class Lane(StrEnum):
    """Who may see a ticket at all."""

    ORDINARY = "ordinary"
    """The centre, and the units it is dispatched to."""
    STAFF_COMPLAINT = "staff_complaint"
    """About the centre's own staff: supervision and the one who entered it (R017)."""
    RETALIATION = "retaliation"
    """Somebody was made to suffer for a demand: supervision alone (R018)."""


class Matter(StrEnum):
    """What makes a demand urgent by its kind."""

    ORDINARY = "ordinary"
    """Nothing of the following."""
    UTILITY = "utility"
    """Water, power, gas, heat; in some cities networks (R032)."""
    DISASTER = "disaster"
    """A natural disaster or a public emergency (R032)."""
    DANGER = "danger"
    """Life or property is in danger: an emergency line's matter (R031)."""


def is_urgent(matter: Matter, urgency: Urgency) -> bool:
    """It must not wait for office hours: by its matter, or because somebody judged it so."""
    return matter is not Matter.ORDINARY or urgency is Urgency.EMERGENCY


# ---- refusals ------------------------------------------------------------------------------------


class TicketRefused(HotlineError):
    """The ticket cannot be registered as it is."""

    code: ClassVar[str] = "ticket_refused"
    http_status = 422


class UnknownField(TicketRefused):
    """A ticket has no such field."""

    code = "ticket_field_unknown"


class MissingValue(TicketRefused):
    """A field that every ticket needs is empty."""

    code = "ticket_field_missing"


class UnknownValue(TicketRefused):
    """A field that takes one of a list has another value."""

    code = "ticket_value_unknown"


class ValueTooLong(TicketRefused):
    """A field is longer than it may be."""

    code = "ticket_value_too_long"


class MalformedValue(TicketRefused):
    """A field holds what it cannot hold."""

    code = "ticket_value_malformed"


OF_FIELDS: Final = (UnknownField, MissingValue, UnknownValue, ValueTooLong, MalformedValue)
"""What ``checked_fields`` may refuse."""


# ---- checking ------------------------------------------------------------------------------------

_YES_NO = frozenset({"yes", "no"})
_CHOICES: Mapping[TicketField, frozenset[str]] = {
    TicketField.TYPE: frozenset(TicketType),
    TicketField.URGENCY: frozenset(Urgency),
    TicketField.WANTS_REPLY: _YES_NO,
    TicketField.CONFIDENTIAL: _YES_NO,
}
DEFAULTS: Mapping[TicketField, str] = {
    TicketField.URGENCY: Urgency.NORMAL,
    TicketField.WANTS_REPLY: "yes",
    TicketField.CONFIDENTIAL: "no",
}
MOST_CHARACTERS: Mapping[TicketField, int] = {
    TicketField.TYPE: 16,
    TicketField.TOPIC: 64,
    TicketField.SUMMARY: 100,
    TicketField.DEMAND: 2_000,
    TicketField.PLACE: 200,
    TicketField.TIME: 200,
    TicketField.URGENCY: 16,
    TicketField.PHONE: 32,
    TicketField.WANTS_REPLY: 16,
    TicketField.CONFIDENTIAL: 16,
    TicketField.CONTENT: 10_000,
    TicketField.CALLER_NAME: 64,
}
_REQUIRED = (TicketField.TYPE, TicketField.DEMAND)
TITLE_CHARACTERS = 40
_PHONE = re.compile(r"\+?[0-9]{3,20}")
_PHONE_DECORATION = re.compile(r"[\s()（）-]")
_UNPRINTABLE = frozenset({"Cc", "Cs", "Cn"})
_ALLOWED_CONTROLS = frozenset("\n\t")


def checked_fields(values: Mapping[str, object]) -> dict[TicketField, str]:
    """Return every field of a ticket, cleaned and with defaults, or raise a ``TicketRefused``."""
    given = {_field(name): value for name, value in values.items()}
    fields = {field: _checked_value(field, given.get(field, "")) for field in TicketField}
    for field in _REQUIRED:
        if not fields[field]:
            raise MissingValue(field=field.value)
    fields[TicketField.CONTENT] = fields[TicketField.CONTENT] or fields[TicketField.DEMAND]
    fields[TicketField.SUMMARY] = fields[TicketField.SUMMARY] or _title_of(fields)
    return fields


def _field(name: str) -> TicketField:
    try:
        return TicketField(name)
    except ValueError:
        raise UnknownField(field=name[:64]) from None


def _checked_value(field: TicketField, value: object) -> str:
    if not isinstance(value, str):
        raise MalformedValue(field=field.value)
    # Length first: nothing below may be spent on a text of any size.
    if len(value) > MOST_CHARACTERS[field]:
        raise ValueTooLong(field=field.value, most=MOST_CHARACTERS[field])
    if any(_is_unprintable(character) for character in value):
        raise MalformedValue(field=field.value)
    text = value.strip() or DEFAULTS.get(field, "")
    if field is TicketField.PHONE:
        return _checked_phone(text)
    if text and field in _CHOICES and text not in _CHOICES[field]:
        raise UnknownValue(field=field.value, known=sorted(_CHOICES[field]))
    return text


def _is_unprintable(character: str) -> bool:
    """Control characters and halves of pairs: PostgreSQL or UTF-8 cannot hold some of them."""
    return unicodedata.category(character) in _UNPRINTABLE and character not in _ALLOWED_CONTROLS


def _checked_phone(text: str) -> str:
    digits = _PHONE_DECORATION.sub("", text)
    if digits and not _PHONE.fullmatch(digits):
        raise MalformedValue(field=TicketField.PHONE.value)
    return digits


def _title_of(fields: Mapping[TicketField, str]) -> str:
    return " ".join(fields[TicketField.DEMAND].split())[:TITLE_CHARACTERS]


# ---- the ticket ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A work order as registered."""

    id: TicketId
    number: str
    """What people call it: the day in Shanghai and a count, ``20261122-000001``."""
    call: CallId | None
    channel: Channel
    type: TicketType
    topic: str
    title: str
    content: str
    demand: str
    place: str
    occurred: str
    urgency: Urgency
    caller_name: str
    caller_number: str
    contact_number: str
    wants_reply: bool
    confidential: bool
    state: TicketState
    created_by: UserId
    created_at: datetime
    entered_at: datetime
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A field whose confirmed value is not what the machine had proposed."""

    field: str
    machine_value: str | None
    """None: the machine had proposed nothing."""
    final_value: str | None
    """None: the person emptied the field."""
    evidence: list[dict[str, object]]
    """The words the machine had taken it from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerTicket:
    """What a screen-pop shows of an earlier ticket of the same number."""

    number: str
    title: str
    type: str
    state: str
    created_at: datetime
