-- name: lock_content
-- Between placing a file and its row, and between finding no row and removing the file.
SELECT pg_advisory_xact_lock(hashtextextended('attachment ' || $1, 0));

-- name: same_attachment
SELECT id::text FROM attachments
WHERE ticket_id = $1 AND sha256 = $2 AND source = $3 AND assignment IS NOT DISTINCT FROM $4
    AND withdrawn_at IS NULL AND erased_at IS NULL;

-- name: count_attachments
SELECT count(*) FROM attachments
WHERE ticket_id = $1 AND source = $2 AND assignment IS NOT DISTINCT FROM $3
    AND withdrawn_at IS NULL AND erased_at IS NULL;

-- name: insert_attachment
INSERT INTO attachments (id, ticket_id, assignment, name, media_type, size_bytes, sha256, added_at,
    added_by, source, keep_years, keep_rule)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: withdraw_attachment
UPDATE attachments SET withdrawn_at = $3, withdrawn_by = $4, withdrawn_reason = $5
WHERE ticket_id = $1 AND id = $2 AND withdrawn_at IS NULL RETURNING id::text;

-- name: show_to_units
UPDATE attachments SET is_for_units = $3
WHERE ticket_id = $1 AND id = $2 AND withdrawn_at IS NULL AND assignment IS NULL
    AND is_for_units <> $3
RETURNING id::text;

-- name: next_to_erase
SELECT a.id, a.sha256 FROM attachments a JOIN tickets t ON t.id = a.ticket_id
WHERE a.erased_at IS NULL AND t.closed_at + make_interval(years => a.keep_years) < $1
ORDER BY a.id LIMIT 1 FOR UPDATE OF a SKIP LOCKED;

-- name: is_content_kept
SELECT EXISTS (SELECT FROM attachments WHERE sha256 = $1 AND erased_at IS NULL);

-- name: unknown_contents
SELECT given AS sha256 FROM unnest($1::text[]) AS given
WHERE NOT EXISTS (SELECT FROM attachments WHERE sha256 = given AND erased_at IS NULL);

-- name: mark_erased
UPDATE attachments SET erased_at = $2 WHERE id = $1;
