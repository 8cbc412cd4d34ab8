/** The present instant on the server's clock, ticking once a second for timers on the page. */
import { computed, ref } from 'vue'

const tickMs = ref(Date.now())
const offsetMs = ref(0)

export const serverNowMs = computed(() => tickMs.value + offsetMs.value)

export function startTicking(): void {
  window.setInterval(() => {
    tickMs.value = Date.now()
  }, 1000)
}

/** Small differences are network delay, not a wrong clock. */
export function setServerOffset(ms: number): void {
  offsetMs.value = Math.abs(ms) < 1000 ? 0 : ms
}

/** `1:05` or `2:03:09` from `from` until `until` (now if still running). */
export function elapsed(from: string, until: string | null, nowMs: number): string {
  const endMs = until === null ? nowMs : Date.parse(until)
  return duration(Math.max(0, Math.floor((endMs - Date.parse(from)) / 1000)))
}

export function duration(totalS: number): string {
  const hours = Math.floor(totalS / 3600)
  const minutes = Math.floor((totalS % 3600) / 60)
  const seconds = String(Math.floor(totalS % 60)).padStart(2, '0')
  return hours > 0
    ? `${hours}:${String(minutes).padStart(2, '0')}:${seconds}`
    : `${minutes}:${seconds}`
}

const DAY_TIME = new Intl.DateTimeFormat('zh-CN', {
  timeZone: 'Asia/Shanghai',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
})

/** Month, day and time in China, whatever the browser's zone. */
export function dayTime(at: string): string {
  const parts = Object.fromEntries(
    DAY_TIME.formatToParts(Date.parse(at)).map((part) => [part.type, part.value]),
  )
  return `${parts['month']}-${parts['day']} ${parts['hour']}:${parts['minute']}`
}
