import { describe, expect, test } from 'vitest'

import { dueTone, leftWords } from '../src/due'
import { blank, localInstant, said } from '../src/move_form'
import { MOVE_FORMS } from '../src/order_contract'
import { moveFieldWords } from '../src/order_words'

const NOW = Date.parse('2026-03-02T01:30:00Z')

describe('a form of a move', () => {
  test('what was not said is not sent', () => {
    const values = blank(MOVE_FORMS.feedback, NOW)
    values['outcome'] = 'done'
    values['reply'] = ' 已修好 '
    values['asked_satisfied'] = 'no'
    expect(said(MOVE_FORMS.feedback, values)).toEqual({
      outcome: 'done',
      reply: '已修好',
      asked_satisfied: false,
    })
  })

  test('rows, lists, numbers and instants are sent in their types', () => {
    const dispatch = blank(MOVE_FORMS.dispatch, NOW)
    dispatch['units'] = [{ unit: 'city.water', part: 'single' }]
    dispatch['basis'] = '职责'
    dispatch['feedback_days'] = '5'
    expect(said(MOVE_FORMS.dispatch, dispatch)).toEqual({
      units: [{ unit: 'city.water', part: 'single' }],
      basis: '职责',
      feedback_days: 5,
    })
    const tell = { ...blank(MOVE_FORMS.tell_extension, NOW), told: '已告知' }
    expect(said(MOVE_FORMS.tell_extension, tell)).toEqual({
      told: '已告知',
      told_at: '2026-03-02T09:30:00+08:00',
    })
  })

  test('a needed text that may be empty is sent empty', () => {
    const values = blank(MOVE_FORMS.not_register, NOW)
    values['reason'] = 'facts_unclear'
    values['questions'] = [{ question: '在哪里？', answer: '' }]
    expect(said(MOVE_FORMS.not_register, values)['questions']).toEqual([
      { question: '在哪里？', answer: '' },
    ])
  })

  test('an instant is shown as it is in China', () => {
    expect(localInstant(NOW)).toBe('2026-03-02T09:30')
  })
})

describe('a due time', () => {
  test('is coloured by how near it is, while the ticket is open', () => {
    expect(dueTone('2026-03-02T01:29:00Z', true, NOW)).toBe('over')
    expect(dueTone('2026-03-02T20:00:00Z', true, NOW)).toBe('soon')
    expect(dueTone('2026-03-05T01:30:00Z', true, NOW)).toBe('calm')
    expect(dueTone('2026-03-02T01:29:00Z', false, NOW)).toBe('done')
  })

  test('says what is left, or by how much it is over', () => {
    expect(leftWords('2026-03-02T04:30:00Z', NOW)).toBe('还剩 3 小时')
    expect(leftWords('2026-02-27T01:30:00Z', NOW)).toBe('超期 3 天')
  })
})

test('what was left out may be a move that comes first', () => {
  expect(moveFieldWords('feedback', 'review_feedback')).toBe('审核反馈')
  expect(moveFieldWords('feedback', 'reply')).not.toBe('reply')
})
