-- name: keep_act
INSERT INTO supervision_acts (id, at, leader, leader_name, act, agent, call_id, phone, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (id) DO NOTHING;

-- name: end_act
-- Written again after a crash it changes nothing.
UPDATE supervision_acts SET
    answered_at = coalesce(answered_at, $2), ended_at = $3
WHERE id = $1 AND ended_at IS NULL;

-- name: open_acts
SELECT id, at, leader, leader_name, act, agent, call_id AS call, phone, reason, answered_at
FROM supervision_acts
WHERE ended_at IS NULL AND phone IS NOT NULL AND at > now() - interval '1 day';

-- name: acts_since
-- $2: of one agent, or null for all.
SELECT id, at, leader_name, act, agent, call_id AS call, reason, answered_at, ended_at
FROM supervision_acts WHERE at >= $1 AND ($2::text IS NULL OR agent = $2)
ORDER BY at DESC LIMIT $3;
