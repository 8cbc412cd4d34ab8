/** Chinese words of oversight: faults, what is evidence for them, how a demand was left out. */
import type { Fault, RefusalKind } from './order_contract'

export const FAULT_WORDS: Record<Fault, string> = {
  refused: '拒不接收、拒不承办',
  not_done_after_supervision: '督办后仍不办理',
  open_after_redo_and_supervision: '重办和督办后仍未办结',
  false_reply: '答复弄虚作假',
  false_report: '上报情况不实',
  attitude: '态度粗暴',
  leak: '泄露信息',
  shirking: '推诿扯皮',
  inaction: '不作为',
  wrong_action: '乱作为',
  interference: '干扰办理',
  retaliation: '打击报复',
  abuse: '滥用职权',
  false_assessment: '考核弄虚作假',
}

const EVIDENCE: Record<string, string> = {
  refusal_reopened: '不予受理后又重新启动',
  return_refused: '退单未获同意',
  not_signed: '逾期未签收',
  open_after_supervision: '督办后超期未反馈',
  open_after_redo_and_supervision: '重办、督办后未办结',
  found_false: '核查认定答复不实',
  follow_up_differs: '与回访结果不符，正在核查',
  contact_unproved: '称已告知，无联系记录',
  copied: '与其他答复雷同',
  evidence_differs: '照片或时间不符，正在核查',
  other: '其他疑点，正在核查',
  satisfaction_differs: '单位报满意，回访不满意',
  staff_complaint: '投诉工作人员',
  reveal: '查看了来电人信息',
  export: '导出了工单',
  sent_about: '多次派转',
  nothing_done: '超期且无联系、无进展',
  handling_faulty: '回访认定办理不当',
  retaliation_report: '反映打击报复',
  withdraw: '撤回派单',
  designate: '指定承办',
  end: '办理终结',
  decide_termination: '审核终止',
}

export const REFUSAL_KIND_WORDS: Record<RefusalKind, string> = {
  not_accepted: '不予受理',
  not_registered: '不予登记',
  repeat: '重复诉求',
}

export function evidenceWords(what: string): string {
  return EVIDENCE[what] ?? what
}
