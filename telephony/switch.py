"""The telephone switch as the other rooms know it: what happens to calls, and what may be asked.

``Switch`` is the port; ``AsteriskSwitch`` is Asterisk behind it. The events are the truth in order:
after each gap in the link they first lead to what is true now, then ``LinkChanged`` says so.
"""

import asyncio
import contextlib
import re
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol, assert_never

import structlog

from base.errors import HotlineError
from base.ids import AgentId, CallId, StreamId
from telephony import actions, resync
from telephony.audit import Audit
from telephony.client import AmiClient
from telephony.control import AsteriskControl, CallControl
from telephony.emergency_lines import EMERGENCY_LINES
from telephony.events import LinkChanged, SwitchEvent, TelephonyEvent
from telephony.events import Speaker as Speaker
from telephony.failures import ActionRefused, CallGone, ForkFailed, LinkDown, TelephonyError
from telephony.follower import Follower
from telephony.inbox import InboxClosed, LinkFailed, LinkUp, Listed
from telephony.journey import Journey
from telephony.resync import LiveFork
from telephony.snapshot import Snapshot, changes
from telephony.wire import Message

log = structlog.get_logger(__name__)

JOURNEYS_KEPT: Final = 256
AUDIT_EVERY_S: Final = 30.0
# Asterisk tells of a change within milliseconds; what is not told after this is lost.
SECOND_LOOK_S: Final = 3.0
# A reader this far behind has better things to do than to look for drift.
BUSY_MESSAGES: Final = 200
_DIALLABLE: Final = re.compile(r"[+]?[0-9]{3,20}")
_QUEUE: Final = re.compile(r"[a-z][a-z0-9_]{0,30}")
SIGNED_OUT: Final = "offline"
"""The reason of a pause that is none: nobody is there."""


# OriginateResponse's reasons (include/asterisk/frame.h, AST_CONTROL_…).
_WHY_NOT_ANSWERED: Final = {"3": "no_answer", "5": "busy", "8": "congested"}


class Switch(Protocol):
    """What a telephone switch must do for us. Every request raises TelephonyError if it fails."""

    async def run(self) -> None:
        """Keep the link up until ``close`` or cancellation; give it to a task set."""

    def events(self) -> AsyncIterator[SwitchEvent]:
        """All that happens, in order, to one reader; ends with ``close``."""

    def snapshot(self) -> Snapshot:
        """The picture after the last event that was read."""

    async def fork(
        self, call: CallId, speaker: Speaker, stream: StreamId, host: str, port: int
    ) -> None:
        """Send one side's voice to a speech server until that side hangs up."""

    async def live_forks(self) -> Sequence[LiveFork]:
        """The forks that stand, whoever made them; one whose sound arrives nowhere is none."""

    async def end_fork(self, stream: StreamId) -> None:
        """Stop sending a side's voice; one that does not stand is no error."""

    async def pause(self, agent: AgentId, reason: str) -> None:
        """Take the agent out of the queues' choice."""

    async def unpause(self, agent: AgentId) -> None:
        """Offer calls to the agent again."""

    async def hangup(self, call: CallId) -> None:
        """End the caller's line."""

    async def call_back(
        self, call: CallId, number: str, queue: str, place: int | None, *, wait_s: int
    ) -> None:
        """Put a virtual caller into the queue, at that place or at the end; the citizen is dialled
        when an agent has taken it. ``call`` becomes the id of its call."""

    async def end_by_rules(self, call: CallId) -> None:
        """Tell the caller that the conversation ends by the rules, and end it."""

    async def bring_in_emergency(self, call: CallId, line: str, agent: AgentId) -> None:
        """Dial 110, 119, 120 or 122 beside the conversation; it joins when it answers."""

    async def test_trunk(self, trunk: str, number: str) -> str:
        """Call a harmless number over an emergency trunk: ``answered``, or why not."""

    @property
    def control(self) -> CallControl:
        """Hold, ask, hand over: what is done inside a conversation."""

    async def spy(self, call: CallId, phone: str, act: str, mode: str) -> None:
        """Ring a leader's phone to ``listen``, ``whisper`` to the agent or ``join`` both."""

    async def take_over(self, call: CallId, phone: str, act: str) -> None:
        """Ring a leader's phone; the caller goes to it from the agent when it is answered."""

    async def live_acts(self) -> Mapping[str, bool]:
        """The acts whose leader's phone rings (False) or was answered (True)."""

    def close(self) -> None:
        """End the link for good."""


class AsteriskSwitch:
    """Asterisk 20 or 22 by its manager interface."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        username: str,
        secret: str,
        audit_every_s: float = AUDIT_EVERY_S,
        second_look_s: float = SECOND_LOOK_S,
    ) -> None:
        self.client = AmiClient(host=host, port=port, username=username, secret=secret)
        self._follower = Follower()
        self._follower.on_journey = self._note_journey
        self.control = AsteriskControl(self.client.send, self.snapshot)
        self._audit = Audit()
        self._audit_every_s, self._second_look_s = audit_every_s, second_look_s
        self._is_listed = False
        """An audit's lists wait to be read; no more are asked for meanwhile."""
        self._out: dict[AgentId, bool] = {}
        """Who is marked as signed out in the dialplan, as far as we told it."""
        self.audits = 0
        self._is_read = False
        self._was_up = False
        self.journeys: deque[Journey] = deque(maxlen=JOURNEYS_KEPT)
        """The last that ended, of any caller and phone; overflow: the oldest is forgotten."""
        self.journey_outcomes: Counter[str] = Counter()
        self.drift: Counter[str] = Counter()
        """Events that a resync or an audit had to add, by name: what was lost on the way."""

    @property
    def unknown_events(self) -> Counter[str]:
        """Names of events that no Asterisk we know of sends, or that we failed to understand."""
        return self._follower.unknown_events

    def _note_journey(self, journey: Journey) -> None:
        self.journeys.append(journey)
        self.journey_outcomes[journey.outcome.value] += 1

    @property
    def is_up(self) -> bool:
        return self.client.is_up

    @property
    def last_error(self) -> HotlineError | None:
        """Why there is no link; None while there is one."""
        return self.client.last_error

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            audit = tasks.create_task(self._keep_auditing(), name="audit")
            await self.client.run()
            audit.cancel()

    async def wait_until_up(self, *, timeout_s: float) -> None:
        """For set-up and doctor, beside ``run``: returns with a link, or raises what is wrong."""
        await self.client.wait_until_up(timeout_s=timeout_s)

    def close(self) -> None:
        self.client.close()

    def snapshot(self) -> Snapshot:
        return self._follower.snapshot

    async def events(self) -> AsyncIterator[SwitchEvent]:
        if self._is_read:
            raise TelephonyError("The events of a switch have one reader.")
        self._is_read = True
        while True:
            item = await self.client.inbox.take()
            match item:
                case Message():
                    for event in self._follower.apply(item):
                        yield event
                case LinkUp():
                    self._out.clear()  # it may be another Asterisk
                    for told in await self._catch_up():
                        yield told
                case Listed():
                    for told in self._look(item):
                        yield told
                case LinkFailed(error=error):
                    yield LinkChanged(is_up=False, at=_now(), reason=error.code)
                case InboxClosed():
                    return
                case _ as never:
                    assert_never(never)

    async def _catch_up(self) -> list[SwitchEvent]:
        """Bring the reader to the truth; what came meanwhile waits in the inbox."""
        at = _now()
        try:
            truth = await resync.take_snapshot(self.client.send, self._follower.snapshot, at=at)
        except TelephonyError as error:
            # A refused question or a late answer: without the truth this link is of no use.
            log.error("resync_failed", code=error.code, error=str(error))
            self.client.drop(error if isinstance(error, LinkDown) else LinkDown(reason=error.code))
            return []
        events = changes(self._follower.snapshot, truth, at=at)
        self._follower.snapshot = truth
        # What a journey went through in the gap is not known: no half ones are told.
        self._follower.forget_journeys()
        self._audit.forget()
        self._is_listed = False  # an overflow may have taken the lists
        missed = Counter(type(event).__name__ for event in events if self._was_up)
        self.drift.update(missed)
        self._was_up = True
        log.info("resync_done", calls=len(truth.calls), agents=len(truth.agents), **missed)
        return [*events, LinkChanged(is_up=True, at=_now())]

    async def _keep_auditing(self) -> None:
        """Ask for the true picture now and then; the reader compares it, in the order of events."""
        while True:
            has_suspects = self._audit.has_suspects
            await asyncio.sleep(self._second_look_s if has_suspects else self._audit_every_s)
            is_busy = self._is_listed or len(self.client.inbox) > BUSY_MESSAGES
            if is_busy or not self.client.is_up:
                continue
            try:
                listed = await resync.ask(self.client.send)
            except TelephonyError as error:
                log.warning("audit_unanswered", code=error.code)
                continue
            self._is_listed = True
            self.client.inbox.mark(listed)

    def _look(self, listed: Listed) -> list[TelephonyEvent]:
        """Compare the live picture with the true one; tell what mends it."""
        self._is_listed = False
        self.audits += 1
        at, live = _now(), self._follower.snapshot
        truth = resync.assemble(listed.queues, listed.channels, live, at=at)
        self._follower.snapshot, events = self._audit.look(live, truth, at=at)
        if events:
            kinds = Counter(type(event).__name__ for event in events)
            self.drift.update(kinds)
            log.warning("drift_mended", **kinds)
        return events

    async def fork(
        self, call: CallId, speaker: Speaker, stream: StreamId, host: str, port: int
    ) -> None:
        channel = self._channel(call, speaker)
        answer = await self.client.send(
            actions.fork(channel, stream, call, speaker, host=host, port=port)
        )
        told = answer.events[-1]
        if told.get("Response").lower() != "success":
            raise ForkFailed(call=call, speaker=speaker, reason=told.get("Reason"))

    async def live_forks(self) -> Sequence[LiveFork]:
        answer = await self.client.send(
            actions.channel_status((actions.FORK_CALL, actions.FORK_SPEAKER))
        )
        return resync.live_forks(answer.events)

    async def end_fork(self, stream: StreamId) -> None:
        for fork in await self.live_forks():
            if fork.stream == stream:
                with contextlib.suppress(ActionRefused):  # It ended just now.
                    await self.client.send(actions.hangup(fork.channel))

    def _channel(self, call: CallId, speaker: Speaker) -> str:
        known = self._follower.snapshot.calls.get(call)
        if known is not None and speaker == "citizen":
            return call
        if known is not None and known.talk is not None:
            return known.talk.channel
        raise CallGone(call=call, speaker=speaker)

    async def pause(self, agent: AgentId, reason: str) -> None:
        await self._mark_out(agent, is_out=reason == SIGNED_OUT)
        await self.client.send(actions.pause(agent, is_paused=True, reason=reason))

    async def unpause(self, agent: AgentId) -> None:
        await self._mark_out(agent, is_out=False)
        await self.client.send(actions.pause(agent, is_paused=False))

    async def bring_in_emergency(self, call: CallId, line: str, agent: AgentId) -> None:
        if line not in EMERGENCY_LINES:
            raise ValueError(f"{line} is no emergency line")
        if call not in self._follower.snapshot.calls:
            raise CallGone(call=call)
        await self.client.send(actions.bring_in_emergency(call, line, agent))

    async def call_back(
        self, call: CallId, number: str, queue: str, place: int | None, *, wait_s: int
    ) -> None:
        if not _DIALLABLE.fullmatch(number) or not _QUEUE.fullmatch(queue):
            raise ValueError("no number, or no queue")
        await self.client.send(actions.call_back(call, number, queue, place, wait_s=wait_s))

    async def spy(self, call: CallId, phone: str, act: str, mode: str) -> None:
        channel = self._channel(call, "agent")
        await self.client.send(actions.spy(phone, channel, act, mode))

    async def take_over(self, call: CallId, phone: str, act: str) -> None:
        self._channel(call, "agent")
        await self.client.send(actions.take_over(phone, call, act))

    async def live_acts(self) -> Mapping[str, bool]:
        answer = await self.client.send(actions.channel_status((actions.SPY_ACT,)))
        return resync.live_acts(answer.events)

    async def _mark_out(self, agent: AgentId, *, is_out: bool) -> None:
        if self._out.get(agent) is not is_out:
            await self.client.send(actions.mark_out(agent, is_out=is_out))
            self._out[agent] = is_out

    async def test_trunk(self, trunk: str, number: str) -> str:
        if number in EMERGENCY_LINES:
            raise ValueError(f"{number} is no number for a test")
        answer = await self.client.send(actions.test_trunk(trunk, number))
        told = answer.events[-1]
        if told.get("Response").lower() == "success":
            return "answered"
        return _WHY_NOT_ANSWERED.get(told.get("Reason"), "failed")

    async def end_by_rules(self, call: CallId) -> None:
        if call not in self._follower.snapshot.calls:
            raise CallGone(call=call)
        await self.client.send(actions.end_by_rules(call))

    async def hangup(self, call: CallId) -> None:
        if call not in self._follower.snapshot.calls:
            raise CallGone(call=call)
        await self.client.send(actions.hangup(call))


def _now() -> datetime:
    return datetime.now(UTC)
