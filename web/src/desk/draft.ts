/**
 * The agent's hand on the draft: what is typed, saved and confirmed.
 *
 * The machine's live readings never replace what the agent is looking at with the cursor in it:
 * while a field has the focus it keeps its value, and a newer reading is offered beside it.
 */
import { defineStore } from 'pinia'
import { computed, reactive, ref, watch } from 'vue'

import { api, Refusal } from '../api'
import { FIELD_NAMES, type FieldName } from '../contract'
import { useNotices } from '../notices'
import { FIELD_WORDS, refusalWords } from '../words'
import { useDesk } from './store'

/** typing: not sent yet. saving: on its way. failed: will be tried again. refused: will not. */
export type EditState = 'typing' | 'saving' | 'failed' | 'refused'

export interface Edit {
  value: string
  state: EditState
  words: string | null
}

/** Without these no ticket is taken; the server checks again. */
const NEEDED: readonly FieldName[] = ['type', 'demand']
const PAUSE_BEFORE_SAVE_MS = 500
const RETRY_MS = 3000
/** Confirming again is safe (one ticket a call), so a lost answer is asked for again. */
const CONFIRM_TRIES = 3
const CONFIRM_PAUSE_MS = 1000

export const useDraft = defineStore('draft', () => {
  const desk = useDesk()
  const notices = useNotices()

  const edits = reactive(new Map<FieldName, Edit>())
  const held = ref<{ field: FieldName; value: string } | null>(null)
  /** What the server's value was when the agent took a field in hand: only a later one is news. */
  const known = reactive(new Map<FieldName, string>())
  /** The field whose words are lit up in the transcript. */
  const activeField = ref<FieldName | null>(null)
  const isConfirming = ref(false)
  const timers = new Map<FieldName, ReturnType<typeof setTimeout>>()
  /** One request a field at a time, so that an old value never arrives after a new one. */
  const onTheWay = new Map<FieldName, Promise<void>>()

  const draft = computed(() => desk.view?.draft ?? null)
  const isConfirmed = computed(() => draft.value !== null && draft.value.saved !== 'draft')
  const isUnsaved = computed(() => edits.size > 0)

  watch(
    () => draft.value?.call,
    () => forget(),
  )

  function forget(): void {
    for (const timer of timers.values()) clearTimeout(timer)
    timers.clear()
    edits.clear()
    known.clear()
    held.value = null
    activeField.value = null
    isConfirming.value = false
  }

  function serverValue(field: FieldName): string {
    return draft.value?.fields[field]?.value ?? ''
  }

  function shown(field: FieldName): string {
    const edit = edits.get(field)
    if (edit) return edit.value
    if (held.value?.field === field && !isConfirmed.value) return held.value.value
    return serverValue(field)
  }

  /** A newer reading of the machine, while the field is held by the agent's cursor. */
  function offered(field: FieldName): string | null {
    const view = draft.value?.fields[field]
    if (!view || view.by !== 'machine' || isConfirmed.value) return null
    if (!known.has(field) || view.value === known.get(field)) return null
    return view.value !== shown(field) ? view.value : null
  }

  function adopt(field: FieldName): void {
    const value = offered(field)
    if (value === null) return
    drop(field)
    if (held.value?.field === field) hold(field, value)
  }

  function hold(field: FieldName, value = shown(field)): void {
    held.value = { field, value }
    known.set(field, serverValue(field))
    activeField.value = field
  }

  function release(field: FieldName): void {
    if (held.value?.field === field) held.value = null
    if (activeField.value === field) activeField.value = null
    if (!edits.has(field)) known.delete(field)
    if (edits.get(field)?.state === 'typing') void save(field)
  }

  function type(field: FieldName, value: string, isComposing = false): void {
    if (isConfirmed.value) return
    if (!known.has(field)) known.set(field, serverValue(field))
    edits.set(field, { value, state: 'typing', words: null })
    if (!isComposing) later(field, PAUSE_BEFORE_SAVE_MS)
  }

  function later(field: FieldName, ms: number): void {
    clearTimeout(timers.get(field))
    timers.set(
      field,
      setTimeout(() => void save(field), ms),
    )
  }

  function drop(field: FieldName): void {
    clearTimeout(timers.get(field))
    timers.delete(field)
    edits.delete(field)
    known.delete(field)
  }

  /** Send what is typed; done when the field has nothing more on its way. */
  async function save(field: FieldName): Promise<void> {
    clearTimeout(timers.get(field))
    const running = onTheWay.get(field)
    if (running) return running
    const work = send(field).finally(() => onTheWay.delete(field))
    onTheWay.set(field, work)
    await work
    if (edits.get(field)?.state === 'typing') later(field, 0)
  }

  async function send(field: FieldName): Promise<void> {
    const edit = edits.get(field)
    const call = draft.value?.call
    if (!edit || call === undefined) return
    const value = edit.value
    if (value === serverValue(field) && draft.value?.fields[field]?.by === 'agent') {
      drop(field)
      return
    }
    edits.set(field, { value, state: 'saving', words: null })
    try {
      const answer = await api.correct(call, field, value)
      if (draft.value?.call !== call) return
      desk.takeDraft(answer)
      settle(field, value)
    } catch (error) {
      if (draft.value?.call === call) fail(field, value, error)
    }
  }

  /** Saved; unless the agent has typed on meanwhile. */
  function settle(field: FieldName, value: string): void {
    if (edits.get(field)?.value !== value) return
    drop(field)
    if (held.value?.field === field) hold(field, value)
  }

  function fail(field: FieldName, value: string, error: unknown): void {
    if (!(error instanceof Refusal)) throw error
    if (error.code === 'draft_confirmed') return drop(field)
    if (error.status === 401) return desk.complain(error)
    if (edits.get(field)?.value !== value) return // typed on: the new value is sent next
    const isFinal = error.status >= 400 && error.status < 500 && error.status !== 429
    const words = refusalWords(error.code, error.status, error.params)
    edits.set(field, { value, state: isFinal ? 'refused' : 'failed', words })
    if (!isFinal) later(field, RETRY_MS)
  }

  /** Everything as the agent sees it; fields never filled stay away. */
  function allValues(): Partial<Record<FieldName, string>> {
    const values: Partial<Record<FieldName, string>> = {}
    for (const field of FIELD_NAMES) {
      const value = shown(field)
      if (value !== '' || draft.value?.fields[field] || edits.has(field)) values[field] = value
    }
    return values
  }

  /** Why the draft cannot be confirmed now; null where it can. */
  const whyNotConfirm = computed(() => {
    if (draft.value === null) return '没有可以确认的工单'
    if (isConfirmed.value) return '工单已经确认'
    if (isConfirming.value) return '正在确认，请稍候'
    const missing = NEEDED.find((field) => shown(field).trim() === '')
    if (missing) return `请先填写“${FIELD_WORDS[missing]}”`
    return null
  })

  async function confirm(): Promise<void> {
    const current = draft.value
    if (whyNotConfirm.value !== null || current === null) {
      if (whyNotConfirm.value) notices.say(whyNotConfirm.value)
      return
    }
    isConfirming.value = true
    try {
      await Promise.all([...edits.keys()].map((field) => save(field)))
      const answer = await confirmWithRetry(current.call, draft.value?.version ?? current.version)
      desk.noteTicket(current, answer)
      notices.say(
        answer.ticket ? `工单 ${answer.ticket.number} 已生成` : '工单已保存在本机，数据库恢复后自动入库',
        'good',
      )
      edits.clear()
    } catch (error) {
      desk.complain(error)
    } finally {
      isConfirming.value = false
    }
  }

  async function confirmWithRetry(call: string, version: number) {
    const fields = allValues()
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await api.confirm(call, version, fields)
      } catch (error) {
        const isLost = error instanceof Refusal && (error.status === 0 || error.status >= 502)
        if (!isLost || attempt === CONFIRM_TRIES) throw error
        await new Promise((resolve) => setTimeout(resolve, CONFIRM_PAUSE_MS * attempt))
      }
    }
  }

  return {
    draft,
    edits,
    activeField,
    isConfirmed,
    isConfirming,
    isUnsaved,
    whyNotConfirm,
    shown,
    offered,
    adopt,
    hold,
    release,
    type,
    save,
    confirm,
  }
})
