-- name: keep_consent
INSERT INTO consents (call_id, agent, at, is_given) VALUES ($1, $2, $3, $4)
ON CONFLICT (call_id, at) DO NOTHING;

-- name: keep_party
-- What is known is never erased by what is not.
INSERT INTO call_parties AS known (
    id, call_id, agent, number, kind, began_at, answered_at, joined_at, ended_at, outcome)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (id) DO UPDATE SET
    answered_at = coalesce(known.answered_at, excluded.answered_at),
    joined_at   = coalesce(known.joined_at, excluded.joined_at),
    ended_at    = coalesce(excluded.ended_at, known.ended_at),
    outcome     = coalesce(excluded.outcome, known.outcome);

-- name: keep_recording_pause
-- A bridge that starts in the middle finds the silence, and its row.
INSERT INTO recording_pauses (call_id, from_at, agent, reason)
SELECT $1, $2, $3, $4
WHERE NOT EXISTS (SELECT FROM recording_pauses WHERE call_id = $1 AND to_at IS NULL)
ON CONFLICT (call_id, from_at) DO NOTHING;

-- name: end_recording_pause
UPDATE recording_pauses SET to_at = $2 WHERE call_id = $1 AND to_at IS NULL AND from_at <= $2;

-- name: keep_attempt
INSERT INTO calls_out AS known (
    id, agent, number, wanted_at, about_call, about_ticket, rang_at, answered_at, ended_at,
    rang_s, talked_s, result)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (id) DO UPDATE SET
    agent        = coalesce(nullif(excluded.agent, ''), known.agent),
    number       = coalesce(nullif(excluded.number, ''), known.number),
    wanted_at    = least(excluded.wanted_at, known.wanted_at),
    about_call   = coalesce(known.about_call, excluded.about_call),
    about_ticket = coalesce(known.about_ticket, excluded.about_ticket),
    rang_at      = least(excluded.rang_at, known.rang_at),
    answered_at  = least(excluded.answered_at, known.answered_at),
    ended_at     = coalesce(known.ended_at, excluded.ended_at),
    rang_s       = coalesce(known.rang_s, excluded.rang_s),
    talked_s     = coalesce(known.talked_s, excluded.talked_s),
    result       = coalesce(known.result, excluded.result);

-- name: keep_attempt_recording
-- The recording may be there before its attempt's facts: then it brings the row.
INSERT INTO calls_out (id, agent, number, wanted_at, recording_path, recording_sha256)
VALUES ($1, '', '', now(), $2, $3)
ON CONFLICT (id) DO UPDATE SET
    recording_path = excluded.recording_path, recording_sha256 = excluded.recording_sha256;

-- name: end_attempts
-- $1: those that Asterisk has now. A younger one may be on its way.
UPDATE calls_out SET result = 'unknown'
WHERE result IS NULL AND wanted_at < now() - interval '2 minutes' AND id <> ALL ($1::text[]);

-- name: consent_of_call
SELECT is_given FROM consents WHERE call_id = $1 ORDER BY at DESC LIMIT 1;
