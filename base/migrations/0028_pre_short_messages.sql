-- What became of each short message at the carrier's gateway, whose protocol knows no idempotency key:
-- one that is on the wire without an answer is never sent again by itself (server/outside). No number
-- and no text stands here.

CREATE TABLE hotline.short_messages (
    key         text PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 200),
    state       text NOT NULL CHECK (state IN ('on_the_wire', 'not_taken', 'taken')),
    tried_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    gateway_ids text[] NOT NULL DEFAULT '{}',
    report      text NOT NULL DEFAULT '' CHECK (length(report) <= 7),
    reported_at timestamptz
);
COMMENT ON COLUMN hotline.short_messages.key IS 'the outbox''s key';
COMMENT ON COLUMN hotline.short_messages.report IS
    'what the gateway last reported of it, e.g. DELIVRD; of a long message, of any of its parts';
CREATE INDEX short_messages_by_gateway_id ON hotline.short_messages USING gin (gateway_ids);
GRANT SELECT, INSERT (key, state), UPDATE (state, tried_at, gateway_ids, report, reported_at)
    ON hotline.short_messages TO hotline_web;
