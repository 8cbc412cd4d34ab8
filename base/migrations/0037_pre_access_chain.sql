-- Who saw what is bound as the ledger is: each line of the access log holds the hash of itself and of
-- the line before it of the same ticket, and the ticket's head says how many there are. Written by a
-- trigger, so that old code's lines are in the chain too. Lines from before it have no number.

ALTER TABLE hotline.access_log
    ADD COLUMN seq       integer CHECK (seq > 0),
    ADD COLUMN prev_hash text,
    ADD COLUMN hash      text,
    ADD CHECK (num_nulls(seq, prev_hash, hash) IN (0, 3));
COMMENT ON COLUMN hotline.access_log.seq IS 'of the ticket''s lines; null: from before the chain';
COMMENT ON COLUMN hotline.access_log.hash IS 'SHA-256 as tickets/access_chain.py works it out';
CREATE UNIQUE INDEX access_log_chain ON hotline.access_log (ticket_id, seq);
-- A seal reads a span of time.
CREATE INDEX access_log_at ON hotline.access_log USING brin (at);

CREATE TABLE hotline.access_heads (
    ticket_id uuid PRIMARY KEY REFERENCES hotline.tickets (id),
    seq       integer NOT NULL,
    hash      text NOT NULL
) WITH (fillfactor = 70);
COMMENT ON TABLE hotline.access_heads IS 'the last line of each ticket''s access log';
GRANT SELECT ON hotline.access_heads TO hotline_web;

-- The head's row is the lock: of two lines of one ticket at once the second waits for the first.
CREATE FUNCTION hotline.chain_access() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    INSERT INTO hotline.access_heads AS head (ticket_id, seq, hash)
        VALUES (NEW.ticket_id, 1, repeat('0', 64))
        ON CONFLICT (ticket_id) DO UPDATE SET seq = head.seq + 1
        RETURNING head.seq, head.hash INTO NEW.seq, NEW.prev_hash;
    NEW.hash := encode(sha256(convert_to(jsonb_build_array(NEW.id,
        (extract(epoch FROM NEW.at) * 1000000)::bigint, NEW.login, NEW.user_id, NEW.unit,
        NEW.ticket_id, NEW.act, NEW.fields, NEW.reason, NEW.seq, NEW.prev_hash)::text,
        'UTF8')), 'hex');
    UPDATE hotline.access_heads SET hash = NEW.hash WHERE ticket_id = NEW.ticket_id;
    RETURN NEW;
END $$;
CREATE TRIGGER access_log_is_chained BEFORE INSERT ON hotline.access_log
    FOR EACH ROW EXECUTE FUNCTION hotline.chain_access();
