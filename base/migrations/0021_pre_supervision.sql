-- What leaders did to agents and their conversations, with the reason. Written by the bridge alone.
-- A row is never changed, but for its end, once.

CREATE TABLE hotline.supervision_acts (
    id          text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    at          timestamptz NOT NULL,
    leader      text NOT NULL,
    leader_name text NOT NULL,
    act         text NOT NULL CHECK (act IN
        ('listen', 'whisper', 'join', 'take_over', 'pause', 'sign_out')),
    agent       text NOT NULL,
    call_id     text,
    phone       text,
    reason      text NOT NULL CHECK (reason <> ''),
    answered_at timestamptz,
    ended_at    timestamptz
);
COMMENT ON COLUMN hotline.supervision_acts.leader IS 'users.id; no foreign key: notes come in any order';
COMMENT ON COLUMN hotline.supervision_acts.answered_at IS
    'when the leader''s phone was answered; null: it was not, or there is none';
CREATE INDEX supervision_acts_by_time ON hotline.supervision_acts (at DESC);
CREATE INDEX supervision_acts_by_agent ON hotline.supervision_acts (agent, at DESC);

CREATE FUNCTION hotline.refuse_act_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.ended_at IS NULL THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'acts of supervision are not changed' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER acts_are_kept BEFORE UPDATE OR DELETE ON hotline.supervision_acts
    FOR EACH ROW EXECUTE FUNCTION hotline.refuse_act_change();
CREATE TRIGGER acts_are_not_emptied BEFORE TRUNCATE ON hotline.supervision_acts
    FOR EACH STATEMENT EXECUTE FUNCTION hotline.refuse_act_change();

GRANT SELECT, INSERT ON hotline.supervision_acts TO hotline_bridge;
GRANT UPDATE (answered_at, ended_at) ON hotline.supervision_acts TO hotline_bridge;
GRANT SELECT ON hotline.supervision_acts TO hotline_web;
