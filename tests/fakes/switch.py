"""A telephone switch in memory: the ``Switch`` port for tests of other rooms.

A test plays Asterisk by its stage methods (``arrive``, ``ring``, ``answer`` …); the contract suite
that real Asterisk passes holds for this one too.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from msgspec.structs import replace

from base.ids import AgentId, AttemptId, CallId, RingId, StreamId
from telephony.events import (
    AgentPhone,
    AgentRingEnded,
    AttemptOver,
    AttemptResult,
    ConsultState,
    LinkChanged,
    RingEnd,
    SwitchEvent,
)
from telephony.failures import (
    ActionRefused,
    CallGone,
    ForkFailed,
    LinkClosed,
    LinkDown,
    NotDone,
    TelephonyError,
)
from telephony.resync import LiveFork
from telephony.snapshot import Agent, Attempt, Call, Consult, Ring, Snapshot, Talk, changes, end_of
from telephony.switch import Speaker


class FakeControl:
    """What is done inside a conversation; whoever is asked answers when ``asked_answers`` says."""

    def __init__(self, switch: "FakeSwitch") -> None:
        self._switch = switch
        self.dialled: list[tuple[AgentId, AttemptId, str]] = []
        self.sent_on: list[tuple[CallId, str]] = []
        self.is_agent_absent = False
        """Nobody takes the agent's phone when it rings for a call out."""

    async def hold(self, call: CallId) -> None:
        self._need_talking(call, "hold")
        self._change(call, held=frozenset({"agent"}))

    async def resume(self, call: CallId) -> None:
        if "agent" not in self._talk(call).held:
            raise NotDone(call=call, what="resume")
        self._change(call, held=frozenset(), consult=None)

    async def consult(self, call: CallId, number: str) -> None:
        self._need_talking(call, "consult")
        consult = Consult(number, ConsultState.DIALLING)
        self._change(call, held=frozenset({"agent"}), consult=consult)

    async def hand_over(self, call: CallId) -> None:
        if self._talk(call).consult is None:
            raise NotDone(call=call, what="hand_over")
        await self.let_go(call)

    async def three_way(self, call: CallId) -> None:
        known = self._talk(call).consult
        if known is None or known.state is not ConsultState.ANSWERED:
            raise NotDone(call=call, what="three_way")
        consult = replace(known, state=ConsultState.JOINED)
        self._change(call, held=frozenset(), consult=consult)

    async def send_on(self, call: CallId, number: str) -> None:
        self._need_talking(call, "send_on")
        self.sent_on.append((call, number))
        await self.let_go(call)

    async def let_go(self, call: CallId) -> None:
        self._talk(call)
        self._switch.agent_leaves(call)

    async def pause_recording(self, call: CallId, *, is_paused: bool) -> None:
        self._switch.pause_recording(call, is_paused=is_paused)

    async def dial(self, agent: AgentId, attempt: AttemptId, number: str) -> None:
        self._switch.need_link()
        if self.is_agent_absent:
            raise NotDone(agent=agent, what="dial")
        self.dialled.append((agent, attempt, number))

    def asked(self, call: CallId, state: ConsultState) -> None:
        """Whoever is asked answers, or is gone."""
        known = self._talk(call).consult
        assert known is not None
        if state is ConsultState.ANSWERED:
            self._change(call, consult=replace(known, state=state))
        else:
            self._change(call, held=frozenset(), consult=None)

    def _need_talking(self, call: CallId, what: str) -> None:
        talk = self._talk(call)
        if "agent" in talk.held or talk.consult is not None:
            raise NotDone(call=call, what=what)

    def _talk(self, call: CallId) -> Talk:
        self._switch.need_link()
        return self._switch.talk(call)

    def _change(self, call: CallId, **values: Any) -> None:
        self._switch.become_talk(call, replace(self._talk(call), **values))


class FakeSwitch:
    """Follows its stage methods at once; its events wait until they are read."""

    def __init__(self, *agents: str) -> None:
        self._truth = Snapshot()
        for agent in agents or ("1001", "1002", "1003"):
            known = Agent(AgentId(agent), phone=AgentPhone.IDLE)
            self._truth = self._truth.with_agent(known)
        self._told = Snapshot()
        self._read = Snapshot()
        # Unbounded: a test's events are few, and a lost one would hide a fault.
        self._events: asyncio.Queue[tuple[SwitchEvent, Snapshot] | None] = asyncio.Queue()
        self._closing = asyncio.Event()
        self._is_up = False
        self._numbers = count(1)
        self.forks: list[tuple[CallId, Speaker, StreamId]] = []
        self.broken_forks: set[StreamId] = set()
        self.is_speech_down = False
        self.acts: dict[str, tuple[CallId, str]] = {}
        """Leaders' phones on a conversation, and how."""
        self.called_back: list[tuple[CallId, str, int | None]] = []
        self.tested: list[tuple[str, str]] = []
        self.trunk_outcomes: dict[str, str] = {}
        self.brought_in: list[tuple[CallId, str, AgentId]] = []
        self.control = FakeControl(self)
        self.ended_by_rules: list[CallId] = []

    def for_a_new_bridge(self) -> "FakeSwitch":
        """The same switch, followed by another process that knows nothing yet."""
        other = FakeSwitch()
        other._truth, other._numbers = self._truth, self._numbers
        other.forks, other.broken_forks = self.forks, self.broken_forks
        other.control.dialled, other.control.sent_on = self.control.dialled, self.control.sent_on
        return other

    # ------------------------------------------------------------------------------ the port

    async def run(self) -> None:
        self.regain_link()
        await self._closing.wait()

    def close(self) -> None:
        if not self._closing.is_set():
            self._closing.set()
            self._is_up = False
            self._events.put_nowait(None)

    async def events(self) -> AsyncIterator[SwitchEvent]:
        while (item := await self._events.get()) is not None:
            event, self._read = item
            yield event

    def snapshot(self) -> Snapshot:
        return self._read

    async def fork(
        self, call: CallId, speaker: Speaker, stream: StreamId, host: str, port: int
    ) -> None:
        self.need_link()
        known = self._truth.calls.get(call)
        if known is None or (speaker == "agent" and known.talk is None):
            raise CallGone(call=call, speaker=speaker)
        if self.is_speech_down:
            raise ForkFailed(call=call, speaker=speaker)
        self.forks.append((call, speaker, stream))

    async def live_forks(self) -> list[LiveFork]:
        self.need_link()
        return [
            LiveFork(stream, call, speaker)
            for call, speaker, stream in self.forks
            if call in self._truth.calls and stream not in self.broken_forks
        ]

    async def end_fork(self, stream: StreamId) -> None:
        self.need_link()
        self.broken_forks.add(stream)

    async def pause(self, agent: AgentId, reason: str) -> None:
        self._set_pause(agent, is_paused=True, reason=reason)

    async def unpause(self, agent: AgentId) -> None:
        self._set_pause(agent, is_paused=False, reason="")

    async def hangup(self, call: CallId) -> None:
        self.need_link()
        if call not in self._truth.calls:
            raise CallGone(call=call)
        self.end(call)

    async def call_back(
        self, call: CallId, number: str, queue: str, place: int | None, *, wait_s: int
    ) -> None:
        """The virtual caller waits; ``ring`` and ``answer`` go on."""
        self.need_link()
        self.called_back.append((call, number, place))
        self._change(Call(call, number, "", "return", _now(), queue=queue, position=place or 1))

    async def spy(self, call: CallId, phone: str, act: str, mode: str) -> None:
        """The leader's phone is answered at once; ``leader_hangs_up`` ends it."""
        self._listen(call, act, mode)

    async def take_over(self, call: CallId, phone: str, act: str) -> None:
        """As if the leader had answered: the caller is with them, the agent has left."""
        self._listen(call, act, "take_over")
        self._change(replace(self._call(call), talk=None))

    def _listen(self, call: CallId, act: str, mode: str) -> None:
        self.need_link()
        known = self._truth.calls.get(call)
        if known is None or known.talk is None:
            raise CallGone(call=call, speaker="agent")
        self.acts[act] = (call, mode)

    async def live_acts(self) -> dict[str, bool]:
        self.need_link()
        return {act: True for act, (call, _) in self.acts.items() if call in self._truth.calls}

    def leader_hangs_up(self) -> None:
        """Every leader's phone."""
        self.acts.clear()

    async def bring_in_emergency(self, call: CallId, line: str, agent: AgentId) -> None:
        """The line rings; ``emergency_answers`` says that it answered."""
        self.need_link()
        if call not in self._truth.calls:
            raise CallGone(call=call)
        self.brought_in.append((call, line, agent))
        self._change(replace(self._call(call), emergency_line=line))

    async def test_trunk(self, trunk: str, number: str) -> str:
        self.need_link()
        self.tested.append((trunk, number))
        return self.trunk_outcomes.get(trunk, "answered")

    async def end_by_rules(self, call: CallId) -> None:
        """The caller is told; then their line ends."""
        self.need_link()
        if call not in self._truth.calls:
            raise CallGone(call=call)
        self.ended_by_rules.append(call)
        self.end(call)

    def need_link(self) -> None:
        if self._closing.is_set():
            raise LinkClosed()
        if not self._is_up:
            raise LinkDown()

    def _set_pause(self, agent: AgentId, *, is_paused: bool, reason: str) -> None:
        self.need_link()
        known = self._truth.agents.get(agent)
        if known is None:
            raise ActionRefused(action="QueuePause")
        changed = replace(known, is_paused=is_paused, pause_reason=reason)
        self._become(self._truth.with_agent(changed))

    # ----------------------------------------------------------------------------- the stage

    def arrive(self, number: str = "13800000001", *, called: str = "12345") -> CallId:
        call = CallId(f"fake-1700000000.{next(self._numbers)}")
        self._change(Call(call, number, "", called, _now()))
        return call

    def queue(self, call: CallId, queue: str = "hotline", *, ago: timedelta = timedelta()) -> None:
        """``ago``: how long it has waited there already."""
        waiting = replace(self._call(call), queue=queue, position=1)
        self._become(self._truth.with_call(waiting), at=_now() - ago)

    def ring(self, call: CallId, agent: str) -> RingId:
        ring = Ring(RingId(f"fake-1700000000.{next(self._numbers)}"), AgentId(agent))
        known = self._call(call)
        self._change(replace(known, rings=(*known.rings, ring)))
        return ring.ring

    def stop_ringing(self, call: CallId, ring: RingId, reason: RingEnd) -> None:
        known = self._call(call)
        ended = known.ring_of(ring)
        assert ended is not None
        told = AgentRingEnded(call, ring, ended.agent, reason, _now())
        self._tell([told], self._truth.with_call(known.without_ring(ring)))

    def answer(self, call: CallId, ring: RingId) -> None:
        known = self._call(call)
        rung = known.ring_of(ring)
        assert rung is not None
        talk = Talk(ring, rung.agent, channel=ring, since_at=_now())
        answered = replace(known, talk=talk, rings=(), queue=None, position=0, was_answered=True)
        self._change(answered)

    def agent_leaves(self, call: CallId) -> None:
        self._change(replace(self._call(call), talk=None))

    def emergency_answers(self, call: CallId) -> None:
        self._change(replace(self._call(call), is_emergency_connected=True))

    def hold(self, call: CallId, *, is_held: bool) -> None:
        """The agent's phone holds the caller, or takes them back."""
        known = self._call(call)
        assert known.talk is not None
        held = frozenset[Speaker]({"agent"} if is_held else ())
        self._change(replace(known, talk=replace(known.talk, held=held)))

    def talk(self, call: CallId) -> Talk:
        known = self._truth.calls.get(call)
        if known is None or known.talk is None:
            raise CallGone(call=call, speaker="agent")
        return known.talk

    def become_talk(self, call: CallId, talk: Talk) -> None:
        self._change(replace(self._call(call), talk=talk))

    def pause_recording(self, call: CallId, *, is_paused: bool) -> None:
        self.need_link()
        if call not in self._truth.calls:
            raise CallGone(call=call)
        self._change(replace(self._call(call), is_recording_paused=is_paused))

    def hang_up(self, call: CallId) -> None:
        """The caller presses the red button."""
        self._change(replace(self._call(call), has_hung_up=True))
        self.end(call)

    def end(self, call: CallId) -> None:
        """The caller's line is gone, by whatever hand."""
        known = self._call(call)
        self._tell(end_of(known, at=_now()), self._truth.without_call(known))

    def phone(self, agent: str, phone: AgentPhone) -> None:
        known = self._truth.agents.get(AgentId(agent)) or Agent(AgentId(agent))
        self._become(self._truth.with_agent(replace(known, phone=phone)))

    def unpause_by_phone(self, agent: str) -> None:
        """The agent's phone code: Asterisk does it with or without us."""
        known = self._truth.agents[AgentId(agent)]
        self._become(self._truth.with_agent(replace(known, is_paused=False, pause_reason="")))

    def forget_marks(self) -> None:
        """As if no pause had ever reached the queues, and nobody was told."""
        for known in list(self._truth.agents.values()):
            self._truth = self._truth.with_agent(replace(known, is_paused=False, pause_reason=""))
        self._told = self._read = self._truth

    def dial_out(self, agent: str, attempt: str, number: str) -> AttemptId:
        """The agent has taken the phone, the number rings."""
        made = Attempt(AttemptId(attempt), AgentId(agent), number)
        self._become(self._truth.with_attempt(made))
        return made.attempt

    def attempt_answers(self, attempt: AttemptId) -> None:
        known = self._truth.attempts[attempt]
        self._become(self._truth.with_attempt(replace(known, is_answered=True)))

    def attempt_ends(self, attempt: AttemptId, result: AttemptResult, rang_s: float = 1.0) -> None:
        known = self._truth.attempts[attempt]
        talked_s = 2.0 if known.is_answered else 0.0
        told = AttemptOver(attempt, known.agent, result, rang_s, talked_s, _now())
        self._tell([told], self._truth.without_attempt(attempt))

    def lose_link(self) -> None:
        self._is_up = False
        self._put(LinkChanged(is_up=False, at=_now(), reason=LinkDown.code))

    def regain_link(self) -> None:
        self._is_up = True
        self._become(self._truth)
        self._put(LinkChanged(is_up=True, at=_now()))

    def _call(self, call: CallId) -> Call:
        known = self._truth.calls.get(call)
        if known is None:
            raise TelephonyError("No such call on this stage.", call=call)
        return known

    def _change(self, call: Call) -> None:
        self._become(self._truth.with_call(call))

    def _become(self, truth: Snapshot, at: datetime | None = None) -> None:
        self._tell(changes(self._told, truth, at=at or _now()), truth)

    def _tell(self, events: Iterable[SwitchEvent], truth: Snapshot) -> None:
        self._truth = truth
        if self._is_up:
            self._told = truth
            for event in events:
                self._put(event)

    def _put(self, event: SwitchEvent) -> None:
        self._events.put_nowait((event, self._told))


def _now() -> datetime:
    return datetime.now(UTC)
