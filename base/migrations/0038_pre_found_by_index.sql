-- What registration is shown of the same demand, and what supervision watches beyond reply and feedback,
-- is found without reading what was settled long ago.

-- For hotline.similar_tickets, which plans for the states it is given: those of tickets.lifecycle.GOING_ON.
CREATE INDEX tickets_going_on ON hotline.tickets (type, number)
    WHERE state IN ('registered', 'to_dispatch', 'under_study', 'with_units', 'in_review',
        'following_up');
-- For /api/tracked, in its order.
CREATE INDEX assignments_tracked ON hotline.assignments (completion_due_at, number)
    WHERE completion_due_at IS NOT NULL
        AND state IN ('sent', 'signed', 'return_asked', 'end_asked');
