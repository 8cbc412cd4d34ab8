-- Files that belong to tickets: whose they are, who may see them, how long they are kept. The files
-- themselves lie outside the database, by their hash (tickets/attachment_files.py).

ALTER TABLE hotline.attachments
    ADD COLUMN source text NOT NULL DEFAULT 'centre' CHECK (source IN ('caller', 'centre', 'unit')),
    ADD COLUMN is_for_units boolean NOT NULL DEFAULT false,
    ADD COLUMN withdrawn_at timestamptz,
    ADD COLUMN withdrawn_by text NOT NULL DEFAULT '',
    ADD COLUMN withdrawn_reason text NOT NULL DEFAULT '',
    ADD COLUMN keep_years integer NOT NULL DEFAULT 100 CHECK (keep_years BETWEEN 1 AND 100),
    ADD COLUMN keep_rule text NOT NULL DEFAULT '',
    ADD COLUMN erased_at timestamptz,
    ADD CHECK ((source = 'unit') = (assignment IS NOT NULL)),
    ADD CHECK (withdrawn_at IS NULL OR withdrawn_reason <> '');
COMMENT ON COLUMN hotline.attachments.is_for_units IS
    'looked through by the centre: units may see it though the ticket is confidential';
COMMENT ON COLUMN hotline.attachments.keep_years IS
    'after the ticket was closed, by the rule of the day it was added';
COMMENT ON COLUMN hotline.attachments.erased_at IS 'the file is gone, its term being past';
CREATE INDEX attachments_by_hash ON hotline.attachments (sha256);

GRANT UPDATE (is_for_units, withdrawn_at, withdrawn_by, withdrawn_reason, erased_at)
    ON hotline.attachments TO hotline_web;

-- A unit: the files of its own assignment and of those that work for it; the caller's and the
-- centre's, but of a confidential ticket only what is marked as fit. What is withdrawn, nobody's.
-- The tables asked here are under their own policies for the unit.
DROP POLICY of_unit ON hotline.attachments;
CREATE POLICY of_unit ON hotline.attachments FOR SELECT TO hotline_unit
    USING (withdrawn_at IS NULL AND hotline.is_seen_by_unit(ticket_id)
        AND CASE WHEN assignment IS NULL
            THEN is_for_units OR EXISTS (SELECT FROM hotline.tickets
                WHERE tickets.id = ticket_id AND NOT tickets.confidential)
            ELSE EXISTS (SELECT FROM hotline.assignments WHERE assignments.id = assignment) END);
