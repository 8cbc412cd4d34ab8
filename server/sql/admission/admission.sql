-- name: former_queues
-- Each caller's last answered queue, where it takes its callers back. $1: those; $2: days; $3: most.
SELECT caller_number, queue FROM (
    SELECT DISTINCT ON (caller_number) caller_number, queue, arrived_at
    FROM calls
    WHERE caller_number <> '' AND answered_at IS NOT NULL AND queue IS NOT NULL
      AND arrived_at > now() - make_interval(days => $2)
    ORDER BY caller_number, arrived_at DESC
) AS latest
WHERE queue = ANY ($1::text[])
ORDER BY arrived_at DESC LIMIT $3;
