-- name: log_access
INSERT INTO access_log (user_id, unit, ticket_id, act, fields, reason)
VALUES ($1, $2, $3, $4, $5, $6);

-- name: accesses_of_ticket
SELECT at, user_id, unit, act, fields, reason FROM access_log WHERE ticket_id = $1 ORDER BY id;

-- name: caller_in_clear
SELECT caller_name AS name, coalesce(nullif(contact_number, ''), caller_number) AS number,
    recused_users
FROM tickets WHERE id = $1;

-- name: log_whole_view
-- The agent's page of a ticket, with its caller and its call; nothing for who stepped back.
INSERT INTO access_log (user_id, ticket_id, act, fields, reason)
SELECT $2, t.id, 'view', '{texts,ledger,caller_name,contact_number,call}', ''
FROM tickets t WHERE t.id = $1 AND NOT $2 = ANY (t.recused_users)
RETURNING id;
