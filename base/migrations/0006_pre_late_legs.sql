-- Legs that nobody heard live, or not to their end: to be transcribed from the call's recording.
-- A row is leased for as long as the speech role may take; a lease that ran out is given again.

CREATE TABLE hotline.late_legs (
    call_id      text NOT NULL,
    speaker      text NOT NULL CHECK (speaker IN ('citizen', 'agent')),
    wanted_at    timestamptz NOT NULL DEFAULT now(),
    stream       text,
    leased_until timestamptz NOT NULL DEFAULT '-infinity',
    attempts     integer NOT NULL DEFAULT 0,
    done_at      timestamptz,
    PRIMARY KEY (call_id, speaker)
);
CREATE INDEX late_legs_waiting ON hotline.late_legs (leased_until) WHERE done_at IS NULL;
GRANT SELECT, INSERT ON hotline.late_legs TO hotline_bridge;
GRANT UPDATE (stream, leased_until, attempts, done_at) ON hotline.late_legs TO hotline_bridge;
