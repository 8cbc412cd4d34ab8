-- name: refusal_rates
-- Of what each person registered, how much was left out; of what each unit was sent, how much it
-- wanted to give back.
SELECT 'person' AS of, t.created_by::text AS id, count(*) AS taken, count(r.ticket_id) AS refused
FROM tickets t LEFT JOIN LATERAL (
    SELECT ticket_id FROM refusals WHERE refusals.ticket_id = t.id LIMIT 1) r ON true
WHERE t.created_at >= $1 AND t.created_at < $2
GROUP BY t.created_by
UNION ALL
SELECT 'unit', a.unit, count(*), count(q.assignment)
FROM assignments a LEFT JOIN LATERAL (
    SELECT assignment FROM unit_requests
    WHERE unit_requests.assignment = a.id AND kind = 'return' LIMIT 1) q ON true
WHERE a.dispatched_at >= $1 AND a.dispatched_at < $2
GROUP BY a.unit
ORDER BY of, id;

-- name: tracked
-- What a unit goes on with beyond reply and feedback, by law or promise, until it is done.
SELECT a.completion_due_at, t.number, a.unit, a.completion_basis AS basis, a.feedback_due_at,
    a.interim_at
FROM assignments a JOIN tickets t ON t.id = a.ticket_id
WHERE a.completion_due_at IS NOT NULL
    AND a.state IN ('sent', 'signed', 'return_asked', 'end_asked')
ORDER BY a.completion_due_at, a.number LIMIT $1;

-- name: refusal_sample
-- The same day gives the same sample, whoever asks: nobody can draw until it suits.
SELECT t.number, r.kind, r.reason, r.told, r.told_at, r.refer_to, r.article, r.by::text AS by, t.state
FROM refusals r JOIN tickets t ON t.id = r.ticket_id
WHERE r.told_at >= $1 AND r.told_at < $2
ORDER BY sha256(convert_to(r.ticket_id::text || r.version || $3, 'UTF8')) LIMIT $4;
