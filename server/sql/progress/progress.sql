-- name: last_ticket_state
-- A number may be anybody's who shows it: of what is confidential not even that it exists.
SELECT state FROM tickets
WHERE caller_number = $1 AND caller_number <> '' AND NOT confidential AND lane = 'ordinary'
ORDER BY created_at DESC LIMIT 1;
