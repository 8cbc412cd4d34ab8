-- name: page_of_centre
SELECT hotline.page_of_centre($1, $2, $3, $4, $5, $6, $7) AS number;

-- name: page_of_unit
SELECT hotline.page_of_unit($1, $2, $3, $4, $5, $6, $7) AS number;

-- name: lines
-- Of a page's numbers, by the centre's login; what $2 stepped back from is not there (R112).
SELECT t.number, t.version, t.state, t.channel, t.type, t.topic, t.title, t.domain, t.region,
    t.urgency, t.matter, t.created_at, t.reply_due_at, t.completion_due_at, t.is_supervised,
    t.confidential AS is_confidential,
    (SELECT coalesce(array_agg(a.unit ORDER BY a.dispatched_at, a.id), '{}') FROM assignments a
        WHERE a.ticket_id = t.id AND a.state NOT IN ('returned', 'withdrawn', 'past')) AS units
FROM tickets t
WHERE t.number = ANY ($1) AND $2::uuid <> ALL (t.recused_users)
ORDER BY t.number DESC;

-- name: lines_of_unit
-- The same by the units' login, which reads no text but through ``unit_texts``.
SELECT t.number, t.version, t.state, t.channel, t.type, t.topic, (hotline.unit_texts(t.id)).title,
    t.domain, t.region, t.urgency, t.matter, t.created_at, t.reply_due_at, t.completion_due_at,
    t.is_supervised, t.confidential AS is_confidential,
    (SELECT coalesce(array_agg(a.unit ORDER BY a.dispatched_at, a.id), '{}') FROM assignments a
        WHERE a.ticket_id = t.id AND a.state NOT IN ('returned', 'withdrawn', 'past')) AS units
FROM tickets t
WHERE t.number = ANY ($1)
ORDER BY t.number DESC;

-- name: texts
SELECT number, title, content, demand, place, occurred, topic, channel
FROM tickets WHERE id = $1;

-- name: former_texts
-- As they were before each amendment, the newest first.
SELECT version, changed_at, changed_by::text, title, content, demand, place, occurred
FROM former_texts WHERE ticket_id = $1 ORDER BY version DESC;

-- name: refusal_told
SELECT r.reason, r.told, r.told_at, r.refer_to, r.article
FROM refusals r JOIN tickets t ON t.id = r.ticket_id
WHERE t.id = $1 AND t.state IN ('not_accepted', 'not_registered', 'repeat_answered', 'archived')
    AND r.version = (SELECT max(version) FROM refusals WHERE ticket_id = t.id)
    AND NOT EXISTS (SELECT FROM assignments a WHERE a.ticket_id = t.id);

-- name: answer_told
-- By the centre itself, from an article or for an event; nothing once the ticket was opened again.
SELECT l.body -> 'said' ->> 'text'
FROM tickets t JOIN ledger l ON l.ticket_id = t.id AND l.action IN ('answer', 'answer_event')
WHERE t.id = $1 AND t.state IN ('answered', 'archived') AND NOT EXISTS (SELECT FROM ledger later
    WHERE later.ticket_id = t.id AND later.action = 'reopen' AND later.seq > l.seq);

-- name: told_texts
-- The same as the units' own systems are told it, by the centre's login.
SELECT number, title, content, demand, place, occurred, topic, channel
FROM hotline.told_texts($1);

-- name: unit_texts
-- By the units' login: of a confidential ticket without the caller's name and numbers.
SELECT number, title, content, demand, place, occurred, topic, channel
FROM hotline.unit_texts($1);

-- name: attachments
SELECT id::text, assignment::text, source, is_for_units, name, media_type, size_bytes, sha256,
    added_at, added_by, withdrawn_at, withdrawn_reason
FROM attachments WHERE ticket_id = $1 AND erased_at IS NULL ORDER BY added_at, id;

-- name: unit_ticket
SELECT version, state, type, domain, region, urgency, matter, wants_reply,
    confidential AS is_confidential, created_at, reply_due_at, completion_due_at, round,
    urge_count, is_supervised
FROM tickets WHERE id = $1;

-- name: unit_assignments
SELECT to_jsonb(a) AS assignment FROM assignments a
WHERE ticket_id = $1 ORDER BY dispatched_at, id;

-- name: unit_requests
SELECT to_jsonb(r) AS request FROM unit_requests r WHERE ticket_id = $1 ORDER BY asked_at, id;

-- name: unit_consults
SELECT to_jsonb(c) AS asked FROM consults c WHERE ticket_id = $1 ORDER BY number;

-- name: unit_explanations
-- By the units' login, as ``unit_texts``.
SELECT hotline.unit_explanations($1) AS asked;

-- name: history
SELECT seq, at, action FROM ledger WHERE ticket_id = $1 ORDER BY seq;
