-- What is done inside a conversation and on behalf of one: the caller's consent, who was asked or
-- joined in, silenced stretches of recordings, calls out. Written by the bridge behind the desks.

CREATE TABLE hotline.consents (
    call_id  text NOT NULL,
    agent    text NOT NULL,
    at       timestamptz NOT NULL,
    is_given boolean NOT NULL,
    PRIMARY KEY (call_id, at)
);
COMMENT ON TABLE hotline.consents IS
    'what the caller said when asked whether somebody may join; the last answer counts';

CREATE TABLE hotline.call_parties (
    id          text PRIMARY KEY,
    call_id     text NOT NULL,
    agent       text NOT NULL,
    number      text NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('colleague', 'unit', 'expert', 'outside')),
    began_at    timestamptz NOT NULL,
    answered_at timestamptz,
    joined_at   timestamptz,
    ended_at    timestamptz,
    outcome     text CHECK (outcome IN
        ('called_off', 'not_reached', 'asked', 'three_way', 'handed_over', 'sent_on'))
);
CREATE INDEX call_parties_by_call ON hotline.call_parties (call_id);

CREATE TABLE hotline.recording_pauses (
    call_id text NOT NULL,
    from_at timestamptz NOT NULL,
    to_at   timestamptz,
    agent   text,
    reason  text NOT NULL,
    PRIMARY KEY (call_id, from_at)
);

CREATE TABLE hotline.calls_out (
    id               text PRIMARY KEY,
    agent            text NOT NULL,
    number           text NOT NULL,
    wanted_at        timestamptz NOT NULL,
    about_call       text,
    about_ticket     text,
    rang_at          timestamptz,
    answered_at      timestamptz,
    ended_at         timestamptz,
    rang_s           double precision,
    talked_s         double precision,
    result           text CHECK (result IN ('answered', 'busy', 'no_answer', 'cancelled', 'failed',
        'agent_absent', 'unknown')),
    recording_path   text,
    recording_sha256 text CHECK (recording_sha256 ~ '^[0-9a-f]{64}$')
);
COMMENT ON TABLE hotline.calls_out IS
    'each attempt to reach somebody by telephone; contact_attempts.call names its id as the proof';
CREATE INDEX calls_out_by_ticket ON hotline.calls_out (about_ticket, wanted_at)
    WHERE about_ticket IS NOT NULL;
CREATE INDEX calls_out_by_call ON hotline.calls_out (about_call, wanted_at)
    WHERE about_call IS NOT NULL;
CREATE INDEX calls_out_open ON hotline.calls_out (wanted_at) WHERE result IS NULL;

-- Whom agents may reach by a click. Kept by the operator (hotline directory).
CREATE TABLE hotline.directory (
    number text PRIMARY KEY CHECK (number ~ '^[0-9]{2,20}$'),
    name   text NOT NULL CHECK (name <> ''),
    kind   text NOT NULL CHECK (kind IN ('unit', 'expert'))
);

-- Who listened to what sound, and when (R028).
CREATE TABLE hotline.listenings (
    number  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES hotline.users (id),
    at      timestamptz NOT NULL DEFAULT now(),
    call_id text,
    attempt text,
    part    text NOT NULL,
    CHECK ((call_id IS NULL) <> (attempt IS NULL))
);
CREATE INDEX listenings_by_call ON hotline.listenings (call_id, at);

GRANT SELECT, INSERT ON hotline.consents TO hotline_bridge;
GRANT SELECT, INSERT, UPDATE ON hotline.call_parties, hotline.recording_pauses,
    hotline.calls_out TO hotline_bridge;
GRANT SELECT ON hotline.consents, hotline.call_parties, hotline.recording_pauses,
    hotline.calls_out, hotline.directory TO hotline_web;
GRANT SELECT, INSERT ON hotline.listenings TO hotline_web;
