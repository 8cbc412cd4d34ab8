"""Return calls (回拨): the table of their states, who is next, and at which place. Pure.

Who asked for one, who hung up before an answer (漏接回拨) and who left a message is called back,
once. A virtual caller stands in the queue for them and is served like everybody: an agent's phone
rings, and only when somebody has taken it the citizen's telephone is dialled. So nobody who waits
is passed over, and no citizen picks up to hear that there is nobody. Who asked keeps the place by
the time at which they first queued; who hung up, or left a message, lines up at the end, one at a
time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from base.ids import AgentId, CallId
from routing.hours import Hours, parse_hours


class ReturnState(StrEnum):
    """How far a return call is."""

    REQUESTED = "requested"
    """To be done; not before ``due_at``."""
    RESERVED = "reserved"
    """A virtual caller stands in the queue."""
    DIALLING = "dialling"
    """An agent has taken it; the citizen's telephone rings."""
    CONNECTED = "connected"
    """They talk."""
    FAILED = "failed"
    """The citizen was not reached; tried again at ``due_at``."""
    DONE = "done"
    """They have talked, or somebody settled it by hand."""
    GIVEN_UP = "given_up"
    """Not reached in all attempts."""
    CANCELLED = "cancelled"
    """No longer wanted: the citizen called again and was answered, or somebody took it off."""


class ReturnTrigger(StrEnum):
    """What can happen to it."""

    RESERVE = "reserve"
    """Its turn has come."""
    TAKEN = "taken"
    """An agent took the virtual caller."""
    ANSWERED = "answered"
    """The citizen picked up."""
    NOT_REACHED = "not_reached"
    """The citizen did not."""
    OVER = "over"
    """The conversation ended."""
    LOST = "lost"
    """The virtual caller has vanished before an agent took it."""
    CALLED_AGAIN = "called_again"
    """The citizen called themself and was answered."""
    CANCEL = "cancel"
    """Somebody takes it off the list."""
    SETTLE = "settle"
    """Somebody settled it by hand."""


class ReturnReason(StrEnum):
    """Why there is one."""

    REQUESTED = "requested"
    """The caller asked by key, and keeps the place."""
    VOICEMAIL = "voicemail"
    """The caller left a message."""
    ABANDONED = "abandoned"
    """The caller hung up before anybody answered."""


S, T = ReturnState, ReturnTrigger

TABLE: Final[dict[tuple[ReturnState, ReturnTrigger], ReturnState]] = {
    (S.REQUESTED, T.RESERVE): S.RESERVED,
    (S.REQUESTED, T.CALLED_AGAIN): S.CANCELLED,
    (S.REQUESTED, T.CANCEL): S.CANCELLED,
    (S.REQUESTED, T.SETTLE): S.DONE,
    (S.RESERVED, T.TAKEN): S.DIALLING,
    (S.RESERVED, T.LOST): S.REQUESTED,
    (S.RESERVED, T.CALLED_AGAIN): S.CANCELLED,
    (S.RESERVED, T.CANCEL): S.CANCELLED,
    (S.DIALLING, T.ANSWERED): S.CONNECTED,
    (S.DIALLING, T.NOT_REACHED): S.FAILED,
    (S.CONNECTED, T.OVER): S.DONE,
    (S.FAILED, T.RESERVE): S.RESERVED,
    (S.FAILED, T.CALLED_AGAIN): S.CANCELLED,
    (S.FAILED, T.CANCEL): S.CANCELLED,
    (S.FAILED, T.SETTLE): S.DONE,
}
OPEN: Final = frozenset({S.REQUESTED, S.RESERVED, S.DIALLING, S.CONNECTED, S.FAILED})
"""One of these at a time for one number."""
IN_FLIGHT: Final = frozenset({S.RESERVED, S.DIALLING, S.CONNECTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnCall:
    """One return call now."""

    id: int
    number: str
    reason: ReturnReason
    queue: str
    place_at: datetime
    """When the citizen first queued."""
    state: ReturnState
    attempts: int
    """Times the citizen's telephone was dialled."""
    due_at: datetime
    changed_at: datetime
    call: CallId | None = None
    """The virtual caller's call, while in flight and after it."""
    agent: AgentId | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a return call's own call, and of the citizen since."""

    is_live: bool
    dialled: bool = False
    answered: bool = False
    failed: bool = False
    called_again: bool = False


CALLING_HOURS: Final = parse_hours("08:00-21:00")


@dataclass(frozen=True, slots=True)
class ReturnRules:
    """How many, how often, when."""

    attempts_most: int = 3
    retry_after: tuple[timedelta, ...] = (timedelta(minutes=10), timedelta(hours=2))
    """The pause before the second attempt, the third, …; the last counts for the rest."""
    in_line_most: int = 10
    """Virtual callers at once, so that a storm's thousands take no thousand channels."""
    calling_hours: Hours = CALLING_HOURS
    """When people are called who did not ask for it."""
    lost_after: timedelta = timedelta(seconds=15)
    """How long a virtual caller may be unseen before it counts as gone."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Reserve this one now, at this place of its queue (1 is next); None: at the end."""

    of: ReturnCall
    place: int | None


def move(
    one: ReturnCall, trigger: ReturnTrigger, *, at: datetime, rules: ReturnRules
) -> ReturnCall | None:
    """The return call after ``trigger``; None where it does not fit and nothing changes."""
    state = TABLE.get((one.state, trigger))
    if state is None:
        return None
    after = replace(one, state=state, changed_at=at)
    match trigger:
        case T.TAKEN:
            return replace(after, attempts=one.attempts + 1)
        case T.NOT_REACHED if one.attempts >= rules.attempts_most:
            return replace(after, state=S.GIVEN_UP)
        case T.NOT_REACHED:
            pauses = rules.retry_after
            return replace(after, due_at=at + pauses[min(one.attempts, len(pauses)) - 1])
        case _:
            return after


def triggers(
    one: ReturnCall, seen: Seen, *, at: datetime, rules: ReturnRules
) -> list[ReturnTrigger]:
    """What has happened to it, in order. Signs that were missed on the way are made up for."""
    match one.state:
        case S.RESERVED:
            if seen.dialled:
                return [T.TAKEN]
            if seen.called_again:
                return [T.CALLED_AGAIN]
            is_gone = not seen.is_live and at - one.changed_at > rules.lost_after
            return [T.LOST] if is_gone else []
        case S.DIALLING:
            if seen.answered:
                return [T.ANSWERED]
            is_gone = not seen.is_live and at - one.changed_at > rules.lost_after
            return [T.NOT_REACHED] if seen.failed or is_gone else []
        case S.CONNECTED:
            return [] if seen.is_live else [T.OVER]
        case S.REQUESTED | S.FAILED:
            return [T.CALLED_AGAIN] if seen.called_again else []
        case _:
            return []


def next_turns(
    calls: Sequence[ReturnCall],
    waiting: Iterable[tuple[str, datetime]],
    *,
    at: datetime,
    rules: ReturnRules,
) -> list[Turn]:
    """Whose virtual caller joins its queue now. ``waiting``: queue and time of queueing of the
    callers who wait themselves; virtual callers are counted by the place they took."""
    in_line = [one for one in calls if one.state in IN_FLIGHT]
    room = rules.in_line_most - len(in_line)
    due = [one for one in calls if one.state in (S.REQUESTED, S.FAILED) and one.due_at <= at]
    asked = sorted((one for one in due if _keeps_place(one)), key=lambda one: one.place_at)
    others = sorted((one for one in due if not _keeps_place(one)), key=lambda one: one.place_at)
    real = list(waiting)
    turns: list[Turn] = []
    for one in asked[: max(0, room)]:
        virtual = [each for each in in_line if each.state is S.RESERVED]
        ahead = [*real, *((each.queue, _in_line_since(each)) for each in virtual)]
        place = 1 + sum(queue == one.queue and since <= one.place_at for queue, since in ahead)
        turns.append(Turn(one, place))
        in_line.append(replace(one, state=S.RESERVED))
    has_other = any(not _keeps_place(one) for one in in_line)
    if others and not has_other and len(turns) < room and rules.calling_hours.is_open(at):
        turns.append(Turn(others[0], None))
    return turns


def _in_line_since(one: ReturnCall) -> datetime:
    """Of one whose virtual caller stands in the queue: who keeps no place lined up at the end."""
    return one.place_at if _keeps_place(one) else one.changed_at


def _keeps_place(one: ReturnCall) -> bool:
    """Who asked; a citizen who did not pick up has given the place away."""
    return one.reason is ReturnReason.REQUESTED and one.attempts == 0
