-- name: end_unit
UPDATE units SET valid_to = $2 WHERE id = $1 AND valid_to = 'infinity' AND valid_from < $2;

-- name: begin_unit
INSERT INTO units (id, valid_from, name, parent, level, kind, regions, duties, first_responsible,
    handlers, duty_phone, working_hours)
SELECT id, $2, name, parent, level, kind, regions, duties, first_responsible, handlers,
    duty_phone, working_hours
FROM jsonb_populate_record(NULL::units, $1);

-- name: add_shift
INSERT INTO shifts (unit, begins_at, ends_at, person, phone) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING;
