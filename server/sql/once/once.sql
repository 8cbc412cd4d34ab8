-- name: claim
-- Waits for a request of the same key that is under way; nothing comes back when there was one.
INSERT INTO idempotent_answers (user_id, key, digest) VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING RETURNING true;

-- name: answer_of
SELECT digest, status, body FROM idempotent_answers WHERE user_id = $1 AND key = $2;

-- name: keep_answer
UPDATE idempotent_answers SET status = $3, body = $4 WHERE user_id = $1 AND key = $2;

-- name: forget
DELETE FROM idempotent_answers WHERE (user_id, key) IN (
    SELECT user_id, key FROM idempotent_answers
    WHERE asked_at < now() - make_interval(days => $1) LIMIT $2)
RETURNING true;
