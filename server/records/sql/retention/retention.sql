-- name: enter_terms
INSERT INTO recording_terms (path, rule, recorded_at, delete_after)
SELECT recording_path, $2::text, arrived_at, arrived_at + make_interval(years => $1)
FROM calls WHERE recording_path IS NOT NULL
    AND NOT EXISTS (SELECT FROM recording_terms WHERE path = recording_path)
UNION ALL
SELECT recording_path, $2, wanted_at, wanted_at + make_interval(years => $1)
FROM calls_out WHERE recording_path IS NOT NULL
    AND NOT EXISTS (SELECT FROM recording_terms WHERE path = recording_path)
ON CONFLICT (path) DO NOTHING;

-- name: past_term
-- $1: paths that are passed over.
SELECT path, rule, delete_after FROM recording_terms
WHERE deleted_at IS NULL AND held_reason IS NULL AND delete_after < now()
    AND path <> ALL ($1::text[])
ORDER BY delete_after LIMIT 1 FOR UPDATE SKIP LOCKED;

-- name: end_term
UPDATE recording_terms SET deleted_at = now() WHERE path = $1;

-- name: forget_call_path
UPDATE calls SET recording_path = NULL WHERE recording_path = $1;

-- name: forget_attempt_path
UPDATE calls_out SET recording_path = NULL WHERE recording_path = $1;

-- name: hold
UPDATE recording_terms SET held_reason = $2, held_at = now()
WHERE path = $1 AND deleted_at IS NULL RETURNING path;

-- name: release
UPDATE recording_terms SET held_reason = NULL, held_at = NULL
WHERE path = $1 AND held_reason IS NOT NULL RETURNING path;

-- name: terms
SELECT path, rule, recorded_at, delete_after, held_reason, deleted_at FROM recording_terms
WHERE deleted_at IS NULL AND (held_reason IS NOT NULL OR NOT $1)
ORDER BY delete_after LIMIT 1000;
