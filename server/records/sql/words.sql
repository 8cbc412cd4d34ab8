-- name: keep_line
-- A stored line gives way only to a higher revision.
INSERT INTO utterances AS known (
    call_id, speaker, number, revision, text, start_s, end_s, words, confidence, engine, model)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (call_id, speaker, number) DO UPDATE SET
    revision = excluded.revision, text = excluded.text, start_s = excluded.start_s,
    end_s = excluded.end_s, words = excluded.words, confidence = excluded.confidence,
    engine = excluded.engine, model = excluded.model, stored_at = now()
WHERE excluded.revision > known.revision;

-- name: lines_of_call
SELECT speaker, number, revision, text, start_s, end_s, confidence, engine, model
FROM utterances WHERE call_id = $1 ORDER BY start_s, speaker, number;

-- name: keep_draft
-- A confirmed draft is closed.
INSERT INTO drafts AS known (call_id, version, machine, agent, updated_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (call_id) DO UPDATE SET
    version = excluded.version, machine = excluded.machine, agent = excluded.agent,
    updated_at = excluded.updated_at
WHERE excluded.version > known.version AND known.confirmed_at IS NULL;

-- name: draft_by_call
SELECT drafts.version, drafts.machine, drafts.agent, tickets.number AS ticket_number
FROM drafts LEFT JOIN tickets ON tickets.call_id = drafts.call_id
WHERE drafts.call_id = $1;
