/**
 * What one event does to the wall: the twin of `server/push/wall_view.py`.
 *
 * Pure. Both run over `tests/vectors/wall/*.json`.
 */
import type { WallCaller, WallChanged, WallView } from '../contract'

export function apply(view: WallView, event: WallChanged): WallView {
  return {
    callers: withCallers(view.callers, event),
    agents: withRows(view.agents, event.agents, (row) => row.agent).sort((a, b) =>
      compare(a.agent, b.agent),
    ),
    queues: event.queues ?? view.queues,
    figures: event.figures ?? view.figures,
    alarms: event.alarms ?? view.alarms,
    dangers: event.dangers ?? view.dangers,
    links: event.links ?? view.links,
  }
}

function withCallers(callers: WallCaller[], event: WallChanged): WallCaller[] {
  const gone = new Set(event.gone)
  const kept = callers.filter((caller) => !gone.has(caller.call))
  return withRows(kept, event.callers, (row) => row.call).sort(
    (a, b) => Date.parse(a.since_at) - Date.parse(b.since_at) || compare(a.call, b.call),
  )
}

function withRows<Row>(rows: Row[], news: Row[], key: (row: Row) => string): Row[] {
  const changed = new Set(news.map(key))
  return [...rows.filter((row) => !changed.has(key(row))), ...news]
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
