-- A request that came to nothing because the unit answered, or lost the ticket, before it was decided.

ALTER TABLE hotline.unit_requests DROP CONSTRAINT unit_requests_state_check,
    ADD CONSTRAINT unit_requests_state_check
    CHECK (state IN ('asked', 'granted', 'in_force', 'refused', 'lapsed'));
