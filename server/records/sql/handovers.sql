-- name: keep_handover
INSERT INTO emergency_handovers (
    handover, call_id, line, source, agent, caller_number, caller_name, asked_at, tries, trunk,
    answered_at, ended_at, outcome)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (handover) DO UPDATE SET
    tries = excluded.tries, trunk = excluded.trunk, answered_at = excluded.answered_at,
    ended_at = excluded.ended_at, outcome = excluded.outcome;

-- name: latest_handover
SELECT max(asked_at) FROM emergency_handovers;

-- name: handovers_of_call
SELECT handover, call_id, line, source, agent, caller_number, caller_name, asked_at, tries, trunk,
       answered_at, ended_at, outcome
FROM emergency_handovers WHERE call_id = $1 ORDER BY asked_at;

-- name: handovers_since
SELECT handover, call_id, line, source, agent, caller_number, caller_name, asked_at, tries, trunk,
       answered_at, ended_at, outcome
FROM emergency_handovers WHERE asked_at >= $1 ORDER BY asked_at DESC LIMIT $2;
