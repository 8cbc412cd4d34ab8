-- name: open_events
SELECT event.title, event.since_at,
    (SELECT count(*) FROM event_calls AS tag WHERE tag.event_id = event.id) AS calls
FROM events AS event
WHERE event.closed_at IS NULL AND event.since_at <= now()
    AND (event.until_at IS NULL OR event.until_at > now())
ORDER BY event.since_at DESC, event.id DESC LIMIT 20;
