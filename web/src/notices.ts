/** Short messages that come and go; a live region reads them out. */
import { defineStore } from 'pinia'
import { ref } from 'vue'

export type Tone = 'info' | 'good' | 'bad'

export interface Notice {
  id: number
  tone: Tone
  text: string
}

const SHOWN_MS = 7000
const MOST = 4

export const useNotices = defineStore('notices', () => {
  const list = ref<Notice[]>([])
  let nextId = 1

  function say(text: string, tone: Tone = 'info'): void {
    const id = nextId++
    list.value = [...list.value.filter((notice) => notice.text !== text), { id, tone, text }].slice(
      -MOST,
    )
    setTimeout(() => dismiss(id), SHOWN_MS)
  }

  function dismiss(id: number): void {
    list.value = list.value.filter((notice) => notice.id !== id)
  }

  return { list, say, dismiss }
})
