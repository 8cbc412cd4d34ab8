-- name: settle_return_call
UPDATE return_calls SET state = $2, by = $3, note = $4, changed_at = now()
WHERE id = $1 AND state = ANY ($5::text[])
RETURNING id;
