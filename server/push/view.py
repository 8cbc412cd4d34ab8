"""What one event does to a desk: ``apply(view, event)``, the same as ``web/src/desk/apply.ts``.

Pure. The bridge makes its stored view with it and the browser its page with the twin; both are
run over ``tests/vectors/desk/*.json``, so that a resumed page equals a fresh snapshot. An event
that does not belong to what is on the desk (a late word of a call already cleared) changes
nothing: it must never bring a former caller's words to a new call.
"""

from typing import assert_never

from msgspec.structs import replace

from server.push.protocol import (
    AgentState,
    AgentStateChanged,
    CallCard,
    CallChanged,
    CallOpened,
    DangerShown,
    DeskCleared,
    DeskEvent,
    DeskView,
    DraftChanged,
    DraftView,
    Line,
    LineChanged,
    Links,
    LinksChanged,
    PopShown,
    PopWithdrawn,
)


def empty_view(me: AgentState, links: Links) -> DeskView:
    """A desk without a call."""
    return DeskView(me=me, pop=None, call=None, lines=[], draft=None, links=links)


def apply(view: DeskView, event: DeskEvent) -> DeskView:
    """Return the view after the event; the view itself where the event changes nothing."""
    match event:
        case AgentStateChanged():
            return replace(view, me=event.me)
        case PopShown():
            return replace(view, pop=event.pop)
        case PopWithdrawn():
            return _without_pop(view, event.ring)
        case CallOpened():
            return _with_call_opened(view, event.call, event.draft)
        case CallChanged():
            return _with_call(view, event.call)
        case LineChanged():
            return _with_line(view, event.line)
        case DraftChanged():
            return _with_draft(view, event.draft)
        case DangerShown():
            return _with_dangers(view, event)
        case DeskCleared():
            return _cleared(view, event.call)
        case LinksChanged():
            return replace(view, links=event.links)
        case _:
            assert_never(event)


def _without_pop(view: DeskView, ring: str) -> DeskView:
    if view.pop is None or view.pop.ring != ring:
        return view
    return replace(view, pop=None)


def _with_call_opened(view: DeskView, call: CallCard, draft: DraftView) -> DeskView:
    """Answering ends the ringing of the same call, whether or not its withdrawal came first."""
    pop = None if view.pop is not None and view.pop.call == call.call else view.pop
    return replace(view, pop=pop, call=call, lines=[], draft=draft, dangers=[])


def _with_call(view: DeskView, call: CallCard) -> DeskView:
    if view.call is None or view.call.call != call.call:
        return view
    return replace(view, call=call)


def _with_line(view: DeskView, line: Line) -> DeskView:
    """A higher revision replaces a lower; lines stand in the order in which they were spoken."""
    if view.call is None:
        return view
    others = [each for each in view.lines if each.id != line.id]
    if any(each.id == line.id and each.revision >= line.revision for each in view.lines):
        return view
    return replace(view, lines=sorted([*others, line], key=spoken_order))


def spoken_order(line: Line) -> tuple[float, str, int]:
    return (line.start_s, line.speaker, line.number)


def _with_draft(view: DeskView, draft: DraftView) -> DeskView:
    held = view.draft
    if held is None or held.call != draft.call or held.version > draft.version:
        return view
    return replace(view, draft=draft)


def _with_dangers(view: DeskView, event: DangerShown) -> DeskView:
    if view.call is None or view.call.call != event.call:
        return view
    return replace(view, dangers=event.dangers)


def _cleared(view: DeskView, call: str) -> DeskView:
    if view.call is None or view.call.call != call:
        return view
    return replace(view, call=None, lines=[], draft=None, dangers=[])
