-- Messages to the outside, written in the transaction of what they tell about (base/outbox.py).
-- Rows are never deleted by a running role: a key once used stays used, and nothing vanishes.

CREATE TABLE hotline.outbox (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel      text NOT NULL CHECK (channel ~ '^[a-z][a-z0-9_]{0,31}$'),
    key          text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    ordering_key text NOT NULL DEFAULT '',
    payload      jsonb NOT NULL,
    state        text NOT NULL DEFAULT 'pending'
        CHECK (state IN ('pending', 'sending', 'sent', 'dead')),
    fence        bigint NOT NULL DEFAULT 0,
    attempts     integer NOT NULL DEFAULT 0,
    due_at       timestamptz NOT NULL DEFAULT now(),
    last_error   text NOT NULL DEFAULT '',
    enqueued_at  timestamptz NOT NULL DEFAULT now(),
    settled_at   timestamptz,
    UNIQUE (channel, key),
    CHECK ((settled_at IS NOT NULL) = (state IN ('sent', 'dead')))
);
COMMENT ON COLUMN hotline.outbox.ordering_key IS
    'messages of a channel with the same one go out in turn; empty: in no order';
COMMENT ON COLUMN hotline.outbox.fence IS 'raised by each lease: an older holder marks nothing';
COMMENT ON COLUMN hotline.outbox.due_at IS
    'pending: not to be tried before; sending: the end of the lease';
CREATE INDEX outbox_open ON hotline.outbox (channel, due_at, id)
    WHERE state IN ('pending', 'sending');
CREATE INDEX outbox_in_turn ON hotline.outbox (channel, ordering_key, id)
    WHERE state IN ('pending', 'sending') AND ordering_key <> '';
CREATE INDEX outbox_dead ON hotline.outbox (settled_at) WHERE state = 'dead';

GRANT SELECT ON hotline.outbox TO hotline_web;
GRANT INSERT (channel, key, ordering_key, payload) ON hotline.outbox TO hotline_web;
GRANT UPDATE (state, fence, attempts, due_at, last_error, settled_at) ON hotline.outbox
    TO hotline_web;
