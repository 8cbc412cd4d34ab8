-- name: calls_between
-- In the order in which they entered a queue. $1 ≤ entered < $2. Nobody waits on the line for a
-- return call: its virtual caller ('return') is no visit.
SELECT id, queue, queued_at, agent, answered_at, ended_at, outcome
FROM calls WHERE queued_at >= $1 AND queued_at < $2 AND queue IS NOT NULL
    AND called_number <> 'return'
ORDER BY queued_at, id;

-- name: steps_between
-- Each agent's steps from $1 until $2, and the last one before.
(SELECT DISTINCT ON (agent) number, agent, at, event, new, call_id
 FROM agent_moves WHERE at < $1 ORDER BY agent, number DESC)
UNION ALL
SELECT number, agent, at, event, new, call_id
FROM agent_moves WHERE at >= $1 AND at < $2
ORDER BY number;
