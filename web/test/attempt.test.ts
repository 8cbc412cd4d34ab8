/** What becomes of work that the server refuses. */
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'

import { Refusal } from '../src/api'
import { useAttempt } from '../src/attempt'
import { useSession } from '../src/session'

beforeEach(() => setActivePinia(createPinia()))

const refused = (code: string, status: number) => () => Promise.reject(new Refusal(code, status))

describe('an attempt', () => {
  it('keeps a refusal in words until something goes well', async () => {
    const { trouble, attempt } = useAttempt()
    expect(await attempt(refused('not_allowed', 403))).toBe(false)
    expect(trouble.value).not.toBe('')
    expect(await attempt(() => Promise.resolve())).toBe(true)
    expect(trouble.value).toBe('')
  })

  it('ends the session where nobody is signed in any more, and says no more', async () => {
    const { trouble, attempt } = useAttempt()
    await attempt(refused('not_signed_in', 401))
    expect(useSession().endedBy).toBe('not_signed_in')
    expect(trouble.value).toBe('')
  })

  it('throws on what is no refusal', async () => {
    const { attempt } = useAttempt()
    await expect(attempt(() => Promise.reject(new Error('ours')))).rejects.toThrow('ours')
  })
})
