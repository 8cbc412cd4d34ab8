"""The live centre: what Asterisk, the speech role and signed-in people tell becomes desks.

The one place where the three feeds meet. Handlers run one at a time and await only Redis and, for
a pop, at most ``HISTORY_TIMEOUT_S`` for the caller's history; the database is written behind by
the scribe. It decides nothing about who gets which call: that is ``routing.desks``.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

import structlog

from base.errors import HotlineError
from base.ids import AgentId, AttemptId, CallId
from base.task_set import TaskSet
from routing import desks as desk
from routing.agents import AgentState, IllegalMove, Trigger
from routing.desks import Desks
from routing.reservations import NotReserved, Reservation
from server.live.agent_view import me_view
from server.live.call_desk import CallDesk, Request
from server.live.call_facts import Attempt
from server.live.call_learner import CallLearner
from server.live.calls import LiveCall
from server.live.commands import (
    BringInEmergency,
    Command,
    ControlCall,
    DialOut,
    DismissDangers,
    DraftSettled,
    EditDraft,
    EndByRules,
    RecordConsent,
    SetAgentState,
    Supervise,
)
from server.live.forks import Forks
from server.live.listening import Listening, NotYourCall
from server.live.moves import MoveLog
from server.live.publisher import Publisher
from server.live.records import ATTEMPT_RECORDING, Records, StoredCall
from server.live.scribe import Scribe
from server.live.supervision import Supervision
from server.push import protocol as wire
from telephony import events as tel
from telephony.failures import LinkDown
from telephony.past_calls import PastCall
from telephony.switch import Switch
from transcription.wire import LegHeard, SpeechMessage, StreamQuiet, StreamThin

log = structlog.get_logger(__name__)

SWITCH_TIMEOUT_S = 3.0
CONTROL_TIMEOUT_S = 2.8
"""Less than a command lives: whoever asked is still there for the answer."""
RESTORE_TIMEOUT_S = 60.0
RESTORE_EVERY_S = 0.1
RESUME_WITHIN = timedelta(minutes=30)
"""A conversation that ended longer ago is no longer put on its agent's desk."""


DIAL_LEASE = timedelta(minutes=2)
"""How long a ready agent is kept out of the queues for a call out that does not begin."""


class DialUnderWay(HotlineError):
    """This agent is dialling somebody already."""

    code = "dial_under_way"
    http_status = 409


class UnknownAgent(HotlineError):
    """There is no such agent here."""

    code = "agent_unknown"
    http_status = 404


class CallIsEmergency(HotlineError):
    """An emergency was asked for in this call: it is not ended so."""

    code = "nuisance_emergency"
    http_status = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a centre is made of."""

    desks: Desks
    switch: Switch
    call_desk: CallDesk
    forks: Forks
    publisher: Publisher
    listening: Listening
    records: Records
    scribe: Scribe
    supervision: Supervision
    now: Callable[[], datetime]
    not_counted: Callable[[str], Coroutine[None, None, None]] | None = None
    """Told the number of each call that nobody answered."""


class Centre:
    """All live calls and desks of one Asterisk node."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._desks = parts.desks
        self._publisher = parts.publisher
        self._listening = parts.listening
        self._links = wire.Links(telephony="down", speech="down", database="up")
        self._tasks = TaskSet("centre")
        self._lock = asyncio.Lock()
        self._call_desk = parts.call_desk
        self._learner = CallLearner(
            switch=parts.switch,
            call_desk=parts.call_desk,
            records=parts.records,
            scribe=parts.scribe,
            tasks=self._tasks,
            now=parts.now,
            is_linked=lambda: self._links.telephony == "up",
            not_counted=parts.not_counted,
        )
        self._dialled, self._calls = self._learner.dialled, self._learner.calls
        self._moves = MoveLog(parts.scribe)
        self._is_seen = False
        """Whether the desks have been compared with a whole picture since our start."""
        self._wrong_marks: set[desk.SetQueueMark] = set()
        self._call_ended: Callable[[], None] = lambda: None
        self.are_trunks_well = True
        """Whether every emergency trunk answered its last test; told by the tester."""
        self._link_changed: Callable[[bool], None] = lambda _is_up: None

    @property
    def publisher(self) -> Publisher:
        """What tells the pages."""
        return self._publisher

    @property
    def supervision(self) -> Supervision:
        """The leaders' acts."""
        return self._parts.supervision

    def calls_in_switch(self) -> Collection[CallId] | None:
        """The calls that Asterisk has now; None while the link to it is down."""
        is_up = self._links.telephony == "up"
        return self._parts.switch.snapshot().calls.keys() if is_up else None

    def waiting(self) -> list[tuple[CallId, str, datetime]]:
        """Who waits in which queue since when."""
        return [
            (call, now.queue, self._calls[call].queued_at or now.arrived_at)
            for call, now in self._parts.switch.snapshot().calls.items()
            if now.queue is not None and call in self._calls
        ]

    def attempts_in_switch(self) -> Collection[AttemptId]:
        """The calls out that Asterisk has now."""
        return self._parts.switch.snapshot().attempts.keys()

    def recordings_in_switch(self) -> Collection[CallId] | None:
        """Names of the recordings that may still grow; None while nobody can tell."""
        calls = self.calls_in_switch()
        if calls is None:
            return None
        out = (CallId(f"{ATTEMPT_RECORDING}{each}") for each in self.attempts_in_switch())
        return {*calls, *out}

    def when_call_ended(self, tell: Callable[[], None]) -> None:
        """``tell`` is called after each call's end."""
        self._call_ended = tell

    def when_link_changed(self, tell: Callable[[bool], None]) -> None:
        """``tell`` is called with False when a gap begins, and with True after each start and
        each gap, once the desks know the truth."""
        self._link_changed = tell

    async def close(self) -> None:
        """Stop background work; what waits for Redis is written, if Redis takes it."""
        await self._tasks.close()
        await self._listening.close()
        await self._publisher.close()

    # ---- telephony -----------------------------------------------------------------------------

    async def on_telephony(self, event: tel.SwitchEvent) -> None:
        """Take one event of the switch."""
        async with self._lock:
            if isinstance(event, tel.LinkChanged):
                await self._link_is(event.is_up)
                return
            self._learner.learn(event)
            if isinstance(event, tel.EmergencyEvent):
                await self._listening.show_card(event.call)
            await self._do(self._desks.apply(event))
            await self._show_changes(event)
            await self._parts.supervision.settle(self._do)
            if isinstance(event, tel.CallEnded):
                self._call_ended()
                self._forget(event.call)

    async def _link_is(self, is_up: bool) -> None:
        for call in self._calls.values():
            call.is_followed = False
        if not is_up:
            self._link_changed(False)
        await self._set_links(telephony="up" if is_up else "down")
        if is_up:
            await self._look_again()
            self._link_changed(True)

    async def _show_changes(self, event: tel.TelephonyEvent) -> None:
        for call in self._learner.take_changed():
            await self._listening.show_card(call)
        if isinstance(event, tel.AttemptBegan | tel.AttemptAnswered | tel.AttemptOver):
            if isinstance(event, tel.AttemptOver):
                await self._do(self._desks.release(event.agent, at=self._parts.now()))
            await self._show_me(event.agent)

    async def _show_me(self, agent: AgentId) -> None:
        if agent in self._desks:
            me = me_view(self._desks, agent, self._dialled.get(agent))
            await self._publisher.publish(agent, wire.AgentStateChanged(me=me))

    async def _look_again(self) -> None:
        """The switch has told all it knows: what the events left open is settled now."""
        await self._do(self._desks.look_again(self._marks(), at=self._parts.now()))
        if not self._is_seen:
            self._is_seen = True
            for agent in self._desks:
                self._moves.begin(agent, at=self._parts.now())

    async def _do(self, effects: Sequence[desk.DeskEffect]) -> None:
        """Pages first: neither a line of the log nor a note may stand before a pop."""
        for effect in sorted(effects, key=lambda effect: isinstance(effect, desk.Moved)):
            await self._carry_out(effect)

    async def _carry_out(self, effect: desk.DeskEffect) -> None:
        match effect:
            case desk.SetQueueMark():
                self._tasks.spawn(self._mark(effect), name="mark")
            case desk.AgentChanged():
                await self._show_me(effect.agent)
            case desk.Moved():
                self._moves.note(effect)
            case desk.ShowPop():
                await self._show_pop(effect)
            case desk.WithdrawPop():
                withdrawn = wire.PopWithdrawn(ring=effect.ring, reason=effect.reason)
                await self._publisher.publish(effect.agent, withdrawn)
            case desk.OpenCall():
                call = self._learner.call(effect.call)
                await call.wait_for_history()
                # Of an earlier conversation, seen or not, words and forks may be there already.
                is_found = not call.is_followed or call.answered_at != effect.at
                await self._listening.open(call, effect.agent, is_found=is_found)
            case desk.CloseCall():
                await self._close_call(effect)
            case desk.ClearDesk():
                await self._publisher.publish(effect.agent, wire.DeskCleared(call=effect.call))
                self._forget(effect.call)
            case desk.RestoreWrapUp():
                self._tasks.spawn(self._restore_wrap_up(effect.agent), name="wrap-up")
            case _:
                assert_never(effect)

    async def _mark(self, effect: desk.SetQueueMark) -> None:
        try:
            async with asyncio.timeout(SWITCH_TIMEOUT_S):
                if effect.is_paused:
                    await self._parts.switch.pause(effect.agent, effect.reason)
                else:
                    await self._parts.switch.unpause(effect.agent)
        except (HotlineError, TimeoutError) as error:
            # The resync after the link's return tells the desks what the queues really hold.
            log.warning("queue_mark_failed", agent=effect.agent, error=str(error))

    async def _show_pop(self, effect: desk.ShowPop) -> None:
        call = self._learner.call(effect.call)
        await call.wait_for_history()
        shown = wire.PopShown(pop=call.pop(effect.ring, effect.at))
        await self._publisher.publish(effect.agent, shown)
        self._publisher.flush()
        log.info("pop_shown", call=effect.call, agent=effect.agent)

    async def _close_call(self, effect: desk.CloseCall) -> None:
        call = self._learner.call(effect.call)
        call.ended_at = call.ended_at or effect.at
        await self._listening.end(call)
        if self._listening.is_settled(call.call):
            # Confirmed while they still talked: nothing is left to wrap up.
            await self._end_wrap_up(effect.agent, call.call)

    async def _restore_wrap_up(self, agent: AgentId) -> None:
        """Find the call again, once the records hold what a former bridge left on the disk."""
        try:
            async with asyncio.timeout(RESTORE_TIMEOUT_S):
                while self._parts.scribe.has_journal:  # noqa: ASYNC110 - it tells nobody
                    await asyncio.sleep(RESTORE_EVERY_S)
                call_id = await self._parts.records.last_unconfirmed(agent)
                stored = await self._parts.records.find_call(call_id) if call_id else None
        except (HotlineError, TimeoutError):
            log.warning("wrap_up_not_restored", agent=agent)
            return
        async with self._lock:
            now = self._desks.get(agent)
            if stored is None or now.state is not AgentState.WRAP_UP or now.call is not None:
                return
            self._desks.restore_call(agent, stored.facts.call)
            await self._restore(agent, stored)

    async def resume_wrap_ups(self, ended_unseen: Sequence[PastCall]) -> None:
        """Give agents back the conversations that ended while nobody looked, for their drafts."""
        for past in ended_unseen:
            now = self._parts.now()
            if past.agent is None or now - (past.ended_at or now) > RESUME_WITHIN:
                continue
            stored = await self._parts.records.find_call(past.call)
            is_open = stored is not None and (
                stored.draft is None or stored.draft.ticket_number is None
            )
            if stored is None or not is_open:
                continue
            async with self._lock:
                effects = self._desks.resume_wrap_up(past.agent, past.call, at=now)
                await self._do(effects)
                if effects:
                    log.info("wrap_up_resumed", agent=past.agent, call=past.call)
                    await self._restore(past.agent, stored)

    async def _restore(self, agent: AgentId, stored: StoredCall) -> None:
        facts = stored.facts
        call = self._learner.call(facts.call)
        call.caller_number, call.caller_name = facts.caller_number, facts.caller_name
        call.called_number, call.arrived_at = facts.called_number, facts.arrived_at
        call.queue, call.answered_at = facts.queue or "", facts.answered_at
        call.ended_at, call.agent = facts.ended_at or self._parts.now(), agent
        await self._listening.open(call, agent, is_found=True)

    # ---- speech, commands, time ----------------------------------------------------------------

    async def on_speech(self, message: SpeechMessage) -> None:
        """Take one message of the speech role."""
        async with self._lock:
            is_doubt = isinstance(message, StreamQuiet | StreamThin)
            if is_doubt and self._links.telephony == "down":
                return  # Nobody can say whether it is a hold; it is told again.
            await self._listening.take(message)

    def is_hearing(self, call: CallId) -> bool:
        """Whether live words of the call may still come."""
        return self._listening.is_hearing(call)

    def shown_lines(self, call: CallId) -> list[wire.Line]:
        """The lines on a desk, if the call is on one."""
        return self._listening.shown_lines(call)

    async def show_late(self, heard: LegHeard, lines: Sequence[wire.Line]) -> None:
        """Show what came from the recording."""
        async with self._lock:
            await self._listening.show_late(heard, lines)

    async def on_command(self, command: Command) -> object:
        """Carry out what a signed-in person asked for; refusals are ``HotlineError``."""
        if isinstance(command, ControlCall):
            await self._control(command)  # it waits for events: not under the lock
            return None
        async with self._lock:
            match command:
                case SetAgentState():
                    agent = AgentId(command.agent)
                    if agent not in self._desks:
                        raise UnknownAgent(agent=agent)
                    await self._wish(agent, Trigger(command.wish), command.reason)
                    return None
                case EditDraft():
                    return await self._listening.edit(
                        AgentId(command.agent), CallId(command.call), command.field, command.value
                    )
                case DraftSettled():
                    call = CallId(command.call)
                    await self._listening.settle(call, command.saved, command.ticket_number)
                    await self._end_wrap_up(AgentId(command.agent), call)
                    return None
                case BringInEmergency():
                    await self._bring_in(AgentId(command.agent), CallId(command.call), command.line)
                    return None
                case DismissDangers():
                    await self._listening.dismiss_dangers(
                        AgentId(command.agent), CallId(command.call), command.kinds
                    )
                    return None
                case RecordConsent():
                    call_id, agent = CallId(command.call), AgentId(command.agent)
                    call_now = self._call_of(agent, call_id)
                    self._call_desk.record_consent(call_now, agent, is_given=command.is_given)
                    await self._listening.show_card(call_id)
                    return None
                case DialOut():
                    return await self._dial_out(command)
                case EndByRules():
                    await self._end_by_rules(AgentId(command.agent), CallId(command.call))
                    return None
                case Supervise():
                    return await self._parts.supervision.carry_out(command, self._do)
                case _:
                    assert_never(command)

    def _call_of(self, agent: AgentId, call: CallId) -> LiveCall:
        known = self._calls.get(call)
        if agent not in self._desks or self._desks.get(agent).call != call or known is None:
            raise NotYourCall(call=call)
        return known

    async def _control(self, command: ControlCall) -> None:
        agent = AgentId(command.agent)
        call = self._call_of(agent, CallId(command.call))
        request = Request(
            agent=agent,
            call=call.call,
            action=command.action,
            number=command.number,
            kind=command.kind,
            reason=command.reason,
        )
        try:
            async with asyncio.timeout(CONTROL_TIMEOUT_S):
                await self._call_desk.carry_out(request, self._desks.get(agent), call)
        except TimeoutError as error:
            raise LinkDown() from error

    async def _dial_out(self, command: DialOut) -> dict[str, str]:
        agent = AgentId(command.agent)
        if agent not in self._desks:
            raise UnknownAgent(agent=agent)
        state = self._desks.get(agent).state
        if agent in self._dialled:
            raise DialUnderWay(agent=agent)
        if state not in (AgentState.READY, AgentState.PAUSED, AgentState.WRAP_UP):
            raise IllegalMove(state=state.value, wish="dial")
        attempt = self._call_desk.begin_attempt(
            agent, command.number, call=command.call, ticket=command.ticket
        )
        if state is AgentState.READY:
            _, effects = self._desks.reserve(agent, "dial", at=self._parts.now(), lease=DIAL_LEASE)
            await self._do(effects)
        self._dialled[agent] = wire.Dialled(
            attempt=attempt.id, number=attempt.number, state="calling"
        )
        await self._show_me(agent)
        self._tasks.spawn(self._dial(attempt), name="dial")
        return {"attempt": attempt.id}

    async def _dial(self, attempt: Attempt) -> None:
        if await self._call_desk.dial(attempt):
            return
        async with self._lock:
            self._dialled.pop(attempt.agent, None)
            await self._do(self._desks.release(attempt.agent, at=self._parts.now()))
            await self._show_me(attempt.agent)

    async def _end_by_rules(self, agent: AgentId, call: CallId) -> None:
        """The caller is told and let go; whether the ladder allows it was asked before."""
        if agent not in self._desks or self._desks.get(agent).call != call:
            raise NotYourCall(call=call)
        if self._learner.call(call).emergency is not None:
            raise CallIsEmergency(call=call)
        log.warning("call_ended_by_rules", call=call, agent=agent)
        try:
            async with asyncio.timeout(SWITCH_TIMEOUT_S):
                await self._parts.switch.end_by_rules(call)
        except TimeoutError as error:
            raise LinkDown() from error

    async def _bring_in(self, agent: AgentId, call: CallId, line: str) -> None:
        if agent not in self._desks or self._desks.get(agent).call != call:
            raise NotYourCall(call=call)
        log.warning("emergency_asked", call=call, agent=agent, line=line)
        try:
            async with asyncio.timeout(SWITCH_TIMEOUT_S):
                await self._parts.switch.bring_in_emergency(call, line, agent)
        except TimeoutError as error:
            raise LinkDown() from error

    async def _end_wrap_up(self, agent: AgentId, call: CallId) -> None:
        if agent in self._desks and self._desks.get(agent).call == call:
            await self._wish(agent, Trigger.WRAPPED_UP)

    async def _wish(self, agent: AgentId, trigger: Trigger, reason: str | None = None) -> None:
        await self._do(self._desks.wish(agent, trigger, at=self._parts.now(), reason=reason))

    async def tick(self) -> None:
        """Once a second: renew what Redis missed, and notice what went and came back."""
        presence = await self._parts.forks.speech_presence()
        async with self._lock:
            await self._set_links(emergency_trunks="up" if self.are_trunks_well else "down")
            had_speech = self._links.speech == "up"
            await self._set_links(
                speech=None if presence == "unknown" else presence,
                database="up" if self._parts.scribe.is_database_up else "down",
            )
            await self._publisher.catch_up()
            self._listening.read_due()
            await self._do(self._desks.end_leases(self._parts.now()))
            self._mend_marks()
            match presence:
                case "down" if had_speech:
                    await self._listening.speech_lost()
                case "up":
                    await self._listening.speech_returned()
                case _:
                    pass

    def _mend_marks(self) -> None:
        """Set again what two looks in succession found wrong: the first try was lost."""
        if self._links.telephony != "up":
            self._wrong_marks = set()
            return
        wrong = self._desks.wrong_marks(self._marks())
        for mark in wrong & self._wrong_marks:
            log.warning("queue_mark_mended", agent=mark.agent, is_paused=mark.is_paused)
            self._tasks.spawn(self._mark(mark), name="mark")
        self._wrong_marks = wrong

    def _marks(self) -> desk.Marks:
        agents = self._parts.switch.snapshot().agents.values()
        return {known.agent: known.is_paused for known in agents}

    # ---- reservations --------------------------------------------------------------------------

    async def reserve(
        self, agent: AgentId, purpose: str, *, lease: timedelta, call: CallId | None = None
    ) -> Reservation:
        """Keep a ready agent for one purpose; raises ``IllegalMove`` where they are not ready.

        The lease may end at any time: ask ``is_reserved`` before using it, ``release`` when done.
        """
        async with self._lock:
            if agent not in self._desks:
                raise UnknownAgent(agent=agent)
            reservation, effects = self._desks.reserve(
                agent, purpose, at=self._parts.now(), lease=lease, call=call
            )
            await self._do(effects)
            return reservation

    def is_reserved(self, reservation: Reservation) -> bool:
        """Whether this very reservation still holds."""
        try:
            self._desks.check_reserved(reservation, at=self._parts.now())
        except NotReserved:
            return False
        return True

    async def release(self, agent: AgentId) -> None:
        """The purpose is done, or given up; an agent who is not reserved is left alone."""
        async with self._lock:
            await self._do(self._desks.release(agent, at=self._parts.now()))

    async def check_streams(self) -> None:
        """Every few seconds: compare the streams with what Asterisk and Redis have."""
        if self._links.telephony == "up":
            await self._listening.check_streams()
        await self._listening.renew_book()

    async def _set_links(
        self,
        *,
        telephony: wire.LinkState | None = None,
        speech: wire.LinkState | None = None,
        database: wire.LinkState | None = None,
        emergency_trunks: wire.LinkState | None = None,
    ) -> None:
        links = wire.Links(
            telephony=telephony or self._links.telephony,
            speech=speech or self._links.speech,
            database=database or self._links.database,
            emergency_trunks=emergency_trunks or self._links.emergency_trunks,
        )
        if links == self._links:
            return
        self._links = links
        for agent in self._desks:
            await self._publisher.publish(agent.agent, wire.LinksChanged(links=links))

    # ---- small things --------------------------------------------------------------------------

    def _forget(self, call: CallId) -> None:
        """Where no desk shows it; its card is kept for the next one while the caller is there."""
        if any(agent.call == call for agent in self._desks):
            return
        self._listening.forget(call)
        if call not in self._parts.switch.snapshot().calls:
            self._calls.pop(call, None)
