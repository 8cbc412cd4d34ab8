// Made by `hotline contract` from server/push/protocol.py. Do not edit: a test compares the two.
// Instants (`…_at`, `at`) are ISO 8601 with an offset.

export const AGENT_STATE_NAMES = [
  'offline',
  'ready',
  'reserved',
  'ringing',
  'talking',
  'holding',
  'wrap_up',
  'paused',
  'lost',
] as const
export type AgentStateName = (typeof AGENT_STATE_NAMES)[number]

export const PAUSE_REASONS = [
  'rest',
  'meal',
  'training',
  'back_office',
  'signed_in',
  'missed_call',
  'phone',
  'other',
] as const
export type PauseReason = (typeof PAUSE_REASONS)[number]

export const DIALLED_STATES = [
  'calling',
  'ringing',
  'talking',
] as const
export type DialledState = (typeof DIALLED_STATES)[number]

export const PARTY_STATES = [
  'ringing',
  'talking',
  'joined',
] as const
export type PartyState = (typeof PARTY_STATES)[number]

export const PARTY_KINDS = [
  'colleague',
  'unit',
  'expert',
  'outside',
] as const
export type PartyKind = (typeof PARTY_KINDS)[number]

export const CONSENT_STATES = [
  'unasked',
  'given',
  'refused',
] as const
export type ConsentState = (typeof CONSENT_STATES)[number]

export const OUTSIDE_KINDS = [
  'expert_seat',
  'transfer',
  'three_way',
] as const
export type OutsideKind = (typeof OUTSIDE_KINDS)[number]

export const SPEAKER_NAMES = [
  'citizen',
  'agent',
] as const
export type SpeakerName = (typeof SPEAKER_NAMES)[number]

export const LINK_STATES = [
  'up',
  'down',
] as const
export type LinkState = (typeof LINK_STATES)[number]

export const SPEECH_STATES = [
  'waiting',
  'live',
  'refused',
  'broken',
  'off',
  'ended',
] as const
export type SpeechState = (typeof SPEECH_STATES)[number]

export const WALL_FLAGS = [
  'emergency',
  'danger',
  'return_call',
] as const
export type WallFlag = (typeof WALL_FLAGS)[number]

export const WALL_WINDOWS = [
  'half_hour',
  'today',
  'day',
] as const
export type WallWindow = (typeof WALL_WINDOWS)[number]

export const FIELD_NAMES = [
  'type',
  'topic',
  'place',
  'time',
  'demand',
  'summary',
  'urgency',
  'phone',
  'wants_reply',
  'confidential',
] as const
export type FieldName = (typeof FIELD_NAMES)[number]

export const TOPIC_WORDS: Record<string, string> = {
  urban_construction: '城乡建设',
  labour_social_security: '劳动和社会保障',
  education_culture_sport: '教育文体',
  commerce_tourism: '商贸旅游',
  environment: '环境保护',
  health_family_planning: '卫生计生',
  transport: '交通运输',
  public_security: '公安政法',
  civil_affairs: '民政',
  rural_affairs: '农村农业',
  economy_telecom: '经济通信',
  other: '其他',
}

/**
 * The agent's own state. `phone_registered` false: no call can be offered.
 */
export interface AgentState {
  agent: string
  state: AgentStateName
  pause_reason: PauseReason | null
  phone_registered: boolean
  since_at: string
  dialled: Dialled | null
}

export interface AgentStateChanged {
  kind: 'agent_state'
  me: AgentState
}

/**
 * You are up to date, and the line lives.
 */
export interface Beat {
  type: 'beat'
  at: string
}

/**
 * The call the agent is in, or has just finished (wrap-up).
 *
 * The caller's history goes on from the pop, so that it stays in sight during the call.
 */
export interface CallCard {
  call: string
  caller_number: string
  caller_name: string
  queue: string
  answered_at: string
  ended_at: string | null
  speech: SpeechState
  engine: string | null
  model: string | null
  former_calls: FormerCall[]
  former_tickets: FormerTicket[]
  warnings: CallerWarning[]
  emergency: Emergency | null
  is_held: boolean
  party: PartyCard | null
  consent: ConsentState
  consent_for: OutsideKind[]
  consent_script: string
  is_recording_paused: boolean
}

/**
 * End of the call, or a change of its speech state.
 */
export interface CallChanged {
  kind: 'call_changed'
  call: CallCard
}

/**
 * The agent answered: transcript and draft start empty.
 */
export interface CallOpened {
  kind: 'call_opened'
  call: CallCard
  draft: DraftView
}

/**
 * Something the agent must know before answering.
 *
 * `kind`: `repeat_caller` (params: calls, days), `open_ticket` (params: number),
 * `history_unavailable` (the database did not answer in time), `number_withheld`.
 */
export interface CallerWarning {
  kind: string
  params: Record<string, string>
}

/**
 * A kind of danger, the line to propose, and a few of the words, numbers in them masked.
 */
export interface DangerHeard {
  kind: string
  line: string
  heard: string
}

/**
 * All dangers that the call's words tell of now, the surest first; none: taken back.
 *
 * They propose a line; nothing is dialled by itself.
 */
export interface DangerShown {
  kind: 'dangers'
  call: string
  dangers: DangerView[]
}

/**
 * A danger to life in the words, with the emergency line to propose.
 *
 * `kind` is a `transcription.danger.DangerKind` value.
 */
export interface DangerView {
  kind: string
  line: string
  confidence: number
  evidence: EvidenceSpan[]
  since_at: string
  is_dismissed: boolean
  last_told: Record<string, number>
}

/**
 * Wrap-up is over: no call, no lines, no draft.
 */
export interface DeskCleared {
  kind: 'desk_cleared'
  call: string
}

/**
 * Everything on one agent's desk.
 */
export interface DeskView {
  me: AgentState
  pop: Pop | null
  call: CallCard | null
  lines: Line[]
  draft: DraftView | null
  links: Links
  dangers: DangerView[]
}

/**
 * A call out for the agent. calling: the agent's own phone rings; ringing: the number does.
 */
export interface Dialled {
  attempt: string
  number: string
  state: DialledState
}

export interface DraftChanged {
  kind: 'draft'
  draft: DraftView
}

/**
 * The draft ticket of one call; keys of `fields` are `FieldName` values.
 */
export interface DraftView {
  call: string
  version: number
  fields: Record<string, FieldView>
  ticket_number: string | null
  saved: 'draft' | 'entered' | 'kept_on_disk'
}

/**
 * The emergency line that was asked for last in this call, and how far it is.
 */
export interface Emergency {
  line: string
  state: 'connected' | 'dialling' | 'unreached'
}

/**
 * Characters `start`..`end` of the line `line` behind a field.
 */
export interface EvidenceSpan {
  line: string
  start: number
  end: number
  text: string
}

/**
 * A draft field. `by` agent: corrected by hand, the machine no longer touches it.
 */
export interface FieldView {
  value: string
  by: 'agent' | 'machine'
  confidence: number
  evidence: EvidenceSpan[]
}

/**
 * One earlier call of the same number.
 */
export interface FormerCall {
  call: string
  started_at: string
  outcome: string
  agent: string | null
  ticket_number: string | null
}

/**
 * One earlier ticket of the same number.
 */
export interface FormerTicket {
  number: string
  title: string
  type: string
  state: string
  created_at: string
}

export interface Hello {
  type: 'hello'
  epoch: string | null
  seq: number | null
}

/**
 * One utterance. `id` is `<speaker>-<number>`; a higher `revision` replaces a lower.
 */
export interface Line {
  id: string
  speaker: SpeakerName
  number: number
  revision: number
  text: string
  start_s: number
  end_s: number
  is_final: boolean
  confidence: number | null
}

export interface LineChanged {
  kind: 'line'
  line: Line
}

/**
 * What the desk depends on; `down` shows a banner that says what still works.
 */
export interface Links {
  telephony: LinkState
  speech: LinkState
  database: LinkState
  emergency_trunks: LinkState
}

export interface LinksChanged {
  kind: 'links'
  links: Links
}

export interface Numbered {
  type: 'event'
  epoch: string
  seq: number
  event: AgentStateChanged | PopShown | PopWithdrawn | CallOpened | CallChanged | LineChanged | DraftChanged | DangerShown | DeskCleared | LinksChanged
}

/**
 * Somebody whom the agent asks while the caller is held, or has joined in.
 */
export interface PartyCard {
  number: string
  kind: PartyKind
  state: PartyState
}

/**
 * What you show may be old: this server hears nothing from the bridge. A beat, an event or a
 * snapshot ends it.
 */
export interface Paused {
  type: 'paused'
  at: string
}

/**
 * The card shown when the phone rings. Complete in the ringing event: no second fetch.
 */
export interface Pop {
  ring: string
  call: string
  caller_number: string
  caller_name: string
  called_number: string
  queue: string
  rang_at: string
  waited_s: number
  former_calls: FormerCall[]
  former_tickets: FormerTicket[]
  warnings: CallerWarning[]
}

export interface PopShown {
  kind: 'pop_shown'
  pop: Pop
}

/**
 * `reason` is a `telephony.events.RingEnd` value, or `answered` by this very agent.
 */
export interface PopWithdrawn {
  kind: 'pop_withdrawn'
  ring: string
  reason: string
}

export interface Snapshot {
  type: 'snapshot'
  epoch: string
  seq: number
  view: DeskView
}

/**
 * An agent, and whom they talk with.
 */
export interface WallAgent {
  agent: string
  state: AgentStateName
  pause_reason: PauseReason | null
  phone_registered: boolean
  since_at: string
  call: string | null
  caller_number: string
  queue: string
  flags: WallFlag[]
}

/**
 * Something that a leader must know now; `kind` and `about` are one alarm's name.
 */
export interface WallAlarm {
  kind: string
  about: string
  since_at: string
  params: Record<string, string>
}

/**
 * Somebody who waits for an agent. `caller_number` is masked; empty: withheld.
 */
export interface WallCaller {
  call: string
  caller_number: string
  queue: string
  since_at: string
  flags: WallFlag[]
}

/**
 * What became different since the event before: rows by their key, `gone` callers, and as a
 * whole what is not null.
 */
export interface WallChanged {
  kind: 'wall'
  callers: WallCaller[]
  gone: string[]
  agents: WallAgent[]
  queues: WallQueue[] | null
  figures: WallFigures[] | null
  alarms: WallAlarm[] | null
  dangers: WallDanger[] | null
  links: Links | null
}

/**
 * A call whose words tell of a danger to life: until it ends, an emergency line has answered,
 * or the agent has said that it is none.
 */
export interface WallDanger {
  call: string
  agent: string
  caller_number: string
  queue: string
  since_at: string
  told: DangerHeard[]
  emergency: Emergency | null
}

/**
 * The figures of one window, by code (docs/METRICS.md). The report of `start_at` to
 * `end_at` gives the same.
 */
export interface WallFigures {
  window: WallWindow
  start_at: string
  end_at: string
  total: Record<string, number | null>
  staff: Record<string, number | null>
  queues: Record<string, Record<string, number | null>>
}

export interface WallNumbered {
  type: 'event'
  epoch: string
  seq: number
  event: WallChanged
}

/**
 * One queue; `waiting` counts also those who are not listed.
 */
export interface WallQueue {
  queue: string
  title: string
  waiting: number
  longest_since_at: string | null
}

export interface WallSnapshot {
  type: 'snapshot'
  epoch: string
  seq: number
  view: WallView
}

/**
 * The whole wall. `figures` is empty until the event log has been read.
 */
export interface WallView {
  callers: WallCaller[]
  queues: WallQueue[]
  agents: WallAgent[]
  figures: WallFigures[]
  alarms: WallAlarm[]
  links: Links
  dangers: WallDanger[]
}

export type DeskEvent = AgentStateChanged | PopShown | PopWithdrawn | CallOpened | CallChanged | LineChanged | DraftChanged | DangerShown | DeskCleared | LinksChanged

export type ServerFrame = Snapshot | Numbered | Beat | Paused

export type WallFrame = WallSnapshot | WallNumbered | Beat | Paused

export type ClientFrame = Hello
