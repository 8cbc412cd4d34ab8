/**
 * Work that the server may refuse, and the refusal in Chinese.
 *
 * A lost session leads to the sign-in page; what is no refusal is a fault of ours and is thrown on.
 */
import { ref, type Ref } from 'vue'

import { Refusal } from './api'
import { useSession } from './session'
import { refusalWords } from './words'

/** How a failure is said: with `say`, in Chinese. */
export function useComplaint(say: (words: string) => void): (error: unknown) => void {
  const session = useSession()
  return (error) => {
    if (!(error instanceof Refusal)) throw error
    if (error.status === 401) session.ended('not_signed_in')
    else say(refusalWords(error.code, error.status, error.params))
  }
}

export interface Attempts {
  /** What went wrong, until something goes well. */
  trouble: Ref<string>
  /** Does the work; whether it was done. */
  attempt: (work: () => Promise<unknown>) => Promise<boolean>
  /** For work of another shape: notes its failure. */
  complain: (error: unknown) => void
}

/** The failures of one page or part, kept beside what was tried. */
export function useAttempt(): Attempts {
  const trouble = ref('')
  const complain = useComplaint((words) => {
    trouble.value = words
  })

  async function attempt(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work()
      trouble.value = ''
      return true
    } catch (error) {
      complain(error)
      return false
    }
  }

  return { trouble, attempt, complain }
}
