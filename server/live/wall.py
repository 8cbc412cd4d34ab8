"""The leaders' wall: who waits, who does what, whose words tell of a danger, the figures of now.

Rows are gathered and told at most ``LOOKS_PER_S`` times a second, whatever happens; overflow rule:
a row that changes again before it was told is told once, as it is then. Of the callers the
``MOST_CALLERS`` who wait longest are listed, the others counted. Who waits is Asterisk's own
picture; an agent's row is made of their own desk.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from base.ids import AgentId, CallId
from server.live.dangers import for_wall
from server.live.publisher import Publisher
from server.live.wall_figures import RETURN_CALL, WallFigures
from server.logging_setup import mask_number
from server.push import protocol as wire
from server.push.wall_view import waiting_order
from telephony.events import CallQueued, SwitchEvent
from telephony.snapshot import Call
from telephony.switch import Switch

LOOKS_PER_S: Final = 4
FIGURES_EVERY_S: Final = 2
FIGURES_AT_LEAST_EVERY: Final = timedelta(seconds=30)
"""While no call changes anything: agents' time goes on."""
MOST_CALLERS: Final = 200


class Wall:
    """Gathers what changed and tells it."""

    def __init__(
        self,
        publisher: Publisher,
        switch: Switch,
        figures: WallFigures,
        agents: Iterable[AgentId],
        titles: Mapping[str, str],
    ) -> None:
        self._publisher, self._switch, self._figures = publisher, switch, figures
        self._agents: set[AgentId] = set(agents)
        """Whose row is to be looked at again."""
        self._titles = titles
        """Of the queues, in the order of the wall."""
        self._queued_at: dict[CallId, datetime] = {}
        self._dangers: dict[AgentId, wire.WallDanger] = {}
        self._alarms: dict[str, list[wire.WallAlarm]] = {}
        publisher.watch(self._agents.add)

    def heard(self, event: SwitchEvent) -> None:
        """Remember since when somebody waits."""
        if isinstance(event, CallQueued):
            self._queued_at.setdefault(event.call, event.at)

    def set_alarms(self, kind: str, alarms: Sequence[wire.WallAlarm]) -> None:
        """What is alarming of this kind, all of it; none: it is over."""
        self._alarms[kind] = list(alarms)

    async def run(self) -> None:
        """Tell what changed, for ever."""
        turn = 0
        while True:
            turn += 1
            self.look(with_figures=turn % (LOOKS_PER_S * FIGURES_EVERY_S) == 0)
            await asyncio.sleep(1 / LOOKS_PER_S)

    def look(self, *, with_figures: bool) -> None:
        """Tell the differences between what is and what was told, if there are any."""
        told = self._publisher.wall
        callers, queues = self._waiting()
        listed = {caller.call: caller for caller in callers}
        known = {caller.call: caller for caller in told.callers}
        rows = {agent.agent: agent for agent in told.agents}
        desks = [self._publisher.view(agent) for agent in sorted(self._agents)]
        agents = [agent_row(desk) for desk in desks]
        dangers = self._endangered(desks) if desks else told.dangers
        self._agents.clear()
        figures = self._counted(told.figures) if with_figures else told.figures
        alarms = [alarm for _, alarms in sorted(self._alarms.items()) for alarm in alarms]
        links = self._publisher.links
        event = wire.WallChanged(
            callers=[caller for call, caller in listed.items() if known.get(call) != caller],
            gone=[call for call in known if call not in listed],
            agents=[agent for agent in agents if rows.get(agent.agent) != agent],
            queues=None if queues == told.queues else queues,
            figures=None if figures == told.figures else figures,
            alarms=None if alarms == told.alarms else alarms,
            dangers=None if dangers == told.dangers else dangers,
            links=None if links == told.links else links,
        )
        if event != NOTHING:
            self._publisher.publish_wall(event)

    def _endangered(self, desks: Sequence[wire.DeskView]) -> list[wire.WallDanger]:
        """All dangers, with what these desks tell now."""
        for desk in desks:
            danger = for_wall(desk)
            if danger is None:
                self._dangers.pop(AgentId(desk.me.agent), None)
            else:
                self._dangers[AgentId(desk.me.agent)] = danger
        return sorted(self._dangers.values(), key=lambda danger: (danger.since_at, danger.call))

    def _counted(self, told: list[wire.WallFigures]) -> list[wire.WallFigures]:
        """The figures now; those that were told, where no call has changed them."""
        now = self._figures.now()
        is_new = [(each.start_at, each.total, each.queues) for each in now] != [
            (each.start_at, each.total, each.queues) for each in told
        ]
        is_old = any(
            new.end_at - old.end_at >= FIGURES_AT_LEAST_EVERY
            for new, old in zip(now, told, strict=False)
        )
        return now if is_new or is_old else told

    def _waiting(self) -> tuple[list[wire.WallCaller], list[wire.WallQueue]]:
        calls = self._switch.snapshot().calls
        for gone in self._queued_at.keys() - calls.keys():
            del self._queued_at[gone]
        waiting = [
            self._caller(call, call.queue)
            for call in calls.values()
            if call.queue is not None and call.talk is None
        ]
        waiting.sort(key=waiting_order)
        by_queue: dict[str, list[wire.WallCaller]] = {name: [] for name in self._titles}
        for caller in waiting:
            by_queue.setdefault(caller.queue, []).append(caller)
        queues = [
            wire.WallQueue(
                queue=name,
                title=self._titles.get(name, name),
                waiting=len(callers),
                longest_since_at=callers[0].since_at if callers else None,
            )
            for name, callers in by_queue.items()
        ]
        return waiting[:MOST_CALLERS], queues

    def _caller(self, call: Call, queue: str) -> wire.WallCaller:
        flags: list[wire.WallFlag] = ["emergency"] if call.emergency_line else []
        if call.called_number == RETURN_CALL:
            flags.append("return_call")
        return wire.WallCaller(
            call=call.call,
            caller_number=mask_number(call.caller_number),
            queue=queue,
            since_at=self._queued_at.setdefault(call.call, call.arrived_at),
            flags=flags,
        )


NOTHING: Final = wire.WallChanged()


def agent_row(desk: wire.DeskView) -> wire.WallAgent:
    """An agent's row, from their own desk."""
    me, call = desk.me, desk.call
    flags: list[wire.WallFlag] = ["danger"] if for_wall(desk) is not None else []
    return wire.WallAgent(
        agent=me.agent,
        state=me.state,
        pause_reason=me.pause_reason,
        phone_registered=me.phone_registered,
        since_at=me.since_at,
        call=None if call is None else call.call,
        caller_number="" if call is None else mask_number(call.caller_number),
        queue="" if call is None else call.queue,
        flags=flags,
    )
