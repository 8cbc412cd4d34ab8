"""What a move writes down beside the ticket's facts; no later move depends on it. Pure data."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from base.ids import AssignmentId


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactAttempt:
    """A unit tried to reach the caller (R055)."""

    assignment: AssignmentId
    tried_at: datetime
    by: str
    is_reached: bool
    result: str
    call: str | None
    """The call through the platform that proves it."""


class RefusalKind(StrEnum):
    """How a demand was left out."""

    NOT_ACCEPTED = "not_accepted"
    """By a reason of the law."""
    NOT_REGISTERED = "not_registered"
    """Unclear after asking."""
    REPEAT = "repeat"
    """The same again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A demand was not put into handling: for sampling and for opening it again (R037)."""

    kind: RefusalKind
    reason: str
    told: str
    told_at: datetime
    refer_to: str
    article: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """The caller's evaluation; never changed (R019)."""

    at: datetime
    by: str
    stars: int
    reasons: tuple[str, ...]
    text: str


Record: TypeAlias = ContactAttempt | Refusal | Rating
