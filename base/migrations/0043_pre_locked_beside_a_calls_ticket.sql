-- One call gives at most one ordinary ticket; a complaint about staff or a retaliation report of the
-- same call stands beside it. Else it kept the call's own demand out, by an error that told of it.

ALTER TABLE hotline.tickets DROP CONSTRAINT tickets_call_id_key;
CREATE UNIQUE INDEX tickets_of_call ON hotline.tickets (call_id) WHERE lane = 'ordinary';
CREATE INDEX tickets_by_call ON hotline.tickets (call_id);
