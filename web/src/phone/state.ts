/**
 * What the page is doing as a telephone: one table of steps, pure.
 *
 * Speech does not go over the line: a call that stands stays when the line is lost; one that only
 * rings has gone on to somebody else.
 */

/** off: not switched on. taken: another page of the same agent is the phone now. */
export type LineState =
  | 'off'
  | 'asking'
  | 'no_microphone'
  | 'connecting'
  | 'registered'
  | 'lost'
  | 'refused'
  | 'taken'
  | 'broken'

/** insecure: the address is not https, so the browser gives no page a microphone. */
export type MicrophoneTrouble = 'insecure' | 'denied' | 'missing'

export type CallStep = 'ringing' | 'answering' | 'dialling' | 'talking'

export interface PhoneCall {
  id: string
  number: string
  step: CallStep
  isMuted: boolean
}

export interface PhoneView {
  line: LineState
  trouble: MicrophoneTrouble | null
  call: PhoneCall | null
}

export type PhoneEvent =
  | { kind: 'asks_for_microphone' }
  | { kind: 'no_microphone'; trouble: MicrophoneTrouble }
  | { kind: 'line'; line: 'connecting' | 'registered' | 'lost' | 'refused' | 'taken' | 'broken' }
  | { kind: 'begins'; id: string; number: string; step: 'ringing' | 'dialling' }
  | { kind: 'answering'; id: string }
  | { kind: 'talks'; id: string }
  | { kind: 'muted'; id: string; isMuted: boolean }
  | { kind: 'ends'; id: string }
  | { kind: 'switched_off' }

export const OFF: PhoneView = { line: 'off', trouble: null, call: null }

export function step(view: PhoneView, event: PhoneEvent): PhoneView {
  switch (event.kind) {
    case 'asks_for_microphone':
      return { ...view, line: 'asking', trouble: null }
    case 'no_microphone':
      return { ...view, line: 'no_microphone', trouble: event.trouble }
    case 'line': {
      const isUp = event.line === 'connecting' || event.line === 'registered'
      return { ...view, line: event.line, call: isUp ? view.call : standing(view) }
    }
    case 'begins': {
      const { id, number } = event
      if (view.call !== null) return view
      return { ...view, call: { id, number, step: event.step, isMuted: false } }
    }
    case 'answering':
      return change(view, event.id, { step: 'answering' })
    case 'talks':
      return change(view, event.id, { step: 'talking' })
    case 'muted':
      return change(view, event.id, { isMuted: event.isMuted })
    case 'ends':
      return view.call?.id === event.id ? { ...view, call: null } : view
    case 'switched_off':
      return OFF
  }
}

/** A line that is lost for good only by somebody's choice or fault: it may be switched on again. */
export function maySwitchOn(line: LineState): boolean {
  return ['off', 'no_microphone', 'refused', 'taken', 'broken'].includes(line)
}

/** What may be dialled: digits and the two keys of codes; at most what a phone book holds. */
export function tonesOf(text: string): string {
  return text.replace(/[^0-9*#]/g, '').slice(0, 20)
}

function standing(view: PhoneView): PhoneCall | null {
  return view.call?.step === 'talking' ? view.call : null
}

function change(view: PhoneView, id: string, to: Partial<PhoneCall>): PhoneView {
  return view.call?.id === id ? { ...view, call: { ...view.call, ...to } } : view
}
