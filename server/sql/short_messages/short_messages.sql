-- name: claim_short_message
-- Nothing comes back of one that is on the wire, or taken: it is not sent again.
INSERT INTO short_messages AS s (key, state) VALUES ($1, 'on_the_wire')
ON CONFLICT (key) DO UPDATE SET state = 'on_the_wire', tried_at = clock_timestamp()
    WHERE s.state = 'not_taken'
RETURNING key;

-- name: state_of_short_message
SELECT state FROM short_messages WHERE key = $1;

-- name: short_message_taken
UPDATE short_messages SET state = 'taken', gateway_ids = $2 WHERE key = $1;

-- name: short_message_not_taken
UPDATE short_messages SET state = 'not_taken' WHERE key = $1 AND state = 'on_the_wire';

-- name: report_short_message
UPDATE short_messages SET report = left($2, 7), reported_at = clock_timestamp()
WHERE gateway_ids @> ARRAY[$1::text] RETURNING key;

-- name: is_on_the_wire
-- Not what went out long ago and was never answered: its ids are not known any more.
SELECT EXISTS (
    SELECT FROM short_messages
    WHERE state = 'on_the_wire' AND tried_at > clock_timestamp() - interval '1 minute'
);

-- name: allow_again
-- Somebody decided that these may be sent although an attempt may have arrived.
UPDATE short_messages SET state = 'not_taken' WHERE key = ANY ($1::text[]) AND state = 'on_the_wire';
