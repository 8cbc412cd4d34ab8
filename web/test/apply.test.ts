import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { describe, expect, test } from 'vitest'

import type { DeskEvent, DeskView } from '../src/contract'
import { apply } from '../src/desk/apply'

interface Vector {
  about: string
  before: DeskView
  events: DeskEvent[]
  after: DeskView
}

// The same files that tests/unit/server/push/test_view.py runs in Python.
const FOLDER = fileURLToPath(new URL('../../tests/vectors/desk', import.meta.url))

function vectors(): [string, Vector][] {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.json'))
  return names.map((name) => [name, JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Vector])
}

describe('events applied to the old snapshot equal the fresh snapshot', () => {
  test.each(vectors())('%s', (_name, vector) => {
    const before = structuredClone(vector.before)
    expect(vector.events.reduce(apply, vector.before)).toEqual(vector.after)
    expect(vector.before, 'the old view is untouched').toEqual(before)
  })
})

test('an event of a kind that a newer server may send changes nothing', () => {
  const view = vectors()[0]![1].before
  expect(apply(view, { kind: 'later' } as unknown as DeskEvent)).toBe(view)
})
