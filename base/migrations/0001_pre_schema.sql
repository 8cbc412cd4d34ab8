-- The schema, its list of migrations, and closed doors: whatever a role may do is granted by name
-- in the migration that makes the table. The roles themselves are made by base/database_roles.py.

CREATE SCHEMA hotline;

REVOKE ALL ON SCHEMA hotline FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
GRANT USAGE ON SCHEMA hotline TO hotline_bridge, hotline_web;

CREATE TABLE hotline.migrations (
    number     integer PRIMARY KEY,
    phase      text NOT NULL CHECK (phase IN ('pre', 'post')),
    name       text NOT NULL,
    checksum   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
-- Running roles compare it with their own list and refuse to work on an older schema.
GRANT SELECT ON hotline.migrations TO hotline_bridge, hotline_web;
