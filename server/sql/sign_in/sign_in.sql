-- name: user_to_sign_in
SELECT id, username, display_name, role, agent, unit, phone, password_hash
FROM users WHERE username = $1 AND is_active;

-- name: count_attempt
-- Counted before the password is looked at: guesses sent at the same time are all counted. An
-- attempt while blocked is not counted. Not blocked is "-infinity", not now: of two attempts at one
-- moment the second to be counted may carry the earlier $2. $2 now, $3 free attempts, $4 forget after (seconds).
INSERT INTO login_attempts AS known (key, attempts, tried_at, blocked_until)
VALUES ($1, 1, $2, '-infinity')
ON CONFLICT (key) DO UPDATE SET
    attempts = CASE WHEN known.tried_at < $2 - make_interval(secs => $4) THEN 1
                    ELSE known.attempts + 1 END,
    tried_at = $2,
    blocked_until = CASE
        WHEN known.tried_at < $2 - make_interval(secs => $4) OR known.attempts + 1 < $3
        THEN '-infinity'
        ELSE $2 + make_interval(secs => least(300, power(2, least(known.attempts + 1 - $3, 10))))
    END
WHERE known.blocked_until <= $2
RETURNING attempts;

-- name: blocked_until
SELECT blocked_until FROM login_attempts WHERE key = $1;

-- name: forget_attempts
DELETE FROM login_attempts WHERE key = ANY($1::bytea[]);

-- name: give_attempt_back
UPDATE login_attempts SET attempts = greatest(0, attempts - 1) WHERE key = $1;

-- name: forget_old_attempts
DELETE FROM login_attempts WHERE tried_at < $1;

-- name: open_session
INSERT INTO sessions (token_hash, user_id, opened_at, expires_at) VALUES ($1, $2, $3, $4);

-- name: session_user
SELECT users.id, users.username, users.display_name, users.role, users.agent, users.unit,
    users.phone
FROM sessions JOIN users ON users.id = sessions.user_id
WHERE sessions.token_hash = $1 AND sessions.expires_at > $2 AND users.is_active;

-- name: close_session
DELETE FROM sessions WHERE token_hash = $1;

-- name: forget_old_sessions
DELETE FROM sessions WHERE expires_at <= $1;
