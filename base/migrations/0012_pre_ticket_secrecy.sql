-- What a role may not see does not leave the database. ``hotline_unit`` is the login for what a unit
-- is shown: rows of its own tickets, without the caller, and nothing of a demand that accuses it. Who
-- asks is known by the session's token, which the database checks itself: whoever has that login and
-- no token sees nothing, and with one token not what is another unit's.

GRANT USAGE ON SCHEMA hotline TO hotline_unit;

CREATE TABLE hotline.access_log (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    login     text NOT NULL DEFAULT session_user,
    user_id   uuid NOT NULL,
    unit      text,
    ticket_id uuid NOT NULL REFERENCES hotline.tickets (id),
    act       text NOT NULL CHECK (act IN ('view', 'reveal', 'export')),
    fields    text[] NOT NULL,
    reason    text NOT NULL,
    CHECK (act = 'view' OR reason <> '')
);
COMMENT ON TABLE hotline.access_log IS 'who saw what of which ticket, when and why (R111, R114)';
CREATE INDEX access_log_of_ticket ON hotline.access_log (ticket_id, at);
CREATE INDEX access_log_of_user ON hotline.access_log (user_id, at);
CREATE FUNCTION hotline.refuse_access_log_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    RAISE EXCEPTION 'the access log is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER access_log_is_append_only BEFORE UPDATE OR DELETE ON hotline.access_log
    FOR EACH ROW EXECUTE FUNCTION hotline.refuse_access_log_change();
CREATE TRIGGER access_log_is_not_emptied BEFORE TRUNCATE ON hotline.access_log
    FOR EACH STATEMENT EXECUTE FUNCTION hotline.refuse_access_log_change();
GRANT SELECT ON hotline.access_log TO hotline_web;
GRANT INSERT (user_id, unit, ticket_id, act, fields, reason) ON hotline.access_log TO hotline_web;

-- ---- who asks -----------------------------------------------------------------------------------

CREATE FUNCTION hotline.session_unit() RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT users.unit FROM hotline.sessions JOIN hotline.users ON users.id = sessions.user_id
    WHERE sessions.token_hash = sha256(convert_to(current_setting('hotline.session', true), 'UTF8'))
        AND sessions.expires_at > now() AND users.is_active
$$;
CREATE FUNCTION hotline.session_user_id() RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT users.id FROM hotline.sessions JOIN hotline.users ON users.id = sessions.user_id
    WHERE sessions.token_hash = sha256(convert_to(current_setting('hotline.session', true), 'UTF8'))
        AND sessions.expires_at > now() AND users.is_active
$$;

-- The one answer to "may this unit see this ticket", as TicketFacts.is_seen_by gives it in code.
CREATE FUNCTION hotline.is_seen_by_unit(ticket uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT EXISTS (
        SELECT FROM hotline.tickets
        WHERE tickets.id = ticket
            AND tickets.lane = 'ordinary'
            AND NOT hotline.session_unit() = ANY (tickets.accused_units)
            AND NOT hotline.session_unit() = ANY (tickets.recused_units)
            AND NOT hotline.session_user_id() = ANY (tickets.recused_users)
            AND (EXISTS (
                    SELECT FROM hotline.assignments
                    WHERE assignments.ticket_id = ticket
                        AND assignments.unit = hotline.session_unit()
                        AND assignments.state NOT IN ('returned', 'withdrawn', 'past'))
                OR EXISTS (
                    SELECT FROM hotline.consults
                    WHERE consults.ticket_id = ticket
                        AND consults.unit = hotline.session_unit())))
$$;
CREATE FUNCTION hotline.leads(assignment uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT EXISTS (
        SELECT FROM hotline.assignments
        WHERE assignments.id = assignment AND assignments.unit = hotline.session_unit())
$$;

-- ---- the caller ---------------------------------------------------------------------------------

-- What a unit is shown of who called: masked; of a confidential ticket nothing at all.
CREATE FUNCTION hotline.caller_of(ticket uuid) RETURNS TABLE (name text, number text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT regexp_replace(caller_name, '(?<=.).', '*', 'g'),
        regexp_replace(coalesce(nullif(contact_number, ''), caller_number),
            '^(.{0,3}).*?(.{0,4})$', '\1****\2')
    FROM hotline.tickets
    WHERE id = ticket AND NOT confidential AND hotline.is_seen_by_unit(ticket)
$$;
-- In clear, with a reason, and logged; never of a confidential ticket.
CREATE FUNCTION hotline.reveal_caller(ticket uuid, why text)
    RETURNS TABLE (name text, number text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    IF btrim(coalesce(why, '')) = '' THEN
        RAISE EXCEPTION 'a reveal needs its reason' USING ERRCODE = 'check_violation';
    END IF;
    IF NOT hotline.is_seen_by_unit(ticket)
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
GRANT EXECUTE ON FUNCTION hotline.session_unit, hotline.session_user_id, hotline.is_seen_by_unit,
    hotline.leads, hotline.caller_of, hotline.reveal_caller TO hotline_unit;

-- ---- columns and rows ---------------------------------------------------------------------------

-- Not: who called, from where, the draft; who is accused or stepped back; who entered it.
GRANT SELECT (id, number, channel, type, topic, domain, region, matter, title, content, demand,
    place, occurred, urgency, wants_reply, confidential, state, created_at, version, round,
    reply_due_at, completion_due_at, closed_at, urge_count, is_supervised, pack_name, pack_version)
    ON hotline.tickets TO hotline_unit;
GRANT SELECT ON hotline.assignments, hotline.unit_requests, hotline.consults, hotline.explanations,
    hotline.attachments TO hotline_unit;
GRANT SELECT (ticket_id, seq, at, action) ON hotline.ledger TO hotline_unit;
GRANT SELECT (id, valid_from, valid_to, name, parent, level, kind, regions, duties, duty_phone,
    working_hours) ON hotline.units TO hotline_unit;

ALTER TABLE hotline.tickets ENABLE ROW LEVEL SECURITY;
ALTER TABLE hotline.assignments ENABLE ROW LEVEL SECURITY;
ALTER TABLE hotline.unit_requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE hotline.consults ENABLE ROW LEVEL SECURITY;
ALTER TABLE hotline.explanations ENABLE ROW LEVEL SECURITY;
ALTER TABLE hotline.attachments ENABLE ROW LEVEL SECURITY;
ALTER TABLE hotline.ledger ENABLE ROW LEVEL SECURITY;

CREATE POLICY of_unit ON hotline.tickets FOR SELECT TO hotline_unit
    USING (hotline.is_seen_by_unit(id));
-- Its own, and those that work for it; of a ticket that it may see.
CREATE POLICY of_unit ON hotline.assignments FOR SELECT TO hotline_unit
    USING ((unit = (SELECT hotline.session_unit()) OR hotline.leads(parent))
        AND hotline.is_seen_by_unit(ticket_id));
CREATE POLICY of_unit ON hotline.unit_requests FOR SELECT TO hotline_unit
    USING (hotline.leads(assignment) AND hotline.is_seen_by_unit(ticket_id));
CREATE POLICY of_unit ON hotline.consults FOR SELECT TO hotline_unit
    USING (unit = (SELECT hotline.session_unit()) AND hotline.is_seen_by_unit(ticket_id));
CREATE POLICY of_unit ON hotline.explanations FOR SELECT TO hotline_unit
    USING (hotline.is_seen_by_unit(ticket_id));
CREATE POLICY of_unit ON hotline.attachments FOR SELECT TO hotline_unit
    USING (hotline.is_seen_by_unit(ticket_id));
CREATE POLICY of_unit ON hotline.ledger FOR SELECT TO hotline_unit
    USING (hotline.is_seen_by_unit(ticket_id));

-- The centre sees all but the locked lanes. Those open only to a transaction that says so, which the
-- program does for supervision and timers: a query that forgets to ask finds nothing.
CREATE POLICY of_centre ON hotline.tickets TO hotline_web
    USING (lane = 'ordinary' OR current_setting('hotline.locked_lanes', true) = 'open')
    WITH CHECK (true);
CREATE POLICY of_centre ON hotline.ledger TO hotline_web
    USING (EXISTS (SELECT FROM hotline.tickets WHERE tickets.id = ticket_id)) WITH CHECK (true);
CREATE POLICY of_centre ON hotline.attachments TO hotline_web
    USING (EXISTS (SELECT FROM hotline.tickets WHERE tickets.id = ticket_id)) WITH CHECK (true);
CREATE POLICY of_centre ON hotline.explanations TO hotline_web USING (true);
CREATE POLICY of_centre ON hotline.assignments TO hotline_web USING (true);
CREATE POLICY of_centre ON hotline.unit_requests TO hotline_web USING (true);
CREATE POLICY of_centre ON hotline.consults TO hotline_web USING (true);
CREATE POLICY of_bridge ON hotline.tickets FOR SELECT TO hotline_bridge USING (lane = 'ordinary');
