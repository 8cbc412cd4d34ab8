-- name: want_late_leg
INSERT INTO late_legs (call_id, speaker) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: lease_late_leg
-- The newest first: its agent is wrapping the call up. $2: most attempts; $3: seconds beyond the
-- twofold length of the conversation, or of the message that was left instead.
UPDATE late_legs AS leg SET
    stream = $1, attempts = leg.attempts + 1,
    leased_until = now() + 2 * (next.ended_at - next.began_at) + make_interval(secs => $3)
FROM (
    SELECT free.call_id, free.speaker, ended.recording_path, ended.ended_at,
        coalesce(ended.answered_at, message.at) AS began_at
    FROM late_legs AS free JOIN calls AS ended ON ended.id = free.call_id
    LEFT JOIN call_marks AS message ON message.call_id = ended.id AND message.kind = 'voicemail'
    WHERE free.done_at IS NULL AND free.leased_until < now() AND free.attempts < $2
      AND ended.recording_path IS NOT NULL
      AND ended.ended_at > coalesce(ended.answered_at, message.at)
    ORDER BY ended.ended_at DESC, free.speaker DESC
    LIMIT 1 FOR UPDATE OF free SKIP LOCKED) AS next
WHERE (leg.call_id, leg.speaker) = (next.call_id, next.speaker)
RETURNING leg.call_id, leg.speaker, next.recording_path,
    extract(epoch FROM next.ended_at - next.began_at)::float8 AS talk_s;

-- name: keep_wanted_messages
-- The caller's side of each message that nobody has asked for yet.
INSERT INTO late_legs (call_id, speaker)
SELECT mark.call_id, 'citizen' FROM call_marks AS mark
WHERE mark.kind = 'voicemail' AND mark.at > $1
ON CONFLICT DO NOTHING;

-- name: undrafted_late_leg
-- Messages whose words are there, and no draft of them.
SELECT mark.call_id FROM call_marks AS mark
JOIN late_legs AS leg ON leg.call_id = mark.call_id AND leg.speaker = 'citizen'
LEFT JOIN drafts AS draft ON draft.call_id = mark.call_id
WHERE mark.kind = 'voicemail' AND mark.at > $1 AND leg.done_at IS NOT NULL
  AND draft.call_id IS NULL
ORDER BY mark.at LIMIT 20;

-- name: end_late_leg
-- Only the holder of the lease ends it, once.
UPDATE late_legs SET done_at = now() WHERE stream = $1 AND done_at IS NULL RETURNING call_id;

-- name: put_back_late_leg
-- Again after a pause that grows with each attempt.
UPDATE late_legs SET leased_until = now() + attempts * interval '30 seconds'
WHERE stream = $1 AND done_at IS NULL;
