/** How near a due time is: what the page colours. */
import type { TicketState } from './order_contract'

export type DueTone = 'over' | 'soon' | 'calm' | 'done'

const SOON_MS = 24 * 3600_000
const GOING_ON: readonly TicketState[] = [
  'registered',
  'to_dispatch',
  'under_study',
  'with_units',
  'in_review',
  'following_up',
]

export function isGoingOn(state: TicketState): boolean {
  return GOING_ON.includes(state)
}

export function dueTone(due: string, isOpen: boolean, nowMs: number): DueTone {
  if (!isOpen) return 'done'
  const leftMs = Date.parse(due) - nowMs
  if (leftMs < 0) return 'over'
  return leftMs < SOON_MS ? 'soon' : 'calm'
}

/** `还剩 3 小时`, `超期 2 天`. */
export function leftWords(due: string, nowMs: number): string {
  const leftMs = Date.parse(due) - nowMs
  const minutes = Math.floor(Math.abs(leftMs) / 60_000)
  const span =
    minutes >= 2880
      ? `${Math.floor(minutes / 1440)} 天`
      : minutes >= 60
        ? `${Math.floor(minutes / 60)} 小时`
        : `${minutes} 分钟`
  return `${leftMs < 0 ? '超期' : '还剩'} ${span}`
}
