import { beforeEach, describe, expect, test } from 'vitest'

import type { DeskEvent, DeskView } from '../src/contract'
import { DeskSocket, SILENCE_MS, type LineState } from '../src/desk/socket'
import { FakeSurroundings, VIEW } from './fake_line'

const LINKS: DeskEvent = { kind: 'links', links: VIEW.links }

let around: FakeSurroundings
let line: DeskSocket
let views: DeskView[]
let events: DeskEvent[]
let states: LineState[]
let offsets: number[]
let signedOut: number

beforeEach(() => {
  around = new FakeSurroundings()
  views = []
  events = []
  states = []
  offsets = []
  signedOut = 0
  line = new DeskSocket(around, {
    onSnapshot: (view) => views.push(view),
    onEvent: (event) => events.push(event),
    onLine: (state) => {
      if (states.at(-1) !== state) states.push(state)
    },
    onClock: (ms) => offsets.push(ms),
    onSignedOut: () => (signedOut += 1),
  })
  line.start()
})

function live(epoch = 'e1', seq = 5): void {
  around.last.accept()
  around.last.snapshot(epoch, seq)
  around.last.beat()
}

async function reconnected(): Promise<void> {
  await around.pass(20_000)
  around.last.accept()
}

test('the first hello knows nothing, and the snapshot makes the desk live', () => {
  around.last.accept()
  expect(around.last.sent).toEqual([{ type: 'hello', epoch: null, seq: null }])
  around.last.beat()
  expect(states, 'a beat alone is no desk').toEqual(['connecting'])
  around.last.snapshot('e1', 5)
  expect(views).toEqual([VIEW])
  expect(states).toEqual(['connecting', 'live'])
})

test('events are handed on in order and each once', () => {
  live()
  around.last.event('e1', 6, LINKS)
  around.last.event('e1', 6, LINKS)
  around.last.event('e1', 5, LINKS)
  around.last.event('e1', 7, LINKS)
  expect(events).toHaveLength(2)
  expect(around.sockets).toHaveLength(1)
})

test('a cut line resumes from the last event and is live again after the first frame', async () => {
  live()
  around.last.event('e1', 6, LINKS)
  around.last.cut()
  expect(states.at(-1)).toBe('lost')
  await reconnected()
  expect(around.last.sent).toEqual([{ type: 'hello', epoch: 'e1', seq: 6 }])
  expect(states.at(-1)).toBe('resuming')
  around.last.event('e1', 7, LINKS)
  expect(states.at(-1)).toBe('live')
  expect(events).toHaveLength(2)
  expect(views).toHaveLength(1)
})

test('a resume with nothing missed is live with the beat', async () => {
  live()
  around.last.cut()
  await reconnected()
  around.last.beat()
  expect(states).toEqual(['connecting', 'live', 'lost', 'resuming', 'live'])
})

describe('a gap', () => {
  test('asks again from the last event that was applied', async () => {
    live()
    around.last.event('e1', 8, LINKS)
    expect(events).toHaveLength(0)
    expect(around.sockets[0]!.isClosed).toBe(true)
    await reconnected()
    expect(around.last.sent).toEqual([{ type: 'hello', epoch: 'e1', seq: 5 }])
  })

  test('at the same place twice asks for everything', async () => {
    live()
    around.last.event('e1', 8, LINKS)
    await reconnected()
    around.last.event('e1', 8, LINKS)
    await reconnected()
    expect(around.last.sent).toEqual([{ type: 'hello', epoch: null, seq: null }])
    around.last.snapshot('e1', 8)
    expect(states.at(-1)).toBe('live')
  })
})

test('an event of a new epoch without its snapshot is not applied', async () => {
  live('e1', 5)
  around.last.event('e2', 6, LINKS)
  expect(events).toHaveLength(0)
  await reconnected()
  expect(around.last.sent).toEqual([{ type: 'hello', epoch: 'e1', seq: 5 }])
  around.last.snapshot('e2', 9)
  around.last.event('e2', 10, LINKS)
  expect(events).toHaveLength(1)
  expect(views).toHaveLength(2)
})

test('a snapshot of a new epoch on the same line is taken', () => {
  live('e1', 5)
  around.last.snapshot('e2', 0)
  around.last.event('e2', 1, LINKS)
  expect(events).toHaveLength(1)
})

test('a silent line is given up after two late beats', async () => {
  live()
  await around.pass(SILENCE_MS - 1)
  expect(states.at(-1)).toBe('live')
  await around.pass(2)
  expect(states.at(-1)).toBe('lost')
  expect(around.sockets[0]!.isClosed).toBe(true)
})

test('a line that never opens is given up too', async () => {
  await around.pass(SILENCE_MS + 20_000)
  expect(around.sockets.length).toBeGreaterThan(1)
})

test('beats keep a line without events alive', async () => {
  live()
  for (let beat = 0; beat < 10; beat += 1) {
    await around.pass(15_000)
    around.last.beat()
  }
  expect(around.sockets).toHaveLength(1)
  expect(states).toEqual(['connecting', 'live'])
})

test('waits double up to a limit, vary by the dice, and start small after a good line', async () => {
  const waits: number[] = []
  const measure = async (): Promise<void> => {
    const count = around.sockets.length
    let ms = 0
    while (around.sockets.length === count && ms < 60_000) {
      await around.pass(50)
      ms += 50
    }
    waits.push(ms)
  }
  for (let attempt = 0; attempt < 8; attempt += 1) {
    around.last.cut()
    await measure()
  }
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000])
  live()
  await around.pass(15_000)
  around.dice = 0
  around.last.cut()
  await measure()
  expect(waits.at(-1)).toBe(350)
})

test('a machine that slept reconnects at once when it wakes', () => {
  live()
  around.sleep(3_600_000)
  line.nudge()
  expect(around.sockets).toHaveLength(2)
  around.last.accept()
  expect(around.last.sent).toEqual([{ type: 'hello', epoch: 'e1', seq: 5 }])
})

test('a nudge leaves a healthy line alone', () => {
  live()
  line.nudge()
  expect(around.sockets).toHaveLength(1)
})

test('a lost network shows at once, and its return does not wait for the timer', async () => {
  live()
  line.networkGone()
  expect(states.at(-1)).toBe('lost')
  line.nudge()
  expect(around.sockets).toHaveLength(2)
  await around.pass(20_000)
  expect(around.sockets, 'the old timer is gone').toHaveLength(2)
})

test('a refused handshake leads to sign-in when the session is over', async () => {
  around.signedIn = false
  around.last.cut()
  await around.pass(2000)
  expect(signedOut).toBe(1)
  expect(around.sockets).toHaveLength(1)
})

test('a refused handshake of a server that is away is tried again', async () => {
  around.last.cut()
  await around.pass(2000)
  expect(around.asked).toBe(1)
  expect(around.sockets).toHaveLength(2)
})

test('frames of a given-up line are not heard any more', () => {
  live()
  const old = around.last
  line.networkGone()
  old.event('e1', 6, LINKS)
  expect(events).toHaveLength(0)
})

test('sign-out ends the line and leaves no timer', async () => {
  live()
  line.stop()
  line.nudge()
  await around.pass(60_000)
  expect(states.at(-1)).toBe('closed')
  expect(around.sockets).toHaveLength(1)
  expect(around.timerCount).toBe(0)
})

test("beats tell how far our clock is from the server's", () => {
  live()
  around.last.beat('2026-03-02T03:00:05Z')
  expect(offsets).toEqual([0, 5000])
})

test('a server that hears nothing makes the desk paused, until it hears again', () => {
  live()
  around.last.tell({ type: 'paused', at: '2026-03-02T03:00:00Z' })
  expect(states.at(-1)).toBe('paused')
  around.last.beat()
  expect(states.at(-1)).toBe('live')
  around.last.tell({ type: 'paused', at: '2026-03-02T03:00:00Z' })
  around.last.event('e1', 6, LINKS)
  expect(states.at(-1)).toBe('live')
  expect(events).toEqual([LINKS])
})

test('a paused server without a snapshot is still connecting', () => {
  around.last.accept()
  around.last.tell({ type: 'paused', at: '2026-03-02T03:00:00Z' })
  expect(states).toEqual(['connecting'])
})
