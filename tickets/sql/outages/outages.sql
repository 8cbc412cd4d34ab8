-- name: add_outage
INSERT INTO outages (unit, topic, regions, what, begins_at, ends_at, entered_at, entered_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id;

-- name: end_outage
UPDATE outages SET ends_at = $3, what = CASE WHEN $4 = '' THEN what ELSE $4 END
WHERE id = $1 AND unit = $2 AND begins_at < $3 RETURNING id;

-- name: outages_now
-- Those that are on, or are announced for the hours to come; a region is meant by those above it too.
SELECT id, unit, topic, regions, what, begins_at, ends_at, entered_at FROM outages
WHERE ends_at > $1 AND begins_at <= $2 AND ($3 = '' OR cardinality(regions) = 0 OR EXISTS (
    SELECT FROM unnest(regions) r WHERE $3 = r OR starts_with($3, r || '.')))
ORDER BY begins_at, id LIMIT 200;
