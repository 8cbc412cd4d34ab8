-- name: clusters
-- Tickets of one topic at one unit that no study is about yet.
SELECT t.topic, a.unit, count(DISTINCT t.id) AS count, array_agg(DISTINCT t.number) AS numbers
FROM tickets t JOIN assignments a ON a.ticket_id = t.id
WHERE t.created_at >= $1 AND t.created_at < $2 AND t.topic <> '' AND t.lane = 'ordinary'
    AND a.state NOT IN ('returned', 'withdrawn', 'past')
    AND NOT EXISTS (SELECT FROM study_tickets s WHERE s.ticket_id = t.id)
GROUP BY t.topic, a.unit HAVING count(DISTINCT t.id) >= $3
ORDER BY count DESC, t.topic, a.unit LIMIT 100;

-- name: open_study
INSERT INTO studies (unit, topic, reason, article, opened_at, opened_by)
VALUES ($1, $2, $3, $4, $5, $6) RETURNING id;

-- name: study_tickets
INSERT INTO study_tickets (study, ticket_id)
SELECT $1, t.id FROM tickets t
WHERE t.number = ANY ($2) AND t.lane = 'ordinary' AND EXISTS (
    SELECT FROM assignments a
    WHERE a.ticket_id = t.id AND a.unit = $3 AND a.state NOT IN ('returned', 'withdrawn', 'past'))
RETURNING ticket_id;

-- name: give_measures
UPDATE studies SET measures = $3, lasting = $4, measured_at = $5, measured_by = $6
WHERE id = $1 AND unit = $2 AND measured_at IS NULL RETURNING id;

-- name: report_study
UPDATE studies SET report = $2, reported_to = $3, reported_at = $4, reported_by = $5
WHERE id = $1 AND reported_at IS NULL RETURNING id;

-- name: studies
SELECT s.id, s.unit, s.topic, s.reason, s.article, s.opened_at, s.measures, s.lasting, s.measured_at,
    s.report, s.reported_to, s.reported_at,
    (SELECT coalesce(array_agg(t.number ORDER BY t.number), '{}')
        FROM study_tickets x JOIN tickets t ON t.id = x.ticket_id WHERE x.study = s.id) AS numbers
FROM studies s WHERE $1 = '' OR s.unit = $1 ORDER BY s.id DESC LIMIT 200;
