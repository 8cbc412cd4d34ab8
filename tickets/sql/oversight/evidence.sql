-- Evidence for each listed fault (R121), one statement each. $1, $2: from and until when; $3: at most.
-- What: a code for what it is that counts as evidence; the ticket's ledger has the rest.

-- name: refused
SELECT r.told_at AS at, t.number, '' AS unit, r.by::text AS who, 'refusal_reopened' AS what
FROM refusals r JOIN tickets t ON t.id = r.ticket_id
WHERE r.told_at >= $1 AND r.told_at < $2 AND EXISTS (
    SELECT FROM ledger l
    WHERE l.ticket_id = r.ticket_id AND l.seq > r.version AND l.action = 'reopen')
UNION ALL
SELECT q.decided_at, t.number, a.unit, q.asked_by::text, 'return_refused'
FROM unit_requests q JOIN assignments a ON a.id = q.assignment JOIN tickets t ON t.id = q.ticket_id
WHERE q.kind = 'return' AND q.state = 'refused' AND q.decided_at >= $1 AND q.decided_at < $2
UNION ALL
SELECT a.sign_due_at, t.number, a.unit, '', 'not_signed'
FROM assignments a JOIN tickets t ON t.id = a.ticket_id
WHERE a.state = 'sent' AND a.sign_due_at >= $1 AND a.sign_due_at < $2
ORDER BY at, number LIMIT $3;

-- name: not_done_after_supervision
SELECT l.at, t.number, a.unit, l.actor AS who, 'open_after_supervision' AS what
FROM ledger l JOIN tickets t ON t.id = l.ticket_id JOIN assignments a ON a.ticket_id = l.ticket_id
WHERE l.action = 'supervise' AND l.at >= $1 AND l.at < $2
    AND a.state IN ('sent', 'signed', 'return_asked', 'end_asked') AND a.feedback_due_at < $2
ORDER BY at, number LIMIT $3;

-- name: open_after_redo_and_supervision
SELECT a.dispatched_at AS at, t.number, a.unit, '' AS who, 'open_after_redo_and_supervision' AS what
FROM tickets t JOIN assignments a ON a.ticket_id = t.id
WHERE t.redo_count > 0 AND t.is_supervised AND a.dispatched_at >= $1 AND a.dispatched_at < $2
    AND a.state IN ('sent', 'signed', 'return_asked', 'end_asked')
ORDER BY at, number LIMIT $3;

-- name: false_reply
SELECT d.raised_at AS at, t.number, a.unit, d.raised_by::text AS who,
    CASE WHEN d.is_false THEN 'found_false' ELSE d.ground END AS what
FROM reply_doubts d JOIN assignments a ON a.id = d.assignment JOIN tickets t ON t.id = d.ticket_id
WHERE d.raised_at >= $1 AND d.raised_at < $2 AND d.is_false IS NOT false
UNION ALL
SELECT a.fed_back_at, t.number, a.unit, '', 'contact_unproved'
FROM assignments a JOIN tickets t ON t.id = a.ticket_id
WHERE a.fed_back_at >= $1 AND a.fed_back_at < $2 AND a.caller_told_at IS NOT NULL
    AND a.contact_tries = 0
UNION ALL
SELECT a.fed_back_at, t.number, a.unit, '', 'copied'
FROM assignments a JOIN tickets t ON t.id = a.ticket_id
WHERE a.fed_back_at >= $1 AND a.fed_back_at < $2 AND length(a.reply) >= $4 AND EXISTS (
    SELECT FROM assignments other
    WHERE other.unit = a.unit AND other.reply = a.reply AND other.ticket_id <> a.ticket_id
        AND other.fed_back_at IS NOT NULL)
ORDER BY at, number LIMIT $3;

-- name: false_report
SELECT d.raised_at AS at, t.number, a.unit, d.raised_by::text AS who, 'found_false' AS what
FROM reply_doubts d JOIN assignments a ON a.id = d.assignment JOIN tickets t ON t.id = d.ticket_id
WHERE d.raised_at >= $1 AND d.raised_at < $2 AND d.is_false
ORDER BY at, number LIMIT $3;

-- name: false_assessment
-- The unit wrote that the caller was satisfied; the caller told the centre something else.
SELECT f.at, t.number, coalesce(l.body ->> 'unit', '') AS unit, l.actor AS who,
    'satisfaction_differs' AS what
FROM follow_ups f JOIN tickets t ON t.id = f.ticket_id
JOIN ledger l ON l.ticket_id = f.ticket_id AND l.action = 'feedback'
    AND l.body -> 'said' -> 'asked_satisfied' = 'true' AND l.at <= f.at
WHERE f.is_satisfied = false AND f.at >= $1 AND f.at < $2
ORDER BY at, number LIMIT $3;

-- name: attitude
SELECT t.created_at AS at, t.number, '' AS unit, coalesce(t.staff, '') AS who,
    'staff_complaint' AS what
FROM tickets t
WHERE t.lane = 'staff_complaint' AND t.created_at >= $1 AND t.created_at < $2
ORDER BY at, number LIMIT $3;

-- name: leak
-- Who had a caller before them in clear, or took a ticket out: for whoever looks for a leak.
SELECT x.at, t.number, coalesce(x.unit, '') AS unit, x.user_id::text AS who, x.act AS what
FROM access_log x JOIN tickets t ON t.id = x.ticket_id
WHERE x.act <> 'view' AND x.at >= $1 AND x.at < $2
ORDER BY at, number LIMIT $3;

-- name: shirking
SELECT q.decided_at AS at, t.number, a.unit, q.asked_by::text AS who, 'return_refused' AS what
FROM unit_requests q JOIN assignments a ON a.id = q.assignment JOIN tickets t ON t.id = q.ticket_id
WHERE q.kind = 'return' AND q.state = 'refused' AND q.decided_at >= $1 AND q.decided_at < $2
UNION ALL
SELECT a.dispatched_at, t.number, a.unit, '', 'sent_about'
FROM tickets t JOIN assignments a ON a.ticket_id = t.id
WHERE t.dispatch_count >= 3 AND a.state IN ('returned', 'withdrawn') AND a.dispatched_at >= $1
    AND a.dispatched_at < $2
ORDER BY at, number LIMIT $3;

-- name: inaction
SELECT a.feedback_due_at AS at, t.number, a.unit, '' AS who, 'nothing_done' AS what
FROM assignments a JOIN tickets t ON t.id = a.ticket_id
WHERE a.state IN ('sent', 'signed') AND a.feedback_due_at >= $1 AND a.feedback_due_at < $2
    AND a.contact_tries = 0 AND a.interim_at IS NULL
ORDER BY at, number LIMIT $3;

-- name: wrong_action
SELECT f.at, t.number, coalesce(l.body ->> 'unit', '') AS unit, f.by::text AS who,
    'handling_faulty' AS what
FROM follow_ups f JOIN tickets t ON t.id = f.ticket_id
LEFT JOIN LATERAL (
    SELECT body FROM ledger
    WHERE ledger.ticket_id = f.ticket_id AND ledger.action = 'feedback' AND ledger.at <= f.at
    ORDER BY ledger.seq DESC LIMIT 1) l ON true
WHERE f.is_handling_faulty AND f.at >= $1 AND f.at < $2
ORDER BY at, number LIMIT $3;

-- name: retaliation
SELECT t.created_at AS at, t.number, '' AS unit, '' AS who, 'retaliation_report' AS what
FROM tickets t WHERE t.lane = 'retaliation' AND t.created_at >= $1 AND t.created_at < $2
ORDER BY at, number LIMIT $3;

-- name: abuse
-- Powers that were used: the ledger says for what reason and by which article.
SELECT l.at, t.number, coalesce(l.body ->> 'unit', '') AS unit, l.actor AS who, l.action AS what
FROM ledger l JOIN tickets t ON t.id = l.ticket_id
WHERE l.action IN ('withdraw', 'designate', 'end', 'decide_termination')
    AND l.at >= $1 AND l.at < $2
ORDER BY at, number LIMIT $3;
