-- name: doubtful_ratings
-- $1, $2: from and until when; $3: at most; $4: so many of one ticket; $5: so many tickets of a caller.
WITH given AS (
    SELECT r.at, r.stars, t.number, t.caller_number
    FROM ratings r JOIN tickets t ON t.id = r.ticket_id
    WHERE r.at >= $1 AND r.at < $2
)
SELECT max(at) AS at, number, count(*)::int AS ratings, 'repeated' AS what
FROM given GROUP BY number HAVING count(*) >= $4
UNION ALL
SELECT max(at), max(number), count(DISTINCT number)::int, 'all_least'
FROM given WHERE caller_number <> ''
GROUP BY caller_number HAVING count(DISTINCT number) >= $5 AND max(stars) = 1
ORDER BY at, number LIMIT $3;
