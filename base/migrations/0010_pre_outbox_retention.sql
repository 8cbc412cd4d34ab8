-- What a sent message said goes after a while; its row stays, so that its key stays used.

CREATE INDEX outbox_said ON hotline.outbox (settled_at)
    WHERE state = 'sent' AND payload <> '{}';

-- The web role may not change a payload: this can only empty those that were sent.
CREATE FUNCTION hotline.forget_sent_messages(days integer, most integer) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    WITH old AS (
        SELECT id FROM hotline.outbox
        WHERE state = 'sent' AND payload <> '{}'
            AND settled_at < now() - greatest(days, 1) * interval '1 day'
        ORDER BY settled_at
        LIMIT most
        FOR UPDATE SKIP LOCKED
    ), emptied AS (
        UPDATE hotline.outbox SET payload = '{}' FROM old WHERE outbox.id = old.id RETURNING 1
    )
    SELECT count(*) FROM emptied
$$;
REVOKE ALL ON FUNCTION hotline.forget_sent_messages(integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hotline.forget_sent_messages(integer, integer) TO hotline_web;
