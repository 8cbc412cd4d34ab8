-- What the bridge may have missed of a call is known from the records alone, so that it outlasts any
-- number of restarts: a row is unsettled until somebody saw the whole call.

ALTER TABLE hotline.calls ADD COLUMN is_settled boolean NOT NULL DEFAULT true;
ALTER TABLE hotline.calls ALTER COLUMN is_settled SET DEFAULT false;
UPDATE hotline.calls SET is_settled = false WHERE ended_at IS NULL;
ALTER TABLE hotline.calls ADD CHECK (ended_at IS NOT NULL OR NOT is_settled);
COMMENT ON COLUMN hotline.calls.is_settled IS
    'nothing more is to be learnt: one bridge followed it from its arrival to its end without a gap,'
    ' or Asterisk''s books were read after it';
CREATE INDEX calls_unsettled ON hotline.calls (arrived_at) WHERE NOT is_settled;
DROP INDEX hotline.calls_unended;

CREATE TABLE hotline.followed (
    is_only    boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    arrived_at timestamptz
);
COMMENT ON COLUMN hotline.followed.arrived_at IS
    'each call that came until then has a row in calls; null: nobody knows';
INSERT INTO hotline.followed (arrived_at) SELECT max(arrived_at) FROM hotline.calls;

GRANT SELECT, UPDATE (arrived_at) ON hotline.followed TO hotline_bridge;
