/**
 * Which characters of a line stand behind which fields. Pure.
 *
 * The server counts characters (code points), a browser UTF-16 units: everything here goes through
 * arrays of characters. A span whose text is no longer there (the line was revised) is left out.
 */
import { FIELD_NAMES, type DraftView, type FieldName, type Line } from '../contract'

export interface Segment {
  text: string
  /** Fields that came from these words; empty for plain words. */
  fields: FieldName[]
}

export function segmentsOf(line: Line, draft: DraftView | null): Segment[] {
  const characters = Array.from(line.text)
  const fieldsAt: FieldName[][] = characters.map(() => [])
  for (const field of FIELD_NAMES) {
    for (const span of draft?.fields[field]?.evidence ?? []) {
      if (span.line !== line.id) continue
      if (characters.slice(span.start, span.end).join('') !== span.text) continue
      for (let at = span.start; at < span.end; at += 1) fieldsAt[at]?.push(field)
    }
  }
  return joined(characters, fieldsAt)
}

function joined(characters: string[], fieldsAt: FieldName[][]): Segment[] {
  const segments: Segment[] = []
  characters.forEach((character, at) => {
    const fields = fieldsAt[at] ?? []
    const last = segments.at(-1)
    if (last && last.fields.join() === fields.join()) last.text += character
    else segments.push({ text: character, fields })
  })
  return segments
}

/** The first line behind a field, to bring it into sight. */
export function firstLineOf(draft: DraftView | null, field: FieldName): string | null {
  return draft?.fields[field]?.evidence[0]?.line ?? null
}

/** The fields that came from a line, in the form's order. */
export function fieldsOfLine(draft: DraftView | null, line: string): FieldName[] {
  return FIELD_NAMES.filter((field) =>
    draft?.fields[field]?.evidence.some((span) => span.line === line),
  )
}
