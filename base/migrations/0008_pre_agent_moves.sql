-- Each step of each agent's state, in order: the leaders' figures are computed from it. Written by
-- the bridge alone, behind the desks, and never changed.

CREATE TABLE hotline.agent_moves (
    number  bigint PRIMARY KEY,
    agent   text NOT NULL,
    at      timestamptz NOT NULL,
    old     text NOT NULL,
    event   text NOT NULL,
    new     text NOT NULL,
    reason  text NOT NULL,
    call_id text,
    by      text NOT NULL
);
COMMENT ON COLUMN hotline.agent_moves.number IS
    'the order of steps: microseconds since 1970 when the bridge took it, never twice the same';
COMMENT ON COLUMN hotline.agent_moves.at IS 'when Asterisk, or the person, did it';
COMMENT ON COLUMN hotline.agent_moves.event IS
    'a trigger of routing/agents.py; bridge_started: from here on the log is whole again';
CREATE INDEX agent_moves_by_agent ON hotline.agent_moves (agent, number);

GRANT INSERT ON hotline.agent_moves TO hotline_bridge;
GRANT SELECT ON hotline.agent_moves TO hotline_bridge, hotline_web;
