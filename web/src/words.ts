/** All Chinese words for codes: the server sends codes, people read these. */
import type {
  AgentStateName,
  CallerWarning,
  Emergency,
  DialledState,
  FieldName,
  LinkState,
  Links,
  PartyKind,
  PartyState,
  PauseReason,
  SpeakerName,
  SpeechState,
  WallFlag,
  WallWindow,
} from './contract'
import type { ActName } from './api'
import type { CallStep, LineState, MicrophoneTrouble } from './phone/state'

export const STATE_WORDS: Record<AgentStateName, string> = {
  offline: '离线',
  ready: '就绪',
  reserved: '已预留',
  ringing: '振铃中',
  talking: '通话中',
  holding: '保持中',
  wrap_up: '话后整理',
  paused: '小休',
  lost: '话机断线',
}

export const PAUSE_WORDS: Record<PauseReason, string> = {
  rest: '休息',
  meal: '用餐',
  training: '培训',
  back_office: '处理工单',
  signed_in: '刚签入',
  missed_call: '漏接来电',
  phone: '话机示忙',
  other: '其他',
}

/** What is said of the agent's phone, by what it is. */
export const PHONE_WORDS = {
  desk: {
    answer: '请用话机接听',
    withoutServer: '话机照常振铃、接听',
    withoutEvents: '话机照常振铃、接听',
    check: '请检查话机的电源和网线',
    pick: '请接起您的话机',
    hangUp: '挂断请用话机',
    code: '在话机上按',
    codeStays: '网页失灵也有效',
  },
  page: {
    answer: '请按 Alt J 接听',
    withoutServer: '新来电转给其他坐席，进行中的通话不受影响',
    withoutEvents: '本页电话照常振铃、接听',
    check: '请看上方“本页电话”的提示',
    pick: '请在本页接听',
    hangUp: '挂断按 Alt K',
    code: '用拨号键输入',
    codeStays: '服务器失灵也有效',
  },
} as const

/** The page as a telephone. */
export const PHONE_LINE_WORDS: Record<LineState, { title: string; text: string }> = {
  off: {
    title: '未启用',
    text: '启用后来电在本页振铃、接听。浏览器会询问能否使用麦克风，请选“允许”；只在通话时使用。',
  },
  asking: { title: '等待麦克风', text: '请在浏览器的询问里选“允许”。' },
  no_microphone: { title: '没有麦克风', text: '' },
  connecting: { title: '正在连接', text: '' },
  registered: { title: '已就绪', text: '' },
  lost: { title: '断线', text: '正在自动重连；现在的来电会转给其他坐席，进行中的通话不受影响。' },
  refused: { title: '未能登记', text: '电话系统没有接受登记，请重新登录；仍不行请联系管理员。' },
  taken: { title: '已在别处启用', text: '您在另一个页面启用了电话，来电在那里振铃。' },
  broken: { title: '不能使用', text: '电话部分没有装入，请刷新页面；弹屏和工单不受影响。' },
}

export const PHONE_TROUBLE_WORDS: Record<MicrophoneTrouble, string> = {
  insecure: '这个地址不是 https，浏览器不允许网页使用麦克风，请联系管理员。',
  denied: '浏览器没有允许使用麦克风：请点地址栏左侧的图标，把麦克风改为“允许”，再重新启用。',
  missing: '没有找到可用的麦克风：请插好耳麦，并关闭占用它的其他程序，再重新启用。',
}

export const PHONE_CALL_WORDS: Record<CallStep, string> = {
  ringing: '来电振铃',
  answering: '正在接通',
  dialling: '正在呼叫',
  talking: '通话中',
}

/** What an agent may choose; the others are set by the system. */
export const PAUSE_CHOICES: readonly PauseReason[] = [
  'rest',
  'meal',
  'training',
  'back_office',
  'other',
]

export const PARTY_WORDS: Record<PartyKind, string> = {
  colleague: '坐席',
  unit: '承办单位',
  expert: '专家座席',
  outside: '外线',
}

export const PARTY_STATE_WORDS: Record<PartyState, string> = {
  ringing: '振铃中，来电人在保持',
  talking: '已接听，来电人在保持',
  joined: '三方通话中',
}

export const DIALLED_WORDS: Record<DialledState, string> = {
  calling: '请接起您的话机',
  ringing: '对方振铃中',
  talking: '通话中',
}

export const ATTEMPT_WORDS: Record<string, string> = {
  answered: '已接通',
  busy: '对方忙',
  no_answer: '无人接听',
  cancelled: '坐席先挂断',
  failed: '未能接通',
  agent_absent: '坐席话机未接起',
  unknown: '结果未知',
}

export const SPEAKER_WORDS: Record<SpeakerName, string> = { citizen: '市民', agent: '坐席' }

export const SPEECH_WORDS: Record<SpeechState, { short: string; long: string | null }> = {
  waiting: { short: '正在接通语音识别', long: null },
  live: { short: '实时转写中', long: null },
  refused: {
    short: '未能实时转写',
    long: '语音识别席位已满，本次通话没有实时文字。通话照常录音，文字在通话后由录音补转；请先手工填写工单。',
  },
  broken: {
    short: '实时转写中断',
    long: '语音识别出现故障，后面的话没有实时文字。通话照常录音，缺的部分在通话后由录音补转；请继续手工填写工单。',
  },
  off: { short: '未启用语音识别', long: '本系统没有启用语音识别，请手工填写工单。' },
  ended: { short: '转写结束', long: null },
}

export const FIELD_WORDS: Record<FieldName, string> = {
  type: '诉求类型',
  topic: '诉求主题',
  place: '事发地点',
  time: '发生时间',
  demand: '核心诉求',
  summary: '标题',
  urgency: '紧急程度',
  phone: '联系电话',
  wants_reply: '需要答复',
  confidential: '要求保密',
}

export const TYPE_WORDS: Record<string, string> = {
  consult: '咨询',
  help: '求助',
  suggest: '建议',
  complain: '投诉',
  report: '举报',
  other: '其他',
}

export const URGENCY_WORDS: Record<string, string> = {
  normal: '一般',
  urgent: '紧急',
  emergency: '特急（危及人身安全）',
}

export const YES_NO_WORDS: Record<string, string> = { yes: '是', no: '否' }

export const RING_END_WORDS: Record<string, string> = {
  answered_elsewhere: '来电已由其他坐席接听',
  no_answer: '来电未接听，将转给其他坐席',
  declined: '来电已拒接，将转给其他坐席',
  caller_left: '来电者已挂断',
}

export const OUTCOME_WORDS: Record<string, string> = {
  answered: '已接听',
  abandoned: '排队中挂断',
  emergency: '转紧急电话',
  failed: '通话失败',
}

/** States of a former ticket; an unknown one is shown as it is. */
export const TICKET_STATE_WORDS: Record<string, string> = {
  registered: '已登记',
  answered: '直接答复',
  repeat_answered: '重复诉求，已告知',
  not_accepted: '不予受理',
  not_registered: '不予登记',
  handed_over: '已移交',
  to_dispatch: '待派单',
  under_study: '研判中',
  with_units: '办理中',
  in_review: '审核中',
  following_up: '回访中',
  closed: '已办结',
  terminated: '已终止',
  stopped: '不再办理',
  ended: '办理终结',
  archived: '已归档',
}

export const EMERGENCY_LINES: Record<string, string> = {
  110: '报警',
  119: '火警',
  120: '急救',
  122: '交通事故',
}

export const EMERGENCY_STATE_WORDS: Record<Emergency['state'], (line: string) => string> = {
  dialling: (line) => `正在呼叫 ${line}，请陪伴市民，不要挂机`,
  connected: (line) => `${line} 已接通，可以挂机退出，也可以留在通话里`,
  unreached: (line) => `${line} 没有接通，市民仍在线，请再试或按 *${line}`,
}

/** To leaders, who watch. */
export const EMERGENCY_WATCHED_WORDS: Record<Emergency['state'], (line: string) => string> = {
  dialling: (line) => `正在呼叫 ${line}`,
  connected: (line) => `${line} 已接通`,
  unreached: (line) => `${line} 没有接通，市民仍在线`,
}

export const HANDOVER_SOURCE_WORDS: Record<string, string> = {
  greeting: '市民按键',
  waiting: '市民排队中按键',
  direct: '市民直拨',
  agent: '坐席直拨',
  transfer: '坐席转接',
  button: '坐席接入',
}

export const HANDOVER_OUTCOME_WORDS: Record<string, string> = {
  ringing: '呼叫中',
  answered: '已接通',
  unreached: '未接通，回到坐席',
  given_up: '接通前挂机',
  no_choice: '未选线路，优先转坐席',
}

const DANGER_WORDS: Record<string, string> = {
  fire: '火情',
  explosion: '爆炸',
  trapped: '有人被困',
  gas_leak: '燃气泄漏',
  collapse: '坍塌',
  violence: '暴力、求救',
  suicide: '轻生',
  accident: '交通事故伤人',
  illness: '急病、受伤',
  drowning: '溺水',
  electric_shock: '触电',
  missing: '老人或儿童走失',
}

export function dangerWords(kind: string): string {
  return DANGER_WORDS[kind] ?? kind
}

export const LEDGER_WORDS: Record<string, string> = { registered: '登记' }

export const RETURN_STATE_WORDS: Record<string, string> = {
  requested: '待回拨',
  reserved: '正在安排回拨',
  dialling: '正在回拨',
  connected: '回拨通话中',
  failed: '回拨未接通，稍后再拨',
  done: '已回拨或已办结',
  given_up: '多次回拨未接通',
  cancelled: '不再回拨',
}

export const QUEUE_WORDS: Record<string, string> = { hotline: '12345 热线' }

export const WINDOW_WORDS: Record<WallWindow, string> = {
  half_hour: '最近 30 分钟',
  today: '今天',
  day: '最近 24 小时',
}

export const ACT_WORDS: Record<ActName, { short: string; long: string }> = {
  listen: { short: '监听', long: '您的话机振铃，接起后听到双方，双方听不到您。' },
  whisper: { short: '耳语', long: '您的话机振铃，接起后只有坐席听得到您。' },
  join: { short: '加入', long: '您的话机振铃，接起后三方通话。' },
  take_over: { short: '接管', long: '您的话机振铃，接起后市民转到您这里，中间不会无人应答。' },
  pause: { short: '强制小休', long: '该坐席不再接到新来电，直到自己就绪。' },
  sign_out: { short: '强制签退', long: '该坐席签出；市民正在通话时，通话结束后才签出。' },
}

export const ACT_OUTCOME_WORDS: Record<string, string> = {
  ringing: '请接起您的话机',
  done: '已执行',
  after_call: '通话结束后签出',
}

export const FLAG_WORDS: Record<WallFlag, string> = {
  emergency: '紧急电话',
  danger: '危及生命',
  return_call: '回拨',
}

/** An unknown kind is shown as it is. */
export const ALARM_WORDS: Record<string, string> = { event: '突发事件' }

/** The wall's columns; the report has all, from the server. */
export const FIGURE_WORDS: Record<string, string> = {
  connected: '接通率',
  service_level: '15 秒接听率',
  offered: '请求人工',
  answered: '人工接听',
  abandoned: '排队放弃',
  mean_wait: '平均等待',
  wait_p95: '95% 等待',
  handling: '平均处理',
  occupancy: '占用率',
}

export const LINK_DOWN_WORDS: Record<keyof Links, { what: string; still: string }> = {
  telephony: {
    what: '电话系统的连接中断',
    still: '弹屏和通话状态暂停更新；话机照常振铃、接听，工单可以继续填写。',
  },
  speech: {
    what: '语音识别不可用',
    still: '没有实时文字，请手工填写工单；通话照常录音，文字稍后由录音补转。',
  },
  database: {
    what: '数据库不可用',
    still: '暂时查不到历史记录；工单照常确认，先保存在本机磁盘，恢复后自动入库，不会重复。',
  },
  emergency_trunks: {
    what: '紧急电话线路自检没有通过',
    still: '转接 110、119、120、122 可能失败；失败时系统自动换线，再不通就转回坐席。请通知班长。',
  },
}

export function linksDown(links: Links): (keyof Links)[] {
  const isDown = (state: LinkState): boolean => state === 'down'
  return (Object.keys(LINK_DOWN_WORDS) as (keyof Links)[]).filter((name) => isDown(links[name]))
}

export const STANDING_WORDS: Record<string, string> = {
  none: '没有处理中的事项',
  noticed: '系统已提示来电较多',
  warned: '已提醒或劝阻过',
  informed: '已劝阻并告知法律后果',
  proposed: '已提出暂停使用，待班长决定',
  suspended: '暂停使用热线期间',
}

export const MISUSE_WORDS: Record<string, string> = {
  distortion: '捏造歪曲事实',
  slander: '诽谤诬陷',
  repeated_use: '无故反复拨打',
  long_occupation: '长时间占用',
  harassment: '骚扰、侮辱、谩骂',
  improper_gain: '谋取不正当利益',
  harm_to_others: '损害他人权益',
  other_disorder: '其他扰乱秩序',
}

export const NUISANCE_STEP_WORDS: Record<string, string> = {
  notice: '系统提示',
  mark: '标记',
  warn: '提醒 / 劝阻',
  inform: '告知法律后果',
  end_call: '按规定结束通话',
  propose: '提出暂停使用',
  refuse: '未予批准',
  approve: '批准暂停',
  object: '来电人提出异议',
  review: '复核',
  lift: '解除暂停',
  evidence: '制作证据材料',
}

export function warningWords(warning: CallerWarning): string {
  const { calls, days, number } = warning.params
  switch (warning.kind) {
    case 'repeat_caller':
      return `重复来电：${days ?? '近'} 天内来电 ${calls ?? '多'} 次`
    case 'open_ticket':
      return number ? `未办结工单 ${number}` : '有未办结工单'
    case 'history_unavailable':
      return '历史记录暂时查不到'
    case 'calls_today':
      return `一天内来电 ${calls ?? '多'} 次`
    case 'long_calls':
      return `30 天内有长通话 ${calls ?? ''} 次`
    case 'silent_calls':
      return `30 天内有无声来电 ${calls ?? ''} 次`
    case 'misuse_marked':
      return `90 天内被标记扰乱秩序 ${calls ?? ''} 次`
    case 'nuisance':
      return STANDING_WORDS[warning.params['standing'] ?? ''] ?? '有扰乱秩序的处理记录'
    case 'number_withheld':
      return '来电未显示号码'
    default:
      return `提示：${warning.kind}`
  }
}

const REFUSAL_WORDS: Record<string, (params: Record<string, unknown>) => string> = {
  unreachable: () => '连不上服务器，请检查网络后重试。',
  internal: () => '服务器内部错误，已记录，请重试。',
  wrong_credentials: () => '用户名或密码不对。',
  too_many_attempts: (params) => lockedWords(params),
  not_signed_in: () => '登录已失效，请重新登录。',
  not_allowed: () => '您的账号没有这项权限。',
  body_invalid: () => '提交的内容格式不对。',
  body_not_json: () => '提交的内容格式不对。',
  body_too_large: () => '内容太长。',
  body_too_slow: () => '网络太慢，没有收到完整的内容，请重试。',
  origin_foreign: () => '请求来自别的网站，已被拒绝。',
  not_found: () => '找不到要操作的内容。',
  agent_state_illegal: (params) =>
    `当前状态（${stateWords(params['state'])}）不能这样切换，请稍后再试。`,
  reservation_over: () => '对该坐席的预留已经结束，请重新发起。',
  consent_missing: (params) =>
    `请先征得来电人同意并登记（${String(params['article'] ?? '法规要求')}）。`,
  call_not_in_talk: () => '您现在没有和这位来电人通话。',
  call_target_refused: () => '这个号码不能这样接通；紧急电话请用紧急按钮。',
  reason_missing: () => '请填写原因。',
  outbound_unavailable: () => '本系统没有接通外呼线路。',
  dial_under_way: () => '您的上一个外呼还没有结束。',
  telephony_not_done: () => '电话系统没有完成这个操作，请重试；在话机上按的保持请在话机上取回。',
  telephony_call_gone: () => '这通电话已经结束。',
  telephony_failed: () => '电话系统没有完成这个操作，请重试。',
  telephony_action_refused: () => '电话系统拒绝了这个操作。',
  telephony_action_timed_out: () => '电话系统没有及时答复，请看通话状态后再试。',
  telephony_link_down: () => '与电话系统的连接中断，请用话机操作。',
  agent_unknown: () => '电话服务不认识这个坐席号，请联系班长。',
  return_call_not_open: () => '没有这条回拨，或它的状态不允许这样处理。',
  message_unknown: () => '没有这条留言。',
  event_ticket_unknown: () => '这张工单没有标记到这个突发事件。',
  event_of_other_unit: () => '这个突发事件的信息由另一单位更新。',
  event_unknown: () => '没有这个突发事件，或它已经结束。',
  call_not_on_desk: () => '这通电话不在您的工作台上。',
  draft_field_unknown: () => '工单没有这个字段。',
  draft_value_too_long: (params) => `内容太长（最多 ${String(params['most'] ?? 2000)} 字）。`,
  draft_confirmed: () => '工单已经确认，不能再改草稿。',
  ticket_field_missing: (params) => `“${fieldWords(params)}”没有填写。`,
  ticket_field_unknown: () => '工单没有这个字段。',
  ticket_value_unknown: (params) => `“${fieldWords(params)}”的内容不在可选范围内。`,
  ticket_value_too_long: (params) => `“${fieldWords(params)}”太长。`,
  ticket_value_malformed: (params) => `“${fieldWords(params)}”的格式不对。`,
  ticket_refused: () => '工单内容不符合要求，请核对。',
  ticket_move_refused: () => '工单现在不能这样操作。',
  ticket_move_illegal: () => '工单目前的状态不能这样操作，请刷新后再看。',
  ticket_move_not_yours: () => '这一步不由您办理。',
  ticket_version_conflict: () => '别人刚刚处理了这张工单，请刷新后再操作。',
  ticket_refused_by_law: () => '本市规定不允许这样办理。',
  ticket_move_incomplete: () => '还缺必须填写的内容。',
  ticket_move_unfit: () => '填写的内容与工单不符，请核对。',
  ticket_unit_unfit: () => '不能派给这个单位，请另选。',
  ticket_former_unknown: () => '没有这个编号的原工单。',
  ticket_accused_unknown: () => '被反映单位的编码不存在。',
  ticket_staff_unknown: () => '没有这个账号名的工作人员。',
  ticket_call_has_one: ({ number }) => `这通电话已经有工单 ${String(number)}，其他诉求请从该工单拆分。`,
  ticket_pack_lost: () => '找不到这张工单立案时的规则，请联系管理员。',
  ticket_reveal_refused: () => '不能查看来电人信息，或没有填写理由。',
  ticket_unseen: () => '没有这张工单，或您不能查看。',
  attachment_unknown: () => '没有这个附件，或您不能查看。',
  attachment_too_large: () => '文件太大：每个附件不超过 20 MB。',
  attachment_kind_refused: () => '不收这种文件：请上传图片、录音、视频或 PDF。',
  attachment_disk_full: () => '服务器磁盘已满，附件没有保存，请联系管理员。',
  attachment_not_stored: () => '附件没有保存成功，请稍后重试。',
  attachment_damaged: () => '附件已丢失或损坏，不能提供，请联系管理员。',
  attachments_full: () => '这张工单的附件已到上限。',
  attachments_busy: () => '正在上传的文件太多，请稍后重试。',
  confirmation_not_kept: () => '数据库不可用，本机磁盘也没能保存：工单还没有确认，请保留本页，稍后重试。',
  citizen_code_wrong: () => '没有这张工单，或查询码不对。',
  idempotency_key_reused: () => '这次提交的编号已用于另一项操作，请刷新后重试。',
  idempotency_key_unfit: () => '提交的编号格式不对，请刷新后重试。',
  ticket_unknown: () => '没有这张工单，或您不能查看。',
  call_unknown: () => '没有这通电话，或您不能查看。',
  supervision_no_talk: () => '该坐席现在没有在与这位市民通话。',
  supervision_citizen_talks: () => '市民正在通话，签退要再确认一次：通话结束后生效。',
  supervision_phone_unknown: () => '您的账号没有分配班长话机，请联系管理员。',
  interval_unfit: () => '时段不对：开始要早于结束，最长 31 天。',
  rule_not_given: () => '本市规定没有给出这项权力，不能这样做。',
  nuisance_caller_unknown: () => '没有这个号码的记录。',
  nuisance_step_illegal: () => '按先后次序，现在还不能走这一步，请刷新后再看。',
  nuisance_misuse_unknown: () => '本市规定里没有这种情形，请另选。',
  nuisance_not_warned: () => '还没有就这种情形提醒过来电人，须先提醒。',
  nuisance_still_waiting: () => '给来电人的合理时间还没有到，请再等一等。',
  nuisance_not_going_on: () => '提醒并等待之后，还没有在另一通来电中再次标记这种情形。',
  nuisance_same_person: () => '提出的人不能自己批准，须由另一位班长决定。',
  nuisance_number_withheld: () => '来电未显示号码，不能记在任何人名下。',
  nuisance_reason_missing: () => '请写明理由。',
  nuisance_emergency: () => '这通电话涉及紧急求助，不能按规定结束。',
  suspension_unknown: () => '没有这条暂停记录。',
  evidence_too_large: () => '证据太多，一个文件装不下，请缩短天数。',
  evidence_not_signed: () => '本机不能签名，证据没有生成，请联系管理员。',
  phone_line_unavailable: () => '电话系统暂时没有答复，请稍后重试。',
  bridge_unavailable: () => '电话服务暂时没有答复，请稍后重试。',
  database_unavailable: () => '数据库暂时不可用，请稍后重试。',
}

const STATUS_WORDS: Record<number, string> = {
  401: '登录已失效，请重新登录。',
  403: '您的账号没有这项权限。',
  404: '找不到要操作的内容。',
  409: '内容刚有变动，请核对后重试。',
  413: '内容太长。',
  422: '填写的内容不符合要求。',
  429: '操作太频繁，请稍候再试。',
}

export function refusalWords(code: string, status: number, params: Record<string, unknown>): string {
  const words = REFUSAL_WORDS[code]
  if (words) return words(params)
  const plain = STATUS_WORDS[status]
  if (plain) return plain
  return status >= 500 ? `服务器暂时出错（${code}），请重试。` : `操作没有成功（${code}）。`
}

function lockedWords(params: Record<string, unknown>): string {
  const seconds = Number(params['wait_s'])
  const minutes = Number.isFinite(seconds) ? Math.max(1, Math.ceil(seconds / 60)) : null
  const when = minutes === null ? '请稍后再试' : `请 ${minutes} 分钟后再试`
  return `密码或查询码连续输错，暂时锁定，${when}，或联系班长。`
}

function fieldWords(params: Record<string, unknown>): string {
  const field = String(params['field'] ?? '')
  return FIELD_WORDS[field as FieldName] ?? (field || '某一项')
}

function stateWords(state: unknown): string {
  return STATE_WORDS[state as AgentStateName] ?? String(state ?? '未知')
}
