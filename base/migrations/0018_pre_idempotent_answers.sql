-- Answers to requests that carry an Idempotency-Key, kept for a week: a repeated request gets the
-- first answer and does nothing (server/once.py).

CREATE TABLE hotline.idempotent_answers (
    user_id  uuid NOT NULL REFERENCES hotline.users (id) ON DELETE CASCADE,
    key      text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    digest   text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
    status   integer,
    body     jsonb,
    asked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotent_answers_by_age ON hotline.idempotent_answers (asked_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON hotline.idempotent_answers TO hotline_web;
