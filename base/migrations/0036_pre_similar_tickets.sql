-- Tickets that are in hand already and speak of the same: what registration is shown against
-- doubling. Of the newest of one type, those whose titles share the most pairs of characters.

CREATE FUNCTION hotline.similar_tickets(ticket uuid, open_states text[], looked_at integer,
        most integer)
    RETURNS TABLE (number text, likeness real)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    this hotline.tickets;
    said text[];
BEGIN
    SELECT * INTO this FROM hotline.tickets t WHERE t.id = ticket;
    said := ARRAY(SELECT DISTINCT unnest(hotline.pairs_of(this.title)));
    IF this.lane <> 'ordinary' OR this.is_withheld OR cardinality(said) = 0 THEN
        RETURN;
    END IF;
    RETURN QUERY
        SELECT w.number, (shared.n::real / (cardinality(said) + other.n - shared.n))::real AS alike
        FROM (SELECT t.number FROM hotline.tickets t
                WHERE t.type = this.type AND t.state = ANY (open_states) AND t.lane = 'ordinary'
                    AND t.id <> ticket AND NOT t.is_withheld
                    AND (this.region = '' OR t.region = '' OR t.region = this.region)
                ORDER BY t.number DESC LIMIT looked_at) newest
            JOIN hotline.ticket_words w ON w.number = newest.number
            CROSS JOIN LATERAL (SELECT count(DISTINCT p) AS n FROM unnest(w.pairs) p) other
            CROSS JOIN LATERAL (SELECT count(DISTINCT p) AS n FROM unnest(w.pairs) p
                WHERE p = ANY (said)) shared
        WHERE shared.n * 3 >= cardinality(said) + other.n - shared.n
        ORDER BY alike DESC, w.number DESC LIMIT most;
END $$;
GRANT EXECUTE ON FUNCTION hotline.similar_tickets TO hotline_web;
