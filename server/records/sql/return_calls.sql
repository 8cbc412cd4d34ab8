-- name: keep_mark
INSERT INTO call_marks (call_id, kind, value, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- name: latest_mark
SELECT max(at) FROM call_marks;

-- name: keep_new_return_calls
-- Of the calls that arrived since $1: who asked, who left a message, who hung up unanswered; not who
-- has called again since and was answered. Whose answer may still come from Asterisk's books (it fell
-- into a gap) is not called back yet. $2: the default queue. Repeating it changes nothing.
INSERT INTO return_calls (number, reason, origin_call, queue, place_at)
SELECT DISTINCT ON (lost.caller_number) lost.caller_number,
    CASE WHEN bool_or(mark.kind = 'return_asked') THEN 'requested'
         WHEN bool_or(mark.kind = 'voicemail') THEN 'voicemail' ELSE 'abandoned' END,
    lost.id, coalesce(lost.queue, $2), coalesce(lost.queued_at, lost.arrived_at)
FROM calls AS lost
LEFT JOIN call_marks AS mark
    ON mark.call_id = lost.id AND mark.kind IN ('return_asked', 'voicemail')
WHERE lost.arrived_at > $1 AND lost.ended_at IS NOT NULL AND lost.answered_at IS NULL
  AND lost.emergency_line IS NULL AND lost.called_number <> 'return'
  AND lost.caller_number ~ '^[+]?[0-9]{3,}$'
  AND (mark.kind IS NOT NULL
       OR (lost.is_settled AND lost.outcome = 'abandoned' AND lost.queue IS NOT NULL))
  AND NOT EXISTS (SELECT FROM return_calls AS known WHERE known.origin_call = lost.id)
  AND NOT EXISTS (SELECT FROM calls AS again WHERE again.caller_number = lost.caller_number
      AND again.arrived_at > lost.arrived_at AND again.answered_at IS NOT NULL)
GROUP BY lost.caller_number, lost.id, lost.queue, lost.queued_at, lost.arrived_at
ORDER BY lost.caller_number, lost.arrived_at
ON CONFLICT DO NOTHING
RETURNING id, reason;

-- name: open_return_calls
-- The open ones, oldest place first, with what is known of their own call and of the citizen since.
SELECT one.id, one.number, one.reason, one.queue, one.place_at, one.state, one.attempts,
    one.due_at, one.changed_at, one.call_id, one.agent,
    (SELECT array_agg(mark.kind) FROM call_marks AS mark WHERE mark.call_id = one.call_id) AS marks,
    (SELECT own.agent FROM calls AS own WHERE own.id = one.call_id) AS taken_by,
    EXISTS (SELECT FROM calls AS again
        WHERE again.caller_number = one.number AND again.called_number <> 'return'
          AND again.answered_at IS NOT NULL AND again.arrived_at > one.created_at
          AND again.id <> one.origin_call) AS called_again
FROM return_calls AS one
WHERE one.state IN ('requested', 'reserved', 'dialling', 'connected', 'failed')
ORDER BY one.place_at LIMIT $1;

-- name: keep_return_call
-- Only from the state and the attempt it was seen in: of two that try, one wins.
UPDATE return_calls SET state = $4, attempts = $5, due_at = $6, call_id = $7, agent = $8,
    changed_at = $9
WHERE id = $1 AND state = $2 AND attempts = $3
RETURNING id;

-- name: return_calls_since
SELECT one.id, one.number, one.reason, one.origin_call, one.queue, one.place_at, one.state,
    one.attempts, one.due_at, one.call_id, one.agent, one.by, one.note, one.created_at,
    one.changed_at, ticket.number AS ticket
FROM return_calls AS one LEFT JOIN tickets AS ticket ON ticket.call_id = one.origin_call
WHERE one.state IN ('requested', 'reserved', 'dialling', 'connected', 'failed')
   OR one.created_at > $1
ORDER BY one.created_at DESC LIMIT $2;

-- name: satisfaction_since
SELECT mark.value, count(*) AS count FROM call_marks AS mark
WHERE mark.kind = 'satisfaction' AND mark.at >= $1 AND mark.at < $2
GROUP BY mark.value ORDER BY mark.value;
