-- Tickets that are about an event, the unit that keeps its facts up to date, and what it told. A telling
-- is never changed.

ALTER TABLE hotline.events ADD COLUMN unit text;
COMMENT ON COLUMN hotline.events.unit IS 'who must keep the facts up to date';

CREATE TABLE hotline.event_tickets (
    event_id  bigint NOT NULL REFERENCES hotline.events (id),
    ticket_id uuid NOT NULL REFERENCES hotline.tickets (id),
    tagged_by text NOT NULL,
    tagged_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (event_id, ticket_id)
);
COMMENT ON TABLE hotline.event_tickets IS 'beside those of tagged calls';

CREATE TABLE hotline.event_updates (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id bigint NOT NULL REFERENCES hotline.events (id),
    text     text NOT NULL CHECK (length(text) BETWEEN 1 AND 2000),
    unit     text,
    told_by  uuid NOT NULL REFERENCES hotline.users (id),
    told_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN hotline.event_updates.unit IS 'for whom the teller spoke; null: a leader';
CREATE INDEX event_updates_by_event ON hotline.event_updates (event_id, id DESC);

GRANT SELECT, INSERT ON hotline.event_tickets TO hotline_web;
GRANT SELECT, INSERT (event_id, text, unit, told_by) ON hotline.event_updates TO hotline_web;
