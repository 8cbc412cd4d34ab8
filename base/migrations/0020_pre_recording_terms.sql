-- How long each recording is kept. The bridge enters terms and notes what it deleted; only the owner
-- holds a recording back, or lets it go.

CREATE TABLE hotline.recording_terms (
    path         text PRIMARY KEY,
    rule         text NOT NULL,
    recorded_at  timestamptz NOT NULL,
    delete_after timestamptz NOT NULL,
    held_reason  text CHECK (held_reason <> ''),
    held_at      timestamptz,
    deleted_at   timestamptz,
    CHECK ((held_reason IS NULL) = (held_at IS NULL)),
    CHECK (deleted_at IS NULL OR held_reason IS NULL)
);
COMMENT ON COLUMN hotline.recording_terms.rule IS
    'the retention class: the rule, the pack and the version it was entered under';
CREATE INDEX recording_terms_open ON hotline.recording_terms (delete_after)
    WHERE deleted_at IS NULL AND held_reason IS NULL;
CREATE INDEX calls_recorded ON hotline.calls (recording_path) WHERE recording_path IS NOT NULL;
CREATE INDEX calls_out_recorded ON hotline.calls_out (recording_path)
    WHERE recording_path IS NOT NULL;

GRANT SELECT ON hotline.recording_terms TO hotline_bridge, hotline_web;
GRANT INSERT (path, rule, recorded_at, delete_after) ON hotline.recording_terms TO hotline_bridge;
GRANT UPDATE (deleted_at) ON hotline.recording_terms TO hotline_bridge;
