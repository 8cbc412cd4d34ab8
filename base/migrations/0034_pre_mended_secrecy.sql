-- Texts of a ticket can be corrected: a caller's own name taken out before a unit reads it, a text that
-- a wrong refusal had removed written anew. What they were stays beside the ticket, where a secret can
-- still be erased; the ledger binds the new ones by their hash. Units read texts by a function that
-- takes the caller's name and numbers out of a confidential ticket's.

CREATE TABLE hotline.former_texts (
    ticket_id  uuid NOT NULL REFERENCES hotline.tickets (id),
    version    integer NOT NULL,
    changed_at timestamptz NOT NULL,
    changed_by uuid NOT NULL REFERENCES hotline.users (id),
    title      text NOT NULL,
    content    text NOT NULL,
    demand     text NOT NULL,
    place      text NOT NULL,
    occurred   text NOT NULL,
    PRIMARY KEY (ticket_id, version)
);
COMMENT ON TABLE hotline.former_texts IS 'what a ticket''s texts were before each amendment';
GRANT SELECT ON hotline.former_texts TO hotline_web;
ALTER TABLE hotline.former_texts ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_centre ON hotline.former_texts TO hotline_web
    USING (EXISTS (SELECT FROM hotline.tickets WHERE tickets.id = ticket_id));

CREATE FUNCTION hotline.amend_texts(ticket uuid, at_version integer, said jsonb, who uuid,
        at timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    INSERT INTO hotline.former_texts
    SELECT t.id, at_version, at, who, t.title, t.content, t.demand, t.place, t.occurred
    FROM hotline.tickets t WHERE t.id = ticket;
    UPDATE hotline.tickets t
    SET title = coalesce(said->>'title', t.title),
        content = coalesce(said->>'content', t.content),
        demand = coalesce(said->>'demand', t.demand),
        place = coalesce(said->>'place', t.place),
        occurred = coalesce(said->>'occurred', t.occurred),
        caller_name = coalesce(said->>'caller_name', t.caller_name),
        contact_number = coalesce(said->>'contact_number', t.contact_number),
        is_reachable = btrim(coalesce(said->>'caller_name', t.caller_name)) <> ''
            AND (coalesce(said->>'contact_number', t.contact_number) <> ''
                OR t.caller_number <> ''),
        is_withheld = t.is_withheld AND NOT said ? 'demand'
    WHERE t.id = ticket;
END $$;
GRANT EXECUTE ON FUNCTION hotline.amend_texts TO hotline_web;

CREATE OR REPLACE FUNCTION hotline.withhold_texts(ticket uuid, said_instead text) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    UPDATE hotline.tickets
    SET title = said_instead, content = said_instead, demand = said_instead, place = '',
        occurred = '', draft = '{}', is_withheld = true
    WHERE id = ticket;
    DELETE FROM hotline.ticket_corrections WHERE ticket_id = ticket;
    DELETE FROM hotline.former_texts WHERE ticket_id = ticket;
$$;

CREATE FUNCTION hotline.without_caller(said text, name text, numbers text[]) RETURNS text
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog AS $$
DECLARE
    each text;
BEGIN
    IF length(btrim(name)) > 1 THEN
        said := replace(said, btrim(name), repeat('*', length(btrim(name))));
    END IF;
    FOREACH each IN ARRAY numbers LOOP
        IF length(each) > 4 THEN
            -- However its digits are spaced.
            said := regexp_replace(said, regexp_replace(ltrim(each, '+'), '(?<=\d)(?=\d)', '[\s-]?', 'g'),
                '****', 'g');
        END IF;
    END LOOP;
    RETURN said;
END $$;
-- What a unit is told, by its page or its own system.
CREATE FUNCTION hotline.told_texts(ticket uuid) RETURNS TABLE (number text, title text, content text,
        demand text, place text, occurred text, topic text, channel text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    t hotline.tickets;
    name text := '';
    numbers text[] := '{}';
BEGIN
    SELECT * INTO STRICT t FROM hotline.tickets WHERE id = ticket;
    IF t.confidential THEN
        name := t.caller_name;
        numbers := ARRAY[t.caller_number, t.contact_number];
    END IF;
    RETURN QUERY SELECT t.number, hotline.without_caller(t.title, name, numbers),
        hotline.without_caller(t.content, name, numbers),
        hotline.without_caller(t.demand, name, numbers),
        hotline.without_caller(t.place, name, numbers),
        hotline.without_caller(t.occurred, name, numbers), t.topic, t.channel;
END $$;
GRANT EXECUTE ON FUNCTION hotline.told_texts TO hotline_web;
CREATE FUNCTION hotline.unit_texts(ticket uuid) RETURNS TABLE (number text, title text, content text,
        demand text, place text, occurred text, topic text, channel text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    IF hotline.is_seen_by_unit(ticket) THEN
        RETURN QUERY SELECT * FROM hotline.told_texts(ticket);
    END IF;
END $$;
GRANT EXECUTE ON FUNCTION hotline.unit_texts TO hotline_unit;

-- ---- who is complained of; who was asked ---------------------------------------------------------

-- The head sees complaints about staff, so that one about the only supervisor is somebody's.
ALTER POLICY of_centre ON hotline.tickets
    USING (lane = 'ordinary' OR current_setting('hotline.locked_lanes', true) IN ('open', lane));

-- A unit that was consulted is done with the ticket once it is dispatched. In the two long functions of
-- pages one condition each changes: what they find beyond the policy above is not among the lines.
CREATE OR REPLACE FUNCTION hotline.is_seen_by_unit(ticket uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    me text := hotline.session_unit();
    person uuid := hotline.session_user_id();
BEGIN
    RETURN me IS NOT NULL AND EXISTS (
        SELECT FROM hotline.tickets t
        WHERE t.id = ticket AND t.lane = 'ordinary'
            AND me <> ALL (t.accused_units) AND me <> ALL (t.recused_units)
            AND person <> ALL (t.recused_users)
            AND (EXISTS (SELECT FROM hotline.assignments a
                    WHERE a.ticket_id = ticket AND a.unit = me
                        AND a.state NOT IN ('returned', 'withdrawn', 'past'))
                OR t.state IN ('to_dispatch', 'under_study')
                    AND EXISTS (SELECT FROM hotline.consults c
                        WHERE c.ticket_id = ticket AND c.unit = me)));
END $$;
DO $$ BEGIN
    -- A unit finds by words what it may read: a search must not tell who a confidential caller is.
    EXECUTE replace(replace(pg_get_functiondef('hotline.page_of_unit'::regproc),
        'WHERE c.unit = me AND', 'WHERE c.unit = me AND t.state IN (''to_dispatch'', ''under_study'') AND'),
        't.title ILIKE sought', 'CASE WHEN t.confidential THEN (SELECT u.title FROM hotline.told_texts(t.id) u)'
        ' ELSE t.title END ILIKE sought');
    EXECUTE replace(pg_get_functiondef('hotline.page_of_centre'::regproc),
        '= ''open'', false)', 'IN (''open'', ''staff_complaint''), false)');
END $$;
