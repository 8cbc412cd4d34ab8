"""What leaders do to agents and their conversations: carried out, and written down with the reason.

A conversation is never harmed by it: listening hangs on the agent's channel and ends with it, and
a caller who is taken over goes from one bridge into the other. Whether the leader's phone was
answered, and when it hung up, is asked of Asterisk every ``LOOK_EVERY_S``, also by a bridge that
starts in the middle of it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar, Final, Protocol

import structlog

from base.database import DatabaseUnavailable
from base.errors import HotlineError
from base.ids import AgentId, CallId
from routing.agents import IN_TALK, Trigger
from routing.desks import DeskEffect, Desks
from server.live.commands import Supervise
from server.live.notes import EndAct, KeepAct
from server.live.records import Act
from server.live.scribe import Scribe
from telephony.failures import LinkDown, TelephonyError
from telephony.switch import Switch

log = structlog.get_logger(__name__)

LOOK_EVERY_S: Final = 2.0
SWITCH_TIMEOUT_S: Final = 2.5
BEGINS_WITHIN: Final = timedelta(seconds=5)
"""Asterisk has made the leader's channel by then, or will not."""

ON_THE_PHONE: Final = frozenset({"listen", "whisper", "join", "take_over"})


class NoTalk(HotlineError):
    """The agent does not talk with that caller."""

    code: ClassVar[str] = "supervision_no_talk"
    http_status: ClassVar[int] = 409


class CitizenTalks(HotlineError):
    """A citizen is on the line; with ``confirmed`` the agent is signed out after the call."""

    code: ClassVar[str] = "supervision_citizen_talks"
    http_status: ClassVar[int] = 409


class AgentUnknown(HotlineError):
    """There is no such agent here."""

    code: ClassVar[str] = "agent_unknown"
    http_status: ClassVar[int] = 404


class ActRecords(Protocol):
    """``server.records.supervision.Acts``."""

    async def open_acts(self) -> Sequence[Act]:
        """Those on the phone that have no end."""


Do = Callable[[Sequence[DeskEffect]], Awaitable[None]]


class Supervision:
    """Carries acts out. Its callers hold the centre's lock."""

    def __init__(
        self,
        desks: Desks,
        switch: Switch,
        scribe: Scribe,
        now: Callable[[], datetime],
    ) -> None:
        self._desks, self._switch, self._scribe, self._now = desks, switch, scribe, now
        self._open: dict[str, Act] = {}
        self._leaving: dict[AgentId, str] = {}
        """Who is signed out as soon as the caller has gone, and by whom."""
        self._last = 0
        self._is_read = False

    async def carry_out(self, wish: Supervise, do: Do) -> str:
        """Do it; ``done``, ``ringing`` (the leader's phone) or ``after_call``."""
        agent = AgentId(wish.agent)
        if agent not in self._desks:
            raise AgentUnknown(agent=agent)
        act = self._act(wish, agent)
        if act.act in ON_THE_PHONE:
            await self._ring_leader(act)
            self._open[act.id] = act
            outcome = "ringing"
        elif act.act == "sign_out" and self._desks.get(agent).state in IN_TALK:
            if not wish.confirmed:
                raise CitizenTalks(agent=agent)
            self._leaving[agent] = act.leader_name
            outcome = "after_call"
        else:
            trigger = Trigger.GO_PAUSED if act.act == "pause" else Trigger.SIGN_OUT
            await do(self._wish(agent, trigger, act.leader_name))
            outcome = "done"
        self._scribe.note(KeepAct(act))
        log.warning("supervised", act=act.act, agent=agent, call=act.call, leader=act.leader)
        return outcome

    async def settle(self, do: Do) -> None:
        """Something happened: who is to leave leaves when the caller has gone."""
        for agent in [each for each in self._leaving if self._desks.get(each).state not in IN_TALK]:
            await do(self._wish(agent, Trigger.SIGN_OUT, self._leaving.pop(agent)))

    def _wish(self, agent: AgentId, trigger: Trigger, leader: str) -> list[DeskEffect]:
        return self._desks.wish(
            agent, trigger, at=self._now(), reason="leader", by=f"leader {leader}"
        )

    def _act(self, wish: Supervise, agent: AgentId) -> Act:
        self._last = max(self._last + 1, time.time_ns() // 1000)
        is_on_the_phone = wish.act in ON_THE_PHONE
        return Act(
            id=f"act-{self._last}",
            at=self._now(),
            leader=wish.leader,
            leader_name=wish.leader_name,
            act=wish.act,
            agent=agent,
            call=CallId(wish.call)
            if wish.call and is_on_the_phone
            else self._desks.get(agent).call,
            phone=wish.phone if is_on_the_phone else None,
            reason=wish.reason,
        )

    async def _ring_leader(self, act: Act) -> None:
        desk = self._desks.get(act.agent)
        if act.call is None or act.phone is None or desk.call != act.call:
            raise NoTalk(agent=act.agent)
        if not desk.is_with_caller:
            raise NoTalk(agent=act.agent)
        try:
            async with asyncio.timeout(SWITCH_TIMEOUT_S):
                if act.act == "take_over":
                    await self._switch.take_over(act.call, act.phone, act.id)
                else:
                    await self._switch.spy(act.call, act.phone, act.id, act.act)
        except TimeoutError as error:
            raise LinkDown() from error

    # ---- from and to ---------------------------------------------------------------------------

    async def watch(self, records: ActRecords) -> None:
        """Write down when the leaders' phones were answered and hung up, for ever."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                if not self._is_read:
                    self._open = {act.id: act for act in await records.open_acts()} | self._open
                    self._is_read = True
                if self._open:
                    async with asyncio.timeout(SWITCH_TIMEOUT_S):
                        live = await self._switch.live_acts()
                    self._look(dict(live))
            except (TelephonyError, DatabaseUnavailable, TimeoutError) as error:
                log.info("acts_not_looked_at", error=type(error).__name__)

    def _look(self, live: dict[str, bool]) -> None:
        now = self._now()
        for act in list(self._open.values()):
            if live.get(act.id) and act.answered_at is None:
                self._open[act.id] = replace(act, answered_at=now)
                self._scribe.note(EndAct(act.id, now, None))
            elif act.id not in live and now - act.at > BEGINS_WITHIN:
                self._scribe.note(EndAct(act.id, act.answered_at, now))
                del self._open[act.id]
