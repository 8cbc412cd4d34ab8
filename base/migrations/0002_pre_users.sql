-- Who may sign in. Only the owner role changes users (hotline user, set-up): whoever takes over
-- the web role's login can neither make themselves an account nor change a password.

CREATE TABLE hotline.users (
    id            uuid PRIMARY KEY,
    username      text NOT NULL UNIQUE CHECK (username ~ '^[a-z][a-z0-9._-]{1,31}$'),
    display_name  text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 64),
    role          text NOT NULL CHECK (role IN ('agent', 'leader', 'admin')),
    agent         text UNIQUE CHECK (agent ~ '^[0-9]{2,8}$'),
    password_hash text NOT NULL,
    is_active     boolean NOT NULL DEFAULT true,
    created_at    timestamptz NOT NULL DEFAULT now(),
    changed_at    timestamptz NOT NULL DEFAULT now(),
    CHECK (role = 'agent' OR agent IS NULL)
);
GRANT SELECT ON hotline.users TO hotline_web;

-- The token itself is in the browser alone; a copy of this table signs nobody in.
CREATE TABLE hotline.sessions (
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    user_id    uuid NOT NULL REFERENCES hotline.users (id) ON DELETE CASCADE,
    opened_at  timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_by_user ON hotline.sessions (user_id);
CREATE INDEX sessions_by_expiry ON hotline.sessions (expires_at);
GRANT SELECT, INSERT, DELETE ON hotline.sessions TO hotline_web;

-- Attempts since the last success, by a hash of what is counted (name and address, or name).
CREATE TABLE hotline.login_attempts (
    key           bytea PRIMARY KEY CHECK (length(key) = 32),
    attempts      integer NOT NULL,
    tried_at      timestamptz NOT NULL,
    blocked_until timestamptz NOT NULL
);
CREATE INDEX login_attempts_by_age ON hotline.login_attempts (tried_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON hotline.login_attempts TO hotline_web;
