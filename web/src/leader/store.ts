/**
 * The leaders' wall: the server's view of it, the state of the line, and a leader's acts.
 *
 * The view is only ever a snapshot with events applied; nothing here invents a state.
 */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'

import { api, Refusal } from '../api'
import { useComplaint } from '../attempt'
import { setServerOffset } from '../clock'
import type { WallChanged, WallView } from '../contract'
import { browserSurroundings, DeskSocket, type LineState, type Surroundings } from '../desk/socket'
import { useNotices } from '../notices'
import { useSession } from '../session'
import { apply } from './apply'

export const useWall = defineStore('wall', () => {
  const notices = useNotices()
  const session = useSession()

  const view = shallowRef<WallView | null>(null)
  const line = ref<LineState>('connecting')
  /** Agent's number → name; the page works without. */
  const names = shallowRef<Record<string, string>>({})
  let socket: DeskSocket<WallView, WallChanged> | null = null

  const isLive = computed(() => line.value === 'live')

  function open(around: Surroundings = browserSurroundings(isSignedIn)): void {
    close()
    view.value = null
    socket = new DeskSocket<WallView, WallChanged>(around, {
      onSnapshot: (snapshot) => {
        view.value = snapshot
      },
      onEvent: (event) => {
        if (view.value !== null) view.value = apply(view.value, event)
      },
      onLine: (state) => {
        line.value = state
      },
      onClock: setServerOffset,
      onSignedOut: () => session.ended('not_signed_in'),
    })
    socket.start()
    void loadNames()
  }

  function close(): void {
    socket?.stop()
    socket = null
  }

  async function loadNames(): Promise<void> {
    try {
      names.value = (await api.staff()).names
    } catch (error) {
      complain(error)
    }
  }

  /** What people call a queue. */
  function title(queue: string): string {
    return view.value?.queues.find((each) => each.queue === queue)?.title ?? queue
  }

  async function isSignedIn(): Promise<boolean> {
    try {
      await api.session()
      return true
    } catch (error) {
      return !(error instanceof Refusal && error.status === 401)
    }
  }

  /** Say a failure in Chinese; a lost session leads to the sign-in page. */
  const complain = useComplaint((words) => notices.say(words, 'bad'))

  return {
    view,
    line,
    names,
    isLive,
    open,
    close,
    title,
    complain,
    nudge: () => socket?.nudge(),
    networkGone: () => socket?.networkGone(),
  }
})
