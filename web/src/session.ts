/** Who is signed in, as the server says, and what product this is. Keeps no secret. */
import { defineStore } from 'pinia'
import { ref } from 'vue'

import { api, Refusal, type Info, type User } from './api'

export const useSession = defineStore('session', () => {
  const user = ref<User | null>(null)
  const info = ref<Info | null>(null)
  /** Why the person was sent back to the sign-in page; a refusal's code. */
  const endedBy = ref<string | null>(null)

  /** Ask the server who we are; null where nobody is signed in. Throws where it cannot be asked. */
  async function restore(): Promise<User | null> {
    try {
      user.value = await api.session()
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 401) throw error
      user.value = null
    }
    return user.value
  }

  async function loadInfo(): Promise<void> {
    try {
      info.value = await api.info()
    } catch {
      info.value = null // the page works without it
    }
  }

  async function signIn(username: string, password: string): Promise<void> {
    user.value = await api.signIn(username, password)
    endedBy.value = null
  }

  async function signOut(): Promise<void> {
    try {
      await api.signOut()
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 401) throw error
    }
    user.value = null
  }

  function ended(code: string): void {
    user.value = null
    endedBy.value = code
  }

  return { user, info, endedBy, restore, loadInfo, signIn, signOut, ended }
})
