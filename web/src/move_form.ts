/** A move's form as values, and what is sent of it. Pure: knows forms, not pages. */
import type { MoveField } from './order_contract'

/** A choice, text, number or time is a text; yes and no are `yes` and `no`; nothing is ''. */
export type Value = string | string[] | Record<string, boolean> | Values[]
export interface Values {
  [name: string]: Value
}

const SHANGHAI = '+08:00'

/** An empty form; what is asked for as an instant and needed begins as now. */
export function blank(fields: readonly MoveField[], nowMs: number): Values {
  return Object.fromEntries(fields.map((field) => [field.name, blankValue(field, nowMs)]))
}

function blankValue(field: MoveField, nowMs: number): Value {
  switch (field.kind) {
    case 'rows':
      return field.isNeeded ? [blank(field.fields ?? [], nowMs)] : []
    case 'lines':
    case 'units':
      return field.isNeeded ? [''] : []
    case 'checks':
      return Object.fromEntries((field.options ?? []).map((option) => [option, false]))
    case 'instant':
      return field.isNeeded ? localInstant(nowMs) : ''
    default:
      return ''
  }
}

/** `2026-11-27T09:30` in China, as a browser's field has it. */
export function localInstant(ms: number): string {
  return new Date(ms + 8 * 3600_000).toISOString().slice(0, 16)
}

/** What such a field holds, as an instant that the server reads. */
export function sentInstant(text: string): string {
  return `${text}:00${SHANGHAI}`
}

/** What is sent: only what was said, in the types that the server reads. */
export function said(fields: readonly MoveField[], values: Values): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  for (const field of fields) {
    const value = saidValue(field, values[field.name] ?? '')
    if (value !== undefined) found[field.name] = value
    else if (field.isNeeded && field.kind === 'line' && !field.most) found[field.name] = ''
  }
  return found
}

function saidValue(field: MoveField, value: Value): unknown {
  switch (field.kind) {
    case 'rows': {
      const rows = (value as Values[]).map((row) => said(field.fields ?? [], row))
      return rows.length > 0 ? rows : undefined
    }
    case 'lines':
    case 'units': {
      const lines = (value as string[]).map((line) => line.trim()).filter(Boolean)
      return lines.length > 0 ? lines : undefined
    }
    case 'checks':
      return { ...(value as Record<string, boolean>) }
  }
  const text = String(value).trim()
  if (text === '') return undefined
  switch (field.kind) {
    case 'bool':
      return text === 'yes'
    case 'number':
      return Number(text)
    case 'instant':
      return sentInstant(text)
    default:
      return text
  }
}
