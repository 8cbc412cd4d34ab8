"""A day of a city's hotline, made up: what its Asterisk would send, message by message, in order.

Calls come by an arrival curve with two peaks; whoever rests longest is rung, some rings are missed,
some callers give up. Messages are made as they are asked for, so that a day weighs nothing. What
really happened is counted beside (``Truth``), with no line of the product's own arithmetic.
"""

import heapq
import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from server.live.commands import Command, SetAgentState

CURVE = (
    *(4, 3, 2, 2, 2, 4, 12, 35, 78, 95, 90, 70),
    *(45, 60, 85, 92, 88, 70, 48, 40, 36, 26, 16, 8),
)
"""Weight of each hour, China time."""
GREETING_S = 9.0
MISSED_SHARE = 0.03
RING_TIMEOUT_S = 15.0
BREAK_S = 60.0
PATIENCE_S = 90.0
SHORT_S, IN_TIME_S = 5, 15
SECOND = 1_000_000


@dataclass(slots=True)
class Truth:
    """What happened, as the callers would tell it."""

    offered: int = 0
    answered: int = 0
    in_time: int = 0
    abandoned: int = 0
    abandoned_short: int = 0
    wait_micros: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that happens: bytes from Asterisk, or somebody's wish."""

    at: datetime
    what: bytes | Command


@dataclass(eq=False, slots=True)
class _Caller:
    id: str
    number: str
    queued_at: int = 0
    agent: str | None = None
    ring: str = ""
    is_over: bool = False


@dataclass(slots=True)
class MadeDay:
    """Iterate ``events``; ``truth`` is whole when they have ended."""

    begin_at: datetime
    calls: int
    agents: int
    seed: int = 1
    truth: Truth = field(default_factory=Truth)

    def events(self) -> Iterator[Told]:
        """All of the day, in order of time."""
        return _Play(self).run()


class _Play:
    def __init__(self, day: MadeDay) -> None:
        self._chance = random.Random(day.seed)
        self._begin_at, self._truth = day.begin_at, day.truth
        self._idle = deque(str(2001 + n) for n in range(day.agents))
        self._waiting: deque[_Caller] = deque()
        self._due: list[tuple[int, int, Callable[[int], None]]] = []
        self._turns = 0
        self._channels = 0
        self._out: deque[Told] = deque()
        self._arrivals = iter(sorted(self._arrival() for _ in range(day.calls)))
        self._node = f"day{day.seed}-{int(day.begin_at.timestamp())}"

    def run(self) -> Iterator[Told]:
        for agent in self._idle:
            self._wish(0, SetAgentState(agent=agent, wish="go_ready"))
        self._next_arrival()
        while self._due:
            at, _, happen = heapq.heappop(self._due)
            happen(at)
            while self._out:
                yield self._out.popleft()

    # ---- what happens --------------------------------------------------------------------------

    def _arrival(self) -> int:
        (hour,) = self._chance.choices(range(24), CURVE)
        return round((hour + self._chance.random()) * 3600 * SECOND)

    def _next_arrival(self) -> None:
        at = next(self._arrivals, None)
        if at is not None:
            self._at(at, self._arrive)

    def _arrive(self, at: int) -> None:
        self._next_arrival()
        caller = _Caller(self._channel(), f"138{self._chance.randrange(10**8):08}")
        self._tell(
            at, "UserEvent", UserEvent="CallArrived", Uniqueid=caller.id, Call=caller.id,
            Number=caller.number, Name="", Called="12345",
        )  # fmt: skip
        self._at(at + round(GREETING_S * SECOND), lambda at: self._join(at, caller))

    def _join(self, at: int, caller: _Caller) -> None:
        caller.queued_at = at
        self._truth.offered += 1
        place = str(len(self._waiting) + 1)
        self._tell(at, "QueueCallerJoin", Uniqueid=caller.id, Queue="hotline", Position=place)
        self._waiting.append(caller)
        self._in(at, self._chance.expovariate(1 / PATIENCE_S), lambda at: self._give_up(at, caller))
        self._offer(at)

    def _offer(self, at: int) -> None:
        while self._idle and self._waiting:
            self._ring(at, self._waiting.popleft(), self._idle.popleft())

    def _ring(self, at: int, caller: _Caller, agent: str) -> None:
        caller.agent, caller.ring = agent, self._channel()
        self._tell(
            at, "AgentCalled", Uniqueid=caller.id, DestUniqueid=caller.ring, Queue="hotline",
            Interface=f"PJSIP/{agent}",
        )  # fmt: skip
        ring = caller.ring
        if self._chance.random() < MISSED_SHARE:
            self._in(at, RING_TIMEOUT_S, lambda at: self._miss(at, caller, ring))
        else:
            self._in(at, self._chance.uniform(1, 6), lambda at: self._answer(at, caller, ring))

    def _miss(self, at: int, caller: _Caller, ring: str) -> None:
        if caller.is_over or caller.ring != ring:
            return
        agent, caller.agent, caller.ring = caller.agent or "", None, ""
        self._tell(at, "DialEnd", Uniqueid=caller.id, DestUniqueid=ring, DialStatus="NOANSWER")
        self._in(at, BREAK_S, lambda at: self._back(at, agent))
        self._waiting.appendleft(caller)
        self._offer(at)

    def _answer(self, at: int, caller: _Caller, ring: str) -> None:
        if caller.is_over or caller.ring != ring:
            return
        wait = at - caller.queued_at
        self._truth.answered += 1
        self._truth.in_time += wait <= IN_TIME_S * SECOND
        self._truth.wait_micros += wait
        agent = caller.agent or ""
        caller.is_over = True  # to the queue
        self._tell(at, "DialEnd", Uniqueid=caller.id, DestUniqueid=ring, DialStatus="ANSWER")
        self._tell(at, "QueueCallerLeave", Uniqueid=caller.id, Queue="hotline")
        self._tell(
            at, "AgentConnect", Uniqueid=caller.id, DestUniqueid=ring, Queue="hotline",
            Interface=f"PJSIP/{agent}",
        )  # fmt: skip
        self._tell(at, "BridgeEnter", Uniqueid=caller.id, BridgeUniqueid=f"b-{ring}")
        talk_s = self._chance.lognormvariate(5.0, 0.6)
        self._in(at, talk_s, lambda at: self._hang_up(at, caller, ring, agent))

    def _hang_up(self, at: int, caller: _Caller, ring: str, agent: str) -> None:
        self._tell(at, "HangupRequest", Uniqueid=caller.id)
        self._tell(at, "BridgeLeave", Uniqueid=caller.id, BridgeUniqueid=f"b-{ring}")
        self._tell(at, "Hangup", Uniqueid=caller.id, Cause="16")
        self._tell(at, "Hangup", Uniqueid=ring, Cause="16")
        self._in(at, self._chance.uniform(15, 60), lambda at: self._back(at, agent))

    def _give_up(self, at: int, caller: _Caller) -> None:
        if caller.is_over:
            return
        caller.is_over = True
        wait = at - caller.queued_at
        self._truth.abandoned += 1
        self._truth.abandoned_short += wait <= SHORT_S * SECOND
        self._tell(at, "HangupRequest", Uniqueid=caller.id)
        if caller.agent is not None:
            self._tell(
                at, "DialEnd", Uniqueid=caller.id, DestUniqueid=caller.ring, DialStatus="CANCEL"
            )
            self._idle.appendleft(caller.agent)
        else:
            self._waiting.remove(caller)
        self._tell(at, "QueueCallerLeave", Uniqueid=caller.id, Queue="hotline")
        self._tell(at, "Hangup", Uniqueid=caller.id, Cause="16")
        self._offer(at)

    def _back(self, at: int, agent: str) -> None:
        self._wish(at, SetAgentState(agent=agent, wish="go_ready"))
        self._idle.append(agent)
        self._offer(at)

    # ---- small things --------------------------------------------------------------------------

    def _in(self, at: int, seconds: float, happen: Callable[[int], None]) -> None:
        self._at(at + round(seconds * SECOND), happen)

    def _at(self, at: int, happen: Callable[[int], None]) -> None:
        self._turns += 1
        heapq.heappush(self._due, (at, self._turns, happen))

    def _channel(self) -> str:
        self._channels += 1
        return f"{self._node}.{self._channels}"

    def _instant(self, at: int) -> datetime:
        return self._begin_at + timedelta(microseconds=at)

    def _wish(self, at: int, wish: Command) -> None:
        self._out.append(Told(self._instant(at), wish))

    def _tell(self, at: int, event: str, **headers: str) -> None:
        instant = self._instant(at)
        micros = (instant - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)
        stamp = f"{micros // SECOND}.{micros % SECOND:06}"
        lines = [f"Event: {event}", f"Timestamp: {stamp}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._out.append(Told(instant, ("\r\n".join(lines) + "\r\n\r\n").encode()))
