-- name: open_event
INSERT INTO events (title, text, announce, queues, priority, since_at, until_at, opened_by,
    changed_by, unit)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9) RETURNING id;

-- name: set_event_prompt
UPDATE events SET prompt = $2 WHERE id = $1;

-- name: update_event
-- Facts and end of an open event; what is not given stays.
UPDATE events SET text = coalesce($2, text), until_at = coalesce($3, until_at), changed_by = $4,
    changed_at = now()
WHERE id = $1 AND closed_at IS NULL RETURNING id;

-- name: close_event
UPDATE events SET closed_by = $2, closed_at = now() WHERE id = $1 AND closed_at IS NULL
RETURNING id;

-- name: events
SELECT event.id, event.title, event.text, event.announce, event.prompt, event.queues,
    event.priority, event.since_at, event.until_at, event.opened_by, event.opened_at,
    event.changed_by, event.changed_at, event.closed_by, event.closed_at, event.unit,
    (SELECT count(*) FROM event_calls AS tag WHERE tag.event_id = event.id) AS calls,
    (SELECT count(DISTINCT known.caller_number) FROM event_calls AS tag
        JOIN calls AS known ON known.id = tag.call_id
        WHERE tag.event_id = event.id AND known.caller_number <> '') AS callers,
    (SELECT count(*) FROM (
        SELECT ticket.id FROM event_tickets AS tag JOIN tickets AS ticket ON ticket.id = tag.ticket_id
        WHERE tag.event_id = event.id
        UNION SELECT ticket.id FROM event_calls AS tag JOIN tickets AS ticket
            ON ticket.call_id = tag.call_id
        WHERE tag.event_id = event.id) AS about) AS tickets,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('text', news.text, 'unit', news.unit,
            'told_at', news.told_at) ORDER BY news.id DESC), '[]')
        FROM event_updates AS news WHERE news.event_id = event.id) AS updates
FROM events AS event
WHERE $1 OR (event.closed_at IS NULL AND (event.until_at IS NULL OR event.until_at > now()))
ORDER BY event.since_at DESC, event.id DESC LIMIT 200;

-- name: notices
SELECT prompt, queues, priority FROM events
WHERE closed_at IS NULL AND since_at <= now() AND (until_at IS NULL OR until_at > now())
ORDER BY since_at DESC, id DESC LIMIT 20;

-- name: tag_call
-- Only to an open event; again is no error.
INSERT INTO event_calls (event_id, call_id, tagged_by)
SELECT event.id, known.id, $3 FROM events AS event, calls AS known
WHERE event.id = $1 AND event.closed_at IS NULL AND known.id = $2
ON CONFLICT (event_id, call_id) DO NOTHING;

-- name: is_tagged
SELECT EXISTS (SELECT FROM event_calls WHERE event_id = $1 AND call_id = $2);

-- name: event
SELECT id, title, unit, since_at, changed_at, closed_at IS NULL AS is_open,
    (SELECT max(told_at) FROM event_updates AS news WHERE news.event_id = event.id) AS told_at
FROM events AS event WHERE id = $1;

-- name: tag_ticket
-- Only to an open event; again is no error.
INSERT INTO event_tickets (event_id, ticket_id, tagged_by)
SELECT event.id, ticket.id, $3 FROM events AS event, tickets AS ticket
WHERE event.id = $1 AND event.closed_at IS NULL AND ticket.number = $2
ON CONFLICT (event_id, ticket_id) DO NOTHING;

-- name: tickets_of_event
-- Of those that are not locked: tagged themselves, or by their call. $2: one number, or null: all.
SELECT ticket.id::text, ticket.number, ticket.title, ticket.type, ticket.state, ticket.created_at
FROM (SELECT tag.ticket_id FROM event_tickets AS tag WHERE tag.event_id = $1
    UNION SELECT known.id FROM event_calls AS tag JOIN tickets AS known
        ON known.call_id = tag.call_id
    WHERE tag.event_id = $1) AS about
JOIN tickets AS ticket ON ticket.id = about.ticket_id
WHERE $2::text IS NULL OR ticket.number = $2
ORDER BY ticket.number LIMIT $3;

-- name: tell_update
INSERT INTO event_updates (event_id, text, unit, told_by)
SELECT event.id, $2, $3, $4 FROM events AS event WHERE event.id = $1 AND event.closed_at IS NULL
RETURNING id;
