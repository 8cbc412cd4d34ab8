-- name: keep_call
-- What is known is never erased by what is not. The earliest instants win: a bridge that starts in
-- the middle of a call sees only that it has been answered. Who saw the whole call is right about
-- its end, whoever writes last.
INSERT INTO calls AS known (
    id, caller_number, caller_name, called_number, arrived_at, queue, queued_at, agent,
    answered_at, ended_at, outcome, emergency_line, is_settled)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (id) DO UPDATE SET
    caller_number  = coalesce(nullif(excluded.caller_number, ''), known.caller_number),
    caller_name    = coalesce(nullif(excluded.caller_name, ''), known.caller_name),
    called_number  = coalesce(nullif(excluded.called_number, ''), known.called_number),
    arrived_at     = least(excluded.arrived_at, known.arrived_at),
    queue          = coalesce(excluded.queue, known.queue),
    queued_at      = least(excluded.queued_at, known.queued_at),
    agent          = CASE WHEN known.is_settled AND NOT excluded.is_settled
                     THEN coalesce(known.agent, excluded.agent)
                     ELSE coalesce(excluded.agent, known.agent) END,
    answered_at    = least(excluded.answered_at, known.answered_at),
    ended_at       = CASE WHEN known.is_settled AND NOT excluded.is_settled
                     THEN known.ended_at ELSE coalesce(excluded.ended_at, known.ended_at) END,
    outcome        = CASE WHEN known.is_settled AND NOT excluded.is_settled
                     THEN coalesce(known.outcome, excluded.outcome)
                     ELSE coalesce(excluded.outcome, known.outcome) END,
    emergency_line = coalesce(excluded.emergency_line, known.emergency_line),
    is_settled     = known.is_settled OR excluded.is_settled;

-- name: keep_recording
-- The recording may be there before its call's facts: then it brings the row.
INSERT INTO calls (id, arrived_at, recording_path, recording_sha256) VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO UPDATE SET
    recording_path = excluded.recording_path, recording_sha256 = excluded.recording_sha256;

-- name: keep_ring
INSERT INTO rings (id, call_id, agent, rang_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO NOTHING;

-- name: end_ring
UPDATE rings SET ended_by = $2, ended_at = $3 WHERE id = $1 AND ended_at IS NULL;

-- name: end_rings
UPDATE rings SET ended_at = $3, ended_by = CASE
    WHEN agent = $2 THEN 'answered'
    WHEN $2::text IS NOT NULL THEN 'answered_elsewhere'
    ELSE 'caller_left' END
WHERE call_id = $1 AND ended_at IS NULL;

-- name: unsettled_calls
SELECT id, agent, arrived_at, answered_at, ended_at FROM calls WHERE NOT is_settled
ORDER BY arrived_at;

-- name: settled_of_calls
SELECT id, is_settled FROM calls WHERE id = ANY ($1::text[]);

-- name: keep_settled
UPDATE calls SET is_settled = true
WHERE id = ANY ($1::text[]) AND NOT is_settled AND ended_at IS NOT NULL;

-- name: followed_to
SELECT arrived_at FROM followed;

-- name: keep_followed
UPDATE followed SET arrived_at = newest.arrived_at
FROM (SELECT max(arrived_at) AS arrived_at FROM calls) AS newest
WHERE newest.arrived_at > followed.arrived_at
   OR (followed.arrived_at IS NULL AND newest.arrived_at IS NOT NULL);

-- name: call_by_id
SELECT id, caller_number, caller_name, called_number, arrived_at, queue, queued_at, agent,
       answered_at, ended_at, outcome, emergency_line, is_settled
FROM calls WHERE id = $1;

-- name: recording_of_call
SELECT recording_path, recording_sha256 FROM calls
WHERE id = $1 AND recording_path IS NOT NULL;

-- name: last_unconfirmed
-- The latest only: an earlier one that was left without a ticket was left so by the agent.
SELECT latest.id
FROM (SELECT id FROM calls WHERE agent = $1 AND ended_at IS NOT NULL
      ORDER BY ended_at DESC LIMIT 1) AS latest
LEFT JOIN tickets ON tickets.call_id = latest.id
WHERE tickets.number IS NULL;

-- name: former_calls
SELECT calls.id, calls.arrived_at, calls.outcome, calls.agent, tickets.number
FROM calls LEFT JOIN tickets ON tickets.call_id = calls.id
WHERE calls.caller_number = $1 AND calls.caller_number <> '' AND calls.id <> $2
ORDER BY calls.arrived_at DESC LIMIT $3;
