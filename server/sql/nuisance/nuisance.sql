-- name: lock_caller
-- One step at a time with a number.
SELECT pg_advisory_xact_lock(hashtextextended('nuisance:' || $1, 0));

-- name: steps_of_caller
SELECT s.id, s.kind, s.at, s.misuse, s.call_id, s.by_user, s.until_at, s.suspension, s.reason,
    s.script, s.article, u.display_name AS by_name
FROM nuisance_steps s LEFT JOIN users u ON u.id = s.by_user
WHERE s.caller_number = $1 ORDER BY s.id;

-- name: insert_step
INSERT INTO nuisance_steps (caller_number, at, kind, misuse, call_id, by_user, until_at, suspension,
    reason, script, article, pack)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: insert_suspension
INSERT INTO suspensions (id, caller_number, misuse, reason, article, proposed_by, proposed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: decide_suspension
-- $4 null: refused.
UPDATE suspensions SET decided_by = $2, decided_at = $3, until_at = $4
WHERE id = $1 AND decided_at IS NULL RETURNING id;

-- name: lift_suspension
UPDATE suspensions SET lifted_by = $2, lifted_at = $3
WHERE id = $1 AND until_at > $3 AND lifted_at IS NULL RETURNING id;

-- name: suspension_by_id
SELECT id, caller_number, misuse, reason, article, proposed_by, proposed_at, decided_by, decided_at,
    until_at, lifted_by, lifted_at
FROM suspensions WHERE id = $1;

-- name: latest_suspensions
SELECT s.id, s.caller_number, s.misuse, s.reason, s.article, s.proposed_by, s.proposed_at,
    p.display_name AS proposed_by_name, s.decided_by, s.decided_at, d.display_name AS decided_by_name,
    s.until_at, s.lifted_by, s.lifted_at,
    (SELECT max(step.id) FROM nuisance_steps AS step WHERE step.caller_number = s.caller_number)
        AS caller
FROM suspensions s JOIN users p ON p.id = s.proposed_by LEFT JOIN users d ON d.id = s.decided_by
ORDER BY s.proposed_at DESC LIMIT $1;

-- name: running_suspensions
SELECT caller_number, misuse, until_at FROM suspensions
WHERE until_at > $1 AND lifted_at IS NULL ORDER BY until_at DESC LIMIT $2;

-- name: calls_of_caller
SELECT id, called_number, queue, agent, arrived_at, answered_at, ended_at, outcome, emergency_line,
    recording_path, recording_sha256
FROM calls WHERE caller_number = $1 AND caller_number <> '' AND arrived_at > $2
ORDER BY arrived_at LIMIT $3;

-- name: steps_of_latest_callers
-- All steps with the numbers that people have dealt with since $1, the latest number first.
SELECT lately.caller_number, s.id, s.kind, s.at, s.misuse, s.call_id, s.by_user, s.until_at,
    s.suspension, s.reason, s.script, s.article, u.display_name AS by_name
FROM (SELECT step.caller_number, max(step.id) AS last FROM nuisance_steps AS step
    WHERE step.at > $1 AND step.kind <> 'notice'
    GROUP BY step.caller_number ORDER BY max(step.id) DESC LIMIT $2) AS lately
JOIN nuisance_steps AS s ON s.caller_number = lately.caller_number
LEFT JOIN users AS u ON u.id = s.by_user
ORDER BY lately.last DESC, s.id;

-- name: number_of_step
SELECT caller_number FROM nuisance_steps WHERE id = $1;

-- name: log_number_reveal
INSERT INTO number_reveals (user_id, step_id, reason) VALUES ($1, $2, $3);

-- name: number_reveals
SELECT step.caller_number, reveal.at, reveal.reason, u.display_name AS by
FROM number_reveals AS reveal JOIN nuisance_steps AS step ON step.id = reveal.step_id
JOIN users AS u ON u.id = reveal.user_id
WHERE step.caller_number = ANY ($1::text[]) ORDER BY reveal.id;
