-- What is hidden from whoever asks takes no place in a list, so that neither the cursor behind it nor a
-- search tells that it is there; and whoever a locked ticket is about reads nothing of it by any list.
-- Lists say for whom they are read (``hotline.person``); old code that does not is answered as before.

ALTER POLICY of_centre ON hotline.tickets
    USING (lane = 'ordinary'
        OR current_setting('hotline.locked_lanes', true) IN ('open', lane)
            AND coalesce(current_setting('hotline.person', true), '') <> ALL (recused_users::text[]));
DO $$ BEGIN
    EXECUTE replace(replace(pg_get_functiondef('hotline.page_of_centre'::regproc),
        'is_open boolean := coalesce(current_setting(''hotline.locked_lanes'', true) IN (''open'', ''staff_complaint''), false);',
        'opened text := coalesce(current_setting(''hotline.locked_lanes'', true), '''');
    person uuid := coalesce(nullif(current_setting(''hotline.person'', true), ''''),
        ''00000000-0000-0000-0000-000000000000'');'),
        '(t.lane = ''ordinary'' OR is_open)',
        '(t.lane = ''ordinary'' OR opened IN (''open'', t.lane)) AND person <> ALL (t.recused_users)');
END $$;

-- ---- who a confidential caller is ----------------------------------------------------------------

-- As before, and a number also where the country's code, the town's or a zero stands before it in one
-- place and not in the other: its last seven digits find it, what belongs to them goes with them.
CREATE OR REPLACE FUNCTION hotline.without_caller(said text, name text, numbers text[]) RETURNS text
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog AS $$
DECLARE
    each text;
    head text;
    tail text;
BEGIN
    IF length(btrim(name)) > 1 THEN
        said := replace(said, btrim(name), repeat('*', length(btrim(name))));
    END IF;
    FOREACH each IN ARRAY numbers LOOP
        each := regexp_replace(each, '\D', '', 'g');
        IF length(each) > 4 THEN
            -- However its digits are spaced.
            head := regexp_replace(left(each, -7), '^(?:(?:00)?86(?=\d\d))?0*', '');
            head := regexp_replace(head, '(?<=\d)(?=\d)', '[\s-]?', 'g');
            tail := regexp_replace(right(each, 7), '(?<=\d)(?=\d)', '[\s-]?', 'g');
            said := regexp_replace(said,
                '(?:(?:\+?86[\s-]?)?0?' || head || '[\s-]?)?' || tail, '****', 'g');
        END IF;
    END LOOP;
    RETURN said;
END $$;
-- What the caller wants explained, in their own words.
CREATE FUNCTION hotline.unit_explanations(ticket uuid) RETURNS SETOF jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    t hotline.tickets;
BEGIN
    IF NOT hotline.is_seen_closely(ticket) THEN
        RETURN;
    END IF;
    SELECT * INTO STRICT t FROM hotline.tickets WHERE id = ticket;
    RETURN QUERY SELECT to_jsonb(e) || CASE WHEN t.confidential
            THEN jsonb_build_object('question', hotline.without_caller(
                e.question, t.caller_name, ARRAY[t.caller_number, t.contact_number]))
            ELSE '{}' END
        FROM hotline.explanations e WHERE e.ticket_id = ticket ORDER BY e.number;
END $$;
GRANT EXECUTE ON FUNCTION hotline.unit_explanations TO hotline_unit;
