"""What the switch tells of calls, kept on their cards and in the records.

No desk is moved and nobody is told anything here: that is ``server.live.centre``.
"""

from collections.abc import Callable, Coroutine
from datetime import datetime

import structlog

from base.errors import HotlineError
from base.ids import AgentId, CallId, RingId
from base.task_set import TaskSet
from server.live.call_desk import CallDesk
from server.live.calls import LiveCall
from server.live.notes import EndRing, KeepCall, KeepRing
from server.live.records import CallFacts, Records
from server.live.scribe import Scribe
from server.push import protocol as wire
from telephony import events as tel
from telephony.switch import Switch

log = structlog.get_logger(__name__)


class CallLearner:
    """The live calls, and whom each agent is dialling.

    ``is_linked`` tells whether Asterisk is followed without a gap now; ``not_counted`` is told
    the number of each call that nobody answered.
    """

    def __init__(
        self,
        *,
        switch: Switch,
        call_desk: CallDesk,
        records: Records,
        scribe: Scribe,
        tasks: TaskSet,
        now: Callable[[], datetime],
        is_linked: Callable[[], bool],
        not_counted: Callable[[str], Coroutine[None, None, None]] | None,
    ) -> None:
        self._switch = switch
        self._call_desk = call_desk
        self._records = records
        self._scribe = scribe
        self._tasks = tasks
        self._now = now
        self._is_linked = is_linked
        self._not_counted = not_counted
        self.calls: dict[CallId, LiveCall] = {}
        self.dialled: dict[AgentId, wire.Dialled] = {}
        self._changed: set[CallId] = set()

    def call(self, call: CallId) -> LiveCall:
        """Its card, begun if there is none."""
        return self.calls.setdefault(call, LiveCall(call))

    def take_changed(self) -> set[CallId]:
        """The calls whose card is to be shown anew since this was last asked."""
        changed, self._changed = self._changed, set()
        return changed

    def learn(self, event: tel.TelephonyEvent) -> None:
        """Keep what the event tells of its call, on its card and in the records."""
        match event:
            case tel.CallArrived():
                call = self.call(event.call)
                call.caller_number, call.caller_name = event.caller_number, event.caller_name
                call.called_number, call.arrived_at = event.called_number, event.at
                # Before the link counts as up we are told what happened while we were away.
                call.is_followed = self._is_linked()
                self._tasks.spawn(self._find_history(call), name="history")
            case tel.CallQueued():
                call = self.call(event.call)
                call.queue, call.queued_at = event.queue, call.queued_at or event.at
                log.info("call_queued", call=event.call, queue=event.queue, position=event.position)
            case tel.CallAnswered():
                call = self.call(event.call)
                call.agent, call.answered_at = event.agent, call.answered_at or event.at
                call.ended_at = None  # they may have talked with another agent before
                self._note_ring_end(event.ring, "answered", event.at)
            case tel.LegHeld():
                self.call(event.call).hold(event.speaker)
                self._changed.add(event.call)
                return
            case tel.LegResumed():
                self.call(event.call).resume(event.at, event.speaker)
                self._changed.add(event.call)
                return
            case tel.ConsultChanged():
                call = self.call(event.call)
                if call.agent is not None:
                    self._call_desk.consult_changed(call, event, call.agent)
                self._changed.add(event.call)
                return
            case tel.RecordingChanged():
                call = self.call(event.call)
                self._call_desk.recording_changed(call, is_paused=event.is_paused, at=event.at)
                self._changed.add(event.call)
                return
            case tel.AttemptBegan() | tel.AttemptAnswered() | tel.AttemptOver():
                self._learn_attempt(event)
                return
            case tel.AgentLeft():
                call = self.call(event.call)
                call.resume(event.at)
                self._call_desk.agent_left(call)
                if call.recording_paused_at is not None:
                    # Nobody else knows of it, and the caller talks on.
                    self._tasks.spawn(self._record_on(event.call), name="record")
                return
            case tel.EmergencyDialled():
                call = self.call(event.call)
                call.emergency = wire.Emergency(line=event.line, state="dialling")
                log.warning("emergency_dialled", call=event.call, line=event.line)
            case tel.EmergencyConnected():
                call = self.call(event.call)
                call.emergency = wire.Emergency(line=event.line, state="connected")
            case tel.EmergencyUnreached():
                call = self.call(event.call)
                call.emergency = wire.Emergency(line=event.line, state="unreached")
                log.error("emergency_unreached", call=event.call, line=event.line)
            case tel.CallEnded():
                call = self.call(event.call)
                call.ended_at, call.outcome = event.at, event.outcome
                self._call_desk.call_ended(call, event.at)
                tell = self._not_counted
                if event.outcome is tel.Outcome.ABANDONED and tell is not None:
                    self._tasks.spawn(tell(call.caller_number), name="not-counted")
            case tel.AgentRinging():
                self._scribe.note(KeepRing(event.ring, event.call, event.agent, event.at))
                return
            case tel.AgentRingEnded():
                self._note_ring_end(event.ring, event.reason.value, event.at)
                return
            case _:
                return
        self._keep_call(call, is_over=isinstance(event, tel.CallEnded))

    def _learn_attempt(self, event: tel.AttemptEvent) -> None:
        attempt = self._call_desk.attempt_changed(event)
        if isinstance(event, tel.AttemptOver) or attempt is None:
            self.dialled.pop(event.agent, None)
            return
        state: wire.DialledState = "talking" if attempt.answered_at else "ringing"
        self.dialled[event.agent] = wire.Dialled(
            attempt=attempt.id, number=attempt.number, state=state
        )

    async def _record_on(self, call: CallId) -> None:
        try:
            await self._switch.control.pause_recording(call, is_paused=False)
        except HotlineError as error:
            log.warning("recording_stays_paused", call=call, code=error.code)

    async def _find_history(self, call: LiveCall) -> None:
        try:
            call.history = await self._records.history(call.caller_number, call.call)
        except HotlineError as error:
            log.warning("history_unavailable", call=call.call, error=error.code)
        call.history_known.set()

    def _keep_call(self, call: LiveCall, *, is_over: bool) -> None:
        facts = CallFacts(
            call=call.call,
            caller_number=call.caller_number,
            caller_name=call.caller_name,
            called_number=call.called_number,
            arrived_at=call.arrived_at or self._now(),
            queue=call.queue or None,
            queued_at=call.queued_at,
            agent=call.agent,
            answered_at=call.answered_at,
            ended_at=call.ended_at if is_over else None,
            outcome=call.outcome,
            emergency_line=call.emergency.line if call.emergency else None,
            is_settled=is_over and call.is_followed,
        )
        self._scribe.note(KeepCall(facts))

    def _note_ring_end(self, ring: RingId, ended_by: str, at: datetime) -> None:
        self._scribe.note(EndRing(ring, ended_by, at))
