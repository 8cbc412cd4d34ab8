"""What happens to calls, in our own words: the only thing other rooms learn of telephony.

Every event is a frozen fact with the instant Asterisk gave it (aware UTC). The reducer makes them
from AMI messages; the order is reliable within one call only (Asterisk promises no more).
"""

from datetime import datetime
from enum import StrEnum
from typing import Literal

import msgspec

from base.ids import AgentId, AttemptId, CallId, RingId

Speaker = Literal["citizen", "agent"]
"""One side of a conversation."""


class RingEnd(StrEnum):
    """Why a phone stopped ringing without a conversation on it."""

    ANSWERED_ELSEWHERE = "answered_elsewhere"
    """Another agent took the call."""
    NO_ANSWER = "no_answer"
    """The ring time ran out, or the phone could not be reached."""
    DECLINED = "declined"
    """The agent pressed reject, or the phone was busy."""
    CALLER_LEFT = "caller_left"
    """The caller hung up or was moved away while the phone rang."""


class Outcome(StrEnum):
    """How a call ended."""

    ANSWERED = "answered"
    """A person talked with the caller."""
    ABANDONED = "abandoned"
    """The caller hung up before anybody answered."""
    EMERGENCY = "emergency"
    """The caller was put through to 110, 119, 120 or 122."""
    FAILED = "failed"
    """Asterisk could not carry the call on."""


class ConsultState(StrEnum):
    """How far the agent's asking somebody is, in the middle of a call."""

    DIALLING = "dialling"
    """Their telephone rings."""
    ANSWERED = "answered"
    """Agent and they talk; the caller is held."""
    JOINED = "joined"
    """All three hear one another."""
    FAILED = "failed"
    """Nobody answered; the agent is with the caller again."""
    OVER = "over"
    """They are gone again, or were never reached."""


class AttemptResult(StrEnum):
    """How an attempt to reach somebody by telephone ended."""

    ANSWERED = "answered"
    """Somebody, or a machine, took it."""
    BUSY = "busy"
    """Engaged, or declined."""
    NO_ANSWER = "no_answer"
    """It rang until the time ran out."""
    CANCELLED = "cancelled"
    """The agent hung up while it rang."""
    FAILED = "failed"
    """The number could not be reached: wrong, or the trunk is down."""
    AGENT_ABSENT = "agent_absent"
    """The agent's own phone was not taken: nobody was dialled."""
    UNKNOWN = "unknown"
    """It ended unseen."""


class AgentPhone(StrEnum):
    """What Asterisk knows of an agent's phone."""

    UNREACHABLE = "unreachable"
    """Not registered: calls are not offered."""
    IDLE = "idle"
    """Registered and free."""
    RINGING = "ringing"
    """Ringing."""
    IN_USE = "in_use"
    """Talking or holding."""


class CallArrived(msgspec.Struct, frozen=True):
    """A call reached 12345; ``caller_number`` is empty where the caller withholds it."""

    call: CallId
    caller_number: str
    caller_name: str
    called_number: str
    at: datetime


class CallQueued(msgspec.Struct, frozen=True):
    """The caller entered a queue at ``position`` (1 is next)."""

    call: CallId
    queue: str
    position: int
    at: datetime


class AgentRinging(msgspec.Struct, frozen=True):
    """An agent's phone began to ring for the call."""

    call: CallId
    ring: RingId
    agent: AgentId
    at: datetime


class AgentRingEnded(msgspec.Struct, frozen=True):
    """The phone stopped ringing and this agent did not get the call."""

    call: CallId
    ring: RingId
    agent: AgentId
    reason: RingEnd
    at: datetime


class CallAnswered(msgspec.Struct, frozen=True):
    """Caller and agent are connected. ``ring`` is the ringing that led here."""

    call: CallId
    ring: RingId
    agent: AgentId
    at: datetime


class AgentLeft(msgspec.Struct, frozen=True):
    """The agent is no longer in the conversation (hang-up or transfer)."""

    call: CallId
    agent: AgentId
    at: datetime


class LegHeld(msgspec.Struct, frozen=True):
    """This side's phone put the other on hold: it may send no sound until ``LegResumed``.

    The agent's leaving (``AgentLeft``) ends all holds without a word.
    """

    call: CallId
    speaker: Speaker
    at: datetime


class LegResumed(msgspec.Struct, frozen=True):
    """This side took the other back."""

    call: CallId
    speaker: Speaker
    at: datetime


class ConsultChanged(msgspec.Struct, frozen=True):
    """The agent asks somebody (``to``: a number) while the caller is held, or joins them in."""

    call: CallId
    to: str
    state: ConsultState
    at: datetime


class RecordingChanged(msgspec.Struct, frozen=True):
    """The call's recording was paused (silence goes on being written), or goes on."""

    call: CallId
    is_paused: bool
    at: datetime


class EmergencyDialled(msgspec.Struct, frozen=True):
    """The caller asked for an emergency line; ``line`` is 110, 119, 120 or 122."""

    call: CallId
    line: str
    at: datetime


class EmergencyConnected(msgspec.Struct, frozen=True):
    """The emergency line answered the caller."""

    call: CallId
    line: str
    at: datetime


class EmergencyUnreached(msgspec.Struct, frozen=True):
    """No trunk reached the line: the caller stays, or goes, with an agent."""

    call: CallId
    line: str
    at: datetime


class CallEnded(msgspec.Struct, frozen=True):
    """The caller's own line is gone; nothing more comes of this call."""

    call: CallId
    outcome: Outcome
    at: datetime


class AttemptBegan(msgspec.Struct, frozen=True):
    """A number outside is being dialled for an agent who is on the line."""

    attempt: AttemptId
    agent: AgentId
    number: str
    at: datetime


class AttemptAnswered(msgspec.Struct, frozen=True):
    """Somebody took it."""

    attempt: AttemptId
    agent: AgentId
    at: datetime


class AttemptOver(msgspec.Struct, frozen=True):
    """It is over; seconds are None where nobody saw it."""

    attempt: AttemptId
    agent: AgentId
    result: AttemptResult
    rang_s: float | None
    talked_s: float | None
    at: datetime


class AgentPhoneChanged(msgspec.Struct, frozen=True):
    """An agent's phone registered, vanished, got busy or free."""

    agent: AgentId
    phone: AgentPhone
    at: datetime


class AgentPauseChanged(msgspec.Struct, frozen=True):
    """The queues' pause mark of an agent changed (by us, by a phone code or by hand)."""

    agent: AgentId
    is_paused: bool
    reason: str
    at: datetime


EmergencyEvent = EmergencyDialled | EmergencyConnected | EmergencyUnreached
CallEvent = (
    CallArrived
    | CallQueued
    | AgentRinging
    | AgentRingEnded
    | CallAnswered
    | AgentLeft
    | LegHeld
    | LegResumed
    | EmergencyEvent
    | ConsultChanged
    | RecordingChanged
    | CallEnded
)
AttemptEvent = AttemptBegan | AttemptAnswered | AttemptOver
AgentEvent = AgentPhoneChanged | AgentPauseChanged | AttemptEvent
TelephonyEvent = CallEvent | AgentEvent


class LinkChanged(msgspec.Struct, frozen=True):
    """The link to the switch came up or went down.

    Down: nothing is heard until it is up again; calls go on without us. Up: the events before this
    one have led to what is true now, whatever was missed. ``reason`` is an error code.
    """

    is_up: bool
    at: datetime
    reason: str = ""


SwitchEvent = TelephonyEvent | LinkChanged
