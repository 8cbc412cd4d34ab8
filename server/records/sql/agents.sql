-- name: keep_move
-- Written again after a crash, it is the same row.
INSERT INTO agent_moves (number, agent, at, old, event, new, reason, call_id, by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (number) DO NOTHING;
