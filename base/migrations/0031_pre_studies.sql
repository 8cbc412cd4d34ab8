-- What is about more than one ticket, or about others than the caller: outages that utilities tell the
-- centre of (R061), special studies of clusters (R062), third parties of a dispute (R063).

CREATE TABLE hotline.outages (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    unit       text NOT NULL,
    topic      text NOT NULL CHECK (topic <> ''),
    regions    text[] NOT NULL,
    what       text NOT NULL CHECK (what <> ''),
    begins_at  timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL,
    entered_at timestamptz NOT NULL,
    entered_by uuid NOT NULL REFERENCES hotline.users (id),
    CHECK (begins_at < ends_at)
);
COMMENT ON COLUMN hotline.outages.ends_at IS 'as expected; moved when it ends otherwise';
CREATE INDEX outages_by_end ON hotline.outages (ends_at);
GRANT SELECT, INSERT, UPDATE (what, ends_at) ON hotline.outages TO hotline_web;

CREATE TABLE hotline.studies (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    unit        text NOT NULL,
    topic       text NOT NULL,
    reason      text NOT NULL CHECK (reason <> ''),
    article     text NOT NULL,
    opened_at   timestamptz NOT NULL,
    opened_by   uuid NOT NULL REFERENCES hotline.users (id),
    measures    text NOT NULL DEFAULT '',
    lasting     text NOT NULL DEFAULT '',
    measured_at timestamptz,
    measured_by uuid REFERENCES hotline.users (id),
    report      text NOT NULL DEFAULT '',
    reported_to text NOT NULL DEFAULT '',
    reported_at timestamptz,
    reported_by uuid REFERENCES hotline.users (id)
);
CREATE INDEX studies_of_unit ON hotline.studies (unit, opened_at);
CREATE TABLE hotline.study_tickets (
    study     bigint NOT NULL REFERENCES hotline.studies (id),
    ticket_id uuid NOT NULL REFERENCES hotline.tickets (id),
    PRIMARY KEY (study, ticket_id)
);
CREATE INDEX study_tickets_by_ticket ON hotline.study_tickets (ticket_id);
GRANT SELECT, INSERT ON hotline.studies, hotline.study_tickets TO hotline_web;
GRANT UPDATE (measures, lasting, measured_at, measured_by, report, reported_to, reported_at,
    reported_by) ON hotline.studies TO hotline_web;

CREATE TABLE hotline.parties (
    ticket_id uuid NOT NULL REFERENCES hotline.tickets (id),
    name      text NOT NULL CHECK (name <> ''),
    number    text NOT NULL,
    named_at  timestamptz NOT NULL,
    named_by  uuid NOT NULL REFERENCES hotline.users (id),
    PRIMARY KEY (ticket_id, name)
);
COMMENT ON TABLE hotline.parties IS
    'others whom a dispute is about; what the caller is told does not name them';
GRANT SELECT, INSERT ON hotline.parties TO hotline_web;
