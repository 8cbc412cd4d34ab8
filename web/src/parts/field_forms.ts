/** How each field of the draft is filled in. */
import { TOPIC_WORDS, type FieldName } from '../contract'
import { TYPE_WORDS, URGENCY_WORDS, YES_NO_WORDS } from '../words'

export interface FieldForm {
  kind: 'text' | 'area' | 'phone' | 'select'
  width: 'half' | 'full'
  options?: Record<string, string>
  most?: number
}

export const FIELD_FORMS: Record<FieldName, FieldForm> = {
  type: { kind: 'select', width: 'half', options: TYPE_WORDS },
  topic: { kind: 'select', width: 'half', options: TOPIC_WORDS },
  summary: { kind: 'text', width: 'full', most: 40 },
  demand: { kind: 'area', width: 'full', most: 2000 },
  place: { kind: 'text', width: 'full', most: 200 },
  time: { kind: 'text', width: 'half', most: 100 },
  urgency: { kind: 'select', width: 'half', options: URGENCY_WORDS },
  phone: { kind: 'phone', width: 'half', most: 20 },
  wants_reply: { kind: 'select', width: 'half', options: YES_NO_WORDS },
  confidential: { kind: 'select', width: 'half', options: YES_NO_WORDS },
}

/** The order on the page and of the tab key: as the talk usually goes. */
export const FORM_ORDER = Object.keys(FIELD_FORMS) as FieldName[]
