-- Live facts, written by the bridge alone. No foreign keys between them: when the database comes
-- back after an absence they arrive in any order, and a word must not be lost for want of its call.

CREATE TABLE hotline.calls (
    id               text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 128),
    caller_number    text NOT NULL DEFAULT '',
    caller_name      text NOT NULL DEFAULT '',
    called_number    text NOT NULL DEFAULT '',
    queue            text,
    agent            text,
    arrived_at       timestamptz NOT NULL,
    queued_at        timestamptz,
    answered_at      timestamptz,
    ended_at         timestamptz,
    outcome          text CHECK (outcome IN ('answered', 'abandoned', 'emergency', 'failed')),
    emergency_line   text CHECK (emergency_line IN ('110', '119', '120', '122')),
    recording_path   text,
    recording_sha256 text CHECK (recording_sha256 ~ '^[0-9a-f]{64}$')
);
CREATE INDEX calls_by_caller ON hotline.calls (caller_number, arrived_at DESC)
    WHERE caller_number <> '';
CREATE INDEX calls_unended ON hotline.calls (arrived_at) WHERE ended_at IS NULL;
CREATE INDEX calls_by_agent ON hotline.calls (agent, ended_at DESC) WHERE ended_at IS NOT NULL;

CREATE TABLE hotline.rings (
    id        text PRIMARY KEY,
    call_id   text NOT NULL,
    agent     text NOT NULL,
    rang_at   timestamptz NOT NULL,
    ended_at  timestamptz,
    ended_by  text CHECK (ended_by IN
        ('answered', 'answered_elsewhere', 'no_answer', 'declined', 'caller_left'))
);
CREATE INDEX rings_by_call ON hotline.rings (call_id);

-- Finals only: a guess that a later word replaces is shown, not kept.
CREATE TABLE hotline.utterances (
    call_id    text NOT NULL,
    speaker    text NOT NULL CHECK (speaker IN ('citizen', 'agent')),
    number     integer NOT NULL CHECK (number >= 0),
    revision   integer NOT NULL CHECK (revision >= 0),
    text       text NOT NULL,
    start_s    double precision NOT NULL,
    end_s      double precision NOT NULL,
    words      jsonb NOT NULL DEFAULT '[]',
    confidence double precision,
    engine     text NOT NULL,
    model      text NOT NULL,
    stored_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (call_id, speaker, number)
);

CREATE TABLE hotline.drafts (
    call_id      text PRIMARY KEY,
    version      integer NOT NULL,
    machine      jsonb NOT NULL,
    agent        jsonb NOT NULL,
    updated_at   timestamptz NOT NULL,
    confirmed_at timestamptz
);

GRANT SELECT, INSERT, UPDATE ON hotline.calls, hotline.rings, hotline.utterances
    TO hotline_bridge;
GRANT SELECT, INSERT ON hotline.drafts TO hotline_bridge;
GRANT UPDATE (version, machine, agent, updated_at) ON hotline.drafts TO hotline_bridge;

GRANT SELECT ON hotline.calls, hotline.rings, hotline.utterances, hotline.drafts TO hotline_web;
GRANT UPDATE (confirmed_at) ON hotline.drafts TO hotline_web;
