-- name: messages_since
-- A caller who was answered after all left no message, but had a conversation.
-- Messages with what came of each; those without a ticket first, then the newest. $2: at most.
SELECT mark.call_id AS call, mark.at AS left_at, left_by.caller_number, coalesce(left_by.queue, '')
        AS queue,
    left_by.recording_sha256 IS NOT NULL AS has_recording, coalesce(draft.version, 0) AS version,
    draft.machine AS draft, ticket.number AS ticket, one.id AS return_call,
    one.state AS return_state
FROM call_marks AS mark
JOIN calls AS left_by ON left_by.id = mark.call_id
LEFT JOIN drafts AS draft ON draft.call_id = mark.call_id
LEFT JOIN tickets AS ticket ON ticket.call_id = mark.call_id
LEFT JOIN return_calls AS one ON one.origin_call = mark.call_id
WHERE mark.kind = 'voicemail' AND mark.at > $1
    AND left_by.answered_at IS NULL AND left_by.emergency_line IS NULL
ORDER BY ticket.number IS NOT NULL, mark.at DESC LIMIT $2;

-- name: lines_of_messages
SELECT call_id AS call, text FROM utterances
WHERE call_id = ANY ($1::text[]) AND speaker = 'citizen' ORDER BY call_id, number;

-- name: message
SELECT left_by.caller_number, left_by.caller_name, one.id AS return_call
FROM call_marks AS mark JOIN calls AS left_by ON left_by.id = mark.call_id
LEFT JOIN return_calls AS one ON one.origin_call = mark.call_id
WHERE mark.kind = 'voicemail' AND mark.call_id = $1
    AND left_by.answered_at IS NULL AND left_by.emergency_line IS NULL;
