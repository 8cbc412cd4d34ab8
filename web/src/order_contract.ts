// Made by `hotline contract` from the work order's interface. Do not edit: a test compares the two.
// Instants (`…_at`, `at`) are ISO 8601 with an offset.

export type AssignmentState = 'accepted' | 'end_asked' | 'fed_back' | 'past' | 'return_asked' | 'returned' | 'sent' | 'signed' | 'stopped' | 'terminated' | 'withdrawn'

export type Channel = 'app' | 'email' | 'mailbox' | 'phone' | 'sms' | 'web' | 'wechat' | 'weibo'

export type CompletionBasis = '' | 'promised' | 'statutory'

export type DoubtGround = 'contact_unproved' | 'copied' | 'evidence_differs' | 'follow_up_differs' | 'other'

export type Fault = 'abuse' | 'attitude' | 'false_assessment' | 'false_reply' | 'false_report' | 'inaction' | 'interference' | 'leak' | 'not_done_after_supervision' | 'open_after_redo_and_supervision' | 'refused' | 'retaliation' | 'shirking' | 'wrong_action'

export type FollowUpChannel = 'agent' | 'robot' | 'sms'

export type Lane = 'ordinary' | 'retaliation' | 'staff_complaint'

export type Level = 'city' | 'county' | 'township' | 'unit'

export type Matter = 'danger' | 'disaster' | 'ordinary' | 'utility'

export type Outcome = 'done' | 'explained' | 'rejected'

export type Part = 'assist' | 'child' | 'lead' | 'separate' | 'single'

export type RefusalKind = 'not_accepted' | 'not_registered' | 'repeat'

export type RequestKind = 'extension' | 'return' | 'termination'

export type RequestState = 'asked' | 'granted' | 'in_force' | 'lapsed' | 'refused'

export type Suggestion = 'duty' | 'place'

export type TicketState = 'answered' | 'archived' | 'closed' | 'ended' | 'following_up' | 'handed_over' | 'in_review' | 'not_accepted' | 'not_registered' | 'registered' | 'repeat_answered' | 'stopped' | 'terminated' | 'to_dispatch' | 'under_study' | 'with_units'

export type TicketType = 'complain' | 'consult' | 'criticise' | 'help' | 'other' | 'report' | 'suggest'

export type UnitKind = 'body' | 'centre' | 'department' | 'local' | 'utility'

export type Urgency = 'emergency' | 'normal' | 'urgent'

/**
 * One line of the log.
 */
export interface Access {
  at: string
  user_id: string
  unit: string | null
  act: string
  fields: string[]
  reason: string
}

/**
 * That something was done; a unit is not shown by whom, nor what was said.
 */
export interface Act {
  seq: number
  at: string
  action: string
}

/**
 * One unit's task of one ticket in one round.
 */
export interface Assignment {
  id: string
  unit: string
  part: Part
  dispatched_at: string
  dispatched_by: string
  state: AssignmentState
  parent: string | null
  round: number
  is_designated: boolean
  sign_due_at: string | null
  contact_due_at: string | null
  feedback_due_at: string | null
  completion_due_at: string | null
  completion_basis: CompletionBasis
  signed_at: string | null
  contact_tries: number
  contacted_at: string | null
  interim_at: string | null
  fed_back_at: string | null
  caller_told_at: string | null
  outcome: Outcome | null
  reply: string
}

/**
 * A file that belongs to a ticket; where it lies is the server's.
 */
export interface Attachment {
  id: string
  assignment: string | null
  source: string
  is_for_units: boolean
  name: string
  media_type: string
  size_bytes: number
  sha256: string
  added_at: string
  added_by: string
  withdrawn_at: string | null
  withdrawn_reason: string
}

/**
 * Who called, as far as somebody may see.
 */
export interface CallerShown {
  name: string
  number: string
}

/**
 * Tickets that may be one matter.
 */
export interface Cluster {
  topic: string
  unit: string
  count: number
  numbers: string[]
}

/**
 * A question to a unit before anything is dispatched to it (Hangzhou 18).
 */
export interface Consult {
  number: number
  unit: string
  question: string
  asked_at: string
  answer: string
  answered_at: string | null
}

/**
 * A reply is looked into: whether it is what happened.
 */
export interface Doubt {
  number: number
  assignment: string
  ground: DoubtGround
  note: string
  raised_at: string
  raised_by: string
  is_false: boolean | null
  finding: string
  settled_at: string | null
  settled_by: string | null
}

/**
 * What a unit answers for, and why.
 */
export interface Duty {
  topic: string
  basis: string
  types: TicketType[]
}

/**
 * One place to look at.
 */
export interface Evidence {
  at: string
  number: string
  unit: string
  who: string
  what: string
}

/**
 * The caller asks why (Jinan 16), and the answer.
 */
export interface Explanation {
  number: number
  ground: string
  question: string
  asked_at: string
  answer: string
  answered_at: string | null
  answered_by: string | null
}

/**
 * The faults for which somebody answers here, and by which article.
 */
export interface FaultsListed {
  faults: Fault[]
  article: string
  summary: string
}

/**
 * One attempt to ask the caller. Solved and satisfied are two answers (R067).
 */
export interface FollowUp {
  number: number
  round: number
  channel: FollowUpChannel
  at: string
  by: string
  is_reached: boolean
  is_solved: boolean | null
  is_satisfied: boolean | null
  reason: string
  is_reasonable: boolean | null
  is_lawful: boolean | null
  is_unhandled: boolean | null
  is_handling_faulty: boolean | null
}

/**
 * What was written before an amendment.
 */
export interface FormerTexts {
  version: number
  changed_at: string
  changed_by: string
  title: string
  content: string
  demand: string
  place: string
  occurred: string
}

/**
 * One act on a ticket. `hash` is empty until `sealed`.
 */
export interface LedgerEntry {
  ticket: string
  seq: number
  at: string
  actor: string
  action: string
  body: Record<string, unknown>
  prev_hash: string
  reason: string
  article: string
  hash: string
}

/**
 * One ticket in a list.
 */
export interface Line {
  number: string
  version: number
  state: TicketState
  channel: Channel
  type: TicketType
  topic: string
  title: string
  domain: string
  region: string
  urgency: Urgency
  matter: Matter
  created_at: string
  reply_due_at: string | null
  completion_due_at: string | null
  is_supervised: boolean
  is_confidential: boolean
  units: string[]
}

/**
 * What the one who asks may do now: a button.
 */
export interface MoveOpen {
  move: string
  assignment: string | null
}

/**
 * A move that was carried out.
 */
export interface Moved {
  number: string
  version: number
  state: TicketState
  siblings: string[]
  codes: Record<string, string>
}

/**
 * One office, as it was at the instant of its tree.
 */
export interface OrganisationUnit {
  id: string
  name: string
  parent: string | null
  level: Level
  kind: UnitKind
  regions: string[]
  duties: Duty[]
  first_responsible: string
  handlers: string[]
  duty_phone: string
  working_hours: string
}

/**
 * A notice as it stands.
 */
export interface Outage {
  id: number
  unit: string
  topic: string
  regions: string[]
  what: string
  begins_at: string
  ends_at: string
  entered_at: string
}

/**
 * Under which law a ticket lives, from its first day to its last (invariant 10).
 */
export interface PackId {
  name: string
  version: string
  hash: string
}

/**
 * One page of a list; `next` is the cursor of the following one.
 */
export interface Page {
  items: Line[]
  next: string | null
}

/**
 * One unit that may be meant.
 */
export interface Proposal {
  unit: string
  name: string
  by: Suggestion
  basis: string
  why_not: string
}

/**
 * How much somebody left out: a person at registration, a unit by giving back.
 */
export interface RefusalRate {
  of: string
  id: string
  taken: number
  refused: number
}

/**
 * Who left out how much, and some to be looked into.
 */
export interface Refusals {
  rates: RefusalRate[]
  sample: SampledRefusal[]
}

/**
 * One refusal to be looked into, and opened again if it was wrong.
 */
export interface SampledRefusal {
  number: string
  kind: RefusalKind
  reason: string
  told: string
  told_at: string
  refer_to: string
  article: string
  by: string
  state: TicketState
}

/**
 * A ticket as the centre's staff see it.
 */
export interface Shown {
  shown_to: 'centre'
  facts: TicketFacts
  texts: Texts
  former_texts: FormerTexts[]
  caller: CallerShown
  moves: MoveOpen[]
  ledger: LedgerEntry[]
  attachments: Attachment[]
  watermark: string
}

/**
 * A ticket as a unit sees it. No `caller`: it is confidential.
 */
export interface ShownToUnit {
  shown_to: 'unit'
  part: UnitPart
  texts: Texts
  caller: CallerShown | null
  moves: MoveOpen[]
  attachments: Attachment[]
  duty_note: string
  watermark: string
}

/**
 * A ticket in hand of the same type and region that speaks of the same (R027).
 */
export interface Similar {
  number: string
  state: TicketState
  title: string
  created_at: string
  likeness: number
  is_same_caller: boolean
}

/**
 * One study, as far as it is.
 */
export interface Study {
  id: number
  unit: string
  topic: string
  reason: string
  article: string
  numbers: string[]
  opened_at: string
  measures: string
  lasting: string
  measured_at: string | null
  report: string
  reported_to: string
  reported_at: string | null
}

/**
 * What was said.
 */
export interface Texts {
  number: string
  title: string
  content: string
  demand: string
  place: string
  occurred: string
  topic: string
  channel: Channel
}

/**
 * A ticket as the life-cycle sees it.
 */
export interface TicketFacts {
  id: string
  number: string
  version: number
  state: TicketState
  pack: PackId
  type: TicketType
  contact: string
  created_at: string
  created_by: string
  lane: Lane
  channel: Channel
  domain: string
  region: string
  urgency: Urgency
  matter: Matter
  former: string | null
  is_former_same_caller: boolean
  former_state: TicketState | null
  is_former_rejected: boolean
  is_confidential: boolean
  is_withheld: boolean
  wants_reply: boolean
  is_reachable: boolean
  dispatch_count: number
  round: number
  redo_count: number
  escalation: number
  decided_unit: string | null
  reply_due_at: string | null
  completion_due_at: string | null
  closed_at: string | null
  accused_units: string[]
  accused_people: string[]
  recused_units: string[]
  recused_users: string[]
  urge_count: number
  is_supervised: boolean
  assignments: Assignment[]
  requests: UnitRequest[]
  follow_ups: FollowUp[]
  explanations: Explanation[]
  consults: Consult[]
  doubts: Doubt[]
}

/**
 * A ticket as a unit has it.
 */
export interface UnitPart {
  ticket: UnitTicket
  assignments: Assignment[]
  requests: UnitRequest[]
  consults: Consult[]
  explanations: Explanation[]
  history: Act[]
}

/**
 * One such request and its decision.
 */
export interface UnitRequest {
  id: string
  assignment: string
  kind: RequestKind
  reason: string
  asked_at: string
  asked_by: string
  state: RequestState
  ground: string
  basis: string
  new_due_at: string | null
  decided_at: string | null
  decided_by: string | null
  decision: string
  told_at: string | null
}

/**
 * Of a ticket's facts, those a unit is shown.
 */
export interface UnitTicket {
  version: number
  state: TicketState
  type: TicketType
  domain: string
  region: string
  urgency: Urgency
  matter: Matter
  wants_reply: boolean
  is_confidential: boolean
  created_at: string
  reply_due_at: string | null
  completion_due_at: string | null
  round: number
  urge_count: number
  is_supervised: boolean
}

export const FIELD_KINDS = [
  'line',
  'text',
  'bool',
  'number',
  'date',
  'instant',
  'choice',
  'checks',
  'unit',
  'assignment',
  'lines',
  'units',
  'rows',
] as const
export type FieldKind = (typeof FIELD_KINDS)[number]

export const MOVE_NAMES = [
  'amend',
  'answer',
  'answer_repeat',
  'answer_event',
  'not_accept',
  'not_register',
  'hand_over',
  'pass_check',
  'split',
  'consult_unit',
  'answer_consult',
  'study',
  'meet',
  'escalate',
  'end_study',
  'dispatch',
  'designate',
  'add_assist',
  'withdraw',
  'recuse',
  'sign',
  'ask_return',
  'decide_return',
  'contact',
  'progress',
  'statutory_route',
  'promise',
  'ask_extension',
  'decide_extension',
  'tell_extension',
  'sub_dispatch',
  'deliberate',
  'ask_termination',
  'decide_termination',
  'stop_repeat',
  'interim_reply',
  'relay_reply',
  'feedback',
  'urge',
  'remind',
  'supervise',
  'review_feedback',
  'doubt_reply',
  'settle_doubt',
  'follow_up',
  'redo',
  'close',
  'end',
  'archive',
  'reopen',
  'ask_explanation',
  'explain',
  'rate',
  'conclude',
  'refer',
] as const
export type MoveName = (typeof MOVE_NAMES)[number]

export const MOVE_FIELD_NAMES = [
  'accused_people',
  'accused_units',
  'answer',
  'answers_all_demands',
  'article',
  'article_version',
  'asked_satisfied',
  'assignment',
  'authority',
  'basis',
  'call',
  'caller_name',
  'callers_word',
  'case',
  'channel',
  'consequence',
  'contact_number',
  'content',
  'counted_in',
  'days',
  'days_reason',
  'decided_unit',
  'decision',
  'demand',
  'demands',
  'domain',
  'due_at',
  'elements',
  'event',
  'evidence',
  'explanation',
  'facts_at',
  'feedback_days',
  'finding',
  'ground',
  'handed_at',
  'has_basis',
  'interest',
  'is_accepted',
  'is_caller_told',
  'is_confidential',
  'is_contact_proved',
  'is_demanded',
  'is_false',
  'is_granted',
  'is_handling_faulty',
  'is_lawful',
  'is_reached',
  'is_reasonable',
  'is_satisfied',
  'is_solved',
  'is_unhandled',
  'is_verified',
  'law',
  'left_out',
  'line',
  'matter',
  'means',
  'measures',
  'minutes',
  'no_contact_reason',
  'note',
  'number',
  'occurred',
  'opinion',
  'order',
  'outcome',
  'part',
  'participants',
  'place',
  'progress',
  'promised_on',
  'question',
  'questions',
  'reason',
  'reasons',
  'record',
  'refer_to',
  'region',
  'related',
  'reply',
  'report',
  'result',
  'route',
  'said_now',
  'said_then',
  'secret',
  'stage',
  'stars',
  'summary',
  'text',
  'timer',
  'title',
  'told',
  'told_at',
  'topic',
  'tried_at',
  'trigger',
  'type',
  'unit',
  'units',
  'urgency',
  'users',
  'verdict',
  'verification',
  'wants_reply',
  'why_new',
  'why_not_new',
  'written_note',
] as const
export type MoveFieldName = (typeof MOVE_FIELD_NAMES)[number]

export const MOVE_OPTIONS = [
  '110',
  '119',
  '120',
  '122',
  'agent',
  'arbitration',
  'assist',
  'calendar_day',
  'complain',
  'consult',
  'contact_unproved',
  'copied',
  'criticise',
  'danger',
  'demand_unclear',
  'disaster',
  'discipline',
  'disclosure',
  'disputed',
  'done',
  'emergency',
  'entered',
  'ethnic_affairs',
  'evidence_differs',
  'explained',
  'facts_unclear',
  'follow_up_differs',
  'guided',
  'handled',
  'hard_to_verify',
  'help',
  'impact',
  'impossible',
  'knowledge',
  'lead',
  'leader',
  'life_or_property',
  'litigation',
  'national_security',
  'normal',
  'not_for_the_hotline',
  'not_our_duty',
  'not_public_service',
  'notified',
  'ordinary',
  'other',
  'outside_area',
  'overdue',
  'personal_information',
  'petition',
  'politically_sensitive',
  'privacy',
  'public_order',
  'reconsideration',
  'refused',
  'rejected',
  'repeated',
  'report',
  'robot',
  'route',
  'secret',
  'separate',
  'shirking',
  'should_enter',
  'single',
  'sms',
  'state',
  'suggest',
  'trade',
  'transferred',
  'uncooperative',
  'unlawful',
  'unreachable',
  'unsolved',
  'urgent',
  'utility',
  'want',
  'what',
  'when',
  'where',
  'who',
  'work',
  'working_day',
] as const
export type MoveOption = (typeof MOVE_OPTIONS)[number]

export interface MoveField {
  name: MoveFieldName
  kind: FieldKind
  /** It must be said. */
  isNeeded: boolean
  /** Of a `choice` or of `checks`. */
  options?: readonly string[]
  /** Of a list's rows. */
  fields?: readonly MoveField[]
  /** The longest text, in characters. */
  most?: number
}

export const MOVE_FORMS: Record<MoveName, readonly MoveField[]> = {
  amend: [
    { name: 'reason', kind: 'line', isNeeded: true, most: 500 },
    { name: 'callers_word', kind: 'line', isNeeded: false, most: 500 },
    { name: 'title', kind: 'line', isNeeded: false, most: 100 },
    { name: 'content', kind: 'text', isNeeded: false, most: 10000 },
    { name: 'demand', kind: 'text', isNeeded: false, most: 10000 },
    { name: 'place', kind: 'line', isNeeded: false, most: 200 },
    { name: 'occurred', kind: 'line', isNeeded: false, most: 200 },
    { name: 'caller_name', kind: 'line', isNeeded: false, most: 64 },
    { name: 'contact_number', kind: 'line', isNeeded: false },
    { name: 'type', kind: 'choice', isNeeded: false, options: ['consult', 'help', 'suggest', 'complain', 'report', 'criticise', 'other'] },
    { name: 'domain', kind: 'line', isNeeded: false },
    { name: 'region', kind: 'line', isNeeded: false },
    { name: 'urgency', kind: 'choice', isNeeded: false, options: ['normal', 'urgent', 'emergency'] },
    { name: 'matter', kind: 'choice', isNeeded: false, options: ['ordinary', 'utility', 'disaster', 'danger'] },
    { name: 'is_confidential', kind: 'bool', isNeeded: false },
    { name: 'wants_reply', kind: 'bool', isNeeded: false },
    { name: 'accused_units', kind: 'units', isNeeded: false },
    { name: 'accused_people', kind: 'lines', isNeeded: false },
  ],
  answer: [
    { name: 'article', kind: 'line', isNeeded: true, most: 500 },
    { name: 'article_version', kind: 'line', isNeeded: true, most: 500 },
    { name: 'text', kind: 'text', isNeeded: true, most: 10000 },
  ],
  answer_repeat: [
    { name: 'said_then', kind: 'text', isNeeded: true, most: 10000 },
    { name: 'said_now', kind: 'text', isNeeded: true, most: 10000 },
    { name: 'why_not_new', kind: 'text', isNeeded: true, most: 10000 },
    { name: 'told', kind: 'text', isNeeded: true, most: 10000 },
  ],
  answer_event: [
    { name: 'event', kind: 'number', isNeeded: true },
    { name: 'facts_at', kind: 'instant', isNeeded: true },
    { name: 'text', kind: 'line', isNeeded: true, most: 500 },
  ],
  not_accept: [
    { name: 'reason', kind: 'choice', isNeeded: true, options: ['route', 'secret', 'public_order', 'unlawful', 'outside_area', 'not_public_service', 'other'] },
    { name: 'told', kind: 'text', isNeeded: true, most: 10000 },
    { name: 'told_at', kind: 'instant', isNeeded: true },
    { name: 'refer_to', kind: 'line', isNeeded: false },
    { name: 'route', kind: 'choice', isNeeded: false, options: ['reconsideration', 'arbitration', 'litigation', 'discipline', 'disclosure', 'petition', 'other'] },
    { name: 'stage', kind: 'choice', isNeeded: false, options: ['entered', 'should_enter'] },
    { name: 'secret', kind: 'choice', isNeeded: false, options: ['state', 'work', 'trade', 'privacy', 'personal_information', 'national_security', 'ethnic_affairs', 'politically_sensitive'] },
  ],
  not_register: [
    { name: 'reason', kind: 'choice', isNeeded: true, options: ['demand_unclear', 'facts_unclear', 'hard_to_verify'] },
    { name: 'questions', kind: 'rows', isNeeded: true, fields: [
      { name: 'question', kind: 'line', isNeeded: true, most: 500 },
      { name: 'answer', kind: 'line', isNeeded: true },
    ] },
  ],
  hand_over: [
    { name: 'line', kind: 'choice', isNeeded: true, options: ['110', '119', '120', '122'] },
    { name: 'means', kind: 'choice', isNeeded: true, options: ['transferred', 'guided', 'notified'] },
    { name: 'handed_at', kind: 'instant', isNeeded: true },
    { name: 'units', kind: 'units', isNeeded: false },
  ],
  pass_check: [
    { name: 'elements', kind: 'checks', isNeeded: true, options: ['who', 'what', 'where', 'when', 'want'] },
    { name: 'note', kind: 'line', isNeeded: false },
    { name: 'why_new', kind: 'line', isNeeded: false },
  ],
  split: [
    { name: 'demands', kind: 'rows', isNeeded: true, fields: [
      { name: 'type', kind: 'choice', isNeeded: true, options: ['consult', 'help', 'suggest', 'complain', 'report', 'criticise', 'other'] },
      { name: 'demand', kind: 'text', isNeeded: true, most: 10000 },
      { name: 'content', kind: 'line', isNeeded: false },
      { name: 'topic', kind: 'line', isNeeded: false },
      { name: 'urgency', kind: 'choice', isNeeded: false, options: ['normal', 'urgent', 'emergency'] },
      { name: 'matter', kind: 'choice', isNeeded: false, options: ['ordinary', 'utility', 'disaster', 'danger'] },
    ] },
  ],
  consult_unit: [
    { name: 'unit', kind: 'unit', isNeeded: true },
    { name: 'question', kind: 'text', isNeeded: true, most: 10000 },
  ],
  answer_consult: [
    { name: 'number', kind: 'number', isNeeded: true },
    { name: 'answer', kind: 'text', isNeeded: true, most: 10000 },
  ],
  study: [
    { name: 'reason', kind: 'text', isNeeded: true, most: 10000 },
  ],
  meet: [
    { name: 'participants', kind: 'lines', isNeeded: true },
    { name: 'minutes', kind: 'text', isNeeded: true, most: 10000 },
    { name: 'decided_unit', kind: 'unit', isNeeded: false },
  ],
  escalate: [
    { name: 'report', kind: 'text', isNeeded: true, most: 10000 },
  ],
  end_study: [
    { name: 'unit', kind: 'unit', isNeeded: true },
    { name: 'reason', kind: 'text', isNeeded: true, most: 10000 },
  ],
  dispatch: [
    { name: 'units', kind: 'rows', isNeeded: true, fields: [
      { name: 'unit', kind: 'unit', isNeeded: true },
      { name: 'part', kind: 'choice', isNeeded: true, options: ['single', 'lead', 'assist', 'separate'] },
    ] },
    { name: 'basis', kind: 'line', isNeeded: true, most: 500 },
    { name: 'feedback_days', kind: 'number', isNeeded: false },
    { name: 'days_reason', kind: 'line', isNeeded: false },
  ],
  designate: [
    { name: 'unit', kind: 'unit', isNeeded: true },
    { name: 'order', kind: 'text', isNeeded: true, most: 10000 },
  ],
  add_assist: [
    { name: 'unit', kind: 'unit', isNeeded: true },
    { name: 'basis', kind: 'line', isNeeded: true, most: 500 },
  ],
  withdraw: [
    { name: 'assignment', kind: 'assignment', isNeeded: true },
    { name: 'reason', kind: 'text', isNeeded: true, most: 10000 },
  ],
  recuse: [
    { name: 'users', kind: 'lines', isNeeded: false },
    { name: 'units', kind: 'units', isNeeded: false },
    { name: 'interest', kind: 'text', isNeeded: true, most: 10000 },
    { name: 'is_demanded', kind: 'bool', isNeeded: false },
  ],
  sign: [],
  ask_return: [
    { name: 'ground', kind: 'choice', isNeeded: true, options: ['not_our_duty', 'not_for_the_hotline'] },
    { name: 'reason', kind: 'text', isNeeded: true, most: 10000 },
    { name: 'basis', kind: 'line', isNeeded: false },
  ],
  decide_return: [
    { name: 'assignment', kind: 'assignment', isNeeded: true },
    { name: 'is_granted', kind: 'bool', isNeeded: true },
    { name: 'decision', kind: 'text', isNeeded: true, most: 10000 },
  ],
  contact: [
    { name: 'is_reached', kind: 'bool', isNeeded: true },
    { name: 'result', kind: 'line', isNeeded: true, most: 500 },
    { name: 'call', kind: 'line', isNeeded: false },
    { name: 'tried_at', kind: 'instant', isNeeded: true },
  ],
  progress: [
    { name: 'note', kind: 'text', isNeeded: true, most: 10000 },
    { name: 'is_caller_told', kind: 'bool', isNeeded: false },
  ],
  statutory_route: [
    { name: 'law', kind: 'line', isNeeded: true, most: 500 },
    { name: 'article', kind: 'line', isNeeded: true, most: 500 },
    { name: 'days', kind: 'number', isNeeded: true },
    { name: 'counted_in', kind: 'choice', isNeeded: false, options: ['working_day', 'calendar_day'] },
    { name: 'told', kind: 'text', isNeeded: true, most: 10000 },
  ],
  promise: [
    { name: 'measures', kind: 'text', isNeeded: true, most: 10000 },
    { name: 'progress', kind: 'text', isNeeded: true, most: 10000 },
    { name: 'promised_on', kind: 'date', isNeeded: false },
    { name: 'told', kind: 'text', isNeeded: true, most: 10000 },
  ],
  ask_extension: [
    { name: 'reason', kind: 'text', isNeeded: true, most: 10000 },
    { name: 'basis', kind: 'line', isNeeded: false },
    { name: 'days', kind: 'number', isNeeded: false },
  ],
  decide_extension: [
    { name: 'assignment', kind: 'assignment', isNeeded: true },
    { name: 'is_granted', kind: 'bool', isNeeded: true },
    { name: 'decision', kind: 'text', isNeeded: true, most: 10000 },
  ],
  tell_extension: [
    { name: 'told', kind: 'text', isNeeded: true, most: 10000 },
    { name: 'told_at', kind: 'instant', isNeeded: true },
    { name: 'assignment', kind: 'assignment', isNeeded: false },
  ],
  sub_dispatch: [
    { name: 'units', kind: 'units', isNeeded: true },
    { name: 'due_at', kind: 'instant', isNeeded: false },
  ],
  deliberate: [
    { name: 'participants', kind: 'lines', isNeeded: true },
    { name: 'minutes', kind: 'text', isNeeded: true, most: 10000 },
  ],
  ask_termination: [
    { name: 'ground', kind: 'choice', isNeeded: true, options: ['uncooperative', 'unreachable', 'unlawful'] },
    { name: 'evidence', kind: 'lines', isNeeded: true },
    { name: 'explanation', kind: 'line', isNeeded: false },
  ],
  decide_termination: [
    { name: 'assignment', kind: 'assignment', isNeeded: true },
    { name: 'is_granted', kind: 'bool', isNeeded: true },
    { name: 'decision', kind: 'text', isNeeded: true, most: 10000 },
  ],
  stop_repeat: [
    { name: 'case', kind: 'choice', isNeeded: true, options: ['handled', 'impossible'] },
    { name: 'explanation', kind: 'text', isNeeded: true, most: 10000 },
    { name: 'written_note', kind: 'text', isNeeded: true, most: 10000 },
  ],
  interim_reply: [
    { name: 'reply', kind: 'text', isNeeded: true, most: 10000 },
    { name: 'told_at', kind: 'instant', isNeeded: false },
  ],
  relay_reply: [
    { name: 'assignment', kind: 'assignment', isNeeded: true },
    { name: 'told', kind: 'text', isNeeded: true, most: 10000 },
    { name: 'told_at', kind: 'instant', isNeeded: true },
  ],
  feedback: [
    { name: 'outcome', kind: 'choice', isNeeded: true, options: ['done', 'rejected', 'explained'] },
    { name: 'reply', kind: 'text', isNeeded: true, most: 10000 },
    { name: 'basis', kind: 'line', isNeeded: false },
    { name: 'told_at', kind: 'instant', isNeeded: false },
    { name: 'asked_satisfied', kind: 'bool', isNeeded: false },
    { name: 'no_contact_reason', kind: 'line', isNeeded: false },
  ],
  urge: [
    { name: 'reason', kind: 'line', isNeeded: true, most: 500 },
  ],
  remind: [
    { name: 'timer', kind: 'line', isNeeded: true },
    { name: 'assignment', kind: 'assignment', isNeeded: false },
    { name: 'due_at', kind: 'instant', isNeeded: true },
  ],
  supervise: [
    { name: 'trigger', kind: 'choice', isNeeded: true, options: ['overdue', 'refused', 'repeated', 'unsolved', 'knowledge', 'impact', 'life_or_property', 'shirking', 'leader', 'other'] },
    { name: 'opinion', kind: 'text', isNeeded: true, most: 10000 },
  ],
  review_feedback: [
    { name: 'assignment', kind: 'assignment', isNeeded: true },
    { name: 'answers_all_demands', kind: 'bool', isNeeded: true },
    { name: 'has_basis', kind: 'bool', isNeeded: true },
    { name: 'is_contact_proved', kind: 'bool', isNeeded: true },
    { name: 'is_accepted', kind: 'bool', isNeeded: true },
    { name: 'verdict', kind: 'text', isNeeded: true, most: 10000 },
  ],
  doubt_reply: [
    { name: 'assignment', kind: 'assignment', isNeeded: true },
    { name: 'ground', kind: 'choice', isNeeded: true, options: ['follow_up_differs', 'contact_unproved', 'copied', 'evidence_differs', 'other'] },
    { name: 'note', kind: 'text', isNeeded: true, most: 10000 },
  ],
  settle_doubt: [
    { name: 'number', kind: 'number', isNeeded: true },
    { name: 'is_false', kind: 'bool', isNeeded: true },
    { name: 'finding', kind: 'text', isNeeded: true, most: 10000 },
  ],
  follow_up: [
    { name: 'channel', kind: 'choice', isNeeded: true, options: ['agent', 'sms', 'robot'] },
    { name: 'is_reached', kind: 'bool', isNeeded: true },
    { name: 'is_solved', kind: 'bool', isNeeded: false },
    { name: 'is_satisfied', kind: 'bool', isNeeded: false },
    { name: 'reason', kind: 'line', isNeeded: false },
    { name: 'is_reasonable', kind: 'bool', isNeeded: false },
    { name: 'is_lawful', kind: 'bool', isNeeded: false },
    { name: 'is_unhandled', kind: 'bool', isNeeded: false },
    { name: 'is_handling_faulty', kind: 'bool', isNeeded: false },
  ],
  redo: [
    { name: 'reason', kind: 'text', isNeeded: true, most: 10000 },
    { name: 'is_verified', kind: 'bool', isNeeded: false },
  ],
  close: [
    { name: 'summary', kind: 'text', isNeeded: true, most: 10000 },
    { name: 'left_out', kind: 'line', isNeeded: false },
  ],
  end: [
    { name: 'verification', kind: 'text', isNeeded: true, most: 10000 },
  ],
  archive: [],
  reopen: [
    { name: 'said_then', kind: 'text', isNeeded: true, most: 10000 },
    { name: 'said_now', kind: 'text', isNeeded: true, most: 10000 },
    { name: 'why_new', kind: 'text', isNeeded: true, most: 10000 },
  ],
  ask_explanation: [
    { name: 'ground', kind: 'choice', isNeeded: true, options: ['overdue', 'disputed'] },
    { name: 'question', kind: 'text', isNeeded: true, most: 10000 },
  ],
  explain: [
    { name: 'number', kind: 'number', isNeeded: true },
    { name: 'answer', kind: 'text', isNeeded: true, most: 10000 },
  ],
  rate: [
    { name: 'stars', kind: 'number', isNeeded: true },
    { name: 'reasons', kind: 'lines', isNeeded: false },
    { name: 'text', kind: 'line', isNeeded: false },
  ],
  conclude: [
    { name: 'finding', kind: 'text', isNeeded: true, most: 10000 },
    { name: 'consequence', kind: 'text', isNeeded: true, most: 10000 },
    { name: 'told', kind: 'text', isNeeded: true, most: 10000 },
  ],
  refer: [
    { name: 'authority', kind: 'line', isNeeded: true, most: 500 },
    { name: 'record', kind: 'text', isNeeded: true, most: 10000 },
    { name: 'related', kind: 'line', isNeeded: false },
  ],
}
