import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, test } from 'vitest'

import type { PhoneKind } from '../src/api'
import type { PhoneLine } from '../src/phone/line'
import type { MicrophoneTrouble, PhoneEvent } from '../src/phone/state'
import { usePagePhone, type Surroundings } from '../src/phone/store'

class FakeLine implements PhoneLine {
  done: string[] = []
  answer = (): void => void this.done.push('answer')
  dial = (number: string): void => void this.done.push(`dial ${number}`)
  hangUp = (): void => void this.done.push('hang up')
  press = (tones: string): void => void this.done.push(`press ${tones}`)
  mute = (isMuted: boolean): void => void this.done.push(isMuted ? 'mute' : 'unmute')
  renew = (): void => void this.done.push('renew')
  stop = (): void => void this.done.push('stop')
}

class Around implements Surroundings {
  phone: PhoneKind | null = { kind: 'page', extension: '1001', password: 'secret' }
  trouble: MicrophoneTrouble | null = null
  isAllowed = true
  canOpen = true
  lines: FakeLine[] = []
  tells: ((event: PhoneEvent) => void)[] = []
  bells = 0

  kind = async (): Promise<PhoneKind> => {
    if (this.phone === null) throw new Error('unreachable')
    return this.phone
  }
  askForMicrophone = async (): Promise<MicrophoneTrouble | null> => this.trouble
  isMicrophoneAllowed = async (): Promise<boolean> => this.isAllowed
  openLine = async (_account: object, tell: (event: PhoneEvent) => void): Promise<PhoneLine> => {
    if (!this.canOpen) throw new Error('no such chunk')
    this.tells.push(tell)
    this.lines.push(new FakeLine())
    return this.lines.at(-1)!
  }
  ring = (): (() => void) => {
    this.bells += 1
    return () => void (this.bells -= 1)
  }

  tell(...events: PhoneEvent[]): void {
    for (const event of events) this.tells.at(-1)!(event)
  }
}

const UP: PhoneEvent = { kind: 'line', line: 'registered' }
const RINGS: PhoneEvent = { kind: 'begins', id: 'c1', number: '13800000001', step: 'ringing' }

let around: Around
beforeEach(() => {
  setActivePinia(createPinia())
  around = new Around()
})

test('an agent with a desk phone has no telephone in the page', async () => {
  around.phone = { kind: 'desk' }
  const phone = usePagePhone()
  await phone.open(around)
  await phone.switchOn()
  expect([phone.isPage, phone.view.line, around.lines.length]).toEqual([false, 'off', 0])
})

test('a server that did not answer is asked again', async () => {
  const phone = usePagePhone()
  const given = around.phone
  around.phone = null
  await phone.open(around)
  expect(phone.isPage).toBe(false)
  around.phone = given
  await phone.open(around)
  expect(phone.isPage).toBe(true)
})

test('nobody is asked for a microphone before the agent wants the page for a phone', async () => {
  around.isAllowed = false
  const phone = usePagePhone()
  await phone.open(around)
  expect(phone.view.line).toBe('off')
  await phone.switchOn()
  expect(phone.view.line).toBe('connecting')
})

test('without a microphone no line is opened, so that nothing rings that cannot be answered', async () => {
  around.trouble = 'insecure'
  const phone = usePagePhone()
  await phone.open(around)
  expect([phone.view.line, phone.view.trouble]).toEqual(['no_microphone', 'insecure'])
  expect(around.lines).toEqual([])
  around.trouble = null
  await phone.switchOn()
  expect(around.lines).toHaveLength(1)
})

test('a part that does not load is told and may be tried again', async () => {
  around.canOpen = false
  const phone = usePagePhone()
  await phone.open(around)
  expect(phone.view.line).toBe('broken')
})

test('the bell rings while it rings, and the keys do what they say', async () => {
  const phone = usePagePhone()
  await phone.open(around)
  phone.dial('110') // not yet registered
  around.tell(UP, RINGS)
  expect(around.bells).toBe(1)
  phone.answer()
  around.tell({ kind: 'talks', id: 'c1' })
  expect(around.bells).toBe(0)
  phone.answer()
  phone.dial('*110')
  phone.toggleMute()
  around.tell({ kind: 'muted', id: 'c1', isMuted: true })
  phone.toggleMute()
  phone.hangUp()
  around.tell({ kind: 'ends', id: 'c1' })
  phone.dial('119')
  const done = ['answer', 'press *110', 'mute', 'unmute', 'hang up', 'dial 119']
  expect(around.lines[0]!.done).toEqual(done)
})

test('switched on anew, the former line is stopped and its words are not taken', async () => {
  const phone = usePagePhone()
  await phone.open(around)
  around.tell(UP, { kind: 'line', line: 'taken' })
  const former = around.tells[0]!
  await phone.switchOn()
  expect(around.lines[0]!.done).toEqual(['stop'])
  around.tell(UP)
  former({ kind: 'line', line: 'lost' })
  expect(phone.view.line).toBe('registered')
})

test('in a conversation no other line is begun', async () => {
  const phone = usePagePhone()
  await phone.open(around)
  around.tell(UP, RINGS, { kind: 'talks', id: 'c1' }, { kind: 'line', line: 'taken' })
  await phone.switchOn()
  expect(around.lines).toHaveLength(1)
})

test('a desk left in a conversation leaves the citizen alone, and finds them again', async () => {
  const phone = usePagePhone()
  await phone.open(around)
  around.tell(UP, RINGS, { kind: 'talks', id: 'c1' })
  phone.close()
  around.tell({ kind: 'line', line: 'refused' })
  expect(around.lines[0]!.done).toEqual([])
  await phone.open(around)
  expect(phone.call?.step).toBe('talking')
  phone.close()
  around.tell({ kind: 'ends', id: 'c1' })
  expect([around.lines[0]!.done, phone.isPage]).toEqual([['stop'], false])
})

test('a desk that was out of touch has the line made anew', async () => {
  const phone = usePagePhone()
  phone.renew()
  await phone.open(around)
  phone.renew()
  expect(around.lines[0]!.done).toEqual(['renew'])
})

test('signing out stops bell and line', async () => {
  const phone = usePagePhone()
  await phone.open(around)
  around.tell(UP, RINGS)
  phone.close()
  expect([around.bells, phone.isPage, phone.call]).toEqual([0, false, null])
  expect(around.lines[0]!.done).toEqual(['stop'])
})
