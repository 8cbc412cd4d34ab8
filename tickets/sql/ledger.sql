-- name: lock_ledger
SELECT pg_advisory_xact_lock(hashtextextended('ledger of ticket ' || $1, 0));

-- name: rows_sha256
SELECT hotline.rows_sha256($1);

-- name: rows_of_tickets
SELECT id::text, hotline.rows_sha256(id) AS sha256 FROM unnest($1::uuid[]) id;

-- name: last_entry
SELECT seq, hash FROM ledger WHERE ticket_id = $1 ORDER BY seq DESC LIMIT 1;

-- name: append_entry
INSERT INTO ledger (ticket_id, seq, at, actor, action, reason, article, body, prev_hash, hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: entries_of_ticket
SELECT ticket_id, seq, at, actor, action, reason, article, body, prev_hash, hash
FROM ledger WHERE ticket_id = $1 ORDER BY seq;

-- name: entries_between
SELECT ticket_id, seq, hash FROM ledger WHERE entered_at > $1 AND entered_at <= $2
ORDER BY ticket_id, seq;

-- name: tickets_after
SELECT id, number, version, state, is_withheld, title, content, demand, place, occurred,
    caller_name, caller_number, contact_number
FROM tickets WHERE id > $1 ORDER BY id LIMIT $2;

-- name: entries_of_tickets
SELECT ticket_id, seq, at, actor, action, reason, article, body, prev_hash, hash
FROM ledger WHERE ticket_id = ANY ($1::uuid[]) ORDER BY ticket_id, seq;

-- name: accesses_between
SELECT id, at, login, user_id, unit, ticket_id, act, fields, reason, seq, prev_hash, hash
FROM access_log WHERE at > $1 AND at <= $2 ORDER BY id;

-- name: accesses_of_tickets
SELECT id, at, login, user_id, unit, ticket_id, act, fields, reason, seq, prev_hash, hash
FROM access_log WHERE ticket_id = ANY ($1::uuid[]) ORDER BY ticket_id, seq NULLS FIRST, id;

-- name: access_heads_of_tickets
SELECT ticket_id, seq, hash FROM access_heads WHERE ticket_id = ANY ($1::uuid[]);

-- name: first_chained_access
SELECT min(id) FROM access_log WHERE seq IS NOT NULL;
