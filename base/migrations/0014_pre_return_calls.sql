-- Marks of calls from Asterisk's own book, and the return calls that come of them. A mark is the
-- same whether it was read at once or after a gap; a return call is opened once for a call, and one
-- at a time for a number.

CREATE TABLE hotline.call_marks (
    call_id text NOT NULL CHECK (length(call_id) BETWEEN 1 AND 128),
    kind    text NOT NULL CHECK (kind IN ('return_asked', 'voicemail', 'satisfaction',
        'return_dialled', 'return_answered', 'return_failed')),
    value   text NOT NULL CHECK (length(value) <= 32),
    at      timestamptz NOT NULL,
    PRIMARY KEY (call_id, kind)
);
CREATE INDEX call_marks_by_time ON hotline.call_marks (at DESC);

CREATE TABLE hotline.return_calls (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number      text NOT NULL CHECK (number <> ''),
    reason      text NOT NULL CHECK (reason IN ('requested', 'voicemail', 'abandoned')),
    origin_call text NOT NULL UNIQUE,
    queue       text NOT NULL,
    place_at    timestamptz NOT NULL,
    state       text NOT NULL DEFAULT 'requested' CHECK (state IN ('requested', 'reserved',
        'dialling', 'connected', 'failed', 'done', 'given_up', 'cancelled')),
    attempts    integer NOT NULL DEFAULT 0,
    due_at      timestamptz NOT NULL DEFAULT now(),
    call_id     text,
    agent       text,
    by          text NOT NULL DEFAULT '',
    note        text NOT NULL DEFAULT '' CHECK (length(note) <= 500),
    created_at  timestamptz NOT NULL DEFAULT now(),
    changed_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN hotline.return_calls.place_at IS 'when the citizen first queued';
COMMENT ON COLUMN hotline.return_calls.attempts IS 'times the citizen was dialled';
COMMENT ON COLUMN hotline.return_calls.by IS 'who cancelled or settled it by hand';
CREATE UNIQUE INDEX return_calls_one_open ON hotline.return_calls (number)
    WHERE state IN ('requested', 'reserved', 'dialling', 'connected', 'failed');
CREATE INDEX return_calls_by_time ON hotline.return_calls (created_at DESC);

GRANT SELECT, INSERT ON hotline.call_marks TO hotline_bridge;
GRANT SELECT ON hotline.call_marks TO hotline_web;
GRANT SELECT ON hotline.return_calls TO hotline_bridge, hotline_web;
GRANT INSERT (number, reason, origin_call, queue, place_at) ON hotline.return_calls
    TO hotline_bridge;
GRANT UPDATE (state, attempts, due_at, call_id, agent, changed_at) ON hotline.return_calls
    TO hotline_bridge;
GRANT UPDATE (state, by, note, changed_at) ON hotline.return_calls TO hotline_web;
