-- Every attempt to reach an emergency line, as Asterisk's own book tells it; written by the bridge
-- alone. No foreign key: a line dialled by an agent's phone belongs to no caller's call.

CREATE TABLE hotline.emergency_handovers (
    handover      text PRIMARY KEY CHECK (length(handover) BETWEEN 1 AND 160),
    call_id       text NOT NULL,
    line          text NOT NULL CHECK (line IN ('', '110', '119', '120', '122')),
    source        text NOT NULL,
    agent         text,
    caller_number text NOT NULL,
    caller_name   text NOT NULL,
    asked_at      timestamptz NOT NULL,
    tries         jsonb NOT NULL,
    trunk         text,
    answered_at   timestamptz,
    ended_at      timestamptz,
    outcome       text NOT NULL CHECK (outcome IN
        ('ringing', 'answered', 'unreached', 'given_up', 'no_choice'))
);
COMMENT ON COLUMN hotline.emergency_handovers.line IS 'empty: the key was pressed, none chosen';
COMMENT ON COLUMN hotline.emergency_handovers.source IS
    'greeting, waiting, direct, agent, transfer or button';
COMMENT ON COLUMN hotline.emergency_handovers.tries IS 'trunks that did not reach the line, in order';
CREATE INDEX emergency_handovers_by_call ON hotline.emergency_handovers (call_id);
CREATE INDEX emergency_handovers_by_time ON hotline.emergency_handovers (asked_at DESC);

GRANT SELECT, INSERT, UPDATE ON hotline.emergency_handovers TO hotline_bridge;
GRANT SELECT ON hotline.emergency_handovers TO hotline_web;
