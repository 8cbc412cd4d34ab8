-- name: drop_timers
-- What a ticket no longer waits for: all of it that has not fired and is not in the new list.
DELETE FROM timers t
WHERE t.ticket_id = $1 AND t.fired_at IS NULL AND NOT EXISTS (
    SELECT FROM jsonb_to_recordset($2) AS w (kind text, subject text, due_at timestamptz)
    WHERE w.kind = t.kind AND w.subject = t.subject AND w.due_at = t.due_at);

-- name: add_timers
-- One that has fired is not made again.
INSERT INTO timers (ticket_id, kind, subject, due_at)
SELECT $1, w.kind, w.subject, w.due_at
FROM jsonb_to_recordset($2) AS w (kind text, subject text, due_at timestamptz)
ON CONFLICT DO NOTHING;

-- name: is_anything_due
-- The look that finds nothing nearly every time. In order, so that it goes by the index.
SELECT true FROM timers WHERE fired_at IS NULL AND due_at <= $1 ORDER BY due_at LIMIT 1;

-- name: next_timer
-- The longest due, and of its ticket the earliest, of a ticket that nobody is at: so a night's timers
-- of one ticket fire in their order, by however many sweepers. The ticket is locked, as by a move.
SELECT t.ticket_id::text, t.kind, t.subject, t.due_at
FROM timers t JOIN tickets k ON k.id = t.ticket_id
WHERE t.fired_at IS NULL AND t.due_at <= $1 AND NOT EXISTS (
    SELECT FROM timers e
    WHERE e.ticket_id = t.ticket_id AND e.fired_at IS NULL
        AND (e.due_at, e.kind, e.subject) < (t.due_at, t.kind, t.subject))
ORDER BY t.due_at, t.ticket_id
LIMIT 1
FOR UPDATE OF k SKIP LOCKED;

-- name: mark_fired
UPDATE timers SET fired_at = $5
WHERE ticket_id = $1::text::uuid AND kind = $2 AND subject = $3 AND due_at = $4
    AND fired_at IS NULL
RETURNING true;
