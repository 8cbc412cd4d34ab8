import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { describe, expect, test } from 'vitest'

import type { WallChanged, WallView } from '../src/contract'
import { apply } from '../src/leader/apply'

interface Vector {
  about: string
  before: WallView
  events: WallChanged[]
  after: WallView
}

// The same files that tests/unit/server/push/test_wall_view.py runs in Python.
const FOLDER = fileURLToPath(new URL('../../tests/vectors/wall', import.meta.url))

function vectors(): [string, Vector][] {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.json'))
  return names.map((name) => [name, JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Vector])
}

describe('events applied to the old wall equal the fresh wall', () => {
  test.each(vectors())('%s', (_name, vector) => {
    const before = structuredClone(vector.before)
    expect(vector.events.reduce(apply, vector.before)).toEqual(vector.after)
    expect(vector.before, 'the old view is untouched').toEqual(before)
  })
})
