"""What is known of one call while it lives, and what a pop shows of it."""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from base.ids import AgentId, CallId
from routing.nuisance import Case, Standing
from server.live.call_facts import Party
from server.push.protocol import CallerWarning, Emergency, FormerCall, FormerTicket, Pop
from telephony.events import Outcome

HISTORY_TIMEOUT_S = 0.3
"""How long a pop may wait for the caller's history; it is asked for when the call arrives, long
before a phone rings, so this is hardly ever spent."""


@dataclass(frozen=True, slots=True)
class CallerUse:
    """How a number used the line lately, apart from this call."""

    day_calls: int = 0
    calls: int = 0
    long_calls: int = 0
    silent_calls: int = 0
    """The agent was heard, the caller never said a word."""


@dataclass(frozen=True, slots=True)
class History:
    """What earlier contacts tell of a number."""

    calls: list[FormerCall] = field(default_factory=list)
    tickets: list[FormerTicket] = field(default_factory=list)
    use: CallerUse = field(default_factory=CallerUse)
    nuisance: Case = field(default_factory=Case)
    is_complete: bool = True


@dataclass(slots=True)
class LiveCall:
    """One call's facts from arrival to its end."""

    call: CallId
    is_followed: bool = False
    """Whether everything since its arrival was told without a gap."""
    caller_number: str = ""
    caller_name: str = ""
    called_number: str = ""
    arrived_at: datetime | None = None
    queue: str = ""
    queued_at: datetime | None = None
    agent: AgentId | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    """When the last conversation ended, or the call."""
    outcome: Outcome | None = None
    emergency: Emergency | None = None
    """The emergency line asked for last."""
    holders: set[str] = field(default_factory=set)
    """The sides whose phone holds the other one."""
    resumed_at: datetime | None = None
    """When the last hold ended."""
    consent: bool | None = None
    """What the caller said when asked whether somebody may join; None: not asked."""
    party: Party | None = None
    """Whom the agent asks, or has joined in."""
    recording_paused_at: datetime | None = None
    history: History = field(default_factory=lambda: History(is_complete=False))
    history_known: asyncio.Event = field(default_factory=asyncio.Event)

    def hold(self, speaker: str) -> None:
        """One side holds the other."""
        self.holders.add(speaker)

    def resume(self, at: datetime, speaker: str | None = None) -> None:
        """A hold is over; without a ``speaker`` all are."""
        if self.holders:
            self.resumed_at = at
        self.holders -= {speaker} if speaker else self.holders.copy()

    async def wait_for_history(self) -> None:
        """Give the history its last chance to come in time."""
        if self.history_known.is_set():
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HISTORY_TIMEOUT_S):
                await self.history_known.wait()

    def pop(self, ring: str, rang_at: datetime) -> Pop:
        """The card for a ringing phone."""
        waiting_since = self.queued_at or self.arrived_at or rang_at
        return Pop(
            ring=ring,
            call=self.call,
            caller_number=self.caller_number,
            caller_name=self.caller_name,
            called_number=self.called_number,
            queue=self.queue,
            rang_at=rang_at,
            waited_s=max(0.0, round((rang_at - waiting_since).total_seconds(), 1)),
            former_calls=self.history.calls,
            former_tickets=self.history.tickets,
            warnings=warnings(self.caller_number, self.history),
        )


REPEAT_CALLS = 3
MANY_CALLS_A_DAY = 5
OPEN_STATES = frozenset({"registered"})


def warnings(caller_number: str, history: History) -> list[CallerWarning]:
    """What the agent must know before answering."""
    found: list[CallerWarning] = []
    if not caller_number:
        found.append(CallerWarning(kind="number_withheld"))
    elif not history.is_complete:
        found.append(CallerWarning(kind="history_unavailable"))
    if len(history.calls) >= REPEAT_CALLS:
        oldest = min(call.started_at for call in history.calls)
        newest = max(call.started_at for call in history.calls)
        days = str((newest - oldest).days + 1)
        params = {"calls": str(len(history.calls)), "days": days}
        found.append(CallerWarning(kind="repeat_caller", params=params))
    found += [
        CallerWarning(kind="open_ticket", params={"number": ticket.number})
        for ticket in history.tickets
        if ticket.state in OPEN_STATES
    ]
    found += _nuisance(history)
    return found


def _nuisance(history: History) -> Iterator[CallerWarning]:
    """How the line was used, and what was done about it; never that somebody is bad."""
    use, case = history.use, history.nuisance
    for kind, count, least in (
        ("calls_today", use.day_calls, MANY_CALLS_A_DAY),
        ("long_calls", use.long_calls, 1),
        ("silent_calls", use.silent_calls, 1),
        ("misuse_marked", len(case.marks), 1),
    ):
        if count >= least:
            yield CallerWarning(kind=kind, params={"calls": str(count)})
    if case.standing not in (Standing.NONE, Standing.NOTICED):
        until = "" if case.until is None else case.until.isoformat()
        params = {"standing": case.standing.value, "until": until}
        yield CallerWarning(kind="nuisance", params=params)
