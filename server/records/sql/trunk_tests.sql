-- name: keep_trunk_test
-- Claims the day's test: made once, and again where it failed or broke off that long ago.
INSERT INTO emergency_trunk_tests AS known (trunk, day, tries, begun_at) VALUES ($1, $2, 1, $3)
ON CONFLICT (trunk, day) DO UPDATE SET
    tries = known.tries + 1, begun_at = excluded.begun_at
WHERE known.outcome IS DISTINCT FROM 'answered' AND known.begun_at < $4
RETURNING tries;

-- name: end_trunk_test
UPDATE emergency_trunk_tests SET ended_at = $3, outcome = $4 WHERE trunk = $1 AND day = $2;

-- name: latest_trunk_tests
SELECT DISTINCT ON (trunk) trunk, ended_at, outcome FROM emergency_trunk_tests
WHERE outcome IS NOT NULL ORDER BY trunk, day DESC;
