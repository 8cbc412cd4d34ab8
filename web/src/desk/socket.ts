/**
 * The desk's line to the server: says hello with what it has, resumes by (epoch, seq), notices a
 * silent line, a gap and a new epoch, and comes back by itself. Never reloads the page.
 *
 * Owns no view: hands snapshots and events on, in order and each once.
 */
import type { Beat, DeskEvent, DeskView, Numbered, Paused, Snapshot } from '../contract'

/**
 * connecting: never had the desk. resuming: line up again, waiting to be told we are up to date.
 * paused: the line is good, but the server itself hears nothing: what is shown may be old.
 */
export type LineState = 'connecting' | 'live' | 'resuming' | 'paused' | 'lost' | 'closed'

export interface SocketLike {
  onopen: ((event: Event) => void) | null
  onmessage: ((event: MessageEvent) => void) | null
  onclose: ((event: CloseEvent) => void) | null
  send(text: string): void
  close(): void
}

export interface Surroundings {
  open(): SocketLike
  /** Ask whether we are still signed in; false ends the line for good. */
  isSignedIn(): Promise<boolean>
  setTimer(run: () => void, ms: number): number
  clearTimer(timer: number): void
  now(): number
  random(): number
}

export interface Listener<View = DeskView, Event = DeskEvent> {
  onSnapshot(view: View): void
  onEvent(event: Event): void
  onLine(state: LineState, retryAt: number | null): void
  /** The server's clock minus ours, in ms. */
  onClock(offsetMs: number): void
  onSignedOut(): void
}

type Frame<View, Event> =
  | (Omit<Snapshot, 'view'> & { type: 'snapshot'; view: View })
  | (Omit<Numbered, 'event'> & { type: 'event'; event: Event })
  | Beat
  | Paused

/** Two beats of the server's 15 s may be late before the line counts as dead. */
export const SILENCE_MS = 30_000
const FIRST_WAIT_MS = 500
const MOST_WAIT_MS = 15_000
const JITTER = 0.3
/** A line that lived this long was a good one: the next wait starts small again. */
const GOOD_LINE_MS = 10_000

/** Of a desk; the leaders' wall has its own view and event. */
export class DeskSocket<View = DeskView, Event = DeskEvent> {
  private socket: SocketLike | null = null
  private epoch: string | null = null
  private seq: number | null = null
  private waitMs = FIRST_WAIT_MS
  private retryTimer: number | null = null
  private silenceTimer: number | null = null
  private openedAt: number | null = null
  private lastFrameAt = 0
  private gapAt: number | null = null
  private isClosed = false

  constructor(
    private readonly around: Surroundings,
    private readonly listener: Listener<View, Event>,
  ) {}

  start(): void {
    this.isClosed = false
    this.connect()
  }

  /** Leave for good (sign-out). */
  stop(): void {
    this.isClosed = true
    this.cancelRetry()
    this.drop()
    this.listener.onLine('closed', null)
  }

  /** The machine woke, the network changed or the tab was shown: do not wait for timers. */
  nudge(): void {
    if (this.isClosed) return
    const isSilent = this.around.now() - this.lastFrameAt > SILENCE_MS
    if (this.socket === null || isSilent) {
      this.waitMs = FIRST_WAIT_MS
      this.reconnectNow()
    }
  }

  /** The browser says that the network is gone: the old line is dead, whatever TCP believes. */
  networkGone(): void {
    if (!this.isClosed && this.socket !== null) this.lost()
  }

  private reconnectNow(): void {
    this.cancelRetry()
    this.drop()
    this.connect()
  }

  private connect(): void {
    this.retryTimer = null
    this.listener.onLine(this.epoch === null ? 'connecting' : 'resuming', null)
    const socket = this.around.open()
    this.socket = socket
    this.openedAt = null
    this.lastFrameAt = this.around.now()
    this.watch()
    socket.onopen = () => {
      this.openedAt = this.around.now()
      socket.send(JSON.stringify({ type: 'hello', epoch: this.epoch, seq: this.seq }))
    }
    socket.onmessage = (message) => this.receive(String(message.data))
    socket.onclose = () => this.lost()
  }

  private receive(text: string): void {
    this.lastFrameAt = this.around.now()
    this.watch()
    const frame = JSON.parse(text) as Frame<View, Event>
    switch (frame.type) {
      case 'snapshot':
        this.epoch = frame.epoch
        this.seq = frame.seq
        this.gapAt = null
        this.listener.onSnapshot(frame.view)
        break
      case 'event':
        if (!this.takeEvent(frame.epoch, frame.seq, frame.event)) return
        break
      case 'beat':
        this.listener.onClock(Date.parse(frame.at) - this.around.now())
        break
      case 'paused':
        if (this.epoch !== null) this.listener.onLine('paused', null)
        return
    }
    if (this.epoch !== null) this.listener.onLine('live', null)
  }

  /** False where the line was given up because an event is missing. */
  private takeEvent(epoch: string, seq: number, event: Event): boolean {
    if (epoch === this.epoch && this.seq !== null) {
      if (seq <= this.seq) return true
      if (seq === this.seq + 1) {
        this.seq = seq
        this.listener.onEvent(event)
        return true
      }
    }
    this.missing()
    return false
  }

  /** Ask again from what we have; the second time at the same place, ask for everything. */
  private missing(): void {
    if (this.seq === null || this.gapAt === this.seq) {
      this.epoch = null
      this.seq = null
      this.gapAt = null
    } else {
      this.gapAt = this.seq
    }
    this.lost()
  }

  private lost(): void {
    const neverOpened = this.openedAt === null
    const wasGood = !neverOpened && this.around.now() - (this.openedAt ?? 0) > GOOD_LINE_MS
    this.drop()
    if (this.isClosed) return
    if (wasGood) this.waitMs = FIRST_WAIT_MS
    const ms = this.waitMs * (1 - JITTER + 2 * JITTER * this.around.random())
    this.waitMs = Math.min(this.waitMs * 2, MOST_WAIT_MS)
    this.listener.onLine('lost', this.around.now() + ms)
    this.cancelRetry()
    this.retryTimer = this.around.setTimer(() => void this.retry(neverOpened), ms)
  }

  /** A refused handshake does not say why in a browser, so the session is asked first. */
  private async retry(neverOpened: boolean): Promise<void> {
    this.retryTimer = null
    if (neverOpened && !(await this.around.isSignedIn())) {
      if (this.isClosed) return
      this.isClosed = true
      this.listener.onSignedOut()
      return
    }
    if (!this.isClosed && this.socket === null && this.retryTimer === null) this.connect()
  }

  private watch(): void {
    if (this.silenceTimer !== null) this.around.clearTimer(this.silenceTimer)
    this.silenceTimer = this.around.setTimer(() => this.lost(), SILENCE_MS)
  }

  private cancelRetry(): void {
    if (this.retryTimer !== null) this.around.clearTimer(this.retryTimer)
    this.retryTimer = null
  }

  private drop(): void {
    if (this.silenceTimer !== null) this.around.clearTimer(this.silenceTimer)
    this.silenceTimer = null
    const socket = this.socket
    this.socket = null
    if (socket === null) return
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close()
  }
}

/** The real browser. */
export function browserSurroundings(isSignedIn: () => Promise<boolean>): Surroundings {
  return {
    open: () => {
      const url = new URL('ws', document.baseURI)
      url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
      url.hash = ''
      return new WebSocket(url)
    },
    isSignedIn,
    setTimer: (run, ms) => window.setTimeout(run, ms),
    clearTimer: (timer) => window.clearTimeout(timer),
    now: () => Date.now(),
    random: () => Math.random(),
  }
}
