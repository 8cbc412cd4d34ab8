"""What an agent does inside a conversation, and calls out: asked by the page, done by the switch.

Owns the facts of it (consents, parties, silenced recordings, attempts) until they are noted. The
centre tells it what the switch did; requests run beside the centre's own order of events, because
each waits until the switch has shown that it was done. An emergency is never held up by a consent.
"""

import asyncio
import contextlib
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Final, assert_never

import structlog

from base.errors import HotlineError
from base.ids import AgentId, AttemptId, CallId
from routing.agents import Agent
from rules.catalogue import CONSENT
from rules.pack import Decision, Pack, RuleNotGivenError
from rules.values import Force, Outside
from server.live.call_facts import Attempt, Consent, Party, RecordingPause
from server.live.calls import LiveCall
from server.live.commands import CallAction
from server.live.notes import KeepAttempt, KeepConsent, KeepParty, KeepRecordingPause
from server.live.scribe import Scribe
from server.push.protocol import PartyKind
from telephony import events as tel
from telephony.control import CallControl
from telephony.emergency_lines import EMERGENCY_LINES
from telephony.failures import TelephonyError

log = structlog.get_logger(__name__)

_NUMBER: Final = re.compile(r"[0-9]{2,20}")
LEAST_OUTSIDE_DIGITS: Final = 5
BEGINS_WITHIN_S: Final = 3.0
"""The dialplan tells of a call out milliseconds after the agent has taken the phone."""
LOOK_EVERY_S: Final = 0.02


class NotInTalk(HotlineError):
    """The agent is not in conversation with this caller."""

    code: ClassVar[str] = "call_not_in_talk"
    http_status: ClassVar[int] = 409


class TargetRefused(HotlineError):
    """Nobody can be reached there like this."""

    code: ClassVar[str] = "call_target_refused"
    http_status: ClassVar[int] = 422


class ReasonMissing(HotlineError):
    """A recording is silenced with a reason only."""

    code: ClassVar[str] = "reason_missing"
    http_status: ClassVar[int] = 422


class OutboundUnavailable(HotlineError):
    """There is no trunk for calls out."""

    code: ClassVar[str] = "outbound_unavailable"
    http_status: ClassVar[int] = 409


class ConsentMissing(HotlineError):
    """The law asks for the caller's consent before somebody joins, and it is not recorded."""

    code: ClassVar[str] = "consent_missing"
    http_status: ClassVar[int] = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the page asks for a call."""

    agent: AgentId
    call: CallId
    action: CallAction
    number: str = ""
    kind: PartyKind = "outside"
    """Of ``number``, as the directory says; colleagues are known here."""
    reason: str = ""


class CallDesk:
    """All agents' doings in their calls."""

    def __init__(
        self,
        *,
        control: CallControl,
        scribe: Scribe,
        pack: Pack,
        colleagues: frozenset[str],
        has_outbound: bool,
        now: Callable[[], datetime],
    ) -> None:
        self._control = control
        self._scribe = scribe
        self._pack = pack
        self._colleagues = colleagues
        self._has_outbound = has_outbound
        self._now = now
        self._pause_reasons: dict[CallId, tuple[AgentId, str]] = {}
        """Bounded by the calls: dropped with each."""
        self._kinds: dict[CallId, PartyKind] = {}
        self._attempts: dict[AttemptId, Attempt] = {}

    # ---- consent -------------------------------------------------------------------------------

    def consent_rule(self) -> Decision[tuple[Outside, ...]] | None:
        """Before whom the caller must agree; None where the city's law does not ask."""
        try:
            decision = self._pack.decide(CONSENT)
        except RuleNotGivenError:
            return None
        return decision if decision.force is Force.MUST else None

    def record_consent(self, call: LiveCall, agent: AgentId, *, is_given: bool) -> None:
        """The caller was asked, and said so."""
        call.consent = is_given
        self._scribe.note(KeepConsent(Consent(call.call, agent, self._now(), is_given)))
        log.info("consent_recorded", call=call.call, agent=agent, is_given=is_given)

    def _check_consent(self, call: LiveCall, outside: Outside, kind: PartyKind) -> None:
        rule = self.consent_rule()
        if kind == "colleague" or call.consent or rule is None or outside not in rule.value:
            return
        raise ConsentMissing(
            wish=outside.value, article=rule.card.place, pack=rule.card.title, script=rule.script
        )

    # ---- requests ------------------------------------------------------------------------------

    async def carry_out(self, request: Request, agent: Agent, call: LiveCall) -> None:
        """Do it, or raise why not; returns when the switch has done it."""
        if agent.call != call.call or not agent.is_with_caller:
            raise NotInTalk(call=call.call)
        control, who = self._control, call.call
        log.info("call_action", call=who, agent=agent.agent, action=request.action)
        match request.action:
            case "hold":
                await control.hold(who)
            case "resume":
                await control.resume(who)
            case "consult":
                kind = self._kind(request, agent)
                outside = Outside.EXPERT_SEAT if kind == "expert" else Outside.TRANSFER
                self._check_consent(call, outside, kind)
                self._kinds[who] = kind
                await control.consult(who, request.number)
            case "three_way":
                self._check_consent(call, Outside.THREE_WAY, self._kinds.get(who, "outside"))
                await control.three_way(who)
            case "hand_over":
                self._check_consent(call, Outside.TRANSFER, self._kinds.get(who, "outside"))
                await control.hand_over(who)
            case "send_on":
                await self._send_on(request, agent, call)
            case "let_go":
                await control.let_go(who)
            case "pause_recording":
                if not request.reason.strip():
                    raise ReasonMissing
                self._pause_reasons[who] = (agent.agent, request.reason.strip()[:200])
                await control.pause_recording(who, is_paused=True)
            case "resume_recording":
                await control.pause_recording(who, is_paused=False)
            case _:
                assert_never(request.action)

    async def _send_on(self, request: Request, agent: Agent, call: LiveCall) -> None:
        if request.number not in EMERGENCY_LINES:
            kind = self._kind(request, agent)
            self._check_consent(call, Outside.TRANSFER, kind)
        else:
            kind = "outside"
        at = self._now()
        await self._control.send_on(call.call, request.number)
        party = self._party(call, agent.agent, request.number, kind, at)
        self._note_party(call, replace(party, outcome="sent_on", ended_at=None))
        call.party = None

    def _kind(self, request: Request, agent: Agent) -> PartyKind:
        number = request.number
        if not _NUMBER.fullmatch(number) or number in (agent.agent, *EMERGENCY_LINES):
            raise TargetRefused(number=number)
        if number in self._colleagues:
            return "colleague"
        if len(number) >= LEAST_OUTSIDE_DIGITS and not self._has_outbound:
            raise OutboundUnavailable
        return "outside" if request.kind == "colleague" else request.kind

    # ---- what the switch did -------------------------------------------------------------------

    def consult_changed(self, call: LiveCall, event: tel.ConsultChanged, agent: AgentId) -> None:
        """Somebody is asked, answers, joins, is gone."""
        party = call.party
        if party is None or event.state is tel.ConsultState.DIALLING:
            kind = self._kinds.get(call.call) or self._known_kind(event.to)
            party = self._party(call, agent, event.to, kind, event.at)
        match event.state:
            case tel.ConsultState.DIALLING:
                pass
            case tel.ConsultState.ANSWERED:
                party = replace(party, answered_at=event.at)
            case tel.ConsultState.JOINED:
                answered_at = party.answered_at or event.at
                party = replace(party, answered_at=answered_at, joined_at=event.at)
            case tel.ConsultState.FAILED:
                party = replace(party, ended_at=event.at, outcome="not_reached")
            case tel.ConsultState.OVER:
                outcome = "called_off" if party.answered_at is None else "asked"
                party = replace(
                    party, ended_at=event.at, outcome="three_way" if party.joined_at else outcome
                )
            case _:
                assert_never(event.state)
        self._note_party(call, party)

    def agent_left(self, call: LiveCall) -> None:
        """Whoever was asked has the caller now, if they were reached."""
        if call.party is not None and call.party.answered_at is not None:
            outcome = "three_way" if call.party.joined_at else "handed_over"
            self._note_party(call, replace(call.party, outcome=outcome))

    def call_ended(self, call: LiveCall, at: datetime) -> None:
        """Nothing more comes of it."""
        if call.party is not None:
            self._note_party(call, replace(call.party, ended_at=at))
        self.recording_changed(call, is_paused=False, at=at)
        self._kinds.pop(call.call, None)
        self._pause_reasons.pop(call.call, None)

    def recording_changed(self, call: LiveCall, *, is_paused: bool, at: datetime) -> None:
        """Silence begins or ends in the call's recording."""
        if is_paused and call.recording_paused_at is None:
            agent, reason = self._pause_reasons.get(call.call, (None, ""))
            call.recording_paused_at = at
            self._scribe.note(
                KeepRecordingPause(RecordingPause(call.call, at, None, agent, reason))
            )
        elif not is_paused and (since := call.recording_paused_at) is not None:
            call.recording_paused_at = None
            self._scribe.note(KeepRecordingPause(RecordingPause(call.call, since, at, None, "")))

    def _party(
        self, call: LiveCall, agent: AgentId, number: str, kind: PartyKind, at: datetime
    ) -> Party:
        return Party(
            f"{call.call}/{int(at.timestamp() * 1000)}", call.call, agent, number, kind, at
        )

    def _known_kind(self, number: str) -> PartyKind:
        return "colleague" if number in self._colleagues else "outside"

    def _note_party(self, call: LiveCall, party: Party) -> None:
        call.party = None if party.ended_at is not None else party
        self._scribe.note(KeepParty(party))

    # ---- calls out -----------------------------------------------------------------------------

    def begin_attempt(
        self, agent: AgentId, number: str, *, call: str | None, ticket: str | None
    ) -> Attempt:
        """Note that somebody is to be reached, before anything is dialled."""
        if not self._has_outbound:
            raise OutboundUnavailable
        if not _NUMBER.fullmatch(number) or len(number) < LEAST_OUTSIDE_DIGITS:
            raise TargetRefused(number=number)
        about = None if call is None else CallId(call)
        attempt = Attempt(
            AttemptId(uuid.uuid4().hex), agent, number, self._now(), about, ticket or None
        )
        self._keep_attempt(attempt)
        return attempt

    async def dial(self, attempt: Attempt) -> bool:
        """Ring the agent, then the number; False where that was not dialled."""
        result = tel.AttemptResult.FAILED
        try:
            await self._control.dial(attempt.agent, attempt.id, attempt.number)
            if await self._has_begun(attempt.id):
                return True
            log.warning("dial_led_nowhere", agent=attempt.agent)
        except TelephonyError as error:
            log.warning("dial_not_begun", agent=attempt.agent, code=error.code)
            result = tel.AttemptResult.AGENT_ABSENT
        if attempt.id in self._attempts:
            self._end_attempt(replace(attempt, ended_at=self._now(), result=result.value))
        return False

    async def _has_begun(self, attempt: AttemptId) -> bool:
        """Whether it was dialled: an agent may hang up at once, and our numbers lead nowhere."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BEGINS_WITHIN_S):
                while self._is_wanted(attempt):  # noqa: ASYNC110 - it tells nobody
                    await asyncio.sleep(LOOK_EVERY_S)
                return True
        return False

    def _is_wanted(self, attempt: AttemptId) -> bool:
        known = self._attempts.get(attempt)
        return known is not None and known.rang_at is None

    def attempt_changed(self, event: tel.AttemptEvent) -> Attempt | None:
        """What the switch did of an attempt, also of one begun on the phone itself."""
        known = self._attempts.get(event.attempt)
        match event:
            case tel.AttemptBegan():
                known = known or Attempt(event.attempt, event.agent, event.number, event.at)
                attempt = replace(known, rang_at=event.at)
                self._keep_attempt(attempt)
            case _ if known is None:
                return None
            case tel.AttemptAnswered():
                attempt = replace(known, answered_at=event.at)
                self._keep_attempt(attempt)
            case tel.AttemptOver():
                attempt = replace(
                    known,
                    ended_at=event.at,
                    rang_s=event.rang_s,
                    talked_s=event.talked_s,
                    result=event.result.value,
                )
                self._end_attempt(attempt)
            case _:
                assert_never(event)
        return attempt

    def _keep_attempt(self, attempt: Attempt) -> None:
        self._attempts[attempt.id] = attempt
        self._scribe.note(KeepAttempt(attempt))

    def _end_attempt(self, attempt: Attempt) -> None:
        self._attempts.pop(attempt.id, None)
        log.info("attempt_over", agent=attempt.agent, attempt=attempt.id, result=attempt.result)
        self._scribe.note(KeepAttempt(attempt))
