-- Each ledger entry binds what the ticket's rows were after it, so that a date or an answer changed
-- behind the program shows (tickets/seal_store.py). Over the columns that there are now: one added later
-- is not in it, or no older entry would fit any more. Texts have a hash of their own.
DO $$
DECLARE
    known text[] := (SELECT array_agg(DISTINCT column_name::text) FROM information_schema.columns
        WHERE table_schema = 'hotline' AND table_name IN ('tickets', 'assignments', 'unit_requests',
            'follow_ups', 'explanations', 'consults', 'reply_doubts', 'contact_attempts', 'refusals',
            'ratings'));
    texts text[] := '{title,content,demand,place,occurred,caller_name,caller_number,contact_number,draft,entered_at}';
BEGIN
    EXECUTE format($make$
        CREATE FUNCTION hotline.bound_columns(this jsonb) RETURNS jsonb
            LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $body$
            SELECT jsonb_object_agg(key, value) FROM jsonb_each(this)
            WHERE key = ANY (%L::text[]) AND key <> ALL (%L::text[])
        $body$ $make$, known, texts);
END $$;
CREATE FUNCTION hotline.rows_sha256(ticket uuid) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog SET timezone = 'UTC' AS $$
    SELECT encode(sha256(convert_to(jsonb_build_array(
        (SELECT hotline.bound_columns(to_jsonb(t)) FROM hotline.tickets t WHERE t.id = ticket),
        (SELECT jsonb_agg(hotline.bound_columns(to_jsonb(c)) ORDER BY c.id)
            FROM hotline.assignments c WHERE c.ticket_id = ticket),
        (SELECT jsonb_agg(hotline.bound_columns(to_jsonb(c)) ORDER BY c.id)
            FROM hotline.unit_requests c WHERE c.ticket_id = ticket),
        (SELECT jsonb_agg(hotline.bound_columns(to_jsonb(c)) ORDER BY c.number)
            FROM hotline.follow_ups c WHERE c.ticket_id = ticket),
        (SELECT jsonb_agg(hotline.bound_columns(to_jsonb(c)) ORDER BY c.number)
            FROM hotline.explanations c WHERE c.ticket_id = ticket),
        (SELECT jsonb_agg(hotline.bound_columns(to_jsonb(c)) ORDER BY c.number)
            FROM hotline.consults c WHERE c.ticket_id = ticket),
        (SELECT jsonb_agg(hotline.bound_columns(to_jsonb(c)) ORDER BY c.number)
            FROM hotline.reply_doubts c WHERE c.ticket_id = ticket),
        (SELECT jsonb_agg(hotline.bound_columns(to_jsonb(c)) ORDER BY c.version)
            FROM hotline.contact_attempts c WHERE c.ticket_id = ticket),
        (SELECT jsonb_agg(hotline.bound_columns(to_jsonb(c)) ORDER BY c.version)
            FROM hotline.refusals c WHERE c.ticket_id = ticket),
        (SELECT jsonb_agg(hotline.bound_columns(to_jsonb(c)) ORDER BY c.version)
            FROM hotline.ratings c WHERE c.ticket_id = ticket)
    )::text, 'UTF8')), 'hex')
$$;
GRANT EXECUTE ON FUNCTION hotline.rows_sha256 TO hotline_web;
