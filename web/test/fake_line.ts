/** A scripted server end of the desk's line, with a clock that moves only when told. */
import type { DeskEvent, DeskView } from '../src/contract'
import type { SocketLike, Surroundings } from '../src/desk/socket'

export const VIEW: DeskView = {
  me: {
    agent: '1001',
    state: 'ready',
    pause_reason: null,
    phone_registered: true,
    since_at: '2026-03-02T03:00:00Z',
    dialled: null,
  },
  pop: null,
  call: null,
  lines: [],
  draft: null,
  links: { telephony: 'up', speech: 'up', database: 'up', emergency_trunks: 'up' },
  dangers: [],
}

export class FakeSocket implements SocketLike {
  onopen: SocketLike['onopen'] = null
  onmessage: SocketLike['onmessage'] = null
  onclose: SocketLike['onclose'] = null
  sent: unknown[] = []
  isClosed = false

  send(text: string): void {
    this.sent.push(JSON.parse(text))
  }

  close(): void {
    this.isClosed = true
  }

  accept(): void {
    this.onopen?.({} as Event)
  }

  cut(): void {
    this.onclose?.({} as CloseEvent)
  }

  tell(frame: object): void {
    this.onmessage?.({ data: JSON.stringify(frame) } as MessageEvent)
  }

  snapshot(epoch: string, seq: number, view: DeskView = VIEW): void {
    this.tell({ type: 'snapshot', epoch, seq, view })
  }

  event(epoch: string, seq: number, event: DeskEvent): void {
    this.tell({ type: 'event', epoch, seq, event })
  }

  beat(at = '2026-03-02T03:00:00Z'): void {
    this.tell({ type: 'beat', at })
  }
}

export class FakeSurroundings implements Surroundings {
  sockets: FakeSocket[] = []
  signedIn = true
  asked = 0
  dice = 0.5
  private nowMs = Date.parse('2026-03-02T03:00:00Z')
  private timers = new Map<number, { at: number; run: () => void }>()
  private nextTimer = 1

  get last(): FakeSocket {
    return this.sockets.at(-1)!
  }

  open(): FakeSocket {
    const socket = new FakeSocket()
    this.sockets.push(socket)
    return socket
  }

  isSignedIn(): Promise<boolean> {
    this.asked += 1
    return Promise.resolve(this.signedIn)
  }

  setTimer(run: () => void, ms: number): number {
    const timer = this.nextTimer++
    this.timers.set(timer, { at: this.nowMs + ms, run })
    return timer
  }

  clearTimer(timer: number): void {
    this.timers.delete(timer)
  }

  now(): number {
    return this.nowMs
  }

  random(): number {
    return this.dice
  }

  get timerCount(): number {
    return this.timers.size
  }

  /** The machine sleeps: time passes and no timer runs. */
  sleep(ms: number): void {
    this.nowMs += ms
  }

  /** Let time pass, running each timer at its instant. */
  async pass(ms: number): Promise<void> {
    const until = this.nowMs + ms
    for (;;) {
      const due = [...this.timers].filter(([, timer]) => timer.at <= until)
      const next = due.sort((a, b) => a[1].at - b[1].at)[0]
      if (!next) break
      this.timers.delete(next[0])
      this.nowMs = Math.max(this.nowMs, next[1].at)
      next[1].run()
      await settled()
    }
    this.nowMs = until
  }
}

/** Let promises that are ready run. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve()
}
