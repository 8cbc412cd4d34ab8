-- The report asks for the calls and steps of an interval.

CREATE INDEX calls_by_queuing ON hotline.calls (queued_at) WHERE queued_at IS NOT NULL;
CREATE INDEX agent_moves_by_time ON hotline.agent_moves (at);
