"""What one event does to the leaders' wall: the same as ``web/src/leader/apply.ts``.

Pure; both are run over ``tests/vectors/wall/*.json``. An event tells rows as they are now, so one
that is applied twice changes nothing.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from msgspec.structs import replace

from server.push.protocol import Links, WallAgent, WallCaller, WallChanged, WallView

Row = TypeVar("Row")


def empty_wall(links: Links) -> WallView:
    """Nobody is there, nothing is counted."""
    return WallView(
        callers=[], queues=[], agents=[], figures=[], alarms=[], dangers=[], links=links
    )


def apply(view: WallView, event: WallChanged) -> WallView:
    """Return the wall after the event."""
    gone = frozenset(event.gone)
    callers = view.callers
    if event.callers or gone:
        kept = [caller for caller in callers if caller.call not in gone]
        callers = _with_rows(kept, event.callers, _call_of, waiting_order)
    return replace(
        view,
        callers=callers,
        agents=_with_rows(view.agents, event.agents, _agent_of, _agent_of),
        queues=view.queues if event.queues is None else event.queues,
        figures=view.figures if event.figures is None else event.figures,
        alarms=view.alarms if event.alarms is None else event.alarms,
        dangers=view.dangers if event.dangers is None else event.dangers,
        links=view.links if event.links is None else event.links,
    )


def waiting_order(caller: WallCaller) -> tuple[float, str]:
    """Who waits longest stands first."""
    return (caller.since_at.timestamp(), caller.call)


def _call_of(caller: WallCaller) -> str:
    return caller.call


def _agent_of(agent: WallAgent) -> str:
    return agent.agent


def _with_rows(
    rows: list[Row],
    news: Iterable[Row],
    key: Callable[[Row], str],
    order: Callable[[Row], tuple[float, str] | str],
) -> list[Row]:
    changed = {key(row): row for row in news}
    if not changed:
        return rows
    kept = [row for row in rows if key(row) not in changed]
    return sorted([*kept, *changed.values()], key=order)
