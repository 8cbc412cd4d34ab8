/**
 * One agent's desk: the server's view of it, the state of the line, and the agent's wishes.
 *
 * The view is only ever a snapshot with events applied; nothing here invents a state.
 */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'

import { api, Refusal, type CallAction, type Confirmed, type WishedState } from '../api'
import { useComplaint } from '../attempt'
import { setServerOffset } from '../clock'
import type { DeskEvent, DeskView, DraftView, PauseReason } from '../contract'
import { useNotices } from '../notices'
import { useSession } from '../session'
import { RING_END_WORDS } from '../words'
import { apply } from './apply'
import { browserSurroundings, DeskSocket, type LineState, type Surroundings } from './socket'

export interface FinishedTicket {
  call: string
  caller: string
  number: string | null
  saved: DraftView['saved']
}

export const useDesk = defineStore('desk', () => {
  const notices = useNotices()
  const session = useSession()

  const view = shallowRef<DeskView | null>(null)
  const line = ref<LineState>('connecting')
  const retryAt = ref<number | null>(null)
  const wish = ref<WishedState | null>(null)
  const lastTicket = ref<FinishedTicket | null>(null)
  let socket: DeskSocket | null = null

  const isLive = computed(() => line.value === 'live')

  function open(around: Surroundings = browserSurroundings(isSignedIn)): void {
    close()
    view.value = null
    lastTicket.value = null
    socket = new DeskSocket(around, { onSnapshot, onEvent, onLine, onClock, onSignedOut })
    socket.start()
  }

  function close(): void {
    socket?.stop()
    socket = null
  }

  function onSnapshot(snapshot: DeskView): void {
    view.value = snapshot
    noteTicket(snapshot.draft)
  }

  function onEvent(event: DeskEvent): void {
    if (view.value === null) return
    const before = view.value
    view.value = apply(before, event)
    if (event.kind === 'pop_withdrawn' && before.pop?.ring === event.ring) {
      const words = RING_END_WORDS[event.reason]
      if (words) notices.say(`${words}（${before.pop.caller_number || '未显示号码'}）`)
    }
    if (event.kind === 'draft') noteTicket(event.draft)
  }

  function onLine(state: LineState, at: number | null): void {
    line.value = state
    retryAt.value = at
  }

  function onClock(offsetMs: number): void {
    setServerOffset(offsetMs)
  }

  function onSignedOut(): void {
    session.ended('not_signed_in')
  }

  /** A refused line does not say why. No answer at all is the network's fault, not a sign-out. */
  async function isSignedIn(): Promise<boolean> {
    try {
      await api.session()
      return true
    } catch (error) {
      return !(error instanceof Refusal && error.status === 401)
    }
  }

  /** The number stays in sight when the desk is cleared for the next call. */
  function noteTicket(draft: DraftView | null, answer?: Confirmed): void {
    if (draft === null) return
    const number = answer?.ticket?.number ?? draft.ticket_number
    const saved = answer?.saved ?? draft.saved
    if (saved === 'draft') return
    const caller = view.value?.call?.caller_number ?? lastTicket.value?.caller ?? ''
    lastTicket.value = { call: draft.call, caller, number, saved }
  }

  /** What an answer to our own request says, before or after the same comes as an event. */
  function takeDraft(draft: DraftView): void {
    if (view.value !== null) view.value = apply(view.value, { kind: 'draft', draft })
  }

  async function wishState(state: WishedState, reason?: PauseReason): Promise<boolean> {
    if (wish.value !== null) return false
    wish.value = state
    try {
      await api.setState(state, reason)
      return true
    } catch (error) {
      complain(error)
      return false
    } finally {
      wish.value = null
    }
  }

  const acting = ref(false)

  /** One request at a time; whether it was done. What came of it is told as events. */
  async function once(request: () => Promise<unknown>): Promise<boolean> {
    if (acting.value) return false
    acting.value = true
    try {
      await request()
      return true
    } catch (error) {
      complain(error)
      return false
    } finally {
      acting.value = false
    }
  }

  async function act(
    action: CallAction,
    more: { number?: string; reason?: string } = {},
  ): Promise<boolean> {
    const call = view.value?.call?.call
    return call ? once(() => api.control(call, action, more)) : false
  }

  async function consent(isGiven: boolean): Promise<boolean> {
    const call = view.value?.call?.call
    return call ? once(() => api.consent(call, isGiven)) : false
  }

  function dial(number: string, call: string | null, ticket: string | null): Promise<boolean> {
    return once(() => api.dial(number, call, ticket))
  }

  /** Say a failure in Chinese; a lost session leads to the sign-in page. */
  const complain = useComplaint((words) => notices.say(words, 'bad'))

  function nudge(): void {
    socket?.nudge()
  }

  function networkGone(): void {
    socket?.networkGone()
  }

  return {
    view,
    line,
    retryAt,
    wish,
    lastTicket,
    isLive,
    open,
    close,
    takeDraft,
    noteTicket,
    wishState,
    acting,
    act,
    consent,
    dial,
    complain,
    nudge,
    networkGone,
  }
})
