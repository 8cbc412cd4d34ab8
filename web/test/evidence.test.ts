import { expect, test } from 'vitest'

import type { DraftView, EvidenceSpan, Line } from '../src/contract'
import { fieldsOfLine, firstLineOf, segmentsOf } from '../src/desk/evidence'

function line(text: string): Line {
  return {
    id: 'citizen-0',
    speaker: 'citizen',
    number: 0,
    revision: 1,
    text,
    start_s: 0,
    end_s: 1,
    is_final: true,
    confidence: 1,
  }
}

function draft(fields: Record<string, EvidenceSpan[]>): DraftView {
  const views = Object.entries(fields).map(([name, evidence]) => [
    name,
    { value: 'x', by: 'machine' as const, confidence: 1, evidence },
  ])
  return {
    call: 'c',
    version: 1,
    fields: Object.fromEntries(views) as DraftView['fields'],
    ticket_number: null,
    saved: 'draft',
  }
}

const span = (start: number, end: number, text: string): EvidenceSpan => ({
  line: 'citizen-0',
  start,
  end,
  text,
})

test('words behind a field become a segment of their own', () => {
  const segments = segmentsOf(line('我要投诉噪声'), draft({ type: [span(2, 4, '投诉')] }))
  expect(segments).toEqual([
    { text: '我要', fields: [] },
    { text: '投诉', fields: ['type'] },
    { text: '噪声', fields: [] },
  ])
})

test('words behind two fields name both, in the form order of the contract', () => {
  const evidence = { demand: [span(0, 4, '我要投诉')], type: [span(2, 4, '投诉')] }
  expect(segmentsOf(line('我要投诉'), draft(evidence)).map((each) => each.fields)).toEqual([
    ['demand'],
    ['type', 'demand'],
  ])
})

test('positions count characters, not UTF-16 units', () => {
  const segments = segmentsOf(line('住𠮷祥里三号'), draft({ place: [span(1, 4, '𠮷祥里')] }))
  expect(segments[1]).toEqual({ text: '𠮷祥里', fields: ['place'] })
})

test('a span whose words were revised away lights nothing', () => {
  const segments = segmentsOf(line('我要咨询'), draft({ type: [span(2, 4, '投诉')] }))
  expect(segments).toEqual([{ text: '我要咨询', fields: [] }])
})

test('a field leads to its line and a line to its fields', () => {
  const view = draft({ type: [span(0, 1, '我')], place: [] })
  expect(firstLineOf(view, 'type')).toBe('citizen-0')
  expect(firstLineOf(view, 'place')).toBeNull()
  expect(fieldsOfLine(view, 'citizen-0')).toEqual(['type'])
  expect(fieldsOfLine(view, 'agent-0')).toEqual([])
})
