-- name: lock_ordering_key
-- Ids of one ordering key are then given in the order in which their transactions commit.
SELECT pg_advisory_xact_lock(hashtext('outbox ' || $1::text), hashtext($2::text))

-- name: enqueue_message
-- NOTIFY reaches the senders at the commit, once a channel and transaction.
WITH added AS (
    INSERT INTO outbox (channel, key, ordering_key, payload) VALUES ($1, $2, $3, $4)
    ON CONFLICT (channel, key) DO NOTHING
    RETURNING channel
)
SELECT pg_notify('hotline_outbox', channel) FROM added

-- name: lease_messages
-- One channel: then its index gives the order, and a long backlog costs nothing.
-- States 'sent' and 'dead' are final: whatever the age of this statement's view, a message whose
-- forerunners are gone in it may go. A row that another has just leased fails `due_at` on recheck.
WITH due AS MATERIALIZED (
    SELECT id FROM outbox AS candidate
    WHERE channel = $1 AND state IN ('pending', 'sending') AND due_at <= now()
        AND (ordering_key = '' OR NOT EXISTS (
            SELECT FROM outbox AS forerunner
            WHERE forerunner.channel = candidate.channel
                AND forerunner.ordering_key = candidate.ordering_key
                AND forerunner.ordering_key <> ''
                AND forerunner.state IN ('pending', 'sending')
                AND forerunner.id < candidate.id))
    ORDER BY due_at, id
    LIMIT $2
    FOR UPDATE SKIP LOCKED
)
UPDATE outbox SET state = 'sending', fence = fence + 1, attempts = attempts + 1,
    due_at = now() + $3::float8 * interval '1 second'
FROM due WHERE outbox.id = due.id
RETURNING outbox.id, channel, key, ordering_key, payload, attempts, fence, enqueued_at

-- name: mark_sent
UPDATE outbox SET state = 'sent', settled_at = now(), last_error = ''
WHERE id = $1 AND fence = $2 AND state = 'sending'
RETURNING id

-- name: mark_failed
UPDATE outbox SET state = 'pending', last_error = $3,
    due_at = now() + $4::float8 * interval '1 second'
WHERE id = $1 AND fence = $2 AND state = 'sending'
RETURNING id

-- name: mark_dead
UPDATE outbox SET state = 'dead', settled_at = now(), last_error = $3
WHERE id = $1 AND fence = $2 AND state = 'sending'
RETURNING id

-- name: bury_unanswered
-- Senders that died or froze in every attempt: whether the receiver has it, nobody knows.
WITH over AS MATERIALIZED (
    SELECT id FROM outbox
    WHERE channel = $1 AND state = 'sending' AND due_at <= now()
        AND attempts >= $2::integer
    FOR UPDATE SKIP LOCKED
)
UPDATE outbox SET state = 'dead', settled_at = now(), fence = fence + 1,
    last_error = 'sender_lost'
FROM over WHERE outbox.id = over.id
RETURNING outbox.id, channel, key, attempts

-- name: outbox_standing
SELECT channel, count(*) FILTER (WHERE state = 'pending') AS pending,
    count(*) FILTER (WHERE state = 'sending') AS sending,
    count(*) FILTER (WHERE state = 'dead') AS dead,
    min(enqueued_at) FILTER (WHERE state <> 'dead') AS oldest_at
FROM outbox
WHERE state IN ('pending', 'sending') OR state = 'dead'
GROUP BY channel ORDER BY channel

-- name: dead_messages
SELECT channel, key, attempts, last_error, enqueued_at, settled_at FROM outbox
WHERE state = 'dead' ORDER BY settled_at DESC LIMIT $1

-- name: resend_dead
UPDATE outbox SET state = 'pending', attempts = 0, due_at = now(), settled_at = NULL
WHERE id IN (SELECT id FROM outbox
    WHERE state = 'dead' AND channel = $1 AND ($2 = '' OR key = $2)
        AND ($3 = '' OR last_error = $3)
    ORDER BY id LIMIT $4 FOR UPDATE SKIP LOCKED)
RETURNING key

-- name: forget_sent_messages
SELECT hotline.forget_sent_messages($1, $2)
