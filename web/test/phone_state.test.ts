import { expect, test } from 'vitest'

import { maySwitchOn, OFF, step, tonesOf, type PhoneEvent, type PhoneView } from '../src/phone/state'
import { troubleOf } from '../src/phone/microphone'

function after(...events: PhoneEvent[]): PhoneView {
  return events.reduce(step, OFF)
}

const UP: PhoneEvent = { kind: 'line', line: 'registered' }
const RINGS: PhoneEvent = { kind: 'begins', id: 'c1', number: '13800000001', step: 'ringing' }
const TALKS: PhoneEvent = { kind: 'talks', id: 'c1' }

test('a call rings, is answered, muted, and ends', () => {
  const answering = after(UP, RINGS, { kind: 'answering', id: 'c1' })
  expect(answering.call?.step).toBe('answering')
  const muted = [TALKS, { kind: 'muted', id: 'c1', isMuted: true } as const].reduce(step, answering)
  expect(muted.call).toEqual({ id: 'c1', number: '13800000001', step: 'talking', isMuted: true })
  expect(step(muted, { kind: 'ends', id: 'c1' }).call).toBeNull()
})

test('words of another call change nothing of this one', () => {
  const talking = after(UP, RINGS, TALKS)
  expect(step(talking, { kind: 'ends', id: 'c2' })).toEqual(talking)
  expect(step(talking, { ...RINGS, id: 'c2' })).toEqual(talking)
})

test.each(['lost', 'taken', 'refused'] as const)(
  'a line that is %s leaves a conversation alone and lets a ring go',
  (line) => {
    const event: PhoneEvent = { kind: 'line', line }
    expect(after(UP, RINGS, event)).toEqual({ line, trouble: null, call: null })
    expect(after(UP, RINGS, TALKS, event).call?.step).toBe('talking')
  },
)

test('only who is not on the way to a line may switch it on', () => {
  const may = (['off', 'no_microphone', 'refused', 'taken', 'broken'] as const).map(maySwitchOn)
  const mayNot = (['asking', 'connecting', 'registered', 'lost'] as const).map(maySwitchOn)
  expect([...may, ...mayNot]).toEqual([true, true, true, true, true, false, false, false, false])
})

test('keys are digits, star and hash alone', () => {
  expect(tonesOf(' *110# 转a1')).toBe('*110#1')
  expect(tonesOf('1'.repeat(40))).toHaveLength(20)
})

test('a forbidden microphone is told from a missing one', () => {
  expect(troubleOf(new DOMException('', 'NotAllowedError'))).toBe('denied')
  expect(troubleOf(new DOMException('', 'NotFoundError'))).toBe('missing')
})
