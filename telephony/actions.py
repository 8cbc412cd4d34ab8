"""What we ask Asterisk over AMI, and when each question counts as answered. Pure.

Every action says itself what completes it; nothing is guessed from English message texts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from base.ids import AgentId, AttemptId, CallId, StreamId
from telephony.naming import interface_of_agent
from telephony.wire import Message

ACTION_TIMEOUT_S: Final = 5.0
LIST_TIMEOUT_S: Final = 10.0
# Measured: a refused connection is told of in 11 ms, a hanging one in 2 s.
FORK_CONNECT_TIMEOUT_S: Final = 3.0
EMERGENCY_TIMEOUT_MS: Final = 150_000
"""Longer than both trunks ring and what is played then."""


TEST_CALL_TIMEOUT_S: Final = 25.0


@dataclass(frozen=True, slots=True)
class OneResponse:
    """Answered by the response alone."""


@dataclass(frozen=True, slots=True)
class WholeList:
    """Answered by a response, items and the event that completes the list."""


@dataclass(frozen=True, slots=True)
class UntilEvent:
    """Answered by a response and then one event that carries our id in ``id_header``."""

    event: str
    id_header: str = "ActionID"


Completion = OneResponse | WholeList | UntilEvent


@dataclass(frozen=True, slots=True)
class Action:
    """One question to Asterisk."""

    name: str
    headers: tuple[tuple[str, str], ...] = ()
    completion: Completion = OneResponse()
    timeout_s: float = ACTION_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class Answer:
    """What Asterisk said; ``events`` are the list's items, or the one event waited for."""

    response: Message
    events: Sequence[Message] = ()


def login(username: str, secret: str) -> Action:
    return Action("Login", (("Username", username), ("Secret", secret), ("Events", "on")))


def ping(*, timeout_s: float) -> Action:
    return Action("Ping", timeout_s=timeout_s)


def queue_status() -> Action:
    return Action("QueueStatus", (), WholeList(), LIST_TIMEOUT_S)


def channel_status(variables: Sequence[str]) -> Action:
    """Every channel with its bridge and the values of these dialplan variables."""
    headers = (("Variables", ",".join(variables)), ("AllVariables", "false"))
    return Action("Status", headers, WholeList(), LIST_TIMEOUT_S)


FORK_CALL: Final = "HOTLINE_FORK_CALL"
FORK_SPEAKER: Final = "HOTLINE_FORK_SPEAKER"


def fork(
    channel: str, stream: StreamId, call: CallId, speaker: str, *, host: str, port: int
) -> Action:
    """Send what is heard from ``channel`` to a speech server, until the channel ends.

    ChanSpy: u the channel by its unique id, q no beep, o only its own voice, E S end with it.
    The variables tell a bridge that starts in the middle of the call whose leg it is.
    """
    timeout_ms = int(FORK_CONNECT_TIMEOUT_S * 1000)
    headers = (
        ("Channel", f"AudioSocket/{host}:{port}/{stream}"),
        ("Application", "ChanSpy"),
        ("Data", f"{channel},uqoES"),
        ("Async", "true"),
        ("Timeout", str(timeout_ms)),
        ("Variable", "CDR_PROP(disable)=1"),
        ("Variable", f"{FORK_CALL}={call}"),
        ("Variable", f"{FORK_SPEAKER}={speaker}"),
    )
    return Action("Originate", headers, UntilEvent("OriginateResponse"), FORK_CONNECT_TIMEOUT_S + 2)


SPY_ACT: Final = "HOTLINE_SPY_ACT"
SPY_MODES: Final = {"listen": "", "whisper": "w", "join": "B"}
"""ChanSpy's options: w only the agent hears the leader, B both do."""
LEADER_RINGS_MS: Final = 25_000


def spy(phone: str, channel: str, act: str, mode: str) -> Action:
    """Ring a leader's phone and let it hear, and say, what the mode allows in one conversation.

    ChanSpy on the agent's channel: u by its unique id, q no beep, E S end with it. Told at once
    that Asterisk took it; whether the phone was answered is asked (``live_acts``).
    """
    return _ring_leader(
        phone, act, ("Application", "ChanSpy"), ("Data", f"{channel},uqES{SPY_MODES[mode]}")
    )


def take_over(phone: str, call: CallId, act: str) -> Action:
    """Ring a leader's phone; when it is answered the caller is moved to it from the agent."""
    return _ring_leader(
        phone,
        act,
        *(("Context", "take-over"), ("Exten", "s"), ("Priority", "1")),
        ("Variable", f"HOTLINE_SPIED={call}"),
    )


def _ring_leader(phone: str, act: str, *then: tuple[str, str]) -> Action:
    headers = (
        ("Channel", f"PJSIP/{phone}"),
        *then,
        ("CallerID", f'"12345" <{phone}>'),
        ("Async", "true"),
        ("Timeout", str(LEADER_RINGS_MS)),
        ("Variable", "CDR_PROP(disable)=1"),
        ("Variable", f"{SPY_ACT}={act}"),
    )
    return Action("Originate", headers)


def bring_in_emergency(call: CallId, line: str, agent: AgentId) -> Action:
    """Dial an emergency line beside the conversation, as the agent's phone does by its code.

    Told at once that Asterisk took it; what becomes of it is told by events.
    """
    headers = (
        ("Channel", f"Local/{line}@emergency-warm/n"),
        ("Context", "emergency-told"),
        ("Exten", "s"),
        ("Priority", "1"),
        ("Timeout", str(EMERGENCY_TIMEOUT_MS)),
        ("Async", "true"),
        ("Variable", f"__HOTLINE_CALLER={call}"),
        ("Variable", f"__HOTLINE_ASKED_BY={interface_of_agent(agent)}"),
    )
    return Action("Originate", headers)


def test_trunk(trunk: str, number: str) -> Action:
    """Call a harmless number over a trunk; who answers hears what it was."""
    headers = (
        ("Channel", f"PJSIP/{number}@{trunk}"),
        ("Application", "Playback"),
        ("Data", "hotline/self-test"),
        ("Async", "true"),
        ("Timeout", str(int(TEST_CALL_TIMEOUT_S * 1000))),
    )
    return Action("Originate", headers, UntilEvent("OriginateResponse"), TEST_CALL_TIMEOUT_S + 5)


def end_by_rules(call: CallId) -> Action:
    """Take the caller out of the conversation: the dialplan tells them and lets go."""
    headers = (
        ("Channel", call),
        ("Context", "ended-by-rules"),
        ("Exten", "s"),
        ("Priority", "1"),
    )
    return Action("Redirect", headers)


def pause(agent: AgentId, *, is_paused: bool, reason: str = "") -> Action:
    """Pause or unpause in every queue at once."""
    headers = [("Interface", interface_of_agent(agent)), ("Paused", str(is_paused).lower())]
    if reason:
        headers.append(("Reason", reason))
    return Action("QueuePause", tuple(headers))


def call_back(call: CallId, number: str, queue: str, place: int | None, *, wait_s: int) -> Action:
    """Put a virtual caller into a queue; once an agent has taken it, the citizen is dialled.

    The call's id is given by us: Asterisk refuses a second channel of that name (of which neither
    may begin with the other's).
    """
    headers = (
        ("Channel", "Local/s@return-queue/n"),
        # Not Originate's own signed linear: with that, 6 of 10 conversations through a Local
        # channel lost a direction of sound in a simple bridge (22.10.1); with the trunk's, none.
        ("Codecs", "alaw"),
        ("ChannelId", f"out-{call}"),
        ("OtherChannelId", call),
        ("Context", "return-dial"),
        ("Exten", "s"),
        ("Priority", "1"),
        ("Async", "true"),
        ("Timeout", str((wait_s + 30) * 1000)),
        ("Variable", f"HOTLINE_CALL={call}"),
        ("Variable", f"HOTLINE_NUMBER={number}"),
        ("Variable", f"HOTLINE_QUEUE={queue}"),
        ("Variable", f"HOTLINE_PLACE={place or ''}"),
        ("Variable", f"HOTLINE_PATIENCE={wait_s}"),
    )
    return Action("Originate", headers)


def mark_out(agent: AgentId, *, is_out: bool) -> Action:
    """Tell the dialplan that the agent has signed out: paused for long, not for a moment."""
    value = "1" if is_out else ""
    return Action("Setvar", (("Variable", f"HOTLINE_OUT_{agent}"), ("Value", value)))


def hangup(channel: str) -> Action:
    """End a channel by its name, or a call by its id."""
    return Action("Hangup", (("Channel", channel), ("Cause", "16")))


# ---- a conversation (``telephony.control``); channels by unique id ------------------------------

DESK_CONTEXT: Final = "from-agent"
OUTBOUND_CONTEXT: Final = "outbound"
# How long the agent's own phone may ring before a call out is given up.
DIAL_RING_S: Final = 20


def attended_transfer(channel: str, exten: str) -> Action:
    return Action("Atxfer", (("Channel", channel), ("Exten", exten), ("Context", DESK_CONTEXT)))


def cancel_transfer(channel: str) -> Action:
    return Action("CancelAtxfer", (("Channel", channel),))


def blind_transfer(channel: str, exten: str) -> Action:
    """Send on whoever is with this channel."""
    return Action(
        "BlindTransfer", (("Channel", channel), ("Exten", exten), ("Context", DESK_CONTEXT))
    )


def press(channel: str, key: str) -> Action:
    """As if this channel's phone had sent the key."""
    headers = (("Channel", channel), ("Digit", key), ("Duration", "100"), ("Receive", "true"))
    return Action("PlayDTMF", headers)


def set_variable(channel: str, name: str, value: str) -> Action:
    return Action("Setvar", (("Channel", channel), ("Variable", name), ("Value", value)))


def mute_recording(channel: str, *, is_muted: bool) -> Action:
    headers = (("Channel", channel), ("Direction", "both"), ("State", str(int(is_muted))))
    return Action("MixMonitorMute", headers)


def dial_out(agent: AgentId, attempt: AttemptId, number: str) -> Action:
    """Ring the agent's phone; once it is taken, the dialplan dials the number."""
    headers = (
        ("Channel", interface_of_agent(agent)),
        ("Context", OUTBOUND_CONTEXT),
        ("Exten", number),
        ("Priority", "1"),
        ("CallerID", f"<{number}>"),
        ("Async", "true"),
        ("Timeout", str(DIAL_RING_S * 1000)),
        ("Variable", f"HOTLINE_ATTEMPT={attempt}"),
    )
    return Action("Originate", headers, UntilEvent("OriginateResponse"), DIAL_RING_S + 5)
