-- The work order's whole life. New columns have defaults that mean "registered, nothing else", so
-- the code before this one goes on registering tickets. Names are those of tickets/facts.py and
-- tickets/assignment.py: a row is read and written as the JSON of such a value.

ALTER TABLE hotline.tickets
    DROP CONSTRAINT tickets_state_check,
    DROP CONSTRAINT tickets_channel_check,
    DROP CONSTRAINT tickets_type_check,
    ADD CONSTRAINT tickets_state_check CHECK (state IN (
        'registered', 'answered', 'repeat_answered', 'not_accepted', 'not_registered',
        'handed_over', 'to_dispatch', 'under_study', 'with_units', 'in_review', 'following_up',
        'closed', 'terminated', 'stopped', 'ended', 'archived')),
    ADD CONSTRAINT tickets_channel_check CHECK (channel IN
        ('phone', 'mailbox', 'sms', 'app', 'wechat', 'weibo', 'web', 'email')),
    ADD CONSTRAINT tickets_type_check CHECK (type IN
        ('consult', 'help', 'suggest', 'complain', 'report', 'criticise', 'other')),
    ADD COLUMN pack_name      text NOT NULL DEFAULT '',
    ADD COLUMN pack_version   text NOT NULL DEFAULT '',
    ADD COLUMN pack_hash      text NOT NULL DEFAULT '',
    ADD COLUMN lane           text NOT NULL DEFAULT 'ordinary'
        CHECK (lane IN ('ordinary', 'staff_complaint', 'retaliation')),
    ADD COLUMN domain         text NOT NULL DEFAULT '',
    ADD COLUMN region         text NOT NULL DEFAULT '',
    ADD COLUMN matter         text NOT NULL DEFAULT 'ordinary'
        CHECK (matter IN ('ordinary', 'utility', 'disaster', 'danger')),
    ADD COLUMN contact        uuid,
    ADD COLUMN message        text,
    ADD COLUMN former         uuid REFERENCES hotline.tickets (id),
    ADD COLUMN is_reachable   boolean NOT NULL DEFAULT true,
    ADD COLUMN is_truth_notice_given boolean NOT NULL DEFAULT false,
    ADD COLUMN staff          text,
    ADD COLUMN dispatch_count integer NOT NULL DEFAULT 0,
    ADD COLUMN round          integer NOT NULL DEFAULT 1,
    ADD COLUMN redo_count     integer NOT NULL DEFAULT 0,
    ADD COLUMN escalation     integer NOT NULL DEFAULT 0,
    ADD COLUMN decided_unit   text,
    ADD COLUMN reply_due_at   timestamptz,
    ADD COLUMN completion_due_at timestamptz,
    ADD COLUMN closed_at      timestamptz,
    ADD COLUMN accused_units  text[] NOT NULL DEFAULT '{}',
    ADD COLUMN accused_people text[] NOT NULL DEFAULT '{}',
    ADD COLUMN recused_units  text[] NOT NULL DEFAULT '{}',
    ADD COLUMN recused_users  uuid[] NOT NULL DEFAULT '{}',
    ADD COLUMN urge_count     integer NOT NULL DEFAULT 0,
    ADD COLUMN is_supervised  boolean NOT NULL DEFAULT false,
    ADD COLUMN is_withheld    boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT tickets_pack_is_whole CHECK
        ((pack_name = '') = (pack_version = '') AND (pack_name = '') = (pack_hash = ''));
COMMENT ON COLUMN hotline.tickets.pack_hash IS
    'which text of which law the ticket lives under for good; empty: from before packs, the first move adopts one';
COMMENT ON COLUMN hotline.tickets.contact IS 'of several demands of one contact: the id of the ticket they were split from';
COMMENT ON COLUMN hotline.tickets.message IS 'the channel''s own id of what came in';
COMMENT ON COLUMN hotline.tickets.is_withheld IS 'the texts touched a secret and were removed';
CREATE UNIQUE INDEX tickets_by_message ON hotline.tickets (channel, message)
    WHERE message IS NOT NULL;
CREATE INDEX tickets_open ON hotline.tickets (state, reply_due_at)
    WHERE state NOT IN ('closed', 'archived', 'answered');
CREATE INDEX tickets_by_contact ON hotline.tickets (contact) WHERE contact IS NOT NULL;
CREATE INDEX tickets_by_former ON hotline.tickets (former) WHERE former IS NOT NULL;

-- The text of each pack that a ticket began under: the law of an old ticket survives its file.
CREATE TABLE hotline.packs (
    name    text NOT NULL,
    version text NOT NULL,
    hash    text NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$'),
    text    text NOT NULL,
    PRIMARY KEY (name, version)
);
GRANT SELECT, INSERT ON hotline.packs TO hotline_web;

CREATE TABLE hotline.assignments (
    id                uuid PRIMARY KEY,
    ticket_id         uuid NOT NULL REFERENCES hotline.tickets (id),
    unit              text NOT NULL,
    part              text NOT NULL CHECK (part IN
        ('single', 'lead', 'assist', 'separate', 'child')),
    state             text NOT NULL CHECK (state IN ('sent', 'signed', 'return_asked', 'end_asked',
        'fed_back', 'accepted', 'returned', 'withdrawn', 'terminated', 'stopped', 'past')),
    parent            uuid REFERENCES hotline.assignments (id),
    round             integer NOT NULL,
    is_designated     boolean NOT NULL,
    dispatched_at     timestamptz NOT NULL,
    dispatched_by     uuid NOT NULL REFERENCES hotline.users (id),
    sign_due_at       timestamptz,
    contact_due_at    timestamptz,
    feedback_due_at   timestamptz,
    completion_due_at timestamptz,
    completion_basis  text NOT NULL CHECK (completion_basis IN ('', 'statutory', 'promised')),
    signed_at         timestamptz,
    contact_tries     integer NOT NULL,
    contacted_at      timestamptz,
    interim_at        timestamptz,
    fed_back_at       timestamptz,
    caller_told_at    timestamptz,
    outcome           text CHECK (outcome IN ('done', 'rejected', 'explained')),
    reply             text NOT NULL
);
CREATE INDEX assignments_of_ticket ON hotline.assignments (ticket_id);
CREATE INDEX assignments_of_unit ON hotline.assignments (unit, state, feedback_due_at);
CREATE INDEX assignments_by_parent ON hotline.assignments (parent) WHERE parent IS NOT NULL;

-- What a unit asks of the centre.
CREATE TABLE hotline.unit_requests (
    id          uuid PRIMARY KEY,
    ticket_id   uuid NOT NULL REFERENCES hotline.tickets (id),
    assignment  uuid NOT NULL REFERENCES hotline.assignments (id),
    kind        text NOT NULL CHECK (kind IN ('return', 'extension', 'termination')),
    state       text NOT NULL CHECK (state IN ('asked', 'granted', 'in_force', 'refused')),
    ground      text NOT NULL,
    reason      text NOT NULL,
    basis       text NOT NULL,
    asked_at    timestamptz NOT NULL,
    asked_by    uuid NOT NULL REFERENCES hotline.users (id),
    new_due_at  timestamptz,
    decided_at  timestamptz,
    decided_by  uuid REFERENCES hotline.users (id),
    decision    text NOT NULL,
    told_at     timestamptz
);
CREATE INDEX unit_requests_of_ticket ON hotline.unit_requests (ticket_id);
CREATE INDEX unit_requests_to_decide ON hotline.unit_requests (kind, asked_at)
    WHERE state = 'asked';

CREATE TABLE hotline.follow_ups (
    ticket_id          uuid NOT NULL REFERENCES hotline.tickets (id),
    number             integer NOT NULL,
    round              integer NOT NULL,
    channel            text NOT NULL CHECK (channel IN ('agent', 'sms', 'robot')),
    at                 timestamptz NOT NULL,
    by                 uuid NOT NULL REFERENCES hotline.users (id),
    is_reached         boolean NOT NULL,
    is_solved          boolean,
    is_satisfied       boolean,
    reason             text NOT NULL,
    is_reasonable      boolean,
    is_lawful          boolean,
    is_unhandled       boolean,
    is_handling_faulty boolean,
    PRIMARY KEY (ticket_id, number)
);

CREATE TABLE hotline.explanations (
    ticket_id   uuid NOT NULL REFERENCES hotline.tickets (id),
    number      integer NOT NULL,
    ground      text NOT NULL,
    question    text NOT NULL,
    asked_at    timestamptz NOT NULL,
    answer      text NOT NULL,
    answered_at timestamptz,
    answered_by uuid REFERENCES hotline.users (id),
    PRIMARY KEY (ticket_id, number)
);

CREATE TABLE hotline.consults (
    ticket_id   uuid NOT NULL REFERENCES hotline.tickets (id),
    number      integer NOT NULL,
    unit        text NOT NULL,
    question    text NOT NULL,
    asked_at    timestamptz NOT NULL,
    answer      text NOT NULL,
    answered_at timestamptz,
    PRIMARY KEY (ticket_id, number)
);
CREATE INDEX consults_of_unit ON hotline.consults (unit) WHERE answered_at IS NULL;

-- Records on which no later move depends. ``version`` is that of the move that wrote them.
CREATE TABLE hotline.contact_attempts (
    ticket_id  uuid NOT NULL REFERENCES hotline.tickets (id),
    version    integer NOT NULL,
    assignment uuid NOT NULL REFERENCES hotline.assignments (id),
    tried_at   timestamptz NOT NULL,
    by         uuid NOT NULL REFERENCES hotline.users (id),
    is_reached boolean NOT NULL,
    result     text NOT NULL,
    call       text,
    PRIMARY KEY (ticket_id, version)
);
COMMENT ON COLUMN hotline.contact_attempts.call IS
    'the call through the platform: its time, ringing and recording prove the attempt';

CREATE TABLE hotline.refusals (
    ticket_id uuid NOT NULL REFERENCES hotline.tickets (id),
    version   integer NOT NULL,
    kind      text NOT NULL CHECK (kind IN ('not_accepted', 'not_registered', 'repeat')),
    reason    text NOT NULL,
    told      text NOT NULL,
    told_at   timestamptz NOT NULL,
    refer_to  text NOT NULL,
    article   text NOT NULL,
    by        uuid NOT NULL REFERENCES hotline.users (id),
    PRIMARY KEY (ticket_id, version)
);
CREATE INDEX refusals_by_time ON hotline.refusals (told_at);

CREATE TABLE hotline.ratings (
    ticket_id uuid NOT NULL REFERENCES hotline.tickets (id),
    version   integer NOT NULL,
    at        timestamptz NOT NULL,
    by        text NOT NULL,
    stars     integer NOT NULL CHECK (stars BETWEEN 1 AND 5),
    reasons   text[] NOT NULL,
    text      text NOT NULL,
    PRIMARY KEY (ticket_id, version)
);

CREATE TABLE hotline.attachments (
    id          uuid PRIMARY KEY,
    ticket_id   uuid NOT NULL REFERENCES hotline.tickets (id),
    assignment  uuid REFERENCES hotline.assignments (id),
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    media_type  text NOT NULL CHECK (media_type ~ '^[a-z]+/[a-z0-9.+-]+$'),
    size_bytes  bigint NOT NULL CHECK (size_bytes >= 0),
    sha256      text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    added_at    timestamptz NOT NULL,
    added_by    text NOT NULL
);
CREATE INDEX attachments_of_ticket ON hotline.attachments (ticket_id);

-- The organisation, as it was on each day: a change is a new row, the old one gets its end.
CREATE TABLE hotline.units (
    id                text NOT NULL CHECK (id ~ '^[a-z][a-z0-9_]*([.][a-z0-9_]+)*$'),
    valid_from        timestamptz NOT NULL,
    valid_to          timestamptz NOT NULL DEFAULT 'infinity',
    name              text NOT NULL CHECK (name <> ''),
    parent            text,
    level             text NOT NULL CHECK (level IN ('city', 'county', 'township', 'unit')),
    kind              text NOT NULL CHECK (kind IN
        ('department', 'local', 'centre', 'utility', 'body')),
    regions           text[] NOT NULL DEFAULT '{}',
    duties            jsonb NOT NULL DEFAULT '[]',
    first_responsible text NOT NULL DEFAULT '',
    handlers          text[] NOT NULL DEFAULT '{}',
    duty_phone        text NOT NULL DEFAULT '',
    working_hours     text NOT NULL DEFAULT '',
    PRIMARY KEY (id, valid_from),
    CHECK (valid_from < valid_to)
);
CREATE UNIQUE INDEX units_current ON hotline.units (id) WHERE valid_to = 'infinity';

CREATE TABLE hotline.shifts (
    unit      text NOT NULL,
    begins_at timestamptz NOT NULL,
    ends_at   timestamptz NOT NULL,
    person    text NOT NULL CHECK (person <> ''),
    phone     text NOT NULL CHECK (phone <> ''),
    PRIMARY KEY (unit, begins_at, person),
    CHECK (begins_at < ends_at)
);
CREATE INDEX shifts_by_end ON hotline.shifts (ends_at);

-- What falls due. Made by each move from the ticket's new facts; a fired one is never made again.
CREATE TABLE hotline.timers (
    ticket_id uuid NOT NULL REFERENCES hotline.tickets (id),
    kind      text NOT NULL,
    subject   text NOT NULL DEFAULT '',
    due_at    timestamptz NOT NULL,
    fired_at  timestamptz,
    PRIMARY KEY (ticket_id, kind, subject, due_at)
);
COMMENT ON COLUMN hotline.timers.subject IS 'an assignment''s id, a request''s, or a number';
CREATE INDEX timers_due ON hotline.timers (due_at) WHERE fired_at IS NULL;
CREATE INDEX timers_waiting ON hotline.timers (ticket_id, due_at) WHERE fired_at IS NULL;

ALTER TABLE hotline.ledger
    ADD COLUMN entered_at timestamptz NOT NULL DEFAULT clock_timestamp();
COMMENT ON COLUMN hotline.ledger.entered_at IS
    'when it came into the database, not hashed: which seal covers it (tickets/seals.py)';
CREATE INDEX ledger_by_entry ON hotline.ledger (entered_at);

ALTER TABLE hotline.users
    DROP CONSTRAINT users_role_check,
    ADD CONSTRAINT users_role_check CHECK (role IN ('agent', 'leader', 'admin', 'dispatcher',
        'reviewer', 'follow_up', 'supervisor', 'head', 'unit')),
    ADD COLUMN unit text,
    ADD CONSTRAINT users_unit_check CHECK ((role = 'unit') = (unit IS NOT NULL));

-- A text that touched a secret is taken out for good (R034); nothing else can change a ticket's texts.
CREATE FUNCTION hotline.withhold_texts(ticket uuid, said_instead text) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    UPDATE hotline.tickets
    SET title = said_instead, content = said_instead, demand = said_instead, place = '',
        occurred = '', draft = '{}', is_withheld = true
    WHERE id = ticket;
    DELETE FROM hotline.ticket_corrections WHERE ticket_id = ticket;
$$;
GRANT EXECUTE ON FUNCTION hotline.withhold_texts TO hotline_web;

GRANT UPDATE (version, state, pack_name, pack_version, pack_hash, type, domain, region, urgency,
    matter, confidential, wants_reply, dispatch_count, round, redo_count, escalation, decided_unit,
    reply_due_at, completion_due_at, closed_at, accused_units, accused_people, recused_units,
    recused_users, urge_count, is_supervised) ON hotline.tickets TO hotline_web;
GRANT SELECT, INSERT, UPDATE ON hotline.assignments, hotline.unit_requests, hotline.explanations,
    hotline.consults, hotline.timers TO hotline_web;
GRANT DELETE ON hotline.timers TO hotline_web;
GRANT SELECT, INSERT ON hotline.follow_ups, hotline.contact_attempts, hotline.refusals,
    hotline.ratings, hotline.attachments TO hotline_web;
GRANT SELECT ON hotline.units, hotline.shifts TO hotline_web;
