/**
 * The page as the agent's telephone, where the centre has set it so; else nothing.
 *
 * Whatever fails here stays here: pops, drafts and buttons do not know of it, and a call that is not
 * answered goes to the next agent as from any telephone.
 */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'

import { api, type PhoneKind } from '../api'
import { ring } from './bell'
import type { Account, PhoneLine } from './line'
import { askForMicrophone, isMicrophoneAllowed } from './microphone'
import { PHONE_WORDS } from '../words'
import { maySwitchOn, OFF, step, tonesOf, type MicrophoneTrouble, type PhoneEvent } from './state'

export interface Surroundings {
  kind(): Promise<PhoneKind>
  askForMicrophone(): Promise<MicrophoneTrouble | null>
  isMicrophoneAllowed(): Promise<boolean>
  openLine(account: Account, tell: (event: PhoneEvent) => void): Promise<PhoneLine>
  ring(): () => void
}

export const usePagePhone = defineStore('page_phone', () => {
  const view = shallowRef(OFF)
  const account = shallowRef<Account | null>(null)
  const isAsked = ref(false)
  let around: Surroundings = browser
  let line: PhoneLine | null = null
  let silence: (() => void) | null = null
  /** Counts what was switched on, so that words of a former line are not taken for this one's. */
  let turn = 0
  /** The desk was left in the middle of a conversation, which goes on to its end. */
  let isLeaving = false

  const isPage = computed(() => account.value !== null)
  const words = computed(() => PHONE_WORDS[isPage.value ? 'page' : 'desk'])
  const call = computed(() => view.value.call)
  const isRinging = computed(() => call.value?.step === 'ringing')

  /** Ask once what this agent's phone is; a microphone allowed before needs no press. */
  async function open(given: Surroundings = browser): Promise<void> {
    if (isAsked.value) return
    isAsked.value = true
    isLeaving = false
    around = given
    try {
      const kind = await around.kind()
      const mine = kind.kind === 'page' ? kind : null
      if (mine?.extension !== account.value?.extension) shut()
      account.value = mine
    } catch {
      isAsked.value = false // asked again when the desk is next live
      return
    }
    if (isPage.value && (await around.isMicrophoneAllowed())) await switchOn()
  }

  async function switchOn(): Promise<void> {
    const mine = account.value
    if (mine === null || !maySwitchOn(view.value.line) || call.value !== null) return
    line?.stop()
    const now = ++turn
    const tell = (event: PhoneEvent): void => {
      if (now === turn) take(event)
    }
    tell({ kind: 'asks_for_microphone' })
    const trouble = await around.askForMicrophone()
    if (now !== turn) return
    if (trouble !== null) return tell({ kind: 'no_microphone', trouble })
    tell({ kind: 'line', line: 'connecting' })
    try {
      const opened = await around.openLine(mine, tell)
      if (now === turn) line = opened
      else opened.stop()
    } catch {
      tell({ kind: 'line', line: 'broken' })
    }
  }

  /** The desk's own line was lost and is back: so may ours have been, and not know it. */
  function renew(): void {
    line?.renew()
  }

  /** The desk is left; not the citizen. */
  function close(): void {
    isAsked.value = false
    if (call.value?.step === 'talking') isLeaving = true
    else shut()
  }

  function shut(): void {
    turn += 1
    isLeaving = false
    line?.stop()
    line = null
    account.value = null
    take({ kind: 'switched_off' })
  }

  function take(event: PhoneEvent): void {
    view.value = step(view.value, event)
    if (isLeaving && call.value === null) shut()
    if (isRinging.value) silence ??= around.ring()
    else {
      silence?.()
      silence = null
    }
  }

  function answer(): void {
    if (isRinging.value) line?.answer()
  }

  function hangUp(): void {
    line?.hangUp()
  }

  function toggleMute(): void {
    if (call.value?.step === 'talking') line?.mute(!call.value.isMuted)
  }

  /** In a conversation the keys are heard by it; otherwise the number is dialled. */
  function dial(text: string): void {
    const tones = tonesOf(text)
    if (tones === '') return
    if (call.value?.step === 'talking') line?.press(tones)
    else if (call.value === null && view.value.line === 'registered') line?.dial(tones)
  }

  return {
    view,
    isPage,
    words,
    call,
    isRinging,
    open,
    renew,
    close,
    switchOn,
    answer,
    hangUp,
    toggleMute,
    dial,
  }
})

const browser: Surroundings = {
  kind: api.phone,
  askForMicrophone,
  isMicrophoneAllowed,
  openLine: async (account, tell) => (await import('./line')).openLine(account, tell),
  ring,
}
