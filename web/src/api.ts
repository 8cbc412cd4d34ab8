/**
 * The HTTP interface: one function a call, every failure a `Refusal` with a stable code.
 *
 * Decides nothing: the server alone knows what a person may do.
 */
import type {
  Access,
  CallerShown,
  Moved,
  Cluster,
  Evidence,
  FaultsListed,
  OrganisationUnit,
  Outage,
  Proposal,
  Similar,
  Refusals,
  Study,
  Page,
  Shown,
  ShownToUnit,
} from './order_contract'
import type { DraftView, FieldName, Line, PauseReason } from './contract'
import type { Measure, Values } from './leader/figures'

export interface User {
  id: string
  username: string
  display_name: string
  role:
    | 'agent'
    | 'leader'
    | 'admin'
    | 'dispatcher'
    | 'reviewer'
    | 'follow_up'
    | 'supervisor'
    | 'head'
    | 'unit'
  agent: string | null
  /** For whom a unit's person acts. */
  unit: string | null
  /** A leader's own: it rings when they listen in. */
  phone?: string | null
}

/** Whether the agent's phone is the page; then with what it registers. */
export type PhoneKind = { kind: 'desk' } | { kind: 'page'; extension: string; password: string }

export interface Info {
  product: string
  version: string
  engine: string | null
  model: string | null
  is_demo_model: boolean
}

/** `ticket` is null while the database is away: the confirmation is kept on disk. */
export interface Confirmed {
  ticket: { number: string } | null
  saved: 'kept_on_disk' | 'entered'
}

export interface Ticket {
  number: string
  call: string | null
  type: string
  topic: string
  title: string
  content: string
  demand: string
  place: string
  occurred: string
  urgency: string
  caller_name: string
  caller_number: string
  contact_number: string
  wants_reply: boolean
  confidential: boolean
  state: string
  created_at: string
}

/** A field whose confirmed value is not what the machine had proposed; null: nothing there. */
export interface Correction {
  field: string
  machine_value: string | null
  final_value: string | null
}

export interface LedgerEntry {
  seq: number
  at: string
  actor: string
  action: string
  reason: string
  article: string
  hash: string
}

export interface StoredCall {
  facts: { answered_at: string | null; ended_at: string | null; arrived_at: string }
  agent: string | null
  engine: string | null
  model: string | null
  recording: { sha256: string; url?: string } | null
  transcript: Line[]
  emergencies: Handover[]
}

/** One attempt to reach an emergency line for the caller. */
export interface Handover {
  handover: string
  line: string
  source: string
  agent: string | null
  asked_at: string
  trunk: string | null
  answered_at: string | null
  ended_at: string | null
  outcome: string
}

/** A ticket with everything that led to it; `call` is null where there was none. */
export interface TicketFile {
  ticket: Ticket
  call: StoredCall | null
  corrections: Correction[]
  ledger: LedgerEntry[]
  attempts?: Attempt[]
}

export interface Attempt {
  id: string
  agent: string
  number: string
  wanted_at: string
  rang_s: number | null
  talked_s: number | null
  result: string | null
  sha256: string | null
}

/** Whom an agent may reach by a click. */
export interface Directory {
  entries: { number: string; name: string; kind: 'unit' | 'expert' }[]
  colleagues: string[]
}

export type CallAction =
  | 'hold'
  | 'resume'
  | 'consult'
  | 'hand_over'
  | 'three_way'
  | 'send_on'
  | 'let_go'
  | 'pause_recording'
  | 'resume_recording'

export type NuisanceStep = 'mark' | 'warn' | 'inform' | 'propose' | 'end_call'

/** One step as the law and what was done so far have it: open, or why not. */
export interface NuisanceOffer {
  step: NuisanceStep
  script: string
  article: string | null
  refusal: { code: string; params: Record<string, unknown> } | null
}

export interface NuisanceCard {
  has_number: boolean
  standing: string
  until: string | null
  use: { day_calls: number; calls: number; long_calls: number; silent_calls: number }
  steps: {
    kind: string
    at: string
    misuse: string | null
    by: string | null
    until: string | null
    reason: string
  }[]
  misuses: Record<string, NuisanceOffer[]>
  /** What to say now, after a step. */
  script?: string
}

/** The figures of an interval, by code, with the definition of each (docs/METRICS.md). */
export interface Report {
  figures: {
    start_at: string
    end_at: string
    total: Values
    staff: Values
    queues: Record<string, Values>
    agents: Record<string, Values>
    worst_day: { end_at: string; connected: number } | null
  }
  names: Record<string, string>
  queues: Record<string, string>
  measures: { calls: Measure[]; staff: Measure[]; agent: Measure[] }
}

export type ActName = 'listen' | 'whisper' | 'join' | 'take_over' | 'pause' | 'sign_out'

/** What a leader wants to do to an agent, or to the conversation they see. */
export interface Supervision {
  act: ActName
  agent: string
  call: string | null
  reason: string
  confirmed: boolean
}

/** One act that was done. */
export interface Act {
  id: string
  at: string
  leader_name: string
  act: ActName
  agent: string
  call: string | null
  reason: string
  answered_at: string | null
  ended_at: string | null
}

export interface NuisanceStepDone {
  kind: string
  at: string
  misuse: string | null
  by: string | null
  until: string | null
  reason: string
}

/** A suspension, whatever became of it. `caller` is a step's id: the handle of the number. */
export interface Suspension {
  id: string
  caller: number
  caller_number: string
  misuse: string
  reason: string
  proposed_by_name: string
  proposed_at: string
  decided_by_name: string | null
  decided_at: string | null
  until_at: string | null
  lifted_at: string | null
  standing: string
  is_mine: boolean
  steps: NuisanceStepDone[]
}

export interface Suspensions {
  suspensions: Suspension[]
  /** Whether this city's law gives the power at all. */
  has_power: boolean
  law: { title: string; place: string; summary: string; reason: string } | null
}

export interface NuisanceCaller {
  id: number
  caller_number: string
  call: string | null
  standing: string
  until: string | null
  marks: number
  warnings: number
  misuses: string[]
  last_at: string
  reveals: { at: string; by: string; reason: string }[]
}

export type SuspensionStep = 'approve' | 'refuse' | 'object' | 'review' | 'lift'

export interface EvidenceWish {
  misuse: string
  is_illegal: boolean
  reason: string
  days: number
}

/** An event card (突发事件) with its news, the newest first. */
export interface EventCard {
  id: number
  title: string
  text: string
  announce: string
  unit: string | null
  since_at: string
  changed_at: string
  closed_at: string | null
  calls: number
  callers: number
  tickets: number
  updates: { text: string; unit: string | null; told_at: string }[]
}

export interface EventTicket {
  number: string
  title: string
  type: string
  state: string
  created_at: string
}

/** What came of one ticket of a common answer. */
export interface EventOutcome {
  ticket: string
  is_answered: boolean
  is_told: boolean
  code: string | null
  params: Record<string, unknown>
}

/** A message left with nobody there; `draft` is null while its words are not written down yet. */
export interface LeftMessage {
  call: string
  left_at: string
  caller_number: string
  queue: string
  lines: string[]
  draft: Partial<Record<FieldName, string>> | null
  version: number
  has_recording: boolean
  ticket: string | null
  return_call: number | null
  return_state: string | null
}

export type WishedState = 'ready' | 'paused' | 'offline'

/** problem+json as an exception; `unreachable` where no answer came at all. */
export class Refusal extends Error {
  constructor(
    readonly code: string,
    readonly status: number,
    readonly params: Record<string, unknown> = {},
  ) {
    super(code)
  }
}

const TIMEOUT_MS = 10_000
const LONG_TIMEOUT_MS = 120_000
const FILE_TIMEOUT_MS = 300_000

export const api = {
  info: () => ask<Info>('GET', 'api/info'),
  session: async () => (await ask<{ user: User }>('GET', 'api/session')).user,
  signIn: async (username: string, password: string) =>
    (await ask<{ user: User }>('POST', 'api/session', { username, password })).user,
  signOut: () => ask<void>('DELETE', 'api/session'),
  phone: () => ask<PhoneKind>('GET', 'api/phone'),
  setState: (state: WishedState, reason?: PauseReason) =>
    ask<void>('POST', 'api/agent/state', reason ? { state, reason } : { state }),
  correct: async (call: string, field: FieldName, value: string) =>
    (
      await ask<{ draft: DraftView }>('PATCH', `api/calls/${encodeURIComponent(call)}/draft`, {
        field,
        value,
      })
    ).draft,
  confirm: (call: string, version: number, fields: Partial<Record<FieldName, string>>) =>
    ask<Confirmed>('POST', `api/calls/${encodeURIComponent(call)}/confirm`, { version, fields }),
  bringInEmergency: (call: string, line: string) =>
    ask<void>('POST', `api/calls/${encodeURIComponent(call)}/emergency`, { line }),
  dismissDangers: (call: string, kinds: string[]) =>
    ask<void>('POST', `api/calls/${encodeURIComponent(call)}/dangers/dismiss`, { kinds }),
  control: (call: string, action: CallAction, more: { number?: string; reason?: string }) =>
    ask<void>('POST', `api/calls/${encodeURIComponent(call)}/control`, { action, ...more }),
  consent: (call: string, isGiven: boolean) =>
    ask<void>('POST', `api/calls/${encodeURIComponent(call)}/consent`, { is_given: isGiven }),
  dial: (number: string, call: string | null, ticket: string | null) =>
    ask<{ attempt: string }>('POST', 'api/dial', { number, call, ticket }),
  directory: () => ask<Directory>('GET', 'api/directory'),
  nuisance: (call: string) =>
    ask<NuisanceCard>('GET', `api/calls/${encodeURIComponent(call)}/nuisance`),
  takeNuisanceStep: (call: string, step: NuisanceStep, misuse: string, reason: string) =>
    ask<NuisanceCard>('POST', `api/calls/${encodeURIComponent(call)}/nuisance`, {
      step,
      misuse,
      reason,
    }),
  figures: (asked: Record<string, string>) =>
    ask<Report>('GET', `api/figures?${new URLSearchParams(asked).toString()}`),
  supervise: (wish: Supervision) =>
    ask<{ outcome: string }>('POST', 'api/supervision', wish),
  supervision: () => ask<{ acts: Act[] }>('GET', 'api/supervision'),
  staff: () => ask<{ names: Record<string, string> }>('GET', 'api/staff'),
  suspensions: () => ask<Suspensions>('GET', 'api/suspensions'),
  decideSuspension: (id: string, step: SuspensionStep, reason: string) =>
    ask<void>('POST', `api/suspensions/${encodeURIComponent(id)}`, { step, reason }),
  nuisanceCallers: async () =>
    (await ask<{ callers: NuisanceCaller[] }>('GET', 'api/nuisance/callers')).callers,
  revealCaller: async (caller: number, reason: string) =>
    (
      await ask<{ caller_number: string }>('POST', `api/nuisance/callers/${caller}/reveal`, {
        reason,
      })
    ).caller_number,
  /** One signed file; it may take a while to put together. */
  evidence: async (call: string, wish: EvidenceWish): Promise<Blob> => {
    const path = `api/calls/${encodeURIComponent(call)}/evidence`
    const response = await send('POST', path, wish, {}, LONG_TIMEOUT_MS)
    if (!response.ok) throw await refusal(response)
    return response.blob()
  },
  events: async () => (await ask<{ events: EventCard[] }>('GET', 'api/events')).events,
  openEvent: (card: { title: string; text: string; announce: string; unit: string | null }) =>
    ask<{ event: number }>('POST', 'api/events', card),
  closeEvent: (event: number) => ask<void>('POST', `api/events/${event}/close`, {}),
  tagCall: (event: number, call: string) => ask<void>('POST', `api/events/${event}/calls`, { call }),
  tellEvent: (event: number, text: string) =>
    ask<void>('POST', `api/events/${event}/updates`, { text }),
  eventTickets: async (event: number) =>
    (await ask<{ tickets: EventTicket[] }>('GET', `api/events/${event}/tickets`)).tickets,
  /** Sent again with the same `key`, nothing is done twice. */
  answerEvent: async (event: number, tickets: string[], text: string, key: string) =>
    (
      await ask<{ outcomes: EventOutcome[] }>(
        'POST',
        `api/events/${event}/answer`,
        { tickets, text },
        { 'Idempotency-Key': key },
      )
    ).outcomes,
  messages: async () => (await ask<{ messages: LeftMessage[] }>('GET', 'api/messages')).messages,
  confirmMessage: (call: string, wish: {
    version: number
    fields: Partial<Record<FieldName, string>>
    is_return_done: boolean
  }) =>
    ask<Confirmed & { is_return_settled: boolean }>(
      'POST',
      `api/messages/${encodeURIComponent(call)}/confirm`,
      wish,
    ),
  ticket: (number: string) => ask<TicketFile>('GET', `api/tickets/${encodeURIComponent(number)}`),
  orders: (wanted: Record<string, string>) =>
    ask<Page>('GET', `api/work-orders?${new URLSearchParams(wanted).toString()}`),
  order: (number: string) => ask<Shown | ShownToUnit>('GET', orderPath(number)),
  /** On that version alone; the same `key` gives the first answer again. */
  move: (number: string, said: object, version: number, key: string) =>
    ask<Moved>('POST', `${orderPath(number)}/moves`, said, {
      'If-Match': `"${version}"`,
      'Idempotency-Key': key,
    }),
  reveal: (number: string, reason: string) =>
    ask<CallerShown>('POST', `${orderPath(number)}/reveal`, { reason }),
  /** The body is the file itself; its kind is read from its content. */
  attach: (number: string, file: File, fromCaller: boolean) =>
    sendFile(
      `${orderPath(number)}/attachments?${new URLSearchParams({
        name: file.name,
        ...(fromCaller ? { source: 'caller' } : {}),
      }).toString()}`,
      file,
    ),
  showAttachment: (number: string, attachment: string, isShown: boolean, reason: string) =>
    ask<void>('POST', `${attachmentPath(number, attachment)}/for-units`, {
      is_shown: isShown,
      reason,
    }),
  withdrawAttachment: (number: string, attachment: string, reason: string) =>
    ask<void>('POST', `${attachmentPath(number, attachment)}/withdrawal`, { reason }),
  /** The caller is asked by short message how it went. */
  askByMessage: (number: string) => ask<void>('POST', `${orderPath(number)}/follow-up-message`),
  accesses: (number: string) => ask<Access[]>('GET', `${orderPath(number)}/accesses`),
  units: () => ask<OrganisationUnit[]>('GET', 'api/units'),
  outages: () => ask<Outage[]>('GET', 'api/outages'),
  tellOutage: (notice: { topic: string; what: string; begins_at: string; ends_at: string }) =>
    ask<{ id: number }>('POST', 'api/outages', notice),
  clusters: () => ask<Cluster[]>('GET', 'api/clusters'),
  studies: () => ask<Study[]>('GET', 'api/studies'),
  openStudy: (cluster: Cluster, reason: string) =>
    ask<{ id: number }>('POST', 'api/studies', {
      unit: cluster.unit,
      topic: cluster.topic,
      numbers: cluster.numbers,
      reason,
    }),
  giveMeasures: (study: number, measures: string, lasting: string) =>
    ask<void>('POST', `api/studies/${study}/measures`, { measures, lasting }),
  reportStudy: (study: number, to: string, report: string) =>
    ask<void>('POST', `api/studies/${study}/report`, { to, report }),
  faults: () => ask<FaultsListed>('GET', 'api/faults'),
  faultEvidence: (fault: string) => ask<Evidence[]>('GET', `api/faults/${fault}`),
  refusals: () => ask<Refusals>('GET', 'api/refusals'),
  proposals: (number: string) => ask<Proposal[]>('GET', `${orderPath(number)}/proposals`),
  similar: (number: string) => ask<Similar[]>('GET', `${orderPath(number)}/similar`),
}

export type Api = typeof api

function orderPath(number: string): string {
  return `api/work-orders/${encodeURIComponent(number)}`
}

export function attachmentPath(number: string, attachment: string): string {
  return `${orderPath(number)}/attachments/${encodeURIComponent(attachment)}`
}

async function sendFile(path: string, file: File): Promise<void> {
  let response: Response
  try {
    response = await fetch(new URL(path, document.baseURI), {
      method: 'POST',
      headers: { 'Content-Type': 'application/octet-stream' },
      body: file,
      credentials: 'same-origin',
      signal: AbortSignal.timeout(FILE_TIMEOUT_MS),
    })
  } catch {
    throw new Refusal('unreachable', 0)
  }
  if (!response.ok) throw await refusal(response)
}

async function ask<Answer>(
  method: string,
  path: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await send(method, path, body, headers)
  if (!response.ok) throw await refusal(response)
  if (response.status === 204) return undefined as Answer
  return (await response.json()) as Answer
}

async function send(
  method: string,
  path: string,
  body: object | undefined,
  headers: Record<string, string>,
  timeoutMs = TIMEOUT_MS,
): Promise<Response> {
  const init: RequestInit = {
    method,
    headers,
    credentials: 'same-origin',
    cache: 'no-store',
    signal: AbortSignal.timeout(timeoutMs),
  }
  if (body) {
    init.headers = { ...headers, 'Content-Type': 'application/json' }
    init.body = JSON.stringify(body)
  }
  try {
    return await fetch(new URL(path, document.baseURI), init)
  } catch {
    throw new Refusal('unreachable', 0)
  }
}

async function refusal(response: Response): Promise<Refusal> {
  try {
    const problem = (await response.json()) as { code?: string; params?: Record<string, unknown> }
    return new Refusal(problem.code ?? `http_${response.status}`, response.status, problem.params)
  } catch {
    return new Refusal(`http_${response.status}`, response.status)
  }
}
