-- Events (突发事件): what callers are told, and which calls were about it. Opened and closed by
-- leaders, never deleted.

CREATE TABLE hotline.events (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title     text NOT NULL CHECK (length(title) BETWEEN 1 AND 60),
    text      text NOT NULL CHECK (length(text) <= 2000),
    announce  text NOT NULL CHECK (length(announce) <= 200),
    prompt    text NOT NULL DEFAULT 'event' CHECK (prompt ~ '^[a-z0-9-]{1,40}$'),
    queues    text[] NOT NULL,
    priority  integer NOT NULL CHECK (priority BETWEEN 0 AND 99),
    since_at  timestamptz NOT NULL,
    until_at  timestamptz,
    opened_by text NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT now(),
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    closed_by text,
    closed_at timestamptz,
    CHECK (until_at IS NULL OR until_at > since_at)
);
COMMENT ON COLUMN hotline.events.announce IS 'what callers are told; empty: the general prompt';
COMMENT ON COLUMN hotline.events.prompt IS 'the sound file that says it';
COMMENT ON COLUMN hotline.events.queues IS 'whose callers hear it; empty: of all';

CREATE TABLE hotline.event_calls (
    event_id  bigint NOT NULL REFERENCES hotline.events (id),
    call_id   text NOT NULL CHECK (length(call_id) BETWEEN 1 AND 128),
    tagged_by text NOT NULL,
    tagged_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (event_id, call_id)
);
CREATE INDEX event_calls_by_call ON hotline.event_calls (call_id);

GRANT SELECT, INSERT ON hotline.events TO hotline_web;
GRANT UPDATE (title, text, until_at, prompt, changed_by, changed_at, closed_by, closed_at)
    ON hotline.events TO hotline_web;
GRANT SELECT, INSERT ON hotline.event_calls TO hotline_web;
GRANT SELECT ON hotline.events, hotline.event_calls TO hotline_bridge;
