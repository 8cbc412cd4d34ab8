-- A bridge that starts asks for the newest call, to know how far back Asterisk's own books are read.

CREATE INDEX calls_by_arrival ON hotline.calls (arrived_at DESC);
