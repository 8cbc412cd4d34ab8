-- Units read what a caller wants explained through ``unit_explanations`` alone, which hides a
-- confidential caller in it.

REVOKE SELECT ON hotline.explanations FROM hotline_unit;
GRANT SELECT (ticket_id, number, ground, asked_at, answer, answered_at, answered_by)
    ON hotline.explanations TO hotline_unit;
