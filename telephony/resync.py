"""The true picture, asked of Asterisk after each (re)connect, as a snapshot of ours.

Two questions: who is in the queues, which channels stand. What nobody can list (who rang before,
when a call came) is kept from the picture before the gap or read from the variables our dialplan
left on the caller's channel. What came over the wire meanwhile is applied afterwards by the
reducer, to which old news is harmless.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from base.ids import AgentId, AttemptId, CallId, RingId, StreamId
from telephony.actions import (
    FORK_CALL,
    FORK_SPEAKER,
    SPY_ACT,
    Action,
    Answer,
    channel_status,
    queue_status,
)
from telephony.events import ConsultState, Speaker
from telephony.inbox import Listed
from telephony.naming import agent_of_channel, began_at, known_number, stream_of_channel
from telephony.reducer import member
from telephony.snapshot import Agent, Attempt, Call, Ring, Snapshot, Talk, agent_channels
from telephony.wire import Message

Send = Callable[[Action], Awaitable[Answer]]

# Set by our dialplan on the caller's own channel (HOTLINE_ARRIVED is not inherited).
ARRIVED: Final = "HOTLINE_ARRIVED"
CALLED: Final = "HOTLINE_CALLED"
NUMBER: Final = "HOTLINE_NUMBER"
EMERGENCY_LINE: Final = "HOTLINE_LINE"
EMERGENCY_SOURCE: Final = "HOTLINE_SOURCE"
WARM_LINE: Final = "SHARED(HOTLINE_WARM_LINE)"
WARM_ANSWERED: Final = "SHARED(HOTLINE_WARM_ANSWERED)"
"""Of a warm hand-over: kept at the caller's channel by the one that dials."""
ON_HOLD: Final = "CHANNEL(onhold)"
"""Whether this channel is held by the other side's phone."""
RECORDING_PAUSED: Final = "HOTLINE_RECORDING_PAUSED"
# On the channel of an agent who dials out.
ATTEMPT: Final = "HOTLINE_ATTEMPT"
ATTEMPT_TARGET: Final = "HOTLINE_TARGET"
ATTEMPT_AGENT: Final = "HOTLINE_DIALLER"
VARIABLES: Final = (
    ARRIVED,
    CALLED,
    NUMBER,
    EMERGENCY_LINE,
    EMERGENCY_SOURCE,
    WARM_LINE,
    WARM_ANSWERED,
    ON_HOLD,
    RECORDING_PAUSED,
    ATTEMPT,
    ATTEMPT_TARGET,
    ATTEMPT_AGENT,
)

_UP: Final = "6"
_UNSET: Final = "(null)"
_RINGING_STATES: Final = frozenset({"0", "3", "4", "5"})  # down, dialling, ring, ringing


async def take_snapshot(send: Send, before: Snapshot, *, at: datetime) -> Snapshot:
    """Ask for queues and channels and put the picture together. Raises TelephonyError."""
    listed = await ask(send)
    return assemble(listed.queues, listed.channels, before, at=at)


async def ask(send: Send) -> Listed:
    """The two lists a picture is made of. Raises TelephonyError."""
    queues = await send(queue_status())
    channels = await send(channel_status(VARIABLES))
    return Listed(queues.events, channels.events)


@dataclass(frozen=True, slots=True)
class _Channel:
    """One channel as ``Status`` tells it."""

    channel: str
    unique_id: str
    linked_id: str
    endpoint: AgentId | None
    state: str
    bridge: str
    number: str
    name: str
    exten: str
    variables: dict[str, str]

    @classmethod
    def read(cls, item: Message) -> "_Channel":
        pairs = (each.partition("=") for each in item.all("Variable"))
        # A Local channel's second half runs the dialplan: the member is the first.
        is_far_half = item.get("Channel").endswith(";2")
        return cls(
            channel=item.get("Channel"),
            unique_id=item.get("Uniqueid"),
            linked_id=item.get("Linkedid"),
            endpoint=None if is_far_half else agent_of_channel(item.get("Channel")),
            state=item.get("ChannelState"),
            bridge=item.get("BridgeID"),
            number=known_number(item.get("CallerIDNum")),
            name=known_number(item.get("CallerIDName")),
            exten=item.get("Exten"),
            variables={name: value for name, _, value in pairs if value != _UNSET},
        )


@dataclass(frozen=True, slots=True)
class LiveFork:
    """One leg on its way to a speech server."""

    stream: StreamId
    call: CallId
    speaker: str
    channel: str = ""
    """By which the switch ends it."""


def live_forks(channels: Sequence[Message]) -> list[LiveFork]:
    """The forks among the items of Status, by the variables they were made with."""
    found = []
    for item in channels:
        stream = stream_of_channel(item.get("Channel"))
        if stream is not None:
            variables = _Channel.read(item).variables
            call, speaker = variables.get(FORK_CALL, ""), variables.get(FORK_SPEAKER, "")
            found.append(LiveFork(stream, CallId(call), speaker, item.get("Channel")))
    return found


def live_acts(channels: Sequence[Message]) -> dict[str, bool]:
    """The leaders' phones among the items of Status: act → whether it was answered."""
    found = {}
    for item in channels:
        act = _Channel.read(item).variables.get(SPY_ACT, "") if item.name == "Status" else ""
        if act:
            found[act] = item.get("ChannelStateDesc") == "Up"
    return found


def assemble(
    queues: Sequence[Message], channels: Sequence[Message], before: Snapshot, *, at: datetime
) -> Snapshot:
    """The picture from the items of QueueStatus and Status; pure."""
    agents = _agents(queues, before)
    entries = {item.get("Uniqueid"): item for item in queues if item.name == "QueueEntry"}
    standing = [_Channel.read(item) for item in channels if item.name == "Status"]
    after = Snapshot(agents=agents, attempts=_attempts(standing, before))
    for channel in standing:
        entry = entries.get(channel.unique_id)
        if entry is None and not _is_caller(channel, before):
            continue
        call = _queued(_caller(channel, before, at), entry)
        call = _with_agents(call, channel, standing, agents, at)
        call = _with_holds(call, standing)
        call = _with_consult(call, channel, standing)
        after = after.with_call(_with_emergency(call, channel, standing))
    gone = [call for call in before.calls if call not in after.calls]
    return replace(after, ended=(*before.ended, *gone))


def _attempts(standing: Sequence[_Channel], before: Snapshot) -> dict[AttemptId, Attempt]:
    """The calls out: told by the agent's channel, answered where it is in a bridge."""
    found = {}
    for channel in standing:
        attempt = AttemptId(channel.variables.get(ATTEMPT, ""))
        agent = AgentId(channel.variables.get(ATTEMPT_AGENT, ""))
        if attempt and agent:
            number = channel.variables.get(ATTEMPT_TARGET, "")
            known = before.attempts.get(attempt) or Attempt(attempt, agent, number)
            is_answered = known.is_answered or bool(channel.bridge)
            found[attempt] = replace(known, is_answered=is_answered)
    return found


def _agents(queues: Sequence[Message], before: Snapshot) -> dict[AgentId, Agent]:
    # Phones are asked for anew; an agent who is no longer in a queue is no longer known.
    agents: dict[AgentId, Agent] = {}
    for item in queues:
        if item.name == "QueueMember":
            agent = member({}, item)
            agents[agent.agent] = agent
    return agents


def _is_caller(channel: _Channel, before: Snapshot) -> bool:
    if channel.variables.get(ARRIVED) == "1" or channel.unique_id in before.calls:
        return True
    # Who dials 110 directly never passes the hotline's entry; an agent who does is no caller.
    is_agent = channel.variables.get(EMERGENCY_SOURCE) == "agent"
    return bool(_emergency_line(channel)) and not is_agent


def _emergency_line(channel: _Channel) -> str:
    """The line being dialled or spoken to; the dialplan empties the source when it gives up."""
    source = channel.variables.get(EMERGENCY_SOURCE, "")
    return channel.variables.get(EMERGENCY_LINE, "") if source else ""


def _caller(channel: _Channel, before: Snapshot, at: datetime) -> Call:
    """The call as it was known before, or as its channel tells; without queue and agents."""
    call = CallId(channel.unique_id)
    known = before.calls.get(call)
    is_paused = channel.variables.get(RECORDING_PAUSED) == "1"
    if known is None:
        return Call(
            call,
            caller_number=channel.variables.get(NUMBER, channel.number),
            caller_name=channel.name,
            called_number=channel.variables.get(CALLED)
            or channel.variables.get(EMERGENCY_LINE)
            or channel.exten,
            arrived_at=began_at(call) or at,
            is_recording_paused=is_paused,
        )
    heard = {ring.ring for ring in known.rings}
    return replace(
        known,
        is_recording_paused=is_paused,
        queue=None,
        position=0,
        rings=(),
        answering=None,
        past_rings=known.past_rings | heard | ({known.talk.ring} if known.talk else set()),
    )


def _queued(call: Call, entry: Message | None) -> Call:
    if entry is None:
        return call
    position = entry.get("Position")
    return replace(
        call,
        queue=entry.get("Queue"),
        position=int(position) if position.isascii() and position.isdigit() else 0,
    )


def _with_agents(
    call: Call,
    caller: _Channel,
    standing: Sequence[_Channel],
    agents: dict[AgentId, Agent],
    at: datetime,
) -> Call:
    """Who rings for the call, or talks in it."""
    theirs = [
        channel
        for channel in standing
        if channel.endpoint in agents and channel.linked_id == caller.linked_id
    ]
    talker = _talker(call, caller, theirs)
    talk = None if talker is None else _talk(call.talk, talker, caller, at)
    rings = [
        Ring(RingId(channel.unique_id), channel.endpoint)
        for channel in theirs
        if channel is not talker and call.queue is not None and channel.state in _RINGING_STATES
        if channel.endpoint is not None
    ]
    now_heard = {ring.ring for ring in rings}
    past = call.past_rings - now_heard | ({talk.ring} if talk else set())
    return replace(
        call,
        talk=talk,
        rings=tuple(rings),
        past_rings=frozenset(past),
        was_answered=call.was_answered or talk is not None,
    )


def _talker(call: Call, caller: _Channel, theirs: Sequence[_Channel]) -> _Channel | None:
    """The agent's channel: in one bridge with the caller, or asking somebody while they hold.

    Of several (a colleague is asked, or joined in) it is the one known before, else the oldest.
    """
    is_held = caller.variables.get(ON_HOLD) == "1"
    # Between the answer and the bridge, for some milliseconds, neither is in one.
    is_joining = call.queue is None and not caller.bridge
    found = [
        channel
        for channel in theirs
        if (caller.bridge and (channel.bridge == caller.bridge or (is_held and channel.bridge)))
        or (is_joining and channel.state == _UP and not channel.bridge)
    ]
    known = call.talk.channel if call.talk is not None else ""
    return min(
        found, key=lambda each: (each.unique_id != known, _order(each.unique_id)), default=None
    )


def _order(unique_id: str) -> int:
    number = unique_id.rpartition(".")[2]
    return int(number) if number.isascii() and number.isdigit() else 0


def _with_holds(call: Call, standing: Sequence[_Channel]) -> Call:
    """Who holds the other side, told by the channel that is held; untold, it is as it was."""
    if call.talk is None:
        return call
    holders: dict[str, Speaker] = {call.call: "agent", call.talk.channel: "citizen"}
    held = set(call.talk.held)
    for channel in standing:
        if channel.unique_id not in holders or ON_HOLD not in channel.variables:
            continue
        if channel.variables[ON_HOLD] == "1":
            held.add(holders[channel.unique_id])
        else:
            held.discard(holders[channel.unique_id])
    return replace(call, talk=replace(call.talk, held=frozenset(held)))


def _talk(known: Talk | None, channel: _Channel, caller: _Channel, at: datetime) -> Talk:
    if known is not None and known.channel == channel.unique_id:
        return replace(known, bridge=caller.bridge)
    ring, agent = RingId(channel.unique_id), channel.endpoint or AgentId("")
    return Talk(ring, agent, channel.unique_id, bridge=caller.bridge, since_at=at)


def _with_consult(call: Call, caller: _Channel, standing: Sequence[_Channel]) -> Call:
    """Whether the asking that was known is still under way; one begun unseen shows as a hold."""
    if call.talk is None or call.talk.consult is None:
        return call
    together = [each for each in standing if caller.bridge and each.bridge == caller.bridge]
    is_joined = len([each for each in together if stream_of_channel(each.channel) is None]) > 2
    if is_joined:
        consult = replace(call.talk.consult, state=ConsultState.JOINED)
    elif "agent" in call.talk.held and call.talk.consult.state is not ConsultState.JOINED:
        consult = call.talk.consult
    else:
        return replace(call, talk=replace(call.talk, consult=None))
    return replace(call, talk=replace(call.talk, consult=consult))


def _with_emergency(call: Call, caller: _Channel, standing: Sequence[_Channel]) -> Call:
    line = _emergency_line(caller) or caller.variables.get(WARM_LINE, "")
    if not line:
        return replace(call, emergency_line="")
    others = agent_channels(call) | {caller.unique_id}
    is_connected = any(
        channel.bridge == caller.bridge and channel.unique_id not in others
        for channel in standing
        if caller.bridge
    )
    return replace(
        call,
        emergency_line=line,
        is_emergency_connected=call.is_emergency_connected
        or caller.variables.get(WARM_ANSWERED) == "1"
        or (is_connected and not call.talk),
    )
