-- The daily test call over each emergency trunk: one row a trunk and day of the city's calendar.

CREATE TABLE hotline.emergency_trunk_tests (
    trunk    text NOT NULL CHECK (length(trunk) BETWEEN 1 AND 40),
    day      date NOT NULL,
    tries    integer NOT NULL,
    begun_at timestamptz NOT NULL,
    ended_at timestamptz,
    outcome  text,
    PRIMARY KEY (trunk, day)
);
COMMENT ON COLUMN hotline.emergency_trunk_tests.outcome IS
    'answered, or why not; empty while the call is under way, or where the bridge died in it';

GRANT SELECT, INSERT, UPDATE ON hotline.emergency_trunk_tests TO hotline_bridge;
GRANT SELECT ON hotline.emergency_trunk_tests TO hotline_web;
