-- name: caller_use
-- How a number used the line in $3 days, apart from the call $2. Silent: the agent was heard, the
-- caller never said a word.
SELECT count(*) FILTER (WHERE c.arrived_at > now() - interval '1 day') AS day_calls,
    count(*) AS calls,
    count(*) FILTER (WHERE c.ended_at - c.answered_at > make_interval(secs => $4)) AS long_calls,
    count(*) FILTER (WHERE c.ended_at - c.answered_at > make_interval(secs => $5)
        AND EXISTS (SELECT FROM utterances u WHERE u.call_id = c.id AND u.speaker = 'agent')
        AND NOT EXISTS (SELECT FROM utterances u WHERE u.call_id = c.id AND u.speaker = 'citizen'))
        AS silent_calls
FROM calls c
WHERE c.caller_number = $1 AND c.caller_number <> '' AND c.id <> $2
    AND c.arrived_at > now() - make_interval(days => $3);

-- name: caller_steps
SELECT kind, at, misuse, call_id, until_at FROM nuisance_steps WHERE caller_number = $1 ORDER BY id;
