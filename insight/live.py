"""The same figures as ``insight.figures``, kept up to date step by step. Pure.

A window is an interval whose end moves with time and whose beginning moves in full minutes. Each
call's part in it can be taken back and added anew, so that a change costs what it changes and not a
new count. Facts may come in any order and twice; what happens at or after a window's end waits for
the next ``advance``.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from base.ids import AgentId, CallId
from insight.facts import CallFact, Interval, Step
from insight.figures import AllSums, handle
from insight.sums import MICROSECOND, Sums, add, one
from insight.timeline import STATES, Stretch, Timeline
from insight.visits import Handling, visit_sums
from insight.worst_day import DAY, MINUTE, minute_of

Begin = Callable[[datetime], datetime]
"""Where a window begins that ends at an instant: a full minute, at most 24 hours before."""

MOST_STRETCH: Final = 2 * DAY
"""Of a longer stretch only the end is spread over the minutes: no window sees more."""


@dataclass(slots=True)
class _Window:
    begin: Begin
    start_at: datetime
    queues: dict[str, Sums] = field(default_factory=dict)
    staff: Sums = field(default_factory=dict)


class LiveFigures:
    """The sums of some windows, by name."""

    def __init__(self, windows: Iterable[tuple[str, Begin]], *, at: datetime) -> None:
        self.end_at = at
        self._windows = {name: _Window(begin, begin(at)) for name, begin in windows}
        self._calls: dict[CallId, CallFact] = {}
        self._counted: dict[CallId, tuple[str, datetime, Sums]] = {}
        """What each call gives now: its queue, when it entered, its part."""
        self._by_minute: dict[datetime, set[CallId]] = {}
        self._fresh: set[CallId] = set()
        """Calls to be counted anew at the next ``advance``."""
        self._handlings: dict[CallId, Handling] = {}
        self._orphans: dict[CallId, datetime] = {}
        """Work on calls that are no visit of a queue (yet), with the time of its end."""
        self._lines: dict[AgentId, Timeline] = {}
        self._pending: dict[AgentId, deque[Step]] = {}
        self._minutes: dict[datetime, Sums] = {}
        """The agents' ended stretches, spread over the minutes they touched."""

    def take_call(self, fact: CallFact) -> None:
        """Learn of a call, or more of it."""
        if fact.queued_at is None or fact.queue is None:
            return
        known = self._calls.get(fact.call)
        merged = fact if known is None else known.merged(fact)
        if merged != known:
            self._calls[fact.call] = merged
            self._fresh.add(fact.call)

    def take_step(self, step: Step) -> None:
        """Learn of a step; those of one agent in their order."""
        line = self._lines.get(step.agent)
        if line is not None and step.number <= line.number:
            return  # taken before
        self._pending.setdefault(step.agent, deque()).append(step)

    def advance(self, end_at: datetime) -> None:
        """Move the windows' end; never back."""
        self.end_at = max(self.end_at, end_at)
        for window in self._windows.values():
            self._move(window, window.begin(self.end_at))
        for agent in list(self._pending):
            self._take_pending(agent)
        for call in list(self._fresh):
            self._count(call)
        self._forget(self.end_at - DAY - MINUTE)

    def interval(self, window: str) -> Interval:
        """From where to where the window reaches."""
        return Interval(self._windows[window].start_at, self.end_at)

    def sums(self, window: str) -> AllSums:
        """What was counted in the window, of queues and of all agents together."""
        of = self._windows[window]
        lasting = dict.fromkeys(STATES, timedelta(0))
        for line in self._lines.values():
            if line.since_at is not None and line.state in lasting:
                lasting[line.state] += self.end_at - max(line.since_at, of.start_at)
        staff = dict(of.staff)
        for state, spent in lasting.items():
            one(staff, f"time_{state}", spent // MICROSECOND)
        queues = {queue: dict(sums) for queue, sums in of.queues.items() if sums}
        return AllSums(queues=queues, staff=staff)

    # ---- calls ---------------------------------------------------------------------------------

    def _count(self, call: CallId) -> None:
        """Take back what the call gave and add what it gives now."""
        if before := self._counted.pop(call, None):
            self._add_call(*before, sign=-1)
            self._by_minute[minute_of(before[1])].discard(call)
        fact = self._calls.get(call)
        if fact is None or fact.queue is None or fact.queued_at is None:
            self._fresh.discard(call)
            return
        if sums := visit_sums(fact, self._handlings.get(call), self.end_at):
            self._counted[call] = (fact.queue, fact.queued_at, sums)
            self._by_minute.setdefault(minute_of(fact.queued_at), set()).add(call)
            self._add_call(fact.queue, fact.queued_at, sums, sign=1)
        if fact.latest_at is None or fact.latest_at < self.end_at:
            self._fresh.discard(call)

    def _add_call(self, queue: str, queued_at: datetime, sums: Sums, *, sign: int) -> None:
        for window in self._windows.values():
            if queued_at >= window.start_at:
                add(window.queues.setdefault(queue, {}), sums, sign=sign)

    # ---- agents --------------------------------------------------------------------------------

    def _take_pending(self, agent: AgentId) -> None:
        waiting = self._pending[agent]
        line = self._lines.setdefault(agent, Timeline(agent))
        while waiting and waiting[0].at < self.end_at:
            at_work_on = line.call if line.is_work else None
            ended = line.take(waiting.popleft())
            if ended is not None:
                self._spread(ended)
                handle(self._handlings, ended)
            self._leave(at_work_on)
            self._begin(line.call if line.is_work else None)
        if not waiting:
            del self._pending[agent]

    def _leave(self, call: CallId | None) -> None:
        if call is not None and call in self._handlings:
            self._handlings[call].open -= 1
            self._fresh.add(call)
            if call not in self._calls:
                self._orphans[call] = self.end_at

    def _begin(self, call: CallId | None) -> None:
        if call is not None:
            self._handlings.setdefault(call, Handling.none()).open += 1
            self._fresh.add(call)

    def _spread(self, stretch: Stretch) -> None:
        """Add a stretch's time to each minute that it touches."""
        if stretch.state not in STATES:
            return
        key = (f"time_{stretch.state}", 0)
        at = max(stretch.start_at, stretch.end_at - MOST_STRETCH)
        minute = minute_of(at)
        while at < stretch.end_at:
            next_minute = minute + MINUTE
            next_at = min(next_minute, stretch.end_at)
            spent = (next_at - at) // MICROSECOND
            sums = self._minutes.setdefault(minute, {})
            sums[key] = sums.get(key, 0) + spent
            for window in self._windows.values():
                if minute >= window.start_at:
                    window.staff[key] = window.staff.get(key, 0) + spent
            at, minute = next_at, next_minute

    # ---- time ----------------------------------------------------------------------------------

    def _move(self, window: _Window, start_at: datetime) -> None:
        """Let what is no longer in the window go."""
        minute = window.start_at
        while minute < start_at:
            for call in self._by_minute.get(minute, ()):
                queue, _, sums = self._counted[call]
                add(window.queues[queue], sums, sign=-1)
            add(window.staff, self._minutes.get(minute, {}), sign=-1)
            minute += MINUTE
        window.start_at = max(window.start_at, start_at)

    def _forget(self, before_at: datetime) -> None:
        """What lies before every window."""
        for minute in [minute for minute in self._by_minute if minute < before_at]:
            for call in self._by_minute.pop(minute):
                del self._counted[call], self._calls[call]
                self._handlings.pop(call, None)
                self._fresh.discard(call)
        for minute in [minute for minute in self._minutes if minute < before_at]:
            del self._minutes[minute]
        for call in [call for call, at in self._orphans.items() if at < before_at]:
            del self._orphans[call]
            if call not in self._calls:
                self._handlings.pop(call, None)

    @property
    def kept(self) -> int:
        """How many calls and works are remembered."""
        return len(self._calls) + len(self._handlings)
