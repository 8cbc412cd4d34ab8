-- Thousands of timers fall due at the same instant, the end of a working day: the sweepers take them in
-- the index's own order, instead of sorting all of them for each.

CREATE INDEX timers_in_turn ON hotline.timers (due_at, ticket_id, kind, subject)
    WHERE fired_at IS NULL;
DROP INDEX hotline.timers_due;
