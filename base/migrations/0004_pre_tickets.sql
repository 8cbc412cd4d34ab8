-- The work order. One call gives at most one: call_id is unique. It is no foreign key, because a
-- confirmation kept on disk may be entered before the bridge has entered its call.

CREATE TABLE hotline.tickets (
    id             uuid PRIMARY KEY,
    number         text NOT NULL UNIQUE CHECK (number ~ '^[0-9]{8}-[0-9]{6,}$'),
    call_id        text UNIQUE,
    channel        text NOT NULL CHECK (channel IN ('phone')),
    type           text NOT NULL CHECK (type IN
        ('consult', 'help', 'suggest', 'complain', 'report', 'other')),
    topic          text NOT NULL,
    title          text NOT NULL,
    content        text NOT NULL,
    demand         text NOT NULL CHECK (demand <> ''),
    place          text NOT NULL,
    occurred       text NOT NULL,
    urgency        text NOT NULL CHECK (urgency IN ('normal', 'urgent', 'emergency')),
    caller_name    text NOT NULL,
    caller_number  text NOT NULL,
    contact_number text NOT NULL,
    wants_reply    boolean NOT NULL,
    confidential   boolean NOT NULL,
    state          text NOT NULL CHECK (state IN ('registered')),
    draft          jsonb NOT NULL,
    created_by     uuid NOT NULL REFERENCES hotline.users (id),
    created_at     timestamptz NOT NULL,
    entered_at     timestamptz NOT NULL DEFAULT now(),
    version        integer NOT NULL DEFAULT 1
);
COMMENT ON COLUMN hotline.tickets.created_at IS 'when the agent confirmed it';
COMMENT ON COLUMN hotline.tickets.entered_at IS
    'when it came into the database: later than created_at after an absence of PostgreSQL';
COMMENT ON COLUMN hotline.tickets.draft IS 'the draft as confirmed: machine and final fields';
CREATE INDEX tickets_by_caller ON hotline.tickets (caller_number, created_at DESC)
    WHERE caller_number <> '';

-- The last number given on a day of Shanghai time; raised in the ticket's own transaction, so
-- that numbers have neither holes nor doubles.
CREATE TABLE hotline.ticket_days (
    day         date PRIMARY KEY,
    last_number integer NOT NULL CHECK (last_number > 0)
);

-- What the agent changed of what the machine proposed.
CREATE TABLE hotline.ticket_corrections (
    ticket_id     uuid NOT NULL REFERENCES hotline.tickets (id),
    field         text NOT NULL,
    machine_value text,
    final_value   text,
    evidence      jsonb NOT NULL,
    PRIMARY KEY (ticket_id, field)
);

CREATE TABLE hotline.ledger (
    ticket_id uuid NOT NULL REFERENCES hotline.tickets (id),
    seq       integer NOT NULL CHECK (seq > 0),
    at        timestamptz NOT NULL,
    actor     text NOT NULL CHECK (actor <> ''),
    action    text NOT NULL CHECK (action <> ''),
    reason    text NOT NULL,
    article   text NOT NULL,
    body      jsonb NOT NULL,
    prev_hash text NOT NULL CHECK (prev_hash ~ '^[0-9a-f]{64}$'),
    hash      text NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$'),
    PRIMARY KEY (ticket_id, seq)
);

-- Grants keep the running roles from changing the ledger; this keeps the owner's own slips out
-- too. A superuser can still switch it off: then the chain of hashes tells (tickets/ledger.py).
CREATE FUNCTION hotline.refuse_ledger_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE ON hotline.ledger
    FOR EACH ROW EXECUTE FUNCTION hotline.refuse_ledger_change();
CREATE TRIGGER ledger_is_not_emptied BEFORE TRUNCATE ON hotline.ledger
    FOR EACH STATEMENT EXECUTE FUNCTION hotline.refuse_ledger_change();

-- An entry continues the chain or does not come in, whoever wrote it.
CREATE FUNCTION hotline.check_ledger_link() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    last hotline.ledger%ROWTYPE;
BEGIN
    SELECT * INTO last FROM hotline.ledger
        WHERE ticket_id = NEW.ticket_id ORDER BY seq DESC LIMIT 1;
    IF NEW.seq <> coalesce(last.seq, 0) + 1
        OR NEW.prev_hash <> coalesce(last.hash, repeat('0', 64))
    THEN
        RAISE EXCEPTION 'ledger entry % of ticket % does not continue its chain',
            NEW.seq, NEW.ticket_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_continues BEFORE INSERT ON hotline.ledger
    FOR EACH ROW EXECUTE FUNCTION hotline.check_ledger_link();

GRANT SELECT, INSERT ON hotline.tickets, hotline.ticket_corrections, hotline.ledger TO hotline_web;
GRANT SELECT, INSERT, UPDATE ON hotline.ticket_days TO hotline_web;

-- What the screen-pop shows of former tickets, and no more.
GRANT SELECT (number, call_id, title, type, state, caller_number, created_at)
    ON hotline.tickets TO hotline_bridge;
