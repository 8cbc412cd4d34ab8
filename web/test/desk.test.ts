import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { nextTick } from 'vue'

import { api, Refusal } from '../src/api'
import type { CallCard, DraftView, FieldView, Pop } from '../src/contract'
import { useDraft } from '../src/desk/draft'
import { useDesk } from '../src/desk/store'
import { useNotices } from '../src/notices'
import { useSession } from '../src/session'
import { FakeSurroundings } from './fake_line'

const POP: Pop = {
  ring: 'r1',
  call: 'c1',
  caller_number: '13800138000',
  caller_name: '',
  called_number: '12345',
  queue: 'hotline',
  rang_at: '2026-03-02T03:00:00Z',
  waited_s: 3,
  former_calls: [],
  former_tickets: [],
  warnings: [],
}
const CALL: CallCard = {
  call: 'c1',
  caller_number: '13800138000',
  caller_name: '',
  queue: 'hotline',
  answered_at: '2026-03-02T03:00:05Z',
  ended_at: null,
  speech: 'live',
  engine: 'vosk',
  model: 'demo-zh',
  former_calls: [],
  former_tickets: [],
  warnings: [],
  emergency: null,
  is_held: false,
  party: null,
  consent: 'unasked',
  consent_for: [],
  consent_script: '',
  is_recording_paused: false,
}

function field(value: string, by: FieldView['by'] = 'machine'): FieldView {
  return { value, by, confidence: 0.9, evidence: [] }
}

function draftView(version: number, fields: Record<string, FieldView>): DraftView {
  return { call: 'c1', version, fields, ticket_number: null, saved: 'draft' }
}

let around: FakeSurroundings
let seq: number

beforeEach(() => {
  vi.useFakeTimers()
  setActivePinia(createPinia())
  around = new FakeSurroundings()
  seq = 0
})

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

function openDesk() {
  const desk = useDesk()
  desk.open(around)
  around.last.accept()
  around.last.snapshot('e', 0)
  return desk
}

function tell(...events: Parameters<typeof around.last.event>[2][]): void {
  for (const event of events) around.last.event('e', ++seq, event)
}

async function openCall(fields: Record<string, FieldView> = {}) {
  const desk = openDesk()
  const draft = useDraft()
  tell({ kind: 'call_opened', call: CALL, draft: draftView(1, fields) })
  await nextTick()
  return { desk, draft }
}

describe('the desk', () => {
  test('says briefly that another agent answered', () => {
    const desk = openDesk()
    tell({ kind: 'pop_shown', pop: POP })
    expect(desk.view?.pop?.caller_number).toBe('13800138000')
    tell({ kind: 'pop_withdrawn', ring: 'r1', reason: 'answered_elsewhere' })
    expect(desk.view?.pop).toBeNull()
    expect(useNotices().list.map((each) => each.text)).toEqual([
      '来电已由其他坐席接听（13800138000）',
    ])
    vi.advanceTimersByTime(10_000)
    expect(useNotices().list).toEqual([])
  })

  test('says nothing when the agent has answered', () => {
    openDesk()
    tell({ kind: 'pop_shown', pop: POP }, { kind: 'pop_withdrawn', ring: 'r1', reason: 'answered' })
    expect(useNotices().list).toEqual([])
  })

  test('keeps the ticket number in sight after the desk is cleared', async () => {
    const { desk } = await openCall({})
    const settled = { ...draftView(2, {}), saved: 'entered' as const, ticket_number: 'T-1' }
    tell({ kind: 'draft', draft: settled }, { kind: 'desk_cleared', call: 'c1' })
    expect(desk.lastTicket).toMatchObject({ number: 'T-1', saved: 'entered' })
  })

  test('a refused wish is said in Chinese and changes no state', async () => {
    vi.spyOn(api, 'setState').mockRejectedValue(
      new Refusal('agent_state_illegal', 409, { state: 'talking' }),
    )
    const desk = openDesk()
    expect(await desk.wishState('ready')).toBe(false)
    expect(desk.view?.me.state).toBe('ready')
    expect(useNotices().list[0]?.text).toContain('通话中')
  })

  test('a lost session leads to sign-in', async () => {
    const session = useSession()
    session.user = { id: 'u', username: 'a', display_name: 'A', role: 'agent', agent: '1001', unit: null }
    vi.spyOn(api, 'setState').mockRejectedValue(new Refusal('not_signed_in', 401))
    await openDesk().wishState('ready')
    expect(session.user).toBeNull()
    expect(session.endedBy).toBe('not_signed_in')
  })
})

describe('the draft', () => {
  test('machine readings flow into fields that nobody is editing', async () => {
    const { draft } = await openCall({ place: field('花园路') })
    tell({ kind: 'draft', draft: draftView(2, { place: field('花园路 8 号') }) })
    expect(draft.shown('place')).toBe('花园路 8 号')
  })

  test('a field with the cursor in it keeps its value and offers the newer reading', async () => {
    const { draft } = await openCall({ place: field('花园路') })
    draft.hold('place')
    tell({ kind: 'draft', draft: draftView(2, { place: field('花园路 8 号') }) })
    expect(draft.shown('place')).toBe('花园路')
    expect(draft.offered('place')).toBe('花园路 8 号')
    draft.adopt('place')
    expect(draft.shown('place')).toBe('花园路 8 号')
    expect(draft.offered('place')).toBeNull()
  })

  test('the reading that was corrected is not offered as news', async () => {
    vi.spyOn(api, 'correct').mockRejectedValue(new Refusal('bridge_unavailable', 503))
    const { draft } = await openCall({ place: field('花园路') })
    draft.hold('place')
    draft.type('place', '公园路')
    expect(draft.offered('place')).toBeNull()
    await vi.advanceTimersByTimeAsync(600)
    expect(draft.offered('place')).toBeNull()
    tell({ kind: 'draft', draft: draftView(2, { place: field('花园北路') }) })
    expect(draft.offered('place')).toBe('花园北路')
  })

  test('a typed value is never overwritten, is sent once after a pause, and then is the agent’s', async () => {
    const correct = vi
      .spyOn(api, 'correct')
      .mockImplementation(async (_call, name, value) =>
        draftView(3, { [name]: field(value, 'agent') }),
      )
    const { draft } = await openCall({ place: field('花园路') })
    draft.hold('place')
    draft.type('place', '花园北')
    draft.type('place', '花园北路')
    tell({ kind: 'draft', draft: draftView(2, { place: field('公园路') }) })
    expect(draft.shown('place')).toBe('花园北路')
    await vi.advanceTimersByTimeAsync(600)
    expect(correct.mock.calls).toEqual([['c1', 'place', '花园北路']])
    expect(draft.edits.size).toBe(0)
    expect(draft.shown('place')).toBe('花园北路')
    expect(draft.draft?.fields['place']?.by).toBe('agent')
  })

  test('half-composed pinyin is not sent', async () => {
    const correct = vi.spyOn(api, 'correct')
    const { draft } = await openCall()
    draft.hold('place')
    draft.type('place', 'hua yuan', true)
    await vi.advanceTimersByTimeAsync(5000)
    expect(correct).not.toHaveBeenCalled()
  })

  test('a newer value waits for the older request and arrives after it', async () => {
    const sent: string[] = []
    const answers: (() => void)[] = []
    vi.spyOn(api, 'correct').mockImplementation((_call, name, value) => {
      sent.push(value)
      return new Promise((resolve) => {
        answers.push(() => resolve(draftView(2 + sent.length, { [name]: field(value, 'agent') })))
      })
    })
    const { draft } = await openCall()
    draft.type('place', '一')
    await vi.advanceTimersByTimeAsync(600)
    draft.type('place', '一二')
    await vi.advanceTimersByTimeAsync(600)
    expect(sent).toEqual(['一'])
    answers[0]!()
    await vi.advanceTimersByTimeAsync(10)
    expect(sent).toEqual(['一', '一二'])
    expect(draft.shown('place')).toBe('一二')
    answers[1]!()
    await vi.advanceTimersByTimeAsync(10)
    expect(draft.edits.size).toBe(0)
  })

  test('an edit that could not be sent is kept and tried again', async () => {
    const correct = vi
      .spyOn(api, 'correct')
      .mockRejectedValueOnce(new Refusal('unreachable', 0))
      .mockImplementation(async (_call, name, value) =>
        draftView(2, { [name]: field(value, 'agent') }),
      )
    const { draft } = await openCall()
    draft.type('place', '花园路')
    await vi.advanceTimersByTimeAsync(600)
    expect(draft.edits.get('place')?.state).toBe('failed')
    expect(draft.shown('place')).toBe('花园路')
    await vi.advanceTimersByTimeAsync(4000)
    expect(correct).toHaveBeenCalledTimes(2)
    expect(draft.edits.size).toBe(0)
  })

  test('a refused edit says why and is not sent for ever', async () => {
    const correct = vi
      .spyOn(api, 'correct')
      .mockRejectedValue(new Refusal('draft_value_too_long', 422, { most: 2000 }))
    const { draft } = await openCall()
    draft.type('demand', '长')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(correct).toHaveBeenCalledTimes(1)
    expect(draft.edits.get('demand')?.words).toContain('2000')
  })

  test('edits of a former call are not carried into the next', async () => {
    vi.spyOn(api, 'correct').mockRejectedValue(new Refusal('unreachable', 0))
    const { draft } = await openCall()
    draft.type('place', '旧')
    const next = { ...CALL, call: 'c2' }
    tell({ kind: 'call_opened', call: next, draft: { ...draftView(0, {}), call: 'c2' } })
    await nextTick()
    expect(draft.shown('place')).toBe('')
  })
})

describe('confirming', () => {
  test('is refused with a reason while a needed field is empty', async () => {
    const confirm = vi.spyOn(api, 'confirm')
    const { draft } = await openCall({ type: field('complain') })
    expect(draft.whyNotConfirm).toContain('核心诉求')
    await draft.confirm()
    expect(confirm).not.toHaveBeenCalled()
  })

  test('sends what the agent sees, edits first', async () => {
    const order: string[] = []
    vi.spyOn(api, 'correct').mockImplementation(async (_call, name, value) => {
      order.push(`edit ${name}`)
      return draftView(2, { type: field('complain'), demand: field(value, 'agent') })
    })
    const confirm = vi.spyOn(api, 'confirm').mockImplementation(async () => {
      order.push('confirm')
      return { ticket: { number: 'T-9' }, saved: 'entered' }
    })
    const { desk, draft } = await openCall({ type: field('complain'), demand: field('吵') })
    draft.type('demand', '制止夜间施工')
    await draft.confirm()
    expect(order).toEqual(['edit demand', 'confirm'])
    expect(confirm).toHaveBeenCalledWith('c1', 2, { type: 'complain', demand: '制止夜间施工' })
    expect(desk.lastTicket).toMatchObject({ number: 'T-9', saved: 'entered' })
  })

  test('a lost answer is asked for again: one ticket a call whatever is retried', async () => {
    const confirm = vi
      .spyOn(api, 'confirm')
      .mockRejectedValueOnce(new Refusal('unreachable', 0))
      .mockResolvedValue({ ticket: null, saved: 'kept_on_disk' })
    const { desk, draft } = await openCall({ type: field('help'), demand: field('求助') })
    const done = draft.confirm()
    expect(draft.whyNotConfirm).toBe('正在确认，请稍候')
    await vi.advanceTimersByTimeAsync(2000)
    await done
    expect(confirm).toHaveBeenCalledTimes(2)
    expect(desk.lastTicket).toMatchObject({ number: null, saved: 'kept_on_disk' })
  })
})
