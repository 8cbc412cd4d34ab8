/** How figures are written. */

export interface Measure {
  code: string
  name: string
  unit: string
  formula: string
  goal: number | null
  source: string
}

export type Values = Record<string, number | null>

export function figure(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined) return '–'
  switch (unit) {
    case 'share':
      return `${(value * 100).toFixed(1)}%`
    case 'seconds':
      return value >= 600 ? longTime(value) : `${value.toFixed(1)} 秒`
    default:
      return value.toLocaleString('zh-CN')
  }
}

function longTime(totalS: number): string {
  const minutes = Math.round(totalS / 60)
  const hours = Math.floor(minutes / 60)
  return hours > 0 ? `${hours} 小时 ${minutes % 60} 分` : `${minutes} 分`
}

/** Whether a figure misses what the standard wants. */
export function isMissed(value: number | null | undefined, goal: number | null): boolean {
  return goal !== null && value !== null && value !== undefined && value < goal
}
