-- Replies that may not be what happened (R069); and grass-roots bodies, which assist with a limited
-- view (R064): they see what is to be done and where, and nothing of who called, of files, or of what
-- the caller wants explained.

CREATE TABLE hotline.reply_doubts (
    ticket_id  uuid NOT NULL REFERENCES hotline.tickets (id),
    number     integer NOT NULL,
    assignment uuid NOT NULL REFERENCES hotline.assignments (id),
    ground     text NOT NULL CHECK (ground IN
        ('follow_up_differs', 'contact_unproved', 'copied', 'evidence_differs', 'other')),
    note       text NOT NULL,
    raised_at  timestamptz NOT NULL,
    raised_by  uuid NOT NULL REFERENCES hotline.users (id),
    is_false   boolean,
    finding    text NOT NULL,
    settled_at timestamptz,
    settled_by uuid REFERENCES hotline.users (id),
    PRIMARY KEY (ticket_id, number)
);
CREATE INDEX reply_doubts_open ON hotline.reply_doubts (raised_at) WHERE settled_at IS NULL;
GRANT SELECT, INSERT ON hotline.reply_doubts TO hotline_web;
GRANT UPDATE (is_false, finding, settled_at, settled_by) ON hotline.reply_doubts TO hotline_web;

CREATE FUNCTION hotline.session_is_body() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT EXISTS (
        SELECT FROM hotline.units
        WHERE units.id = hotline.session_unit() AND units.kind = 'body'
            AND units.valid_from <= now() AND now() < units.valid_to)
$$;
GRANT EXECUTE ON FUNCTION hotline.session_is_body TO hotline_unit;

-- Of what the session's unit may see, what stands nearer to the caller.
CREATE FUNCTION hotline.is_seen_closely(ticket uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT hotline.is_seen_by_unit(ticket) AND NOT hotline.session_is_body()
$$;
GRANT EXECUTE ON FUNCTION hotline.is_seen_closely TO hotline_unit;

ALTER POLICY of_unit ON hotline.explanations USING (hotline.is_seen_closely(ticket_id));
-- As before, but that a body is shown no file of the caller's or the centre's.
ALTER POLICY of_unit ON hotline.attachments
    USING (withdrawn_at IS NULL AND hotline.is_seen_by_unit(ticket_id)
        AND CASE WHEN assignment IS NULL
            THEN NOT hotline.session_is_body()
                AND (is_for_units OR EXISTS (SELECT FROM hotline.tickets
                    WHERE tickets.id = ticket_id AND NOT tickets.confidential))
            ELSE EXISTS (SELECT FROM hotline.assignments WHERE assignments.id = assignment) END);

CREATE OR REPLACE FUNCTION hotline.caller_of(ticket uuid) RETURNS TABLE (name text, number text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT regexp_replace(caller_name, '(?<=.).', '*', 'g'),
        regexp_replace(coalesce(nullif(contact_number, ''), caller_number),
            '^(.{0,3}).*?(.{0,4})$', '\1****\2')
    FROM hotline.tickets
    WHERE id = ticket AND NOT confidential AND hotline.is_seen_closely(ticket)
$$;
CREATE OR REPLACE FUNCTION hotline.reveal_caller(ticket uuid, why text)
    RETURNS TABLE (name text, number text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    IF btrim(coalesce(why, '')) = '' THEN
        RAISE EXCEPTION 'a reveal needs its reason' USING ERRCODE = 'check_violation';
    END IF;
    IF NOT hotline.is_seen_closely(ticket)
        OR (SELECT confidential FROM hotline.tickets WHERE id = ticket)
    THEN
        RAISE EXCEPTION 'not to be seen' USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO hotline.access_log (user_id, unit, ticket_id, act, fields, reason)
    VALUES (hotline.session_user_id(), hotline.session_unit(), ticket, 'reveal',
        '{caller_name,contact_number}', why);
    RETURN QUERY SELECT caller_name, coalesce(nullif(contact_number, ''), caller_number)
        FROM hotline.tickets WHERE id = ticket;
END $$;
