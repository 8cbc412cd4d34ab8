-- name: agent_steps
-- Each agent's last step before $1, and every one until $2.
SELECT agent, at, event, new, number FROM (
    SELECT DISTINCT ON (agent) agent, at, event, new, number FROM agent_moves
    WHERE at <= $1 ORDER BY agent, number DESC) AS before
UNION ALL
SELECT agent, at, event, new, number FROM agent_moves WHERE at > $1 AND at < $2
ORDER BY number;
