-- Pages of the ticket lists at a million tickets: what a list is narrowed by finds its rows by an index
-- that is in the list's own order, and words are found by their pairs of characters.
--
-- The lists are asked for by functions of the owner, because row-level security forbids an index to
-- every operator that is not leakproof (LIKE, @>, <), and asks hotline.is_seen_by_unit of each row
-- that is passed over. A function gives numbers alone, only such as its caller may see; the lines are
-- then read under the policies as before.

CREATE INDEX tickets_by_state ON hotline.tickets (state, number);
CREATE INDEX tickets_by_type ON hotline.tickets (type, number);

-- ---- a unit's tickets in order ------------------------------------------------------------------

ALTER TABLE hotline.assignments ADD COLUMN number text NOT NULL DEFAULT '';
COMMENT ON COLUMN hotline.assignments.number IS 'the ticket''s, so that a unit''s list has an order';
UPDATE hotline.assignments SET number = tickets.number
FROM hotline.tickets WHERE tickets.id = assignments.ticket_id;
CREATE FUNCTION hotline.number_assignment() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    NEW.number := (SELECT number FROM hotline.tickets WHERE id = NEW.ticket_id);
    RETURN NEW;
END $$;
CREATE TRIGGER assignments_have_a_number BEFORE INSERT ON hotline.assignments
    FOR EACH ROW EXECUTE FUNCTION hotline.number_assignment();
CREATE INDEX assignments_in_order ON hotline.assignments (unit, number)
    WHERE state NOT IN ('returned', 'withdrawn', 'past');
CREATE INDEX consults_by_unit ON hotline.consults (unit);

-- ---- words --------------------------------------------------------------------------------------

-- A table of its own: a ticket's row changes with each move, its title does not.
CREATE TABLE hotline.ticket_words (
    number text PRIMARY KEY,
    pairs  text[] NOT NULL
);
COMMENT ON TABLE hotline.ticket_words IS
    'pairs of characters in a ticket''s title; read by hotline.page_of_centre and page_of_unit alone';
CREATE FUNCTION hotline.pairs_of(said text) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
    SELECT coalesce(array_agg(substr(lower(said), n, 2)), '{}')
    FROM generate_series(1, length(said) - 1) n
$$;
INSERT INTO hotline.ticket_words SELECT number, hotline.pairs_of(title) FROM hotline.tickets;
CREATE INDEX ticket_words_by_pair ON hotline.ticket_words USING gin (pairs)
    WITH (fastupdate = off);
CREATE FUNCTION hotline.keep_words() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    INSERT INTO hotline.ticket_words VALUES (NEW.number, hotline.pairs_of(NEW.title))
    ON CONFLICT (number) DO UPDATE SET pairs = excluded.pairs;
    RETURN NULL;
END $$;
CREATE TRIGGER tickets_have_words AFTER INSERT OR UPDATE OF title ON hotline.tickets
    FOR EACH ROW EXECUTE FUNCTION hotline.keep_words();

ANALYZE hotline.ticket_words, hotline.assignments, hotline.tickets;

-- ---- who asks -----------------------------------------------------------------------------------

-- The same answers as before, in a language that keeps its plans and works the token's
-- hash out once: a policy asks them of each row.
CREATE OR REPLACE FUNCTION hotline.session_unit() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    token bytea := sha256(convert_to(current_setting('hotline.session', true), 'UTF8'));
BEGIN
    RETURN (SELECT users.unit
        FROM hotline.sessions JOIN hotline.users ON users.id = sessions.user_id
        WHERE sessions.token_hash = token AND sessions.expires_at > now() AND users.is_active);
END $$;
CREATE OR REPLACE FUNCTION hotline.session_user_id() RETURNS uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    token bytea := sha256(convert_to(current_setting('hotline.session', true), 'UTF8'));
BEGIN
    RETURN (SELECT users.id
        FROM hotline.sessions JOIN hotline.users ON users.id = sessions.user_id
        WHERE sessions.token_hash = token AND sessions.expires_at > now() AND users.is_active);
END $$;
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
                OR EXISTS (SELECT FROM hotline.consults c
                    WHERE c.ticket_id = ticket AND c.unit = me)));
END $$;
CREATE OR REPLACE FUNCTION hotline.leads(assignment uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    me text := hotline.session_unit();
BEGIN
    RETURN EXISTS (SELECT FROM hotline.assignments a WHERE a.id = assignment AND a.unit = me);
END $$;

-- ---- the pages ----------------------------------------------------------------------------------

-- A unit that has a ticket twice is to find it once; inlined into the query that asks.
CREATE FUNCTION hotline.has_later(this hotline.assignments) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM hotline.assignments b
        WHERE b.ticket_id = this.ticket_id AND b.unit = this.unit AND b.id > this.id
            AND b.state NOT IN ('returned', 'withdrawn', 'past'))
$$;

-- Newest first. Every branch narrows by all that is given; which one leads is what is rarest. Planned
-- for the given values each time: a plan for any values would walk through all tickets.
CREATE FUNCTION hotline.page_of_centre(
        states text[], of_type text, of_unit text, words text, below text, most integer,
        is_asked boolean)
    RETURNS SETOF text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    is_open boolean := coalesce(current_setting('hotline.locked_lanes', true) = 'open', false);
    sought text := '%' || replace(replace(replace(words, '\', '\\'), '%', '\%'), '_', '\_') || '%';
    gone text[] := '{returned,withdrawn,past}';
    found text[] := '{}';
    wanted text;
BEGIN
    IF words ~ '^[0-9]{8}-[0-9]{6,}$' THEN
        RETURN QUERY SELECT t.number FROM hotline.tickets t
            WHERE t.number = words AND (below = '' OR t.number < below)
                AND (t.lane = 'ordinary' OR is_open)
                AND (cardinality(states) = 0 OR t.state = ANY (states))
                AND (of_type = '' OR t.type = of_type)
                AND (of_unit = '' OR EXISTS (SELECT FROM hotline.assignments a
                    WHERE a.ticket_id = t.id AND a.unit = of_unit AND a.state <> ALL (gone)))
                AND (NOT is_asked OR EXISTS (SELECT FROM hotline.unit_requests r
                    WHERE r.ticket_id = t.id AND r.state = 'asked'));
    ELSIF words <> '' THEN
        RETURN QUERY SELECT t.number
            FROM hotline.ticket_words w JOIN hotline.tickets t ON t.number = w.number
            WHERE (length(words) < 2 OR w.pairs @> hotline.pairs_of(words))
                AND t.title ILIKE sought AND (below = '' OR t.number < below)
                AND (t.lane = 'ordinary' OR is_open)
                AND (cardinality(states) = 0 OR t.state = ANY (states))
                AND (of_type = '' OR t.type = of_type)
                AND (of_unit = '' OR EXISTS (SELECT FROM hotline.assignments a
                    WHERE a.ticket_id = t.id AND a.unit = of_unit AND a.state <> ALL (gone)))
                AND (NOT is_asked OR EXISTS (SELECT FROM hotline.unit_requests r
                    WHERE r.ticket_id = t.id AND r.state = 'asked'))
            ORDER BY t.number DESC LIMIT most;
    ELSIF is_asked THEN
        RETURN QUERY SELECT t.number FROM hotline.tickets t
            WHERE t.id IN (SELECT r.ticket_id FROM hotline.unit_requests r
                    WHERE r.state = 'asked')
                AND (below = '' OR t.number < below) AND (t.lane = 'ordinary' OR is_open)
                AND (cardinality(states) = 0 OR t.state = ANY (states))
                AND (of_type = '' OR t.type = of_type)
                AND (of_unit = '' OR EXISTS (SELECT FROM hotline.assignments a
                    WHERE a.ticket_id = t.id AND a.unit = of_unit AND a.state <> ALL (gone)))
            ORDER BY t.number DESC LIMIT most;
    ELSIF of_unit <> '' THEN
        RETURN QUERY SELECT a.number
            FROM hotline.assignments a JOIN hotline.tickets t ON t.id = a.ticket_id
            WHERE a.unit = of_unit AND a.state NOT IN ('returned', 'withdrawn', 'past')
                AND NOT hotline.has_later(a)
                AND (below = '' OR a.number < below) AND (t.lane = 'ordinary' OR is_open)
                AND (cardinality(states) = 0 OR t.state = ANY (states))
                AND (of_type = '' OR t.type = of_type)
            ORDER BY a.number DESC LIMIT most;
    ELSIF cardinality(states) > 0 THEN
        -- Each by itself, since a rare state leads another way than a common one.
        FOREACH wanted IN ARRAY states LOOP
            found := found || ARRAY(SELECT t.number FROM hotline.tickets t
                WHERE t.state = wanted AND (below = '' OR t.number < below)
                    AND (t.lane = 'ordinary' OR is_open) AND (of_type = '' OR t.type = of_type)
                ORDER BY t.number DESC LIMIT most);
        END LOOP;
        RETURN QUERY SELECT each FROM unnest(found) each ORDER BY each DESC LIMIT most;
    ELSE
        RETURN QUERY SELECT t.number FROM hotline.tickets t
            WHERE (below = '' OR t.number < below) AND (t.lane = 'ordinary' OR is_open)
                AND (of_type = '' OR t.type = of_type)
            ORDER BY t.number DESC LIMIT most;
    END IF;
END $$;
GRANT EXECUTE ON FUNCTION hotline.page_of_centre TO hotline_web;

-- What the session's unit may see, by the same conditions as hotline.is_seen_by_unit. ``of_unit``:
-- only what it handed on to that one.
CREATE FUNCTION hotline.page_of_unit(
        states text[], of_type text, of_unit text, words text, below text, most integer,
        is_asked boolean)
    RETURNS SETOF text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    me text := hotline.session_unit();
    person uuid := hotline.session_user_id();
    whose text := coalesce(nullif(of_unit, ''), me);
    found text[];
    sought text := '%' || replace(replace(replace(words, '\', '\\'), '%', '\%'), '_', '\_') || '%';
BEGIN
    found := ARRAY(SELECT a.number
        FROM hotline.assignments a JOIN hotline.tickets t ON t.id = a.ticket_id
        WHERE a.unit = whose AND a.state NOT IN ('returned', 'withdrawn', 'past')
            AND (below = '' OR a.number < below) AND NOT hotline.has_later(a)
            AND (whose = me OR hotline.leads(a.parent) AND hotline.is_seen_by_unit(t.id))
            AND t.lane = 'ordinary' AND me <> ALL (t.accused_units) AND me <> ALL (t.recused_units)
            AND person <> ALL (t.recused_users) AND (below = '' OR t.number < below)
            AND (cardinality(states) = 0 OR t.state = ANY (states))
            AND (of_type = '' OR t.type = of_type)
            AND (words = '' OR t.number = words OR t.title ILIKE sought)
            AND (NOT is_asked OR EXISTS (SELECT FROM hotline.unit_requests r
                JOIN hotline.assignments b ON b.id = r.assignment
                WHERE r.ticket_id = t.id AND r.state = 'asked' AND b.unit = me))
        ORDER BY a.number DESC LIMIT most);
    IF of_unit = '' THEN
        found := found || ARRAY(SELECT t.number
            FROM hotline.consults c JOIN hotline.tickets t ON t.id = c.ticket_id
            WHERE c.unit = me AND t.lane = 'ordinary' AND me <> ALL (t.accused_units) AND me <> ALL (t.recused_units)
                AND person <> ALL (t.recused_users) AND (below = '' OR t.number < below)
                AND (cardinality(states) = 0 OR t.state = ANY (states))
                AND (of_type = '' OR t.type = of_type)
                AND (words = '' OR t.number = words OR t.title ILIKE sought)
                AND (NOT is_asked OR EXISTS (SELECT FROM hotline.unit_requests r
                    JOIN hotline.assignments b ON b.id = r.assignment
                    WHERE r.ticket_id = t.id AND r.state = 'asked' AND b.unit = me))
            ORDER BY t.number DESC LIMIT most);
    END IF;
    RETURN QUERY SELECT DISTINCT each FROM unnest(found) each ORDER BY each DESC LIMIT most;
END $$;
GRANT EXECUTE ON FUNCTION hotline.page_of_unit TO hotline_unit;
