/**
 * What one event does to a desk: the twin of `server/push/view.py`, word for word.
 *
 * Pure. Both run over `tests/vectors/desk/*.json`: a resumed page equals a fresh snapshot. An event
 * that does not belong to what is on the desk changes nothing.
 */
import type { CallCard, DeskEvent, DeskView, DraftView, Line } from '../contract'

export function apply(view: DeskView, event: DeskEvent): DeskView {
  switch (event.kind) {
    case 'agent_state':
      return { ...view, me: event.me }
    case 'pop_shown':
      return { ...view, pop: event.pop }
    case 'pop_withdrawn':
      return view.pop?.ring === event.ring ? { ...view, pop: null } : view
    case 'call_opened':
      return withCallOpened(view, event.call, event.draft)
    case 'call_changed':
      return view.call?.call === event.call.call ? { ...view, call: event.call } : view
    case 'line':
      return withLine(view, event.line)
    case 'draft':
      return withDraft(view, event.draft)
    case 'dangers':
      return view.call?.call === event.call ? { ...view, dangers: event.dangers } : view
    case 'desk_cleared':
      return view.call?.call === event.call ? withoutCall(view) : view
    case 'links':
      return { ...view, links: event.links }
    default:
      return neverHappens(event, view)
  }
}

/** Answering ends the ringing of the same call, whether or not its withdrawal came first. */
function withCallOpened(view: DeskView, call: CallCard, draft: DraftView): DeskView {
  const pop = view.pop?.call === call.call ? null : view.pop
  return { ...view, pop, call, lines: [], draft, dangers: [] }
}

function withoutCall(view: DeskView): DeskView {
  return { ...view, call: null, lines: [], draft: null, dangers: [] }
}

/** A higher revision replaces a lower; lines stand in the order in which they were spoken. */
function withLine(view: DeskView, line: Line): DeskView {
  if (view.call === null) return view
  const held = view.lines.find((each) => each.id === line.id)
  if (held && held.revision >= line.revision) return view
  const others = view.lines.filter((each) => each.id !== line.id)
  return { ...view, lines: [...others, line].sort(inSpokenOrder) }
}

function inSpokenOrder(a: Line, b: Line): number {
  if (a.start_s !== b.start_s) return a.start_s - b.start_s
  if (a.speaker !== b.speaker) return a.speaker < b.speaker ? -1 : 1
  return a.number - b.number
}

function withDraft(view: DeskView, draft: DraftView): DeskView {
  const held = view.draft
  if (held === null || held.call !== draft.call || held.version > draft.version) return view
  return { ...view, draft }
}

/** The compiler proves that no kind is forgotten; a newer server's kind is passed over. */
function neverHappens(_event: never, view: DeskView): DeskView {
  return view
}
