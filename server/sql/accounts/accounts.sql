-- name: insert_user
INSERT INTO users (id, username, display_name, role, agent, unit, phone, password_hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING id;

-- name: set_password
UPDATE users SET password_hash = $2, changed_at = now() WHERE username = $1 RETURNING id;

-- name: close_sessions_of_user
DELETE FROM sessions WHERE user_id = $1;

-- name: list_users
SELECT id, username, display_name, role, agent, phone, is_active FROM users ORDER BY username;

-- name: usernames
SELECT username FROM users;

-- name: set_phone
-- Who has a role of another kind, or nobody: no row.
UPDATE users SET phone = $2, changed_at = now() WHERE username = $1 AND role = 'leader' RETURNING id;

-- name: give_first_phone
-- To an installation made before leaders had phones of their own.
UPDATE users SET phone = $2 WHERE username = $1 AND role = 'leader' AND phone IS NULL
    AND NOT EXISTS (SELECT FROM users WHERE phone IS NOT NULL);

-- name: set_active
UPDATE users SET is_active = $2, changed_at = now() WHERE username = $1 RETURNING id;
