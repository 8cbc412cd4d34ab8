-- name: agent_names
SELECT agent, display_name FROM users WHERE agent IS NOT NULL;
