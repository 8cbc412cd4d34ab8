-- name: tables
-- Each table with the program's logins that may read any of it, and whether rows are shut out too.
SELECT c.relname::text AS "table", c.relrowsecurity AS is_by_row,
    array_remove(ARRAY[
        CASE WHEN has_any_column_privilege('hotline_bridge', c.oid, 'SELECT') THEN 'bridge' END,
        CASE WHEN has_any_column_privilege('hotline_web', c.oid, 'SELECT') THEN 'web' END,
        CASE WHEN has_any_column_privilege('hotline_unit', c.oid, 'SELECT') THEN 'unit' END],
        NULL) AS readers
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'hotline' AND c.relkind IN ('r', 'p') ORDER BY c.relname;
