-- name: directory
SELECT number, name, kind FROM directory ORDER BY kind, name, number;

-- name: directory_entry
SELECT number, name, kind FROM directory WHERE number = $1;

-- name: keep_entry
INSERT INTO directory (number, name, kind) VALUES ($1, $2, $3)
ON CONFLICT (number) DO UPDATE SET name = excluded.name, kind = excluded.kind;

-- name: remove_entry
DELETE FROM directory WHERE number = $1 RETURNING number;

-- name: attempts_about
SELECT id, agent, number, wanted_at, answered_at, ended_at, rang_s, talked_s, result,
       recording_sha256 AS sha256
FROM calls_out
WHERE about_ticket = $1 OR about_call = $2
ORDER BY wanted_at;

-- name: attempt_sound
SELECT recording_path AS path, agent FROM calls_out
WHERE id = $1 AND recording_path IS NOT NULL;

-- name: is_message
-- Whoever was answered after all had a conversation, which is no message.
SELECT EXISTS (
    SELECT FROM call_marks AS mark JOIN calls AS left_by ON left_by.id = mark.call_id
    WHERE mark.kind = 'voicemail' AND mark.call_id = $1
        AND left_by.answered_at IS NULL AND left_by.emergency_line IS NULL
);

-- name: agent_of_call
SELECT agent FROM calls WHERE id = $1;

-- name: note_listening
INSERT INTO listenings (user_id, call_id, attempt, part) VALUES ($1, $2, $3, $4);

-- name: listenings
SELECT users.username, users.display_name, listenings.at, listenings.part
FROM listenings JOIN users ON users.id = listenings.user_id
WHERE listenings.call_id = $1
ORDER BY listenings.number;

-- name: parties
SELECT number, kind, began_at, answered_at, joined_at, ended_at, outcome
FROM call_parties WHERE call_id = $1 ORDER BY began_at;

-- name: consents
SELECT agent, at, is_given FROM consents WHERE call_id = $1 ORDER BY at;

-- name: recording_pauses
SELECT from_at, to_at, agent, reason FROM recording_pauses WHERE call_id = $1 ORDER BY from_at;
