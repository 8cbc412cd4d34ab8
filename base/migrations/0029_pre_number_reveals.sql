-- Who saw the whole number of a caller whose use of the line was marked or warned of, when and why.

CREATE TABLE hotline.number_reveals (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT now(),
    user_id uuid NOT NULL REFERENCES hotline.users (id),
    step_id bigint NOT NULL REFERENCES hotline.nuisance_steps (id),
    reason  text NOT NULL CHECK (reason <> '')
);
COMMENT ON COLUMN hotline.number_reveals.step_id IS 'any step with that number';
CREATE INDEX number_reveals_by_step ON hotline.number_reveals (step_id);

-- 0004's function: also here what is written is never unwritten.
CREATE TRIGGER number_reveals_are_append_only BEFORE UPDATE OR DELETE ON hotline.number_reveals
    FOR EACH ROW EXECUTE FUNCTION hotline.refuse_ledger_change();
CREATE TRIGGER number_reveals_are_not_emptied BEFORE TRUNCATE ON hotline.number_reveals
    FOR EACH STATEMENT EXECUTE FUNCTION hotline.refuse_ledger_change();

GRANT SELECT ON hotline.number_reveals TO hotline_web;
GRANT INSERT (user_id, step_id, reason) ON hotline.number_reveals TO hotline_web;
