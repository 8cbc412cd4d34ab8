-- name: add_party
INSERT INTO parties (ticket_id, name, number, named_at, named_by) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING;

-- name: parties
SELECT name, number FROM parties WHERE ticket_id = $1 ORDER BY named_at, name;
