-- name: similar_tickets
-- $1 like which; $2 states; $3 how many are looked at; $4 at most; $5 what they stepped back from is not there.
SELECT t.number, t.state, t.title, t.created_at, s.likeness,
    t.caller_number <> '' AND t.caller_number = this.caller_number AS is_same_caller
FROM hotline.similar_tickets($1, $2, $3, $4) s JOIN tickets t ON t.number = s.number
    JOIN tickets this ON this.id = $1
WHERE $5::uuid <> ALL (t.recused_users)
ORDER BY is_same_caller DESC, s.likeness DESC, t.number DESC;
