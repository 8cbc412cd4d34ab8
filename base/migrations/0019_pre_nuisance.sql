-- What was done with a caller who misuses the line (routing/nuisance.py), and suspensions: by law, by
-- two people, for a time. The table itself refuses one without an end or by one person alone.

CREATE TABLE hotline.suspensions (
    id            uuid PRIMARY KEY,
    caller_number text NOT NULL CHECK (caller_number <> ''),
    misuse        text NOT NULL,
    reason        text NOT NULL CHECK (reason <> ''),
    article       jsonb NOT NULL,
    proposed_by   uuid NOT NULL REFERENCES hotline.users (id),
    proposed_at   timestamptz NOT NULL,
    decided_by    uuid REFERENCES hotline.users (id),
    decided_at    timestamptz,
    until_at      timestamptz,
    lifted_by     uuid REFERENCES hotline.users (id),
    lifted_at     timestamptz,
    CHECK (decided_by <> proposed_by),
    CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
    CHECK (until_at IS NULL OR (decided_at IS NOT NULL
        AND until_at > decided_at AND until_at <= decided_at + interval '30 days')),
    CHECK ((lifted_by IS NULL) = (lifted_at IS NULL)),
    CHECK (lifted_at IS NULL OR until_at IS NOT NULL)
);
COMMENT ON COLUMN hotline.suspensions.until_at IS 'its end; null: not decided, or refused';
CREATE INDEX suspensions_running ON hotline.suspensions (until_at) WHERE lifted_at IS NULL;

CREATE TABLE hotline.nuisance_steps (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    caller_number text NOT NULL CHECK (caller_number <> ''),
    at            timestamptz NOT NULL,
    kind          text NOT NULL CHECK (kind IN
        ('notice', 'mark', 'warn', 'inform', 'end_call', 'propose', 'refuse', 'approve', 'object',
         'review', 'lift', 'evidence')),
    misuse        text,
    call_id       text,
    by_user       uuid REFERENCES hotline.users (id),
    until_at      timestamptz,
    suspension    uuid REFERENCES hotline.suspensions (id),
    reason        text NOT NULL,
    script        text NOT NULL,
    article       jsonb,
    pack          text NOT NULL
);
COMMENT ON COLUMN hotline.nuisance_steps.by_user IS 'null: the machine, or the caller';
COMMENT ON COLUMN hotline.nuisance_steps.until_at IS
    'of a warning: the end of the caller''s time; of an approval: the end of the suspension';
COMMENT ON COLUMN hotline.nuisance_steps.pack IS 'whose law, and which version of it';
CREATE INDEX nuisance_steps_by_caller ON hotline.nuisance_steps (caller_number, id);

-- 0004's function: also here what is written is never unwritten.
CREATE TRIGGER nuisance_steps_are_append_only BEFORE UPDATE OR DELETE ON hotline.nuisance_steps
    FOR EACH ROW EXECUTE FUNCTION hotline.refuse_ledger_change();
CREATE TRIGGER nuisance_steps_are_not_emptied BEFORE TRUNCATE ON hotline.nuisance_steps
    FOR EACH STATEMENT EXECUTE FUNCTION hotline.refuse_ledger_change();

GRANT SELECT, INSERT ON hotline.nuisance_steps TO hotline_web;
GRANT SELECT ON hotline.suspensions TO hotline_web;
GRANT INSERT (id, caller_number, misuse, reason, article, proposed_by, proposed_at)
    ON hotline.suspensions TO hotline_web;
GRANT UPDATE (decided_by, decided_at, until_at, lifted_by, lifted_at) ON hotline.suspensions
    TO hotline_web;

-- What the screen-pop warns of, and no more.
GRANT SELECT (id, caller_number, at, kind, misuse, call_id, until_at) ON hotline.nuisance_steps
    TO hotline_bridge;
