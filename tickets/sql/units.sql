-- name: units_around
-- The named units with all that stand above them, as they were at an instant.
WITH RECURSIVE around AS (
    SELECT u.* FROM units u
    WHERE u.id = ANY ($1) AND u.valid_from <= $2 AND $2 < u.valid_to
    UNION
    SELECT u.* FROM units u JOIN around ON u.id = around.parent
    WHERE u.valid_from <= $2 AND $2 < u.valid_to)
SELECT to_jsonb(around) AS unit FROM around;

-- name: account_names
SELECT unit, array_agg(display_name) AS names FROM users
WHERE unit = ANY ($1) AND is_active GROUP BY unit;

-- name: units_at
SELECT to_jsonb(u) AS unit FROM units u WHERE u.valid_from <= $1 AND $1 < u.valid_to ORDER BY id;

-- name: shifts_at
SELECT to_jsonb(s) AS shift FROM shifts s
WHERE s.unit = ANY ($1) AND s.begins_at <= $2 AND $2 < s.ends_at;
